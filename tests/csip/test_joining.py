"""How the clients of a fleet connect: few at once, and not all at the same moment after a loss."""

from __future__ import annotations

import errno
import io
import random
from dataclasses import replace

import pytest
import trio

from dersim.clock import SimClock
from dersim.csip.joining import MOST_AT_ONCE, Joining, Retries, Turns
from dersim.csip.links import Origin
from dersim.csip.session import CodecSettings, Counters, Session
from dersim.errors import UtilityUnreachable
from dersim.exchanges.conversation import Conversation
from dersim.http11 import Connection, Response
from dersim.ieee2030_5 import Edition
from dersim.logbuffer import LogBuffer


async def until(client, state):
    for _ in range(1_000):
        if client.snapshot()["state"] == state:
            return
        await trio.sleep(0.1)
    raise AssertionError(client.snapshot())


async def test_thirty_connections_are_made_at_once(autojump_clock):
    now, most = 0, 0

    async def open_stream():
        nonlocal now, most
        now += 1
        most = max(most, now)
        await trio.sleep(9)
        now -= 1
        raise UtilityUnreachable("gone")

    joining, clock = Joining(LogBuffer()), SimClock()

    def session():
        return Session(
            Origin(True, "127.0.0.1", 8443),
            lambda origin: Connection(open_stream, "127.0.0.1:8443"),
            clock,
            codec=CodecSettings(Edition.E2023),
            counters=Counters(),
            conversation=Conversation(),
            say=lambda level, message: None,
            device=1,
            connecting=joining.connecting,
        )

    async def ask(failures):
        with pytest.raises(UtilityUnreachable) as failure:
            await session().exchange("GET", "/dcap", "join")
        failures.append(str(failure.value))

    failures = []
    async with trio.open_nursery() as nursery:
        for _ in range(150):
            nursery.start_soon(ask, failures)
    assert most == MOST_AT_ONCE == 30
    assert failures == ["gone"] * 150  # none because of the time that it waited for its turn


async def test_a_thousand_ders_are_back_within_a_minute_and_at_most_a_hundred_a_second(autojump_clock):
    joining, back_at = Joining(LogBuffer(), ramp=50.0), 120.0
    shaken, in_flight, most = [], 0, 0

    async def connect():
        nonlocal in_flight, most
        if trio.current_time() < back_at:
            raise UtilityUnreachable("refused", "connect")
        shaken.append(trio.current_time())
        in_flight += 1
        most = max(most, in_flight)
        await trio.sleep(0.2)
        in_flight -= 1

    async def der(number):
        retries = Retries(random.Random(number))
        retries.connected()
        while True:
            try:
                async with joining.connecting:
                    await connect()
            except UtilityUnreachable:
                await trio.sleep(retries.next_s())
            else:
                return

    async with trio.open_nursery() as nursery:
        for number in range(1000):
            nursery.start_soon(der, number)
    assert len(shaken) == 1000
    assert max(shaken) < back_at + 60
    assert most <= 30
    # The hundred after any one take a second, to the rounding of a sum.
    assert all(later - first > 0.999 for first, later in zip(shaken, shaken[100:], strict=False))


async def test_connections_that_are_refused_before_a_handshake_delay_nobody(autojump_clock):
    turns = Turns(per_s=0.01)
    for _ in range(100):
        with pytest.raises(UtilityUnreachable):
            async with turns:
                raise UtilityUnreachable("refused", "connect")
    assert trio.current_time() == 0.0


async def test_a_cancelled_wait_for_a_turn_gives_its_place_back(autojump_clock):
    turns = Turns(most_at_once=1, per_s=0.1)
    async with turns:
        pass
    with trio.move_on_after(1):
        async with turns:
            raise AssertionError
    with trio.fail_after(25):
        async with turns:
            pass


async def test_after_a_loss_the_first_retry_has_a_phase_and_later_ones_a_small_spread(autojump_clock, world):
    waits = []
    client = await world.start(for_s=30)
    for _ in range(8):
        world.server.away = True
        world.server.hang_up()
        await until(client, "retrying")
        waits.append(client.snapshot()["retry_in_s"])
        await trio.sleep(waits[-1] + 1)
        later = client.snapshot()["retry_in_s"] + 1
        assert 8.9 <= later <= 11.1
        world.server.away = False
        await until(client, "connected")
    assert all(9.8 <= wait <= 15 for wait in waits)
    assert max(waits) > 11.5
    assert len({round(wait, 1) for wait in waits}) > 4


async def test_no_free_descriptors_are_one_line_a_minute_for_all_ders(autojump_clock, world):
    def none_left(host, port):
        raise OSError(errno.EMFILE, "Too many open files")

    client = await world.ready()
    client.presence.open_tcp = none_left
    world.begin()
    await trio.sleep(55)
    shown = [line for line in world.stream.getvalue().splitlines() if "too many open files" in line]
    assert len(shown) == 1
    assert "connections to the 2030.5 server not made" in shown[0]
    assert "too many open files" in client.snapshot()["last_error"]
    await trio.sleep(60)
    later = [line for line in world.stream.getvalue().splitlines() if "since the last such line" in line]
    assert len(later) == 1


async def test_a_link_that_a_new_server_no_longer_has_is_no_trouble(autojump_clock, world):
    client = await world.start(for_s=5)
    tree = world.server.tree
    world.server.answers["GET", "/edev/1/der"] = Response(500, (), b"")
    await trio.sleep(20)
    assert client.snapshot()["state"] == "retrying"
    tree["/edev/9/der"] = replace(tree["/edev/1/der"], href="/edev/9/der")
    moved = replace(tree["/edev/1"], DERListLink=replace(tree["/edev/1"].DERListLink, href="/edev/9/der"))
    tree["/edev/1"], tree["/edev"].EndDevice = moved, [moved]
    client.rediscover()
    await trio.sleep(20)
    shown = client.snapshot()
    assert (shown["state"], shown["troubles"]) == ("connected", [])


async def test_what_is_due_of_many_ders_at_one_time_takes_few_turns_of_the_loop(autojump_clock):
    class Loops(trio.abc.Instrument):
        count = 0

        def after_io_wait(self, timeout):
            self.count += 1

    loops, turn, acted = Loops(), Joining(LogBuffer(stream=io.StringIO())).turn, []
    trio.lowlevel.add_instrument(loops)

    async def act():
        await trio.sleep(1)
        async with turn:
            acted.append(loops.count)

    async with trio.open_nursery() as nursery:
        for _ in range(80):
            nursery.start_soon(act)
    assert len(acted) == 80
    assert 9 <= acted[-1] - acted[0] <= 25
