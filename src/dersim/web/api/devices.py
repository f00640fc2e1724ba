"""`GET /api/dersim/devices`: the fleet, one entry with telemetry per DER."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypedDict

from dersim.pages.routes import Query, Route
from dersim.web.api import overview
from dersim.web.context import Call, WebContext

if TYPE_CHECKING:
    from dersim.device import Device


class DeviceTelemetry(overview.DeviceEntry):
    """One DER: the overview's line, its measurements and its status."""

    metrics: overview.Metrics
    status: overview.Status


class Devices(TypedDict):
    """A page of the fleet."""

    total: int
    devices: list[DeviceTelemetry]


def _entry(device: Device) -> dict[str, Any]:
    state = device.state
    return {
        **overview.entry(device),
        "metrics": overview.metrics(state),
        "status": overview.status(state),
    }


def _get(context: WebContext, call: Call) -> dict[str, Any]:
    every, start = context.engine.fleet.devices, call.query["start"]
    chosen = every[start - 1 : start - 1 + call.query["limit"]]
    return {"total": len(every), "devices": [_entry(device) for device in chosen]}


ROUTES = [
    Route(
        method="GET",
        path="/api/dersim/devices",
        handler=_get,
        summary="Every DER with its telemetry.",
        response=Devices,
        per_device=False,
        query=(
            Query("start", int, 1, "The place of the first DER to show, counted from 1.", 1),
            Query("limit", int, 10_000, "At most so many.", 1, 10_000),
        ),
        tag="Fleet",
        etag=True,
    )
]
