"""The outbox of Responses against servers that are slow, unreachable, failing or strict."""

from __future__ import annotations

import itertools
from collections.abc import Awaitable, Callable, Sequence

import pytest
import trio
import trio.testing

from dersim.csip import responses
from dersim.csip.responses import Outbox
from dersim.errors import RemoteProtocolError, UtilityUnreachable
from dersim.fences import Fences
from dersim.ieee2030_5 import decode, encode
from dersim.ieee2030_5.edition import Edition
from dersim.ieee2030_5.event_types import EventResponse
from dersim.ieee2030_5.resources import DERControlResponse
from dersim.logbuffer import LogBuffer

LFDI = "3E4F45AB31EDFE5B67E343E5E4562E31984E23E5"
MRID = "0A" * 16


class Server:
    """Answers each POST with the next of `answers`, then with 201; records what it accepted."""

    def __init__(self, answers: Sequence[int | Exception] = ()) -> None:
        self.answers = list(answers)
        self.tries: list[tuple[float, str, int]] = []
        self.accepted: list[tuple[str, DERControlResponse]] = []
        self.failing: set[str] = set()

    async def post(self, href: str, resource: DERControlResponse) -> int:
        await trio.lowlevel.checkpoint()
        self.tries.append((trio.current_time(), href, resource.status or 0))
        if href in self.failing:
            return 500
        answer = self.answers.pop(0) if self.answers else 201
        if isinstance(answer, Exception):
            raise answer
        if answer < 300:
            self.accepted.append((href, resource))
        return answer

    @property
    def statuses(self) -> list[int | None]:
        return [resource.status for _, resource in self.accepted]


def event(status: int, mrid: str = MRID, href: str = "/rsp", modes: tuple[str, ...] = ()) -> EventResponse:
    return EventResponse(mrid, status, href, modes, 1_700_000_000.9)


Log = list[tuple[str, str]]


def outbox(
    post: Callable[[str, DERControlResponse], Awaitable[int]],
    edition: Edition = Edition.E2023,
    log: Log | None = None,
) -> Outbox:
    entries = [] if log is None else log
    return Outbox(
        post,
        lfdi=LFDI,
        edition=lambda: edition,
        log=lambda *entry: entries.append(entry),
        fence=lambda place, what: Fences(LogBuffer()).around_unforeseen(place, "CSIP", what),
    )


async def run_for(box: Outbox, seconds: float) -> None:
    async with trio.open_nursery() as nursery:
        box.delivery.run_in(nursery)
        await trio.sleep(seconds)
        nursery.cancel_scope.cancel()


async def test_in_order_and_each_once(autojump_clock: trio.testing.MockClock) -> None:
    server = Server()
    box = outbox(server.post)
    for status in (1, 2, 2, 3, 1):
        box.put(event(status))
    await run_for(box, 5)
    for status in (1, 2, 3):
        box.put(event(status))
    await run_for(box, 5)
    assert server.statuses == [1, 2, 3]
    assert (box.sent, box.pending, box.dropped) == (3, 0, 0)


async def test_what_comes_while_it_waits_is_sent_at_once(autojump_clock: trio.testing.MockClock) -> None:
    server = Server()
    box = outbox(server.post)
    async with trio.open_nursery() as nursery:
        box.delivery.run_in(nursery)
        await trio.sleep(100)
        box.put(event(1))
        await trio.sleep(0.001)
        assert server.statuses == [1]
        nursery.cancel_scope.cancel()


async def test_kept_while_the_server_is_away_with_a_growing_pause(
    autojump_clock: trio.testing.MockClock,
) -> None:
    server = Server([UtilityUnreachable("connect: refused")] * 12)
    box = outbox(server.post)
    for number, status in enumerate((1, 2, 3)):
        box.put(event(status, href=f"/rsp/{number}"))
    await run_for(box, 3600)
    assert server.statuses == [1, 2, 3]
    times = [time for time, _, _ in server.tries]
    pauses = [later - earlier for earlier, later in itertools.pairwise(times)][:12]
    for index, pause in enumerate(pauses):
        nominal = min(2**index, responses.MAX_PAUSE_S)
        assert 0.75 * nominal <= pause <= 1.25 * nominal + 0.01
    assert {href for _, href, _ in server.tries[:12]} == {"/rsp/0"}  # the order is kept


@pytest.mark.parametrize("answer", [500, 502, 503, 429])
async def test_a_failing_reply_to_delays_only_its_own_responses(
    autojump_clock: trio.testing.MockClock, answer: int
) -> None:
    server = Server([answer])
    box = outbox(server.post)
    box.put(event(1, href="/failing"))
    box.put(event(2, href="/failing"))
    box.put(event(1, mrid="0B" * 16, href="/working"))
    await run_for(box, 10)
    assert [href for href, _ in server.accepted] == ["/working", "/failing", "/failing"]
    assert server.statuses == [1, 1, 2]


@pytest.mark.parametrize("answer", [400, 403, 404, 405, RemoteProtocolError("no status line")])
async def test_a_refusal_is_not_repeated_and_the_rest_goes_on(
    autojump_clock: trio.testing.MockClock, answer: int | Exception
) -> None:
    log: Log = []
    server = Server([answer])
    box = outbox(server.post, log=log)
    box.put(event(1))
    box.put(event(2))
    await run_for(box, 600)
    assert [status for _, _, status in server.tries] == [1, 2]
    assert (box.sent, box.dropped, box.pending) == (1, 1, 0)
    assert any(level == "Warning" and MRID in message for level, message in log)


async def test_memory_is_bounded(
    autojump_clock: trio.testing.MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(responses, "MAX_PENDING", 10)
    monkeypatch.setattr(responses, "MAX_DELIVERED", 20)
    log: Log = []
    server = Server()
    server.failing.add("/rsp")
    box = outbox(server.post, log=log)
    for number in range(50):
        box.put(event(1, mrid=f"{number:032X}"))
    assert (box.pending, box.dropped) == (10, 40)
    assert len(box._known) <= 20
    server.failing.clear()
    await run_for(box, 10)
    assert [resource.subject for _, resource in server.accepted] == [f"{n:032X}" for n in range(40, 50)]
    assert sum(level == "Error" for level, _ in log) == 40


async def test_2016_responses_that_wait_are_all_delivered(autojump_clock: trio.testing.MockClock) -> None:
    server = Server([UtilityUnreachable("connect: refused")])
    box = outbox(server.post)
    for number in range(2_016):
        box.put(event(1, mrid=f"{number:032X}"))
    await run_for(box, 60)
    assert (box.sent, box.dropped, box.pending) == (2_016, 0, 0)


async def test_three_responses_wait_for_each_of_10_000_held_events() -> None:
    box = outbox(Server().post)
    for number in range(10_000):
        for status in (1, 2, 3):
            box.put(event(status, mrid=f"{number:032X}"))
    assert (box.dropped, box.pending) == (0, 30_000)
    for number in range(10_000):  # found again by a new discovery
        box.put(event(1, mrid=f"{number:032X}"))
    assert box.pending == 30_000


async def test_a_fresh_response_does_not_wait_for_an_old_pause_once_the_server_answers(
    autojump_clock: trio.testing.MockClock,
) -> None:
    server = Server([500] * 10)
    box = outbox(server.post)
    async with trio.open_nursery() as nursery:
        box.delivery.run_in(nursery)
        box.put(event(1))
        await trio.sleep(200)
        tries = len(server.tries)
        server.answers.clear()
        box.resume(frozenset({"/rsp", "/edev"}))
        box.put(event(2))
        await trio.sleep(0.001)
        assert len(server.tries) == tries + 2
        assert server.statuses == [1, 2]
        nursery.cancel_scope.cancel()


async def test_a_reply_to_that_failed_alone_keeps_its_pause(autojump_clock: trio.testing.MockClock) -> None:
    server = Server([500] * 10)
    box = outbox(server.post)
    async with trio.open_nursery() as nursery:
        box.delivery.run_in(nursery)
        box.put(event(1))
        await trio.sleep(200)
        tries = len(server.tries)
        box.resume(frozenset({"/rsp"}))
        await trio.sleep(0.001)
        assert len(server.tries) == tries
        nursery.cancel_scope.cancel()


async def test_a_response_that_raises_costs_that_response_alone(
    autojump_clock: trio.testing.MockClock,
) -> None:
    server = Server([ZeroDivisionError()])
    log: Log = []
    box = outbox(server.post, log=log)
    box.put(event(1))
    box.put(EventResponse(MRID, 2, "/rsp", (), float("inf")))
    box.put(event(3))
    await run_for(box, 60)
    assert server.statuses == [3]
    assert (box.sent, box.dropped, box.pending) == (1, 2, 0)
    assert len([message for _, message in log if "unexpected error" in message]) == 2


async def test_without_a_reply_to_there_is_nothing_to_post() -> None:
    box = outbox(Server().post)
    box.put(event(1, href=""))
    assert box.pending == 0


def test_the_body_of_2023() -> None:
    body = outbox(Server().post).body(event(251, modes=("opModMaxLimW", "opModVoltVar", "rampTms")))
    assert body.status == 251
    assert body.createdDateTime == 1_700_000_000
    assert body.modesResponded == 1 << 20 | 1 << 23
    text = encode(body, Edition.E2023).decode()
    assert "<modesResponded>00900000</modesResponded>" in text
    assert decode(text.encode(), DERControlResponse).resource == body


@pytest.mark.parametrize(("status", "wire"), [(251, 252), (253, 253), (254, 254), (1, 1), (7, 7)])
def test_the_body_of_2018(status: int, wire: int) -> None:
    body = outbox(Server().post, Edition.E2018).body(event(status, modes=("opModMaxLimW",)))
    text = encode(body, Edition.E2018).decode()
    assert f"<status>{wire}</status>" in text
    assert "modesResponded" not in text
    assert f"<endDeviceLFDI>{LFDI}</endDeviceLFDI>" in text
    assert f"<subject>{MRID}</subject>" in text


def test_modes_without_a_bit_are_left_out_and_those_of_2023_have_their_own_field() -> None:
    box = outbox(Server().post)
    assert box.body(event(1)).modesResponded == 0
    assert box.body(event(1)).modesResponded2 is None
    body = box.body(event(1, modes=("setGradW", "opModNew", "opModConnect", "opModMaxLimWInject")))
    assert (body.modesResponded, body.modesResponded2) == (1 << 2, 1 << 8)
