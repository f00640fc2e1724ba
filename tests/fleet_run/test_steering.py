"""The steering of a fleet, on a workforce without Dask."""

import pytest
import trio
import trio.testing

from dersim.errors import ConfigError, DersimError, bare_errors
from dersim.fleet_plan import FleetPlan, Group
from dersim.fleet_run import steering
from dersim.fleet_run.board import Board
from dersim.fleet_run.messages import Done, NoContactError, Summary
from dersim.fleet_run.plan import cut
from dersim.fleet_run.steering import Steering
from dersim.logbuffer import LogBuffer

POWER = {"power_w": 0.0, "reactive_var": 0.0, "exported_wh": 0.0, "imported_wh": 0.0}
NUMBERS = {"ders": 5, "states": {"connected": 5}, "counters": {}, "controls": 0, "lag_s": 0.0, **POWER}


class Workforce:
    """Notes what it is asked for. on_submit: called with shard and key."""

    def __init__(self):
        self.submitted = []
        self.orders = []
        self.beats = []
        self.on_submit = lambda shard, key: None

    def workers(self):
        return {"w1": 1e9, "w2": 1e9}

    def begin(self, shards, take):
        self.take = take

    def submit(self, key, shard, files, worker, done):
        self.submitted.append((shard.name, worker, files))
        self.done = done
        self.on_submit(shard, key)

    def forget(self, key):
        pass

    def beat(self, n, *, stop):
        self.beats.append((n, stop))

    def order(self, attempt, order):
        self.orders.append((attempt, order))

    def end(self, key, shard, outcome="stopped", **more):
        self.done(Done(key, Summary(shard.name, "a", outcome, **more)))

    def tell(self, shard, attempt, worker):
        event = {"kind": "numbers", "shard": shard, "attempt": attempt, "worker": worker}
        self.take({**event, "numbers": NUMBERS})


@pytest.fixture(autouse=True)
def no_threads(monkeypatch):
    """The virtual clock would jump while a thread works."""

    async def run_sync(work, *arguments, abandon_on_cancel=False):
        await trio.lowlevel.checkpoint()
        return work(*arguments)

    monkeypatch.setattr(trio.to_thread, "run_sync", run_sync)


@pytest.fixture
def force():
    return Workforce()


@pytest.fixture
def log():
    return LogBuffer(writer=lambda entry: None)


@pytest.fixture
def steer(force, log):
    board = Board(cut(FleetPlan((Group("", 1, 10),), 1, 10), 5, [], 1))
    return Steering(force, board, lambda shard: {"a": shard.name.encode()}, log)


async def test_shards_are_dealt_out_in_turn_with_their_files(force, steer, autojump_clock):
    force.on_submit = lambda shard, key: None
    async with trio.open_nursery() as nursery:
        nursery.start_soon(steer.run)
        await steer.begun.wait()
        assert force.submitted == [
            ("ders-1-5", "w1", {"a": b"ders-1-5"}),
            ("ders-6-10", "w2", {"a": b"ders-6-10"}),
        ]
        nursery.cancel_scope.cancel()


@pytest.mark.parametrize("lost", [True, False])
async def test_what_ends_without_being_asked_is_submitted_again(force, steer, log, autojump_clock, lost):
    def end_once(shard, key):
        if len(force.submitted) == 1:
            summary = None if lost else Summary(shard.name, "a", "stopped")
            force.done(Done(key, summary, "its workers died too often for Dask"))

    force.on_submit = end_once
    async with trio.open_nursery() as nursery:
        nursery.start_soon(steer.run)
        await steer.begun.wait()
        await trio.sleep(2 * steering.PAUSE_S)
        nursery.cancel_scope.cancel()
    assert [name for name, _, _ in force.submitted].count("ders-1-5") == 2
    assert any("shard ders-1-5 begins again" in entry.message for entry in log.entries())


async def test_a_mistake_in_the_flags_ends_the_fleet(force, steer, autojump_clock):
    force.on_submit = lambda shard, key: force.end(
        key, shard, "failed", message="--rate: too fast", config_error=True
    )
    with pytest.raises(ConfigError, match="--rate: too fast"), bare_errors():
        await steer.run()


async def test_a_shard_that_fails_five_times_in_a_row_ends_the_fleet(force, steer, autojump_clock):
    force.on_submit = lambda shard, key: force.end(key, shard, "failed", message="no memory")
    with pytest.raises(DersimError, match=r"failed 5 times in a row, at last: no memory"), bare_errors():
        await steer.run()


async def test_a_stop_reaches_every_attempt_and_waits_for_its_end(force, steer, autojump_clock):
    keys = {}
    force.on_submit = lambda shard, key: keys.update({shard.name: (shard, key)})
    async with trio.open_nursery() as nursery:
        nursery.start_soon(steer.run)
        await steer.begun.wait()
        force.tell("ders-1-5", "a1", "w1")
        await trio.sleep(2)
        steer.stop()
        await trio.sleep(2)
        assert force.orders == [("a1", {"do": "stop"})]
        assert force.beats[-1][1] is True
        for shard, key in keys.values():
            force.end(key, shard)
    assert steer.unfinished == []


async def test_who_does_not_confirm_a_stop_is_named(force, steer, autojump_clock):
    async with trio.open_nursery() as nursery:
        nursery.start_soon(steer.run)
        await steer.begun.wait()
        steer.stop()
    assert steer.unfinished == ["ders-1-5", "ders-6-10"]


async def test_a_der_is_asked_for_at_its_shard(force, steer, autojump_clock):
    async with trio.open_nursery() as nursery:
        nursery.start_soon(steer.run)
        await steer.begun.wait()
        assert await steer.show(7) is None
        force.tell("ders-6-10", "b1", "w2")
        await trio.sleep(1)

        def answer(attempt, order):
            assert (attempt, order["do"], order["device"]) == ("b1", "show", 7)
            force.take({"kind": "answer", "id": order["id"], "body": '{"device":7}'})

        force.order = answer
        assert await steer.show(7) == '{"device":7}'
        assert await steer.show(11) is None
        force.order = lambda attempt, order: None
        assert await steer.show(7) is None  # no answer within 3 s
        nursery.cancel_scope.cancel()


async def test_a_shard_too_many_on_a_worker_is_moved_to_the_idle_one(force, steer, autojump_clock):
    keys = {}
    force.on_submit = lambda shard, key: keys.update({shard.name: (shard, key)})
    async with trio.open_nursery() as nursery:
        nursery.start_soon(steer.run)
        await steer.begun.wait()
        force.tell("ders-1-5", "a1", "w1")
        force.tell("ders-6-10", "b1", "w1")
        await trio.sleep(3 * steering.LEVEL_S)
        assert ("b1", {"do": "move"}) in force.orders
        shard, key = keys["ders-6-10"]
        force.end(key, shard, "moved")
        await trio.sleep(1)
        assert force.submitted[-1][:2] == ("ders-6-10", "w2")
        nursery.cancel_scope.cancel()


async def test_a_scheduler_that_does_not_answer_for_long_ends_the_fleet(force, steer, autojump_clock):
    def beat(n, *, stop):
        raise NoContactError("gone")

    force.beat = beat
    with pytest.raises(DersimError, match="has not answered for 15 s"), bare_errors():
        await steer.run()
    assert trio.current_time() < steering.GONE_S + 5


async def test_what_was_lost_with_the_scheduler_is_submitted_when_it_is_back(force, steer, autojump_clock):
    away = []

    def on_submit(shard, key):
        if shard.name == "ders-6-10":
            return
        if len(away) < 20:
            away.append(key)
            if len(away) % 2:
                force.done(Done(key, None, "the scheduler has lost it", is_lost=True))
            else:
                raise NoContactError("gone")

    force.on_submit = on_submit
    async with trio.open_nursery() as nursery:
        nursery.start_soon(steer.run)
        await trio.sleep(60)
        assert len(away) == 20  # more than a shard may fail in a row
        nursery.cancel_scope.cancel()
