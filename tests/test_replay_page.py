"""docs/replay.md: its scenario and its trajectory, run as they stand."""

import csv
import re
from pathlib import Path

import pytest

from dersim.cli.main import main

PAGE = (Path(__file__).parents[1] / "docs" / "replay.md").read_text(encoding="utf-8")


def block(language: str) -> str:
    found = re.search(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)
    assert found
    return found[1]


def test_the_example_runs_as_it_stands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("scenario.json").write_text(block("json"), encoding="utf-8")
    Path("trajectory.csv").write_text(block("csv"), encoding="utf-8")
    words = block("sh").split()
    assert words[0] == ".venv/bin/dersim"
    assert main(words[1:]) == 0
    with Path("out.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [float(row["t"]) for row in rows] == [0, 1, 2, 3]
    assert float(rows[0]["p_w"]) == 100_000
    assert float(rows[3]["p_w"]) == 40_000  # the event's limit
    assert float(rows[3]["q_var"]) < float(rows[1]["q_var"]) < 0  # Volt-Var absorbs, with its lag
