"""docs/replay.md: its scenario and trajectory, run as printed; its refusals, and those of docs/inputs.md."""

import csv
import re
from pathlib import Path

import pytest

from dersim.cli.main import main
from dersim.errors import ConfigError
from dersim.hardware.nameplate import read_nameplate

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


INPUTS = (Path(__file__).parents[1] / "docs" / "inputs.md").read_text(encoding="utf-8")


def said(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    assert main(list(words)) == 2
    return capsys.readouterr().err.removesuffix("\n")


@pytest.mark.parametrize(
    ("language", "old", "new"),
    [
        ("json", '"volt_var"', '"volt_vra"'),
        ("json", '"active_power_limit": {"enabled": true', '"active_power_limit": {"enabled": "false"'),
        ("csv", "1,1.05,", "1,277,"),
    ],
)
def test_the_refusals_of_the_page_are_those_of_its_example_with_a_mistake(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    language: str,
    old: str,
    new: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    for name, file in (("json", "scenario.json"), ("csv", "trajectory.csv")):
        text = block(name)
        Path(file).write_text(text.replace(old, new) if name == language else text, encoding="utf-8")
    line = said(capsys, *block("sh").split()[1:])
    assert line in block("text").splitlines()


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"ACType": 3', '"ACType": 2.5'),
        ('"WMaxRtg": 8000', '"WMaxRtg": 8000, "WMaxRating": 8000'),
        ('"WMaxRtg": 8000', '"WMaxRtg": 9500'),
    ],
)
def test_the_refusals_of_the_page_of_nameplates_are_those_of_its_example_with_a_mistake(
    tmp_path: Path, old: str, new: str
) -> None:
    text = INPUTS.split("```json\n")[1].split("```")[0]
    path = tmp_path / "ex8.json"
    path.write_text(text.replace(old, new), encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        read_nameplate(path)
    line = f"dersim: {caught.value}".replace(str(path), "ex8.json")
    assert line in INPUTS.split("```text\n")[1].split("```")[0].splitlines()
