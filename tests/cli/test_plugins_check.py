"""`dersim plugins check`: one line per check or one JSON document, and the exit code."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dersim.cli import main

FUEL_CELL = Path(__file__).parents[2] / "plugins" / "dersim-fuel-cell" / "src" / "dersim_fuel_cell"
BROKEN = """
from dersim.plugin import hookimpl

@hookimpl
def register_device_types():
    raise ValueError("oops")
"""


@pytest.fixture
def broken(tmp_path):
    path = tmp_path / "broken_plugin.py"
    path.write_text(BROKEN)
    return path


def test_a_good_plug_in_is_exit_code_0_with_a_line_per_check(capsys):
    assert main.main(["plugins", "check", str(FUEL_CELL)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(":")[0] for line in lines[:3]] == ["ok      loads", "ok      flags", "ok      hooks"]
    assert all(line.startswith("ok ") for line in lines)


def test_a_failed_check_is_exit_code_3(capsys, broken):
    assert main.main(["plugins", "check", str(broken)]) == 3
    last = capsys.readouterr().out.splitlines()[-1]
    assert last.startswith("FAILED  hooks: plug-in broken_plugin: its hook register_device_types failed")
    assert "oops" in last


def test_the_results_as_one_document(capsys, broken):
    assert main.main(["plugins", "check", str(broken), "--json"]) == 3
    document = json.loads(capsys.readouterr().out)
    assert document["ok"] is False
    assert [each["name"] for each in document["checks"]] == ["loads", "flags", "hooks"]
    assert document["checks"][-1]["result"] == "failed"


def test_an_unknown_plug_in_is_exit_code_2(capsys):
    assert main.main(["plugins", "check", "nothing"]) == 2
    assert "dersim: nothing: no plug-in or distribution of that name" in capsys.readouterr().err


def test_a_plug_in_is_named(capsys):
    assert main.main(["plugins", "check"]) == 2
    assert "DIST" in capsys.readouterr().err
