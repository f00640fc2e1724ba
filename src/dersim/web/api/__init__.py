"""The API, resource by resource; each module holds its shapes, its functions and its `ROUTES`."""

from __future__ import annotations

from dersim.web.api import (
    commands,
    csip,
    devices,
    history,
    logs,
    overview,
    server_info,
    setpoints,
    system,
)
from dersim.web.routes import Route

#: Every address of both web sites.
ROUTES: list[Route] = [
    route
    for module in (overview, setpoints, csip, logs, history, devices, commands, server_info, system)
    for route in module.ROUTES
]
