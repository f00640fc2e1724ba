"""What a case has come to: the numbers of the table, and what the pictures show."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple, TypeVar

from dersim.plugin import ConfigError
from dersim.testing import run_virtual
from dersim_feeder.results import DEAD_PU, Day
from dersim_feeder.series import Row
from dersim_feeder.study.cases import Case
from dersim_feeder.study.closed_loop import ClosedLoop, closed_loop

T = TypeVar("T")
#: Response status: the event has started (IEEE 2030.5, table of the Response function set).
_STARTED = 2


class Point(NamedTuple):
    """A bus: km from the head, its highest voltage at the instant of the profile, whether a DER is there."""

    km: float
    pu: float
    der: bool


class Curtailed(NamedTuple):
    """What a DER did not deliver, kWh; km from the head; its transformer."""

    der: int
    km: float
    transformer: str
    kwh: float


class Outcome(NamedTuple):
    """v_max_pu, v_min_pu: of all buses; bus_minutes: above 1.05 pu, summed over the buses; buses_above: how
    many were, at any time. loading_pct: the highest, by transformer. started: DERs that have answered that
    the last of the controls started. rows: the past; profile: the buses at the instant of the profile.
    """

    case: Case
    v_max_pu: float
    v_min_pu: float
    bus_minutes: float
    buses_above: int
    loading_pct: dict[str, float]
    losses_kwh: float
    delivered_kwh: float
    curtailed_kwh: float
    exported_kwh: float
    started: int
    rows: list[Row]
    profile: list[Point]
    curtailed: list[Curtailed]


class Span(NamedTuple):
    """The time of a run, UTC seconds: begin, the instant of the profile, end."""

    begin_s: float
    profile_s: float
    end_s: float


def run_case(case: Case, scenario: Path, span: Span, *, tick_s: float = 60.0, ders: int = 30) -> Outcome:
    """Run one case in virtual time."""

    async def main() -> Outcome:
        async with closed_loop(scenario, ders=ders, start_s=span.begin_s, tick_s=tick_s) as running:
            await running.world.sleep(span.profile_s - running.world.now_s())
            profile = _profile(running)
            await running.world.sleep(span.end_s - running.world.now_s())
            return _outcome(case, running, profile)

    return run_virtual(main, seed=7)


def _solved(found: T | None) -> T:
    if found is None:
        raise ConfigError("the feeder has not been solved once; let the run last longer")
    return found


def _profile(running: ClosedLoop) -> list[Point]:
    feeder = running.feeder
    last = _solved(feeder.last)
    occupied = {each.bus for each in feeder.connections.values()}
    found = [
        Point(feeder.topology.km[name], float(last.voltage_pu[list(bus.rows)].max()), name in occupied)
        for name, bus in feeder.buses.items()
        if name in feeder.topology.km
    ]
    return sorted(found)


def _outcome(case: Case, running: ClosedLoop, profile: list[Point]) -> Outcome:
    feeder, series, world = running.feeder, running.series, running.world
    day = _solved(feeder.days.today)
    above_s = _above_s(running, day)
    names = [each.name for each in feeder.topology.transformers]
    answers = world.utility.operate("GET", "responses")
    devices = [world.device(number) for number in feeder.connections]
    return Outcome(
        case,
        float(day.v_max.max()),
        float(day.v_min[day.v_min > DEAD_PU].min()),
        sum(above_s) / 60,
        sum(each > 0 for each in above_s),
        dict(zip(names, (float(each) for each in day.loading_max_pct), strict=True)),
        day.losses_wh / 1000,
        sum(sum(device.state.exported_wh) for device in devices) / 1000,
        float(series.curtailed_kwh.sum()),
        day.head_export_wh / 1000,
        sum(each["status"] == _STARTED for each in answers),
        list(series.rows),
        profile,
        _curtailed(running),
    )


def _above_s(running: ClosedLoop, day: Day) -> list[float]:
    """By bus, the seconds of the phase that was above the band for longest."""
    return [float(day.high_s[list(bus.rows)].max()) for bus in running.feeder.buses.values()]


def _curtailed(running: ClosedLoop) -> list[Curtailed]:
    topology = running.feeder.topology
    return [
        Curtailed(number, topology.km[at.bus], topology.feeding[at.bus], float(kwh))
        for (number, at), kwh in zip(
            running.feeder.connections.items(), running.series.curtailed_kwh, strict=True
        )
    ]
