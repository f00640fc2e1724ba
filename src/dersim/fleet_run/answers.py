"""What a shard answers when the command asks for one DER: the documents of the dashboard's REST."""

from __future__ import annotations

from typing import Any

from dersim.engine.simulator import Simulator
from dersim.pages.responses import dumps
from dersim.plugin.services import CsipService
from dersim.timestamps import rfc3339
from dersim.web.api import overview

#: Lines of the log of one DER that are shown.
_LINES = 50


def der_document(simulator: Simulator, number: int, lines: list[dict[str, Any]]) -> str:
    """One DER as JSON; null where the shard has no such DER. lines: of its log."""
    device = simulator.fleet.find(number)
    if device is None:
        return "null"
    state = device.state
    client = simulator.services.find(CsipService, number)
    return dumps(
        {
            "time": rfc3339(state.time_s),
            **overview.entry(device),
            "metrics": overview.metrics(state),
            "phases": overview.phases(state, device.nameplate.phases),
            "status": overview.status(state),
            "csip": None if client is None else client.snapshot(),
            "logs": lines[-_LINES:],
        }
    )
