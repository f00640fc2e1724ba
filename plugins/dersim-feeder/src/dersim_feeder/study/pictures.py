"""The pictures of the study."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

from dersim_feeder.results import HIGH_PU
from dersim_feeder.series import Row
from dersim_feeder.study.outcome import Outcome
from dersim_feeder.study.svg import Axis, Line, chart, ticks

#: Of the cases, told apart without seeing red and green, too (Okabe and Ito).
_COLORS = {
    "none": "#4d4d4d",
    "volt-var": "#0072b2",
    "volt-watt": "#d55e00",
    "export-limit": "#009e73",
    "together": "#aa3b8c",
}
_DASH = {"together": "7 3"}
_EVERY_S = 300.0
_BAND = ((HIGH_PU, "1.05 pu"),)


def pictures(outcomes: Sequence[Outcome], street: str) -> dict[str, str]:
    """The SVG documents by their file names. street: the transformer whose loading is shown."""
    return {
        "profile": _profile(outcomes),
        "voltage": _over_time(outcomes),
        "loading": _loading(outcomes, street),
        "curtailed": _curtailed(outcomes),
    }


def _line(outcome: Outcome, points: list[tuple[float, float]], *, dots: bool = False) -> Line:
    key = outcome.case.key
    return Line(outcome.case.title, _COLORS[key], points, dots, "" if dots else _DASH.get(key, ""))


def _profile(outcomes: Sequence[Outcome]) -> str:
    far = max(point.km for outcome in outcomes for point in outcome.profile)
    pus = [point.pu for outcome in outcomes for point in outcome.profile]
    x = Axis("Distance from the head, km", 0, far * 1.02, ticks(0, far, 1, 0))
    low, high = min(1.02, *pus) - 0.002, max(1.06, *pus) + 0.004
    y = Axis("Highest voltage of the bus, pu", low, high, ticks(low, high, 0.01, 2))
    lines = [
        _line(each, [(point.km, point.pu) for point in each.profile if point.der], dots=True)
        for each in outcomes
    ]
    return chart("Voltage of the buses with a DER, at noon", x, y, lines, _BAND)


def _hours(outcomes: Sequence[Outcome]) -> Axis:
    times = [row.time_s for outcome in outcomes for row in outcome.rows]
    begin, end = min(times), max(times)
    hours = range(int(begin // 3600), int(end // 3600) + 2)
    step = 2 if len(hours) > 6 else 1
    labels = [(h * 3600.0, f"{h % 24:02d}:00") for h in hours if h % step == 0 and begin <= h * 3600 <= end]
    return Axis("Time of day", begin, max(end, begin + 1), labels)


def _course(outcome: Outcome, value: Callable[[Row], float]) -> list[tuple[float, float]]:
    rows = outcome.rows
    kept = [b for a, b in pairwise(rows) if a.time_s // _EVERY_S != b.time_s // _EVERY_S]
    return [(row.time_s, value(row)) for row in [rows[0], *kept, rows[-1]]]


def _over_time(outcomes: Sequence[Outcome]) -> str:
    lines = [_line(each, _course(each, lambda row: row.v_max_pu)) for each in outcomes]
    pus = [y for line in lines for _, y in line.points]
    low, high = min(1.02, *pus) - 0.002, max(1.06, *pus) + 0.004
    y = Axis("Highest voltage of the feeder, pu", low, high, ticks(low, high, 0.01, 2))
    return chart("Highest voltage over the day", _hours(outcomes), y, lines, _BAND)


def _loading(outcomes: Sequence[Outcome], street: str) -> str:
    lines = [_line(each, _course(each, lambda row: row.loading_max_pct)) for each in outcomes]
    high = max(110.0, *(y for line in lines for _, y in line.points)) * 1.06
    y = Axis("Loading, % of 50 kVA", 0, high, ticks(0, high, 25, 0))
    title = f"Loading of the most loaded transformer ({street} at noon)"
    return chart(title, _hours(outcomes), y, lines, ((100.0, "100 %"),))


def _curtailed(outcomes: Sequence[Outcome]) -> str:
    some = [each for each in outcomes if each.curtailed_kwh > 0.05]
    far = max(each.km for outcome in outcomes for each in outcome.curtailed)
    high = max((each.kwh for outcome in some for each in outcome.curtailed), default=1.0) * 1.1 + 0.1
    x = Axis("Distance of the DER from the head, km", 0, far * 1.02, ticks(0, far, 1, 0))
    step = 10 if high > 40 else 5 if high > 15 else 1
    y = Axis("Not delivered, kWh of the day", 0, high, ticks(0, high, step, 0))
    lines = [_line(each, [(one.km, one.kwh) for one in each.curtailed], dots=True) for each in some]
    return chart("Who is curtailed: each dot is a DER of 10 kW", x, y, lines)
