"""Routes that a plug-in adds to REST: checked, guarded and documented like dersim's own."""

import json
from typing import Annotated, TypedDict

from dersim.errors import ConfigError
from dersim.json_schema import unit
from dersim.plugin import Query, Reply, Route


class Buses(TypedDict):
    """The buses of a feeder."""

    lowest_pu: Annotated[float, unit("pu")]
    asked: int


class Change(TypedDict):
    """What can be changed."""

    scale: Annotated[float, unit("", minimum=0, maximum=2)]


def buses(call):
    return {"lowest_pu": 0.97, "asked": call.query["limit"]}


async def change(call):
    if call.body["scale"] == 1:
        raise ConfigError("scale: it is 1 already")
    return Reply(201, {"lowest_pu": call.body["scale"], "asked": call.device.number})


def fails(call):
    raise KeyError(call.query["nothing"])


GET = Route(
    method="GET",
    path="/api/feeder/buses",
    handler=buses,
    summary="The buses.",
    response=Buses,
    query=(Query("limit", int, 10, "At most so many.", 1, 100),),
    per_device=False,
)
POST = Route(
    method="POST", path="/api/feeder/load", handler=change, summary="Scale.", request=Change, response=Buses
)
FAILS = Route(method="GET", path="/api/feeder/fails", handler=fails, summary="Fails.", response=Buses)


def feeder(context):
    context.routes.of("feeder-plugin", "feeder")(GET, POST, FAILS)


async def test_a_route_of_a_plug_in_is_served_and_checked(open_site):
    async with open_site(before=feeder, count=2) as site:
        given = await site("GET", "/api/feeder/buses?limit=3")
        refused = await site("GET", "/api/feeder/buses?limit=0")
        made = await site("POST", "/api/feeder/load?device=2", body=b'{"scale": 1.5}')
        outside = await site("POST", "/api/feeder/load", body=b'{"scale": 3}')
        told = await site("POST", "/api/feeder/load", body=b'{"scale": 1}')
    assert json.loads(given.body) == {"lowest_pu": 0.97, "asked": 3}
    assert refused.status == 400
    assert (made.status, json.loads(made.body)) == (201, {"lowest_pu": 1.5, "asked": 2})
    assert json.loads(outside.body)["errors"][0]["pointer"] == "/scale"
    assert (told.status, json.loads(told.body)["detail"]) == (400, "scale: it is 1 already")


async def test_an_error_in_a_handler_ends_that_request_alone_and_names_the_plug_in(open_site):
    async with open_site(before=feeder) as site:
        failed = await site("GET", "/api/feeder/fails")
        given = await site("GET", "/api/feeder/buses")
    assert (failed.status, given.status) == (500, 200)
    assert site.context.fences.counts == {"web_request": 1}
    [line] = [each.message for each in site.context.log.entries() if each.level == "Error"]
    assert line.startswith(
        "GET /api/feeder/fails: plug-in feeder-plugin: the handler of GET /api/feeder/fails"
    )


async def test_the_guard_asks_for_the_token_and_the_host(open_site):
    async with open_site(before=feeder, token="secret-token-of-a-test") as site:
        without = await site("GET", "/api/feeder/buses")
        foreign = await site("GET", "/api/feeder/buses", host="evil.example")
    assert (without.status, foreign.status) == (401, 421)


async def test_a_route_of_a_plug_in_is_in_the_openapi_document(open_site):
    async with open_site(before=feeder) as site:
        document = json.loads((await site("GET", "/openapi.json")).body)
    assert document["paths"]["/api/feeder/buses"]["get"]["tags"] == ["Plug-in feeder-plugin"]
    assert "Buses" in document["components"]["schemas"]


async def test_the_csip_ui_has_no_routes_of_plug_ins(open_site):
    async with open_site("csip_ui", before=feeder) as site:
        assert (await site("GET", "/api/feeder/buses")).status == 404
