"""Which routes a plug-in may add."""

import pytest

from dersim.errors import PluginError
from dersim.plugin.routes import PluginRoutes
from dersim.routes import Route


def route(path="/api/feeder/buses", handler=lambda call: {}):
    return Route(method="GET", path=path, handler=handler, summary="The buses.", response=dict[str, float])


def test_a_route_is_below_the_name_of_the_plug_in_or_of_the_front_end():
    routes = PluginRoutes()
    routes.of("dersim-feeder", "feeder")(route(), route("/api/dersim-feeder/head"))
    assert [(each.plugin, each.route.path) for each in routes] == [
        ("dersim-feeder", "/api/feeder/buses"),
        ("dersim-feeder", "/api/dersim-feeder/head"),
    ]


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (route("/api/dersim/buses"), "give a path below /api/dersim-feeder/ or /api/feeder/"),
        (route("/feeder/buses"), "give a path below"),
        (route("/api/feeder/<bus>"), "a path has no parameters"),
        (route(handler=None), "its handler is None; give a function of one Call"),
        (
            Route(method="GET", path="/api/feeder/file", handler=dict, summary="A file.", response=bytes),
            "bytes.* has no JSON Schema here; give a TypedDict, or str for a file",
        ),
        ("/api/feeder/x", "got '/api/feeder/x'; give objects of Route"),
    ],
)
def test_other_routes_are_refused(given, told):
    with pytest.raises(PluginError, match=told):
        PluginRoutes().of("dersim-feeder", "feeder")(given)


def test_a_name_of_dersims_own_is_not_the_plug_ins():
    with pytest.raises(PluginError, match=r"give a path below /api/rogue/$"):
        PluginRoutes().of("rogue", "csip")(route("/api/csip/x"))


def test_a_route_is_added_once():
    add = PluginRoutes().of("dersim-feeder", "feeder")
    add(route())
    with pytest.raises(PluginError, match="is there already; add routes once, in a front-end of the fleet"):
        add(route())
