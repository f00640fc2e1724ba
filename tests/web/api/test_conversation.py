"""The conversation over REST."""

import json

from dersim.csip.conversation import Conversation
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
