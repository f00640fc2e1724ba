"""The definitions of the procedures, one module an area; `ALL` has them by id."""

from __future__ import annotations

from dersim.conformance.procedure import Procedure
from dersim.conformance.procedures import (
    beyond,
    beyond_answers,
    beyond_changes,
    beyond_clocks,
    beyond_events,
    beyond_mirrors,
    comm,
    controls,
    core,
    device,
    events,
    subscribed,
)

_PARTS = ("COMM", "CORE", "BASIC", "ERR", "X")


def _order(procedure: Procedure) -> tuple[int, str]:
    return (_PARTS.index(procedure.id.partition("-")[0]), procedure.id)


_BEYOND = (beyond, beyond_answers, beyond_changes, beyond_clocks, beyond_events, beyond_mirrors)
_AREAS = (*_BEYOND, comm, core, device, controls, events, subscribed)
ALL: dict[str, Procedure] = {
    each.id: each for each in sorted((one for area in _AREAS for one in area.PROCEDURES), key=_order)
}
