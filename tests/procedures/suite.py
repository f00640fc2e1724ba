"""All procedures, and the table of them in docs/ieee1547_1.md."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial

from tests.procedures import active, protection, reactive
from tests.procedures.bench import Row

Procedure = Callable[[], Iterator[Row]]


def _reactive() -> Iterator[Procedure]:
    for name in reactive.VOLT_VAR:
        for power in (1.0, 0.66, 0.2):
            yield partial(reactive.volt_var, name, power)
    yield partial(reactive.unbalanced, "B, characteristic 1")
    yield from (partial(reactive.adjusted_v_ref, seconds) for seconds in (300.0, 5000.0))
    for name in reactive.WATT_VAR:
        yield from (partial(reactive.watt_var, name, charging) for charging in (False, True))
    for pf in (0.9, 0.95, 1.0):
        yield from (partial(reactive.power_factor, pf, injecting) for injecting in (True, False))
    yield from (partial(reactive.constant_var, share) for share in (1.0, 0.5, -0.5, -1.0))


def _active() -> Iterator[Procedure]:
    for name in active.VOLT_WATT:
        yield from (partial(active.volt_watt, name, power) for power in (1.0, 0.66, 0.2))
    for name in active.DROOP:
        yield from (partial(active.droop, name, *start) for start in ((1.0,), (1.0, 0.66), (0.66, 0.3)))
    yield from (partial(active.limit, share) for share in (0.66, 0.33, 0.0))
    yield from (
        partial(active.priority, each)
        for each in ("Volt-Var", "constant var", "constant power factor", "Watt-Var")
    )


def _protection() -> Iterator[Procedure]:
    for category, trips in protection.TRIPS.items():
        yield from (partial(protection.trip, category, name) for name, _, _, _ in trips)
    yield from (partial(protection.voltage_ride_through, category) for category in (1, 2, 3))
    yield protection.consecutive_dips
    yield from (partial(protection.frequency_ride_through, f, s) for f, s in protection.FREQUENCIES)
    yield from (partial(protection.phase_angle, trips) for trips in (False, True))
    yield from (
        partial(protection.rocof, category, trips) for category in (1, 2, 3) for trips in (False, True)
    )
    yield protection.anti_islanding
    yield protection.enter_service
    yield protection.return_after_trip


PROCEDURES: tuple[Procedure, ...] = (*_reactive(), *_active(), *_protection())


def table(rows: Iterable[Row]) -> list[str]:
    """One line for each procedure and criterion, with how many of its rows hold."""
    groups: dict[tuple[str, str, str], list[Row]] = {}
    for row in rows:
        groups.setdefault((row.procedure, row.clause, row.criterion), []).append(row)
    lines = ["| Procedure | Clause | Criterion | Held |", "|---|---|---|---|"]
    for (procedure, clause, criterion), group in groups.items():
        held = sum(row.holds for row in group)
        lines.append(f"| {procedure} | {clause} | {criterion} | {held} of {len(group)} |")
    return lines
