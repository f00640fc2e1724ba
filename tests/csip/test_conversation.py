from dersim.csip.conversation import MAX_BODY_BYTES, Conversation, mask_pin
from dersim.plugin.services import ConversationService

NONE = ((), b"")


def add(talk, device=1, body=b"", url="/x"):
    return talk.add(0.0, device, "GET", url, NONE, (200, (), body), "ok", 0.01)


def test_pins_are_masked_in_every_spelling():
    for body in (b"<pIN>111115</pIN>", b"<a:pIN >\n111115</a:pIN>", b'<pIN xmlns="x">111115</pIN>'):
        assert b"111115" not in mask_pin(body)
    assert mask_pin(b"<spin>5</spin>") == b"<spin>5</spin>"


def test_the_budget_holds_for_the_fleet_and_the_oldest_go_first():
    talk = Conversation(budget_bytes=100_000)
    for number in range(1000):
        add(talk, device=number % 3, body=b"x" * 1000, url=f"/{number}")
    assert talk.held_bytes <= 100_000
    held = talk.entries(limit=10_000)
    assert 40 < len(held) < 100
    assert held[-1].url == "/999"


def test_entries_by_device_and_after():
    talk = Conversation()
    for number in range(10):
        add(talk, device=number % 2)
    assert [e.id for e in talk.entries(device=1)] == [2, 4, 6, 8, 10]
    assert [e.id for e in talk.entries(after=8)] == [9, 10]
    assert [e.id for e in talk.entries(limit=2)] == [9, 10]


def test_a_huge_body_is_cut_and_says_so():
    kept = add(Conversation(), body=b"y" * (MAX_BODY_BYTES + 5))
    assert kept.response_body.endswith(b"(5 more bytes)")


def test_listeners_hear_of_each():
    talk, heard = Conversation(), []
    talk.listeners.append(heard.append)
    add(talk)
    assert [e.id for e in heard] == [1]


async def test_the_client_keeps_its_whole_conversation_without_the_pin(autojump_clock, world):
    client = await world.start("--csip_pin", "111115", for_s=3)
    held = client.conversation.entries()
    assert len(held) == client.snapshot()["counters"]["requests"] == len(world.server.seen)
    assert held[0].url == "http://127.0.0.1:8443/dcap"
    assert held[0].verdict == "ok"
    assert all(b"111115" not in each.response_body for each in held)
    assert world.services.find(ConversationService) is client.conversation
