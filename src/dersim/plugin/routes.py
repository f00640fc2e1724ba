"""The addresses that plug-ins add to REST: below /api/NAME/, with the checks and the docs of dersim's own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from dersim.errors import PluginError
from dersim.json_schema import SchemaBook
from dersim.routes import Route

if TYPE_CHECKING:
    from dersim.device import Device

#: The name of the companion server's site in the routes' `sites`.
SERVER_SITE = "utility"
#: First parts of paths that belong to dersim.
_OWN = ("csip", "dersim", "utility")


class Call(NamedTuple):
    """One request, decoded and checked: the DER that `?device=` names, the query, the JSON body."""

    device: Device
    query: Mapping[str, Any]
    body: Any = None


class OwnedRoute(NamedTuple):
    """A route and the plug-in that added it."""

    plugin: str
    route: Route


class PluginRoutes(list[OwnedRoute]):
    """All routes of the plug-ins of a run, added before the web sites are bound."""

    def of(self, plugin: str, name: str) -> Callable[..., None]:
        """What a front-end or a grid of this name adds its routes with."""

        def add_routes(*routes: Route) -> None:
            for each in routes:
                self._add(plugin, name, each)

        return add_routes

    def _add(self, plugin: str, name: str, route: Route) -> None:
        """Add a route; PluginError for one that is not below the plug-in's own names, or there already."""
        what = f"plug-in {plugin}: add_routes"
        if not isinstance(route, Route):
            raise PluginError(f"{what} got {route!r}; give objects of Route")
        check_route(plugin, name, route)
        for other in self:
            if (other.route.method, other.route.path) == (route.method, route.path):
                place = f"{what}: {route.method} {route.path}"
                raise PluginError(f"{place} is there already; add routes once, in a front-end of the fleet")
        self.append(OwnedRoute(plugin, route))


def check_route(plugin: str, name: str, route: Route, sites: tuple[str, ...] = ()) -> str:
    """PluginError for a route that is not below the plug-in's own names; its method and path.

    sites: where it must be.
    """
    place = f"plug-in {plugin}: add_routes: {route.method} {route.path}"
    names = [each for each in dict.fromkeys((plugin, name)) if each not in _OWN]
    if not any(route.path.startswith(f"/api/{each}/") for each in names):
        below = " or ".join(f"/api/{each}/" for each in names)
        raise PluginError(f"{place}: give a path below {below}")
    if any(mark in route.path for mark in "<>{}"):
        raise PluginError(f"{place}: a path has no parameters; take them from the query")
    for kind in (route.response, route.request):
        if kind is not None:
            _check_type(place, kind)
    if not callable(route.handler):
        raise PluginError(f"{place}: its handler is {route.handler!r}; give a function of one Call")
    if sites and (route.sites != sites or route.per_device):
        raise PluginError(f"{place}: give it per_device=False and sites={sites!r}")
    return f"{route.method} {route.path}"


def _check_type(place: str, kind: Any) -> None:
    """PluginError for a type of which no JSON Schema can be made; else the whole OpenAPI document fails."""
    try:
        SchemaBook("#/$defs").of(kind)
    except TypeError as error:
        raise PluginError(f"{place}: {error}; give a TypedDict, or str for a file") from None
