"""The study of docs/feeder-study.md: its statements, in an hour around noon, and what it writes."""

from __future__ import annotations

import contextlib
import csv
import io
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from xml.etree import ElementTree

import pytest
import yaml
from dersim_feeder.study import __main__ as command
from dersim_feeder.study.cases import CASES, LIMIT, scenario_of, write_scenario
from dersim_feeder.study.outcome import Outcome, Span, run_case
from dersim_feeder.study.svg import Axis, Line, chart, ticks
from dersim_feeder.study.table import as_csv

ROOT = Path(__file__).parents[3]
PAGE = ROOT / "docs" / "feeder-study.md"
IMAGES = ROOT / "docs" / "images"
NOON_S = datetime(2026, 3, 20, 12, tzinfo=UTC).timestamp()
SVG = "{http://www.w3.org/2000/svg}"
MOST_BYTES = 100_000


def by_key(outcomes: list[Outcome]) -> dict[str, Outcome]:
    return {each.case.key: each for each in outcomes}


def highest(outcome: Outcome) -> float:
    """At noon, pu."""
    return max(point.pu for point in outcome.profile)


@pytest.fixture(scope="module")
def around_noon(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Outcome]:
    """From 11:50 to 12:10."""
    folder = tmp_path_factory.mktemp("study")
    span = Span(NOON_S - 600, NOON_S, NOON_S + 600)
    return by_key([run_case(case, write_scenario(case, folder, 1200), span, tick_s=10) for case in CASES])


@pytest.mark.slow
def test_the_statements_of_the_study_hold_at_noon(around_noon: dict[str, Outcome]) -> None:
    none, volt_var, volt_watt, limit, together = around_noon.values()
    assert highest(none) > 1.06
    assert 1.05 < highest(volt_var) < highest(none) - 0.005
    assert highest(volt_watt) < 1.05
    assert 1.05 < highest(limit) < highest(none)
    assert highest(together) < highest(volt_watt)
    last = {key: each.rows[-1] for key, each in around_noon.items()}
    assert last["none"].loading_max_pct > 140
    assert last["volt-var"].loading_max_pct > last["none"].loading_max_pct
    assert 100 < last["volt-watt"].loading_max_pct < 120
    assert last["export-limit"].loading_max_pct < 100
    assert last["together"].loading_max_pct < 100
    assert last["volt-var"].losses_kw > last["none"].losses_kw > last["volt-watt"].losses_kw
    assert last["volt-var"].head_kvar > last["none"].head_kvar + 15


@pytest.mark.slow
def test_volt_watt_takes_from_those_at_the_end_and_a_limit_from_one_street(
    around_noon: dict[str, Outcome],
) -> None:
    assert around_noon["none"].curtailed_kwh == pytest.approx(0, abs=0.01)
    assert around_noon["volt-var"].curtailed_kwh < 0.1
    watt = sorted(around_noon["volt-watt"].curtailed, key=lambda each: each.kwh)
    assert watt[-1].transformer == "fir"
    assert watt[-1].kwh > 3 * watt[0].kwh
    took = {each.transformer for each in around_noon["export-limit"].curtailed if each.kwh > 0.01}
    assert took == {"fir"}


@pytest.mark.slow
def test_every_der_of_a_program_has_answered_over_2030_5(around_noon: dict[str, Outcome]) -> None:
    assert [each.started for each in around_noon.values()] == [0, 30, 30, 10, 70]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.key)
def test_a_case_has_its_controls_alone(case, tmp_path: Path) -> None:
    scenario = yaml.safe_load(write_scenario(case, tmp_path, 3600).read_text())
    assert scenario == scenario_of(case, 3600)
    assert [each["program"] for each in scenario["controls"]] == list(case.programs)
    assert {each["duration_s"] for each in scenario["controls"]} <= {3600}
    assert "default" in scenario["programs"][0]
    assert ("groups" in scenario) is (LIMIT in case.programs)


def test_a_chart_has_its_axes_and_a_path_for_each_line() -> None:
    x, y = Axis("Time, h", 0, 4, ticks(0, 4, 2, 0)), Axis("U < 1, pu", -1, 1, ticks(-1, 1, 1, 0))
    lines = [Line("one", "#000000", [(0, -1), (4, 1)]), Line("two", "#ff0000", [(2, 0)], dots=True)]
    root = ElementTree.fromstring(chart("A & B", x, y, lines, [(0.5, "limit")]))
    texts = [each.text for each in root.iter(f"{SVG}text")]
    assert texts == [
        "A & B",
        "\u22121",
        "0",
        "1",
        "0",
        "2",
        "4",
        "Time, h",
        "U < 1, pu",
        "limit",
        "one",
        "two",
    ]
    drawn = {each.get("d"): each.get("stroke") for each in root.iter(f"{SVG}path")}
    assert drawn["M66.0,310.0L742.0,58.0"] == "#000000"
    assert drawn["M404.0,184.0h0"] == "#ff0000"


@pytest.mark.parametrize(
    ("low", "high", "step", "expected"),
    [(1.018, 1.066, 0.01, ["1.02", "1.03", "1.04", "1.05", "1.06"]), (0, 3, 1, ["0", "1", "2", "3"])],
)
def test_ticks_are_within_the_axis(low: float, high: float, step: float, expected: list[str]) -> None:
    assert [text for _, text in ticks(low, high, step, 2 if step < 1 else 0)] == expected


def test_hours_without_noon_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["--out", str(tmp_path), "--begin_h", "13"]) == 2
    assert capsys.readouterr().err == (
        "dersim_feeder.study: --begin_h 13 --end_h 21: give hours of one day with noon between\n"
    )


def test_the_page_has_its_pictures_and_they_are_small() -> None:
    named = re.findall(r"\]\(images/([\w.-]+)\)", PAGE.read_text(encoding="utf-8"))
    kinds = ("profile", "voltage", "loading", "curtailed")
    assert {f"feeder-study-{name}.svg" for name in kinds} <= set(named)
    assert all(0 < (IMAGES / name).stat().st_size <= MOST_BYTES for name in named)
    for name in named:
        if name.endswith(".svg"):
            texts = [each.text for each in ElementTree.parse(IMAGES / name).iter(f"{SVG}text")]
            assert any(re.search(r", (pu|kWh|% of)", each) for each in texts)


def test_the_table_of_the_page_tells_what_its_text_says() -> None:
    rows = [line.strip("| ").split(" | ") for line in PAGE.read_text(encoding="utf-8").splitlines()]
    table = {
        row[0].strip(): [float(each) for each in row[1:]]
        for row in rows
        if len(row) == 6 and row[1][0].isdigit()
    }
    v_max = table["Highest voltage, pu"]
    assert [value > 1.05 for value in v_max] == [True, True, False, True, False]
    assert [value > 0 for value in table["Bus-minutes above 1.05 pu"]] == [True, True, False, True, False]
    loading = table["Highest loading of fir (50 kVA), %"]
    assert [value > 100 for value in loading] == [True, True, True, False, False]
    assert table["Losses, kWh"][1] > table["Losses, kWh"][0] > table["Losses, kWh"][2]
    assert table["Curtailed, kWh"][:2] == [0, 0]
    for delivered, curtailed in zip(
        table["Delivered by the DERs, kWh"], table["Curtailed, kWh"], strict=True
    ):
        assert delivered + curtailed == pytest.approx(table["Delivered by the DERs, kWh"][0], rel=0.005)


@pytest.mark.slow
def test_the_csv_has_a_row_for_each_case(around_noon: dict[str, Outcome]) -> None:
    rows = list(csv.DictReader(io.StringIO(as_csv(list(around_noon.values())))))
    assert [row["case"] for row in rows] == [case.title for case in CASES]
    assert float(rows[0]["v_max_pu"]) > 1.05


def has_ended(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return True
    return False


@pytest.mark.parametrize(("ended_by", "code"), [(signal.SIGINT, 130), (signal.SIGKILL, -signal.SIGKILL)])
def test_the_command_ends_at_once_and_no_process_of_it_goes_on(
    tmp_path: Path, ended_by: signal.Signals, code: int
) -> None:
    argv = [sys.executable, "-m", "dersim_feeder.study", "--out", str(tmp_path), "--jobs", "2"]
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(argv, **streams, text=True, start_new_session=True) as command:
        try:
            until(lambda: len(list(tmp_path.iterdir())) == len(CASES))
            # A terminal sends Ctrl-C to all processes of the group.
            send = os.killpg if ended_by is signal.SIGINT else os.kill
            send(command.pid, ended_by)
            told, said = command.communicate(timeout=20)
            assert (command.returncode, told) == (code, "")
            if ended_by is signal.SIGINT:
                assert said == "dersim_feeder.study: interrupted\n"
            until(lambda: has_ended(command.pid))
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(command.pid, signal.SIGKILL)


def until(look: Callable[[], bool], within_s: float = 20) -> None:
    deadline = time.monotonic() + within_s
    while not look():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.mark.parametrize("jobs", ["0", "-1", "x"])
def test_no_jobs_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str], jobs: str) -> None:
    assert command.main(["--out", str(tmp_path / "new"), "--jobs", jobs]) == 2
    said = capsys.readouterr().err
    assert said.startswith(
        f"dersim_feeder.study: --jobs: a whole number from 1 to 1024 is needed, not '{jobs}'"
    )
    assert said.count("\n") == 1
    assert not (tmp_path / "new").exists()
