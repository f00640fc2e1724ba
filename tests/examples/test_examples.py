"""The scripts under examples/ do what their heads say."""

import re
import subprocess
import sys

import pytest
from tests.interop.processes import ROOT, program

EXAMPLES = ROOT / "examples"
FREE_PORTS = ("--website_port", "0", "--csip_website_port", "0", "--mb_port", "0")


def run(name, *words):
    done = subprocess.run(
        [sys.executable, EXAMPLES / name, *words], capture_output=True, text=True, timeout=55, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_every_example_is_tested():
    tested = set(re.findall(r'run\("(\w+\.py)"', (ROOT / "tests/examples/test_examples.py").read_text()))
    assert {path.name for path in EXAMPLES.glob("*.py")} == tested


def test_the_volt_var_sweep_follows_the_curve():
    rows = [[float(cell) for cell in line.split()] for line in run("volt_var_sweep.py").splitlines()[1:]]
    q_kvar = {row[0]: row[2] for row in rows}
    assert (q_kvar[0.91], q_kvar[1.01], q_kvar[1.09]) == pytest.approx((4.4, 0.0, -4.4), abs=0.01)
    assert q_kvar[0.95] == pytest.approx(2.2, abs=0.01)  # half way down


def test_a_limit_over_rest_is_followed_and_taken_back():
    with program(
        "dersim", "sim", "--website_port", "0", "--plugins", "rest,modbus", "--mb_port", "0", "--tick", "0.1"
    ) as child:
        lines = run("limit_over_rest.py", "--dashboard", child.ready()["dashboard"]).splitlines()
    assert lines[1].startswith("limited to 30 %: 3.0")
    assert lines[2].removeprefix("limit taken back: ") == lines[0].split(" of ")[0]


def test_a_published_control_is_answered_1_2_3():
    argv = ("dersim", "sim", "--demo", "--csip_server_port", "0", "--admin_port", "0", *FREE_PORTS)
    with program(*argv) as child:
        out = run("publish_and_watch.py", "--admin", child.ready()["utility_admin"], "--duration_s", "2")
    assert re.findall(r"Z  (\d) ", out) == ["1", "2", "3"]
