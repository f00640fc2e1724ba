"""The flags of a run under load, and what it ends with."""

import io
import json
import subprocess
import sys
from argparse import ArgumentTypeError
from xml.etree import ElementTree as ET

import pytest

from dersim.cli import load_flags, main, sim
from dersim.cli.load_run import finish
from dersim.cli.redaction import command_line
from dersim.cli.terminal import Look, Terminal
from dersim.load import LoadTally
from dersim.load.head import RunHead
from dersim.load.tally import RequestRecord

START_S = 1_800_000_000.0
HEAD = RunHead(
    "https://head.end/dcap", "2018", 2, 1, 50.0, 60.0, 7, "dersim sim", "a machine", "dersim 1", 1.5, 99.0
)


@pytest.fixture
def tally():
    made = LoadTally()
    for place in range(20):
        error = "503" if place == 3 else ""
        made.request(RequestRecord("GET Time", START_S + place, 1, 0, 0.02, 0, 0, error, "GET /tm: 503"))
    made.handshake(START_S, 0.03, resumed=False)
    made.loop_lag(START_S, 0.004)
    return made


def end(tally, *flags):
    options, _ = sim.configure(["--load", *flags])
    stream = io.StringIO()
    return finish(options, HEAD, tally, Terminal(stream, Look(False, False, False)))


def test_the_table_and_the_ticks_are_on_stderr(tally, capsys):
    assert end(tally, "--fail", "p95(GET Time) < 50ms") == 0
    out, told = capsys.readouterr()
    lines = told.splitlines()
    assert out == ""
    assert lines[0] == "load: 20 requests in 19 s (1.1/s), 1 errors (5 %)"
    assert "p99" in lines[1]
    assert lines[2].split() == [
        "GET", "Time", "20", "1.05", *["20.1"] * 4, "1", "503",
    ]  # fmt: skip
    assert lines[3].strip().startswith("handshake, full")
    assert lines[-1] == "  \u2713 p95(GET Time) < 50ms  20.1 ms"


def test_a_threshold_that_fails_is_exit_code_3(tally, capsys):
    assert end(tally, "--fail", "p95(GET Time) < 50ms", "--fail", "rate(errors) < 1%") == 3
    assert "\u2717 rate(errors) < 1%" in capsys.readouterr().err


def test_without_unicode_the_ticks_are_words(tally, monkeypatch):
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr(sys, "stderr", stream)
    assert end(tally, "--fail", "count(requests) > 100") == 3
    stream.flush()
    assert b"FAILED count(requests) > 100  20" in stream.buffer.getvalue()


def test_a_busy_client_is_told(tally, capsys):
    for _ in range(10):
        tally.loop_lag(START_S, 0.08)
    end(tally)
    assert "client saturated: the p99 of its own loop lag is 80 ms (above 50 ms)" in capsys.readouterr().err


def test_json_has_everything(tally, tmp_path):
    path = tmp_path / "r.json"
    end(tally, "--json", str(path), "--fail", "count(errors) == 0")
    document = json.loads(path.read_text())
    assert document["result"] == "failed"
    assert document["head"]["target"] == "https://head.end/dcap"
    assert document["thresholds"][0] == {
        "text": "count(errors) == 0", "passed": False, "value": 1, "unit": "", "found": "1",
    }  # fmt: skip
    assert document["kinds"][0]["kind"] == "GET Time"
    assert len(document["series"]["requests_per_s"]) == 20


def test_junit_has_a_case_for_each_threshold(tally, tmp_path):
    path = tmp_path / "r.xml"
    end(tally, "--junit", str(path), "--fail", "count(errors) == 0", "--fail", "p95(GET Time) < 1s")
    suite = ET.fromstring(path.read_text())[0]
    assert (suite.get("tests"), suite.get("failures")) == ("2", "1")
    failed, passed = suite
    assert failed.find("failure").get("message") == "measured: 1"
    assert passed.find("failure") is None
    assert passed.get("name") == "p95(GET Time) < 1s"


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90s", 90),
        ("10m", 600),
        ("1h30m", 5400),
        ("2h", 7200),
        ("45", 45),
        ("0.5s", 0.5),
        ("1d", 86400),
        ("1.5h", 5400),
    ],
)
def test_durations(text, seconds):
    assert load_flags.duration_s(text) == seconds


@pytest.mark.parametrize("text", ["", "0s", "-5s", "5x", "m", "10 m", "1y", "999999999", "nan"])
def test_what_is_no_duration(text):
    with pytest.raises(ArgumentTypeError, match="a time such as 30s, 10m or 2h is needed"):
        load_flags.duration_s(text)


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (
            ("--fail", "p95(GET Tme) < 1ms"),
            "--fail: 'p95(GET Tme) < 1ms', at 'Tme': no such resource; did you mean",
        ),
        (("--json", "/nowhere/r.json"), "--json: /nowhere/r.json: there is no folder /nowhere; give a file"),
        (("--junit", "/"), "--junit: /: Is a directory; give a file that can be written"),
        (("--duration", "soon"), "--duration: a time such as 30s, 10m or 2h is needed, not 'soon'"),
    ],
)
def test_a_mistake_is_exit_code_2_before_anything_starts(words, line, capsys):
    assert main.main(["sim", *words]) == 2
    out, told = capsys.readouterr()
    assert out == ""
    assert told.startswith(f"dersim: {line}")
    assert told.count("\n") == 1


def test_without_hdrhistogram_one_line_says_what_to_install(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "hdrh.histogram", None)
    assert main.main(["sim", "--load", "--plugins", "csip"]) == 2
    assert capsys.readouterr().err == (
        "dersim: load is measured with hdrhistogram, which is not installed: "
        f"{sys.executable} -m pip install hdrhistogram\n"
    )


def test_a_command_line_is_shown_without_secrets():
    words = ["dersim", "sim", "--csip_pin", "123456", "--token=geheim", "-N", "20", "--fail", "lag p99 < 1ms"]
    shown = command_line(words)
    assert shown == "dersim sim --csip_pin masked --token=masked -N 20 --fail 'lag p99 < 1ms'"


def test_a_run_stops_by_itself_and_tells_what_it_measured(tmp_path):
    free = [f"--{name}" for name in ("csip_server_port", "admin_port")]
    flags = [word for name in free for word in (name, "0")]
    done = subprocess.run(
        [
            *(
                sys.executable,
                "-m",
                "dersim",
                "sim",
                "--demo",
                "-N",
                "2",
                "--plugins",
                "csip,utility",
                *flags,
            ),
            *(
                "--duration",
                "2s",
                "--json",
                "r.json",
                "--fail",
                "count(requests) > 5",
                "--fail",
                "max(lag) < 1us",
            ),
        ],
        capture_output=True,
        check=False,
        cwd=tmp_path,
        text=True,
        timeout=50,
    )
    assert done.returncode == 3, done.stderr
    assert "\u2713 count(requests) > 5" in done.stderr
    document = json.loads((tmp_path / "r.json").read_text())
    assert document["head"]["target"].startswith("https://127.0.0.1:")
    assert sum(states[-1] for states in document["series"]["states"].values()) == 2
    assert document["handshakes"]["full"]["count"] >= 1
    assert document["seconds"] > 1


def test_a_run_that_never_reaches_its_server_fails_and_has_a_report(tmp_path):
    done = subprocess.run(
        [
            *(
                sys.executable,
                "-m",
                "dersim",
                "sim",
                "-N",
                "2",
                "--plugins",
                "csip",
                "--csip_server_port",
                "9",
            ),
            *("--duration", "2s", "--report", "r.html", "--fail", "p95(requests) < 1s"),
        ],
        capture_output=True,
        check=False,
        cwd=tmp_path,
        text=True,
        timeout=50,
    )
    assert done.returncode == 3, done.stderr
    assert "\u2717 p95(requests) < 1s  nothing was measured" in done.stderr
    assert "https://127.0.0.1:9/dcap" in (tmp_path / "r.html").read_text()
