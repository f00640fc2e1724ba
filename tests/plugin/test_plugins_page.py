"""docs/plugins.md, done as it says: its files in an empty folder, its commands one after the other.

Two things differ. pip would ask a package index for the build tool, so what it would write is written here,
from the page's pyproject.toml; and the demo gets free ports and a faster clock.
"""

from __future__ import annotations

import ast
import itertools
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.interop.processes import eventually, program

from dersim import plugin
from dersim.contract import candidates_of, examine
from dersim.outcomes import FAILED, SKIPPED

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "plugins.md").read_text()
TUTORIAL = PAGE[PAGE.index("## Your own control function") : PAGE.index("## What a DER reports")]
FLAGS = ("--csip_server_port", "0", "--admin_port", "0", "--website_port", "0", "--plugins", "csip,rest")


def commands() -> list[list[str]]:
    """All lines of the page's shell blocks."""
    blocks = re.findall(r"^```sh\n(.*?)^```", TUTORIAL, re.MULTILINE | re.DOTALL)
    return [shlex.split(line) for block in blocks for line in block.splitlines()]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The reader's folder: every block under a bold line that ends with a file's name."""
    made = tmp_path_factory.mktemp("soft-limit")
    files = re.findall(r"`([\w.]+)`:\n\n```\w+\n(.*?)^```", TUTORIAL, re.MULTILINE | re.DOTALL)
    for name, text in files:
        (made / name).write_text(text)
    assert sorted(name for name, _ in files) == [
        "dersim_soft_limit.py",
        "pyproject.toml",
        "test_soft_limit.py",
    ]
    return made


@pytest.fixture(scope="module")
def installed(folder: Path) -> dict[str, str]:
    """An environment in which the distribution is installed, as `pip install -e .` would do it."""
    write_facts(folder / "pyproject.toml", folder)
    return environment(folder)


def environment(place: Path) -> dict[str, str]:
    """This one, with what is installed at `place`."""
    before = os.environ.get("PYTHONPATH", "")
    return {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, (str(place), before)))}


def write_facts(pyproject: Path, place: Path) -> None:
    """The distribution's facts as an installer would write them."""
    project = tomllib.loads(pyproject.read_text())["project"]
    name, version = project["name"], project["version"]
    facts = place / f"{name.replace('-', '_')}-{version}.dist-info"
    facts.mkdir()
    (facts / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    points = project["entry-points"]["dersim"].items()
    lines = ["[dersim]", *(f"{point} = {target}" for point, target in points), ""]
    (facts / "entry_points.txt").write_text("\n".join(lines))


def run(words: list[str], folder: Path, env: dict[str, str]) -> str:
    done = subprocess.run(
        [sys.executable, "-m", *words],
        cwd=folder,
        env=env,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_commands_are_those_that_are_tried_here() -> None:
    assert [words[0] for words in commands()] == [
        "pip",
        "pytest",
        "dersim",
        "dersim",
        "curl",
        "curl",
        "curl",
        "dersim",
    ]


def test_the_pages_test_passes(folder: Path, installed: dict[str, str]) -> None:
    words = next(words for words in commands() if words[0] == "pytest")
    assert "1 passed" in run([*words, "-p", "no:cacheprovider"], folder, installed)


def test_the_plugin_is_listed_with_its_two_hooks(folder: Path, installed: dict[str, str]) -> None:
    words = next(words for words in commands() if words[:2] == ["dersim", "plugins"])
    [row] = [line for line in run(words, folder, installed).splitlines() if line.startswith("soft-limit ")]
    assert row.split()[-2:] == ["register_control_functions", "register_schema_extensions"]


def test_it_passes_the_contract_test(folder: Path, installed: dict[str, str]) -> None:
    lines = run(commands()[-1], folder, installed).splitlines()
    assert [line for line in lines if line.startswith("FAILED")] == []
    assert "ok      control function soft-limit: settled" in "\n".join(lines)


def test_its_mode_is_obeyed_over_2030_5(folder: Path, installed: dict[str, str]) -> None:
    demo, order, setpoints, overview = commands()[3:7]
    with program(*demo, *FLAGS, "--rate", "10", cwd=folder, env=installed) as child:
        at = child.ready()
        moved = {"http://127.0.0.1:8444": at["utility_admin"], "http://127.0.0.1:8111": at["dashboard"]}
        mrid = curl(order, moved)["mRID"]

        def line() -> Any:
            lines = curl(setpoints, moved)["in_force"]
            return next((each for each in lines if each["mode"] == "opModSoftLimW"), None)

        rules = eventually("the mode in force", line)
        assert (rules["value"], rules["source"], rules["detail"]) == (2000, "csip", mrid)
        eventually("2 kW", lambda: abs(curl(overview, moved)["metrics"]["power_kw"] - 2) < 0.05)
        responses = httpx.get(f"{at['utility_admin']}/api/utility/responses", trust_env=False).json()
        assert [each["status"] for each in responses if each["subject"] == mrid] == [1, 2]
        assert child.stop() == 0


def curl(words: list[str], moved: dict[str, str]) -> Any:
    """What the page does with curl, at the ports of this run."""
    options = dict(itertools.pairwise(words))
    [url] = [word for word in words if word.startswith("http")]
    for printed, real in moved.items():
        url = url.replace(printed, real)
    headers = dict([options["-H"].split(": ")]) if "-H" in options else {}
    answer = httpx.request(
        options.get("-X", "GET"), url, headers=headers, content=options.get("-d"), timeout=10, trust_env=False
    )
    assert answer.status_code < 300, answer.text
    return json.loads(answer.text)


EXAMPLES = re.findall(
    r"`(\w+\.\w+)`:\n\n```\w+\n(.*?)^```", PAGE.replace(TUTORIAL, ""), re.MULTILINE | re.DOTALL
)
SITE_METER = ROOT / "plugins" / "dersim-site-meter"


def test_the_plug_in_of_the_examples_passes_its_tests_with_the_pages_files(tmp_path: Path) -> None:
    shutil.copytree(SITE_METER, tmp_path, dirs_exist_ok=True)
    shutil.copy(SITE_METER.parent / "conftest.py", tmp_path)
    site = {name: text for name, text in EXAMPLES if name not in ("street.py", "fuse.py")}
    assert list(site) == ["registers.py", "meter_port.py", "site.js"]
    for name, text in site.items():
        path = tmp_path / "src" / "dersim_site_meter" / name
        assert path.read_text() == text, f"{name} differs from docs/plugins.md"
        path.write_text(text)
    write_facts(tmp_path / "pyproject.toml", tmp_path / "src")
    env = environment(tmp_path / "src")
    words = ["pytest", "-q", "-o", "trio_mode=true", "-p", "no:cacheprovider", "tests"]
    assert " passed" in run(words, tmp_path, env)


def test_the_grid_of_the_page_passes_the_contract_test_with_its_flag(tmp_path: Path) -> None:
    (tmp_path / "street.py").write_text(dict(EXAMPLES)["street.py"])
    [candidate] = candidates_of(str(tmp_path / "street.py"))
    found = {each.name: each for each in examine(candidate, flags=["--street_ohm", "0.2"])}
    assert [each.line for each in found.values() if each.result == FAILED] == []
    assert found["grid street: settle"].text.startswith("20 of 20 outputs of 3 DERs solved; running: ")
    without = {each.name: each for each in examine(candidate)}
    assert without["grids"].result == SKIPPED


def test_the_plug_in_of_the_page_for_the_server_passes_the_contract_test(tmp_path: Path) -> None:
    (tmp_path / "fuse.py").write_text(dict(EXAMPLES)["fuse.py"])
    [candidate] = candidates_of(str(tmp_path / "fuse.py"))
    found = {each.name: each for each in examine(candidate)}
    assert [each.line for each in found.values() if each.result == FAILED] == []
    assert found["flags"].text == "--fuse_min_a"
    assert found["device resource fuse: wire"].text == "20 documents there and back"


def test_the_other_blocks_are_python_and_name_what_exists() -> None:
    for block in re.findall(r"^```python\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL):
        ast.parse(block)
    for name in (
        "FunctionType",
        "SchemaExtension",
        "DeviceType",
        "FrontendType",
        "GridType",
        "MetricFamily",
        "Route",
        "Panel",
        "Demand",
        "SunspecModel",
    ):
        assert name in PAGE
        assert hasattr(plugin, name)
