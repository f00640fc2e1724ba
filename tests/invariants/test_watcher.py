"""The watcher: turns, counts, log lines, the run beside a fleet."""

import time

import trio
import trio.testing
from tests.invariants.rig import Rig

from dersim.invariants import Invariant, all_invariants


class Always(Invariant):
    """Finds something at each look."""

    id = "I99"
    statement = "Nothing is ever right."

    def check(self, look):
        yield look.violation(Always, "something else", "this")


def test_all_invariants_are_watched_and_have_a_statement():
    found = all_invariants()
    assert Rig(*found).watcher.ids == [f"I{number}" for number in range(1, 15)]
    assert all(each.statement.endswith(".") for each in found)


def test_without_a_share_every_der_is_looked_at_after_every_tick():
    rig = Rig(Always(), count=3)
    assert [each.device for each in rig.tick(2)] == [1, 2, 3, 1, 2, 3]
    assert rig.watcher.counts == {"I99": 6}
    assert rig.watcher.total == 6


def test_with_a_share_the_ders_take_turns():
    class Slow(Always):
        def check(self, look):
            end_s = time.thread_time() + 0.002
            while time.thread_time() < end_s:
                pass
            return super().check(look)

    rig = Rig(Slow(), count=20, share=0.5)
    rig.tick()
    seen = []
    while len(seen) < 25:
        time.sleep(0.005)
        found = [each.device for each in rig.tick()]
        assert len(found) < 15
        seen += found
    assert sorted(seen[:20]) == [*range(1, 21)]


def test_a_minute_has_few_lines_of_an_invariant():
    rig = Rig(Always())
    rig.tick(59)
    lines = [each.message for each in rig.log.entries(level="Error")]
    assert len(lines) == 5
    assert lines[0] == "invariant I99 violated: expected something else; seen: this"
    assert "only counted for a minute" in lines[4]
    rig.tick(20)
    assert len(rig.log.entries(level="Error")) == 10


def test_the_summary_names_ids_and_the_last():
    rig = Rig(Always())
    assert rig.watcher.summary() == "invariants: no violation in 0 looks at a DER"
    rig.tick(2)
    assert rig.watcher.summary().startswith("invariants: 2 violations (I99: 2); the last: DER 1 invariant")


def test_it_runs_beside_a_fleet():
    async def main():
        rig = Rig(*all_invariants())
        rig.watcher._real_s = trio.current_time
        fleet = rig.watcher._fleet
        async with trio.open_nursery() as nursery:
            nursery.start_soon(rig.watcher.run)
            await trio.testing.wait_all_tasks_blocked()
            for _ in range(20):
                rig.clock.time_s += 1
                await trio.sleep(1)
                await fleet.step(rig.clock.now_s())
            nursery.cancel_scope.cancel()
        return rig.watcher

    watcher = trio.run(main, clock=trio.testing.MockClock(autojump_threshold=0))
    assert watcher.looks == 20
    assert watcher.total == 0
