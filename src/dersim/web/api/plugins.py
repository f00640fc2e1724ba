"""`GET /api/dersim/plugins`: what is loaded, and the panels that plug-ins bring to the dashboard."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypedDict

from dersim.pages.routes import Route
from dersim.web.context import Call, WebContext

if TYPE_CHECKING:
    from dersim.plugin.extension import FrontendStatus


class PluginEntry(TypedDict):
    """One plug-in that is installed: its name, version, where it comes from, and whether it is in use."""

    name: str
    version: str
    origin: str
    loaded: bool


class FrontendEntry(TypedDict):
    """One front-end that runs."""

    name: str
    state: str
    detail: str


class PanelEntry(TypedDict):
    """A page that a plug-in brings."""

    name: str
    title: str
    doc: str


class Plugins(TypedDict):
    """What is loaded."""

    plugins: list[PluginEntry]
    frontends: list[FrontendEntry]
    panels: list[PanelEntry]


def _entry(name: str, status: FrontendStatus) -> dict[str, str]:
    return {"name": name, "state": status.state, "detail": status.detail}


def _get(context: WebContext, call: Call) -> dict[str, Any]:
    engine = context.engine
    standings = {**engine.statuses(0), **engine.statuses(call.device.number)}
    return {
        "plugins": [plugin._asdict() for plugin in engine.plugins],
        "frontends": [_entry(name, status) for name, status in standings.items()],
        "panels": [{"name": p.name, "title": p.title, "doc": p.doc} for p in engine.panels],
    }


ROUTES = [
    Route(
        method="GET",
        path="/api/dersim/plugins",
        handler=_get,
        summary="Plug-ins, front-ends and panels.",
        response=Plugins,
        tag="Simulator",
    )
]
