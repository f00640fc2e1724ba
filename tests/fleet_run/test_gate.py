"""The lease as connections feel it."""

import pytest
import trio
import trio.testing

from dersim.fleet_run.gate import LeaseGate


class Clock:
    s = 100.0

    def __call__(self):
        return self.s


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def gate(clock):
    return LeaseGate(5.0, clock)


def test_it_begins_closed_and_a_confirmed_lease_opens_it_for_five_seconds(gate, clock):
    assert not gate.is_open
    gate.renew(100.0)
    assert gate.is_open
    clock.s = 104.9
    assert gate.is_open
    clock.s = 105.0
    assert not gate.is_open


def test_a_lease_counts_from_when_it_was_asked_for(gate, clock):
    clock.s = 160.0  # the process was stopped between question and answer
    gate.renew(100.0)
    assert not gate.is_open


def test_the_end_is_the_end(gate):
    gate.renew(100.0)
    gate.end()
    gate.renew(101.0)
    assert not gate.is_open


async def test_who_waits_passes_with_the_next_lease(gate, autojump_clock):
    async with trio.open_nursery() as nursery:
        nursery.start_soon(gate.passed)
        await trio.testing.wait_all_tasks_blocked()
        assert nursery.child_tasks
        gate.renew(100.0)


async def test_a_socket_sends_only_with_a_fresh_lease(gate, clock):
    received = bytearray()

    async def take(stream):
        async for data in stream:
            received.extend(data)

    async with trio.open_nursery() as nursery:
        [listener] = await trio.open_tcp_listeners(0, host="127.0.0.1")
        nursery.start_soon(trio.serve_listeners, take, [listener])
        gate.renew(100.0)
        stream = await gate.open_tcp(*listener.socket.getsockname())
        await stream.send_all(b"in time")
        clock.s = 160.0
        async with stream:
            with trio.move_on_after(0.05):
                await stream.send_all(b"too late")
            assert received == b"in time"
        nursery.cancel_scope.cancel()
