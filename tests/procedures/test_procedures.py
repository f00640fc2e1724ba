"""Procedures after IEEE 1547.1: every criterion holds, and docs/ieee1547_1.md shows the table."""

from __future__ import annotations

import pytest
from tests.interop.processes import ROOT
from tests.procedures.bench import Row
from tests.procedures.suite import PROCEDURES, Procedure, table

_ROWS: dict[int, list[Row]] = {}


def rows_of(number: int) -> list[Row]:
    if number not in _ROWS:
        _ROWS[number] = list(PROCEDURES[number]())
    return _ROWS[number]


def name_of(procedure: Procedure) -> str:
    function = getattr(procedure, "func", procedure)
    return "-".join([function.__name__, *map(str, getattr(procedure, "args", ()))]).replace(" ", "_")


@pytest.mark.parametrize("number", range(len(PROCEDURES)), ids=[name_of(each) for each in PROCEDURES])
def test_every_criterion_holds(number: int) -> None:
    rows = rows_of(number)
    assert rows
    wrong = [row for row in rows if not row.holds]
    assert not wrong, "\n".join(map(str, wrong))


def test_the_page_shows_what_is_measured() -> None:
    page = (ROOT / "docs" / "ieee1547_1.md").read_text(encoding="utf-8")
    lines = table(row for number in range(len(PROCEDURES)) for row in rows_of(number))
    assert "\n".join(lines) in page, "run: python -m tests.procedures"


def test_a_criterion_can_fail() -> None:
    assert not Row("", "", "", 0.51, 0.0, 0.5).holds
    assert not Row("", "", "", float("inf"), 0.0, 0.5).holds
    assert not Row("", "", "", float("nan"), 0.0, 0.5).holds
