"""The log over REST."""

import json

import pytest


@pytest.fixture
def filled():
    def fill(log):
        log.log("Info", "CSIP", "GET /dcap 200", 1)
        log.log("Warning", "Modbus", "refused", 2)
        log.log("Error", "CSIP", "no answer", 2)

    return fill


@pytest.mark.parametrize(
    ("query", "messages"),
    [
        ("modules=CSIP&limit=200", ["GET /dcap 200", "no answer"]),
        ("modules=CSIP,Modbus&level=Warning", ["refused", "no answer"]),
        ("level=error&modules=CSIP", ["no answer"]),
        ("modules=CSIP,Modbus&limit=1", ["no answer"]),
        ("device=2", ["refused", "no answer"]),
        ("text=DCAP", ["GET /dcap 200"]),
        ("text=no%20answer&level=Warning", ["no answer"]),
        ("text=dcap&modules=Modbus", []),
    ],
)
async def test_filters(open_site, filled, query, messages):
    async with open_site() as site:
        log = site.context.log
        log._entries.clear()
        filled(log)
        document = json.loads((await site("GET", f"/api/dersim/logs?{query}")).body)
    assert [line["message"] for line in document["logs"]] == messages


async def test_a_poller_that_asks_after_the_last_id_misses_none(open_site, filled):
    async with open_site() as site:
        filled(site.context.log)
        seen, after = [], 0
        while batch := await _logs_after(site, after):
            seen += batch
            after = batch[-1]["id"]
    told = [line["message"] for line in seen if line["module"] != "WS"]
    assert told == ["GET /dcap 200", "refused", "no answer"]
    assert [line["id"] for line in seen] == list(range(1, len(seen) + 1))


async def _logs_after(site, after):
    return json.loads((await site("GET", f"/api/dersim/logs?after={after}&limit=1")).body)["logs"]


async def test_the_seeds_query_works_and_entries_have_the_seeds_columns(open_site, filled):
    async with open_site() as site:
        filled(site.context.log)
        document = json.loads((await site("GET", "/api/dersim/logs?modules=CSIP&limit=200")).body)
    assert {"timestamp", "level", "module", "device", "message"} <= set(document["logs"][0])
    assert {line["module"] for line in document["logs"]} == {"CSIP"}
    assert {"CSIP", "Modbus"} <= set(document["modules"])


async def test_an_unknown_level_is_refused(open_site):
    async with open_site() as site:
        answer = await site("GET", "/api/dersim/logs?level=loud")
    assert answer.status == 400
    assert "Debug, Info, Warning, Error" in json.loads(answer.body)["detail"]


async def test_the_log_as_a_file_has_the_same_filters(open_site, filled):
    async with open_site() as site:
        filled(site.context.log)
        lines = (await site("GET", "/api/dersim/logs/export.txt?text=answer")).body.decode()
        documents = (await site("GET", "/api/dersim/logs/export.jsonl?modules=CSIP")).body.splitlines()
        shown = json.loads((await site("GET", "/api/dersim/logs?modules=CSIP")).body)["logs"]
    assert lines.endswith("Error   CSIP DER 2: no answer\n")
    assert lines.count("\n") == 1
    assert [json.loads(line) for line in documents] == shown
