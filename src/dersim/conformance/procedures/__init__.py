"""The definitions of the procedures, one module an area; `ALL` has them by id."""

from __future__ import annotations

from dersim.conformance.procedure import Procedure
from dersim.conformance.procedures import comm, controls, core, device, events

ALL: dict[str, Procedure] = {
    each.id: each
    for each in (
        *comm.PROCEDURES,
        *core.PROCEDURES,
        *device.PROCEDURES,
        *controls.PROCEDURES,
        *events.PROCEDURES,
    )
}
