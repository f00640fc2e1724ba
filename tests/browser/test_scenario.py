"""The scenario of the utility's page: a file is chosen and begins, a mistake has its line, it is ended."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.interop.processes import ROOT

PEAK = ROOT / "examples" / "scenarios" / "summer-peak.yaml"


def test_a_scenario_is_chosen_begun_and_ended(start_demo: Any, open_page: Any, tmp_path: Path) -> None:
    running = start_demo()
    watched = open_page(f"{running.facts['utility_admin']}/#scenario")
    page = watched.page
    page.get_by_text("No scenario is played.").wait_for()
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text("programs:\n- {name: P, primacy: 3, defualt: {}}\n")
    for file, told in (
        (wrong, "line 2: defualt is not known; did you mean default?"),
        (PEAK, "It has begun."),
    ):
        page.get_by_label("Scenario file, YAML").set_input_files(file)
        page.get_by_role("button", name="Begin").click()
        page.get_by_text(told).wait_for()
    page.get_by_text("0 of 5 controls published, next in").wait_for()
    page.get_by_role("button", name="End").click()
    page.get_by_text("No scenario is played.").wait_for()
    assert page.get_by_role("button", name="End").is_disabled()
    watched.forgive("Failed to load resource")
