"""The API, resource by resource; each module holds its shapes, its functions and its `ROUTES`."""

from __future__ import annotations

import inspect
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from dersim.fences import at_start
from dersim.pages.routes import Route
from dersim.plugin.routes import Call as PluginCall
from dersim.plugin.routes import OwnedRoute
from dersim.web.api import (
    commands,
    conversation,
    csip,
    csip_resources,
    devices,
    grid_support,
    history,
    inputs,
    invariants,
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
from dersim.web.context import Call, WebContext

#: Every address of dersim's own on both web sites.
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
        invariants,
        commands,
        plugins,
        server_info,
        system,
    )
    for route in module.ROUTES
]


def all_routes(added: Iterable[OwnedRoute]) -> list[Route]:
    """Those of dersim, then those of the plug-ins."""
    return [*ROUTES, *(_of_plugin(each) for each in added)]


def _of_plugin(owned: OwnedRoute) -> Route:
    """A plug-in's route, whose handler gets the call alone."""
    plugin, route = owned

    async def handler(context: WebContext, call: Call) -> Any:
        del context
        with at_start(plugin, f"the handler of {route.method} {route.path}"):
            result = route.handler(PluginCall(*call))
            return await result if inspect.isawaitable(result) else result

    return replace(route, handler=handler, tag=f"Plug-in {plugin}", sites=("dashboard",))
