"""The conversation over REST."""

import json

from dersim.exchanges.conversation import Conversation
from dersim.plugin.services import ConversationService

XML = b"<Registration><pIN>123455</pIN></Registration>"


def talk_of(site):
    held = Conversation()
    site.context.services.offer(ConversationService, held)
    return held


def talk(conversation, device=1, url="https://s/edev/1/rg", status=200):
    return conversation.add(
        1_780_000_000.0,
        device,
        "GET",
        url,
        ((("Host", "s"),), b""),
        (status, (), XML),
        "ok",
        0.0123,
        cause="poll rg, 10 s",
    )


async def test_the_list_is_short_and_the_detail_whole_with_the_pin_masked(open_site):
    async with open_site() as site:
        held = talk_of(site)
        talk(held)
        talk(held, url="https://s/other")
        talk(held)
        lines = json.loads((await site("GET", "/api/dersim/conversation")).body)["exchanges"]
        whole = json.loads((await site("GET", "/api/dersim/conversation/exchange?id=3")).body)
        export = (await site("GET", "/api/dersim/conversation/export.jsonl")).body
        newest = json.loads((await site("GET", "/api/dersim/conversation/exchange")).body)
        assert newest["id"] == 3
        gone = await site("GET", "/api/dersim/conversation/exchange?id=99")
    assert [each["id"] for each in lines] == [1, 2, 3]
    assert lines[0]["elapsed_ms"] == 12.3
    assert "response_body" not in lines[0]
    assert whole["previous"] == 1
    assert "<pIN>masked</pIN>" in whole["response_body"]
    assert b"123455" not in export
    assert len(export.splitlines()) == 3
    assert gone.status == 404


async def test_filters_by_device_and_id(open_site):
    async with open_site(count=2) as site:
        held = talk_of(site)
        for device in (1, 2, 1, 2):
            talk(held, device)

        async def ids(query):
            answer = await site("GET", f"/api/dersim/conversation?{query}")
            return [each["id"] for each in json.loads(answer.body)["exchanges"]]

        assert await ids("device=2") == [2, 4]
        assert await ids("after=3") == [4]
        assert await ids("limit=1") == [4]


ODD = (
    b'<DERStatus xmlns="urn:ieee:std:2030.5:ns"><genConnectStatus><dateTime>abc</dateTime><value>07</value>'
    b"</genConnectStatus><readingTime>5</readingTime></DERStatus>"
)
GOOD = ODD.replace(b"abc", b"17")


def put(held, body=GOOD, status=204, cause="state change"):
    sent = ((("Content-Type", "application/sep+xml"),), body)
    url = "https://s/edev/1/der/1/ders"
    held.add(1_780_000_000.0, 1, "PUT", url, sent, (status, (), b""), "ok", 0.01, cause=cause)


async def test_the_verdict_is_that_of_the_schema_with_the_line_that_is_wrong(open_site):
    async with open_site() as site:
        held = talk_of(site)
        put(held)
        put(held, ODD)
        answer = json.loads((await site("GET", "/api/dersim/conversation?verdict=violations,invalid")).body)
        whole = json.loads((await site("GET", "/api/dersim/conversation/exchange?id=2")).body)
    assert (answer["matches"], answer["held"], answer["older"]) == (1, 2, None)
    (row,) = answer["exchanges"]
    words = row["id"], row["verdict"], row["request_verdict"], row["response_verdict"], row["resource"]
    assert words == (2, "violations", "violations", "no body", "DERStatus")
    assert row["cause"] == "state change"
    assert row["request_editions"] == row["response_editions"] == []
    check = whole["request_check"]
    assert (check["verdict"], check["editions"], check["edition"]) == ("violations", [], "2018")
    assert check["violations"] == [
        {
            "line": 3,
            "text": "<dateTime>abc</dateTime>",
            "path": "/DERStatus/genConnectStatus/dateTime",
            "message": "'abc' is not a whole number",
        }
    ]
    assert check["indented"].split("\n")[2].strip() == "<dateTime>abc</dateTime>"
    assert check["reader"][0]["message"].endswith("this element is left out")
    assert whole["response_check"]["verdict"] == "no body"
    assert whole["previous"] == 1


async def test_the_exports_have_the_verdicts_and_take_the_filters(open_site):
    async with open_site() as site:
        held = talk_of(site)
        put(held)
        put(held, ODD, 400)
        talk(held)
        lines = (await site("GET", "/api/dersim/conversation/export.jsonl?method=put")).body.splitlines()
        har = json.loads((await site("GET", "/api/dersim/conversation/export.har?status=4xx")).body)
    good, odd = (json.loads(each) for each in lines)
    assert (good["verdict"], good["request_check"]["editions"]) == ("valid", ["2018", "2023"])
    assert (odd["verdict"], odd["request_check"]["violations"][0]["line"]) == ("error status", 3)
    (entry,) = har["log"]["entries"]
    assert (entry["_verdict"], entry["_cause"]) == ("error status", "state change")
    assert entry["_request_check"]["violations"][0]["text"] == "<dateTime>abc</dateTime>"
    assert entry["comment"] == "ok; error status; state change"


async def test_every_filter_is_in_the_query_and_in_openapi(open_site):
    async with open_site() as site:
        held = talk_of(site)
        put(held)
        talk(held, status=404)
        talk(held)

        async def ids(query):
            answer = await site("GET", f"/api/dersim/conversation?{query}")
            return [each["id"] for each in json.loads(answer.body)["exchanges"]]

        assert await ids("resource=DERStatus") == [1]
        assert await ids("method=get&status=2xx") == [3]
        assert await ids("cause=state") == [1]
        assert await ids("text=readingtime") == [1]
        assert await ids("before=3") == [1, 2]
        refused = [
            json.loads((await site("GET", f"/api/dersim/conversation?{each}")).body)["detail"]
            for each in ("verdict=fine", "status=6xx")
        ]
        openapi = json.loads((await site("GET", "/openapi.json")).body)
    assert refused[0].startswith("query parameter verdict='fine' is not one of valid, violations, invalid")
    assert refused[1] == "query parameter status='6xx' is not one of 2xx, 4xx, 404, ... or none"
    names = {"device", "resource", "method", "status", "verdict", "text", "cause"}
    for path in ("", "/export.jsonl", "/export.har"):
        parameters = openapi["paths"][f"/api/dersim/conversation{path}"]["get"]["parameters"]
        assert names <= {each["name"] for each in parameters}


async def test_older_leads_to_the_rows_that_a_page_left_out(open_site):
    async with open_site() as site:
        held = talk_of(site)
        for _ in range(5):
            talk(held)
        first = json.loads((await site("GET", "/api/dersim/conversation?limit=2&after=1")).body)
        address = f"/api/dersim/conversation?limit=2&after=1&before={first['older']}"
        second = json.loads((await site("GET", address)).body)
    assert [each["id"] for each in first["exchanges"]] == [4, 5]
    assert [each["id"] for each in second["exchanges"]] == [2, 3]
    assert second["older"] is None
    assert first["matches"] == second["matches"] == 5


async def test_a_planted_fault_of_the_companion_server_is_named_as_one(open_site):
    mark = (("x-dersim-planted-fault", "#3 status 503"),)
    refused = (503, mark, b"")
    async with open_site() as site:
        held = talk_of(site)
        held.add(1.0, 1, "GET", "https://s/tm", ((), b""), refused, "refused with 503", 0.1, cause="poll")
        (row,) = json.loads((await site("GET", "/api/dersim/conversation")).body)["exchanges"]
        har = json.loads((await site("GET", "/api/dersim/conversation/export.har")).body)
    assert row["outcome"] == "refused with 503; planted fault #3 status 503"
    assert har["log"]["entries"][0]["comment"].startswith("refused with 503; planted fault #3 status 503;")
