"""The API, resource by resource; each module holds its shapes, its functions and its `ROUTES`."""

from __future__ import annotations

from dersim.pages.routes import Route
from dersim.web.api import (
    commands,
    conversation,
    csip,
    csip_resources,
    devices,
    grid_support,
    history,
    inputs,
    load,
    logs,
    nameplate,
    overview,
    plugins,
    server_info,
    setpoints,
    site,
    system,
    timeline,
)

#: Every address of both web sites.
ROUTES: list[Route] = [
    route
    for module in (
        overview,
        setpoints,
        grid_support,
        timeline,
        inputs,
        site,
        nameplate,
        csip,
        csip_resources,
        conversation,
        logs,
        history,
        devices,
        load,
        commands,
        plugins,
        server_info,
        system,
    )
    for route in module.ROUTES
]
