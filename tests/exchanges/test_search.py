"""The search in the conversation: filters, and pages that lose no row."""

import trio

from dersim.exchanges.conversation import Conversation
from dersim.ieee2030_5 import Edition, encode
from dersim.ieee2030_5 import resources as r
from dersim.plugin.services import ExchangeFilter

STATUS = encode(r.DERStatus(readingTime=5), Edition.E2023)
ODD = STATUS.replace(b"<readingTime>5", b"<alarmStatus>zz</alarmStatus><readingTime>5")


def add(
    talk,
    method="GET",
    path="/derp/1/derc",
    *,
    device=1,
    sent=b"",
    status=200,
    got=b"",
    cause="poll derc, 10 s",
):
    url = f"https://s:8443{path}"
    talk.add(0.0, device, method, url, ((), sent), (status, (), got), "ok", 0.1, cause=cause)


def small():
    talk = Conversation()
    add(talk)
    add(talk, "PUT", "/edev/1/der/1/ders", sent=STATUS, status=204, cause="state change")
    add(talk, "PUT", "/edev/1/der/1/ders", sent=ODD, status=400, cause="state change")
    add(talk, "POST", "/rsp", status=0, cause="Response 2 for C513", device=2)
    add(talk, got=STATUS, device=2)
    add(talk, status=503)
    return talk


async def ids(talk, *, after=0, before=None, limit=100, **wanted):
    found = await talk.find(ExchangeFilter(**wanted), after, before, limit)
    return [each.id for each in found.exchanges]


async def test_each_filter_alone_and_all_together():
    talk = small()
    assert await ids(talk) == [1, 2, 3, 4, 5, 6]
    assert await ids(talk, device=2) == [4, 5]
    assert await ids(talk, resource="DERC") == [1, 5, 6]
    assert await ids(talk, resource="derstatus") == [2, 3, 5]
    assert await ids(talk, methods=frozenset({"PUT", "POST"})) == [2, 3, 4]
    assert await ids(talk, statuses=frozenset({"4xx", "none"})) == [3, 4]
    assert await ids(talk, statuses=frozenset({"503"})) == [6]
    assert await ids(talk, verdicts=frozenset({"valid"})) == [2, 5]
    assert await ids(talk, verdicts=frozenset({"error status"})) == [3, 6]
    assert await ids(talk, verdicts=frozenset({"violations"})) == [3]
    assert await ids(talk, text="READINGtime>5<") == [2, 3, 5]
    assert await ids(talk, cause="response 2") == [4]
    assert await ids(talk, resource="ders", methods=frozenset({"PUT"}), statuses=frozenset({"2xx"})) == [2]
    assert await ids(talk, text="nowhere") == []


async def test_the_number_of_matches_is_that_of_all_that_is_held():
    talk = small()
    found = await talk.find(ExchangeFilter(resource="derc"), 0, None, 1)
    assert ([e.id for e in found.exchanges], found.matches, found.held, found.older) == ([6], 3, 6, 6)


async def test_page_after_page_no_row_is_lost_and_none_comes_twice():
    talk = Conversation()
    for number in range(1000):
        add(talk, device=1 + number % 3)
    seen, before = [], None
    while True:
        found = await talk.find(ExchangeFilter(device=2), 100, before, 37)
        seen = [each.id for each in found.exchanges] + seen
        add(talk, device=2)  # what comes meanwhile is newer
        before = found.older
        if before is None:
            break
    assert seen == [n for n in range(101, 1001) if n % 3 == 2]


async def test_a_search_that_is_asked_again_looks_at_new_exchanges_alone(monkeypatch):
    talk = small()
    looked_at = []
    verdict = talk.verdict
    monkeypatch.setattr(talk, "verdict", lambda each: looked_at.append(each.id) or verdict(each))
    wanted = frozenset({"error status"})
    assert await ids(talk, verdicts=wanted) == [3, 6]
    add(talk, status=404)
    assert await ids(talk, verdicts=wanted) == [3, 6, 7]
    assert looked_at == [1, 2, 3, 4, 5, 6, 7]


async def test_what_was_dropped_matches_no_more():
    talk = Conversation(budget_bytes=20_000)
    for number in range(300):
        add(talk, path=f"/{number}")
        if number % 50 == 0:
            await ids(talk)
    held = [each.id for each in talk.entries(limit=1000)]
    found = await talk.find(ExchangeFilter(), limit=1000)
    assert [e.id for e in found.exchanges] == held
    assert found.matches == found.held == len(held) < 100
    assert talk.exchange(held[0]) is not None
    assert talk.exchange(held[0] - 1) is talk.exchange(held[-1] + 1) is None


async def test_an_empty_conversation_has_nothing_to_find():
    found = await Conversation().find(ExchangeFilter())
    assert found == ([], 0, 0, None)


async def test_a_long_search_lets_others_run():
    talk = Conversation()
    for number in range(4000):
        add(talk, got=b"<x>%d</x>" % number)
    turns = 0

    async def other():
        nonlocal turns
        while True:
            turns += 1
            await trio.lowlevel.checkpoint()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(other)
        await trio.lowlevel.checkpoint()
        await ids(talk, verdicts=frozenset({"valid"}))
        nursery.cancel_scope.cancel()
    assert turns > 5


def test_the_previous_is_the_last_of_the_same_href_with_a_body():
    talk = Conversation()
    add(talk, got=b"<a/>")
    add(talk, got=b"<b/>", device=2)
    add(talk, "PUT", sent=b"<c/>", status=204)
    add(talk, status=500, got=b"<html/>")
    add(talk, status=204)
    add(talk, got=b"<d/>")
    last = talk.entries()[-1]
    assert talk.previous(last).id == 1
    assert talk.previous(talk.entries()[0]) is None
