"""I7, I8, I9, I13: leaks, memory, lag and secrets of the whole process."""

import os
import socket
from contextlib import ExitStack

import trio
import trio.testing
from tests.invariants.rig import Rig

from dersim.buffers import BufferSize
from dersim.http11.server import _Server
from dersim.invariants import leaks, memory
from dersim.invariants.descriptors import Descriptors, descriptors
from dersim.invariants.leaks import Leaks
from dersim.invariants.loop_lag import LoopLag, Starved, Waits
from dersim.invariants.memory import Memory, slope_per_s
from dersim.invariants.secrecy import Secrecy
from dersim.pages.serving import WebServer
from dersim.sunspec.connections import Connections


def in_trio(work):
    async def main():
        async with trio.open_nursery() as nursery:
            await work(nursery)
            nursery.cancel_scope.cancel()

    trio.run(main)


def test_a_task_that_is_left_after_a_fault_is_found():
    async def work(nursery):
        rig = Rig(Leaks())
        assert rig.tick(200) == []
        rig.client.state = "retrying"
        nursery.start_soon(trio.sleep_forever)
        await trio.testing.wait_all_tasks_blocked()
        assert rig.tick(30) == []
        rig.client.state = "connected"
        found = rig.tick(200)
        assert [each.seen for each in found] == ["1"]
        assert "sleep_forever" in found[0].expected

    in_trio(work)


def test_a_task_that_comes_and_goes_is_no_leak():
    async def work(nursery):
        rig = Rig(Leaks())
        rig.tick(200)
        scope = trio.CancelScope()

        async def wait():
            with scope:
                await trio.sleep_forever()

        nursery.start_soon(wait)
        await trio.testing.wait_all_tasks_blocked()
        assert rig.tick(40) == []
        scope.cancel()
        await trio.testing.wait_all_tasks_blocked()
        assert rig.tick(200) == []

    in_trio(work)


def test_descriptors_that_stay_open_are_found():
    async def work(nursery):
        rig = Rig(Leaks())
        rig.tick(200)
        opened = [os.open(os.devnull, os.O_RDONLY) for _ in range(leaks.FD_SLACK + 2)]
        found = rig.tick(200)
        for each in opened:
            os.close(each)
        assert [each.id for each in found] == ["I7"]
        assert "file descriptors" in found[0].expected

    in_trio(work)


class Server:
    """Serves connections in tasks with the name that our servers' have."""

    def __init__(self, nursery):
        self._nursery = nursery
        self._scopes = []

    async def connect(self, count, tasks=2):
        for _ in range(count):
            self._nursery.start_soon(self._connection, tasks)
        await trio.testing.wait_all_tasks_blocked()

    async def _connection(self, tasks):
        async with trio.open_nursery() as nursery:
            self._scopes.append(nursery.cancel_scope)
            for _ in range(tasks):
                nursery.start_soon(trio.sleep_forever)

    def held(self):
        return Descriptors(20 + len(self._scopes), len(self._scopes))

    async def close(self):
        while self._scopes:
            self._scopes.pop().cancel()
        await trio.testing.wait_all_tasks_blocked()


def test_the_servers_connections_have_the_names_that_are_left_out():
    handlers = _Server._connection, WebServer._connection, Connections._serve
    assert all(each.__qualname__.endswith(leaks._CONNECTIONS) for each in handlers)


def test_peers_that_come_and_go_are_no_leak(monkeypatch):
    async def work(nursery):
        server = Server(nursery)
        monkeypatch.setattr(leaks, "descriptors", server.held)
        rig = Rig(Leaks())
        await server.connect(7)
        assert rig.tick(200) == []
        await server.close()
        assert rig.tick(200) == []
        await server.connect(15, tasks=4)
        assert rig.tick(200) == []

    in_trio(work)


def test_a_connection_that_collects_tasks_is_found(monkeypatch):
    async def work(nursery):
        server = Server(nursery)
        monkeypatch.setattr(leaks, "descriptors", server.held)
        rig = Rig(Leaks())
        await server.connect(3)
        assert rig.tick(200) == []
        await server.connect(1, tasks=4 * leaks.TASKS_EACH)
        assert [each.expected for each in rig.tick(200)] == [
            f"at most 0 of {leaks.BEYOND} while nothing is wrong"
        ]

    in_trio(work)


def test_an_accepted_connection_that_nobody_serves_is_found(monkeypatch):
    async def work(_nursery):
        accepted = [0]
        monkeypatch.setattr(leaks, "descriptors", lambda: Descriptors(20 + accepted[0], accepted[0]))
        rig = Rig(Leaks())
        assert rig.tick(200) == []
        accepted[0] = leaks.FD_SLACK + 1
        assert [each.seen for each in rig.tick(200)] == ["25"]

    in_trio(work)


def test_descriptors_tell_accepted_connections_from_others():
    before = descriptors()
    with socket.create_server(("127.0.0.1", 0)) as listener, ExitStack() as stack:
        ends = []
        for _ in range(2):
            ends.append(stack.enter_context(socket.create_connection(listener.getsockname())))
            ends.append(stack.enter_context(listener.accept()[0]))
        now = descriptors()
        assert (now.all - before.all, now.accepted - before.accepted) == (5, 2)
        ends[0].sendall(b"x")  # counting has closed none
        assert ends[1].recv(1) == b"x"


def test_memory_that_grows_after_the_first_hour_is_found(monkeypatch):
    rig = Rig(Memory())
    monkeypatch.setattr(memory, "resident_mb", lambda: 100 + max(rig.real_s - 7200, 0) / 3600 * 20)
    rig.clock.tick_s = 30.0
    assert rig.tick(240) == []
    assert [each.id for each in rig.tick(120)] == ["I8"]


def test_the_slope_is_that_of_the_line():
    assert round(slope_per_s([(0.0, 1.0), (10.0, 3.0), (20.0, 5.0)]), 9) == 0.2


def test_a_buffer_above_its_bound_is_found():
    rig = Rig(Memory(), buffers={"log": lambda: BufferSize(11, 10)})
    assert rig.tick()[0].expected == "buffer log at most 10 bytes"


def test_a_blocked_loop_is_found():
    lag = LoopLag()
    rig = Rig(lag)
    for _ in range(700):
        lag.woke(0.001)
    assert rig.tick() == []
    lag.woke(1.5)
    assert rig.tick()[0].seen == "1.50 s"
    for _ in range(700):
        lag.woke(0.08)
    assert rig.tick()[0].expected == "p99 at most 50 ms"


def test_what_the_computer_took_lately_is_known(monkeypatch):
    waited = iter([5.0, 5.5, 9.5, 9.5, 9.5])
    monkeypatch.setattr("dersim.invariants.loop_lag._waits_ns", lambda: {"1": int(next(waited) * 1e9)})
    starved, found = Starved(), []
    for real_s in (0.0, 0.5, 10.0, 20.0, 35.0, 70.0):
        starved.note(real_s)
        found.append(starved.seconds)
    assert found == [0.0, 0.0, 0.5, 4.5, 4.0, 0.0]


def test_what_other_threads_waited_counts_when_they_have_ended_too(monkeypatch):
    threads = iter([{"1": 10**9}, {"1": 10**9, "2": 2 * 10**9}, {"1": 4 * 10**9}, {"1": 4 * 10**9, "3": 0}])
    monkeypatch.setattr("dersim.invariants.loop_lag._waits_ns", lambda: next(threads))
    waits = Waits()
    assert [waits.until_now_s() for _ in range(4)] == [1.0, 3.0, 6.0, 6.0]


def test_a_pin_in_the_log_is_found_and_not_repeated():
    rig = Rig(Secrecy(), secrets=["111115", "TOKEN-abc"])
    rig.log.log("Info", "CSIP", "the number 1111150 is none")
    assert rig.tick() == []
    rig.log.log("Info", "CSIP", "Registration with PIN 111115", 1)
    rig.log.log("Debug", "WS", "Bearer TOKEN-abc")
    rig.log.log("Debug", "CSIP", "-----BEGIN EC PRIVATE KEY-----")
    found = rig.tick()
    assert [each.device for each in found] == [1, 0, 0]
    assert not any("111115" in str(each) for each in found)
    assert rig.tick() == []
