"""The conversation of a client: what it keeps of its exchanges, and what it says of each."""

import trio

from dersim.exchanges.conversation import MIB
from dersim.plugin.services import ConversationService


async def test_the_client_keeps_its_whole_conversation_without_the_pin(autojump_clock, world):
    client = await world.start("--csip_pin", "111115", for_s=3)
    held = client.conversation.entries()
    assert len(held) == client.snapshot()["counters"]["requests"] == len(world.server.seen)
    assert held[0].url == "http://127.0.0.1:8443/dcap"
    assert held[0].outcome == "ok"
    assert all(b"111115" not in each.response_body for each in held)
    assert world.services.find(ConversationService) is client.conversation


async def test_an_answer_that_is_not_used_says_why(autojump_clock, world):
    client = await world.ready()
    world.server.tree["/tm"] = world.server.tree["/dcap"]
    world.begin()
    await trio.sleep(2)
    ends = {e.url.removeprefix("http://127.0.0.1:8443"): e.outcome for e in client.conversation.entries()}
    assert ends["/tm"] == ("not used: GET /tm: 200, but the body is a DeviceCapability; Time was expected")
    assert ends["/dcap"] == "ok"


async def test_the_flag_conversation_sets_the_budget(autojump_clock, world):
    client = world.make("--conversation", "3")
    assert client.conversation.budget_bytes == 3 * MIB


async def test_the_flag_conversation_0_turns_it_off(autojump_clock, world):
    client = await world.start("--conversation", "0", for_s=3)
    assert client.snapshot()["state"] == "connected"
    assert client.conversation.entries() == []
