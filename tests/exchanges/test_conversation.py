import tracemalloc

import pytest

from dersim.exchanges.conversation import MAX_BODY_BYTES, MIB, Conversation, default_bytes, mask_pin

NONE = ((), b"")


def add(talk, device=1, body=b"", url="/x"):
    talk.add(0.0, device, "GET", url, NONE, (200, (), body), "ok", 0.01, cause="poll")


def test_pins_are_masked_in_every_spelling():
    for body in (b"<pIN>111115</pIN>", b"<a:pIN >\n111115</a:pIN>", b'<pIN xmlns="x">111115</pIN>'):
        assert b"111115" not in mask_pin(body)
    assert mask_pin(b"<spin>5</spin>") == b"<spin>5</spin>"


def test_the_budget_holds_for_the_fleet_and_the_oldest_go_first():
    talk = Conversation(budget_bytes=100_000)
    for number in range(1000):
        add(talk, device=number % 3, body=b"%1000d" % number, url=f"/{number}")
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
    talk = Conversation()
    add(talk, body=b"y" * (MAX_BODY_BYTES + 5))
    assert talk.entries()[0].response_body.endswith(b"(5 more bytes)")


def test_listeners_hear_of_each():
    talk, heard = Conversation(), []
    talk.listeners.append(heard.append)
    add(talk)
    assert [e.id for e in heard] == [1]


def test_an_unchanged_poll_costs_no_second_body():
    talk = Conversation()
    add(talk, body=b"x" * 10_000)
    one = talk.held_bytes
    for _ in range(100):
        add(talk, device=2, body=b"x" * 10_000)
    assert talk.held_bytes - one < 100 * 1_000
    bodies = [each.response_body for each in talk.entries()]
    assert all(body is bodies[0] for body in bodies)


def test_a_body_is_kept_as_long_as_any_exchange_has_it():
    talk = Conversation(budget_bytes=5_000)
    for number in range(200):
        add(talk, body=b"%500d" % (number % 2))
    held = talk.entries()
    assert {each.response_body.strip() for each in held} == {b"0", b"1"}
    assert talk.held_bytes <= 5_000
    for number in range(200):
        add(talk, body=b"%500d" % (number + 10))
    assert talk.held_bytes <= 5_000
    assert len(talk.entries()) >= 3


def test_what_is_counted_is_what_is_taken():
    """Memory per exchange, as tracemalloc sees it, is at most what the budget counts, and not far below."""
    headers = (("content-type", "application/sep+xml"), ("content-length", "712"), ("date", "x" * 29))
    talk = Conversation()
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    for number in range(2000):
        talk.add(
            1.8e9 + number, 1, "GET", f"http://127.0.0.1:8443/derp/{number % 50}", NONE,
            (200, headers, b"%700d" % number), "ok", number + 0.5, cause="poll derc, 10 s",
        )  # fmt: skip
    taken = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    assert 0.6 * talk.held_bytes <= taken <= talk.held_bytes


@pytest.mark.parametrize("answers_a_second", [1, 50])
def test_what_is_counted_of_headers_is_what_is_taken_however_many_are_equal(answers_a_second):
    """A fleet's answers of one second have one Date; those of a single DER have each their own."""
    talk = Conversation()
    size, kind = ("content-length", "712"), ("content-type", "application/sep+xml")
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    for number in range(2000):
        date = ("date", f"Sun, 29 Nov 2026 {number // answers_a_second:012d}")
        talk.add(
            1.8e9 + number, 1, "GET", "http://127.0.0.1:8443/derp", NONE,
            (200, (date, size, kind), b"<DERProgramList/>"), "ok", number + 0.5, cause="poll derp, 10 s",
        )  # fmt: skip
    taken = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    assert 0.6 * talk.held_bytes <= taken <= talk.held_bytes
    talk.budget_bytes = 1
    add(talk)
    assert talk.held_bytes == 0


def test_a_budget_of_nothing_keeps_nothing_and_still_tells_listeners():
    talk, heard = Conversation(0), []
    add(talk)
    talk.listeners.append(heard.append)
    add(talk, body=b"x")
    assert (talk.entries(), talk.held_bytes) == ([], 0)
    assert [each.response_body for each in heard] == [b"x"]


@pytest.mark.parametrize(
    ("devices", "web_site", "mib"), [(1, False, 64), (200, False, 64), (201, False, 0), (5000, True, 64)]
)
def test_a_large_fleet_without_a_web_site_keeps_nothing_by_default(devices, web_site, mib):
    assert default_bytes(devices, web_site=web_site) == mib * MIB


def test_an_amended_exchange_is_counted_with_its_longer_outcome():
    talk = Conversation()
    number = talk.add(0.0, 1, "GET", "/x", NONE, (200, (), b""), "ok", 0.01, cause="poll")
    before = talk.held_bytes
    talk.amend(number, "not used")
    assert talk.entries()[0].outcome == "not used"
    assert talk.held_bytes == before + 6
    talk.amend(number + 1, "never held")
    assert len(talk.entries()) == 1
