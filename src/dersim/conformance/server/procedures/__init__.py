"""The procedures for a server, one module an area; `ALL` has them by id."""

from __future__ import annotations

from dersim.conformance.server.procedure import ServerProcedure
from dersim.conformance.server.procedures import (
    device,
    http,
    metering,
    security,
    served,
    subscriptions,
    utility,
)

_PARTS = ("COMM", "CORE", "BASIC", "UTIL", "MAINT", "ERR", "X")


def _order(procedure: ServerProcedure) -> tuple[int, str]:
    return (_PARTS.index(procedure.id.partition("-")[0]), procedure.id)


_AREAS = (security, http, device, metering, served, utility, subscriptions)
ALL: dict[str, ServerProcedure] = {
    each.id: each for each in sorted((one for area in _AREAS for one in area.PROCEDURES), key=_order)
}
