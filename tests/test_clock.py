"""Sleeping by the simulated clock, which may wait for the physics."""

import trio
import trio.testing

from dersim.clock import SimClock

START_S = 1_800_000_000.0


class Wakes(trio.abc.Instrument):
    """Counts how often tasks run."""

    def __init__(self) -> None:
        self.steps = 0

    def before_task_step(self, task: trio.lowlevel.Task) -> None:
        self.steps += 1


async def ticks(clock: SimClock, every_s: float = 1.0) -> None:
    while True:
        await trio.sleep(every_s)
        clock.tick_done()


async def test_who_sleeps_is_not_woken_by_every_tick(autojump_clock: trio.testing.MockClock) -> None:
    clock, wakes = SimClock(start_s=START_S), Wakes()
    clock.start()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(ticks, clock)
        for _ in range(100):
            nursery.start_soon(clock.sleep_until, START_S + 500)
        await trio.testing.wait_all_tasks_blocked()
        trio.lowlevel.add_instrument(wakes)
        await trio.sleep(400)
        trio.lowlevel.remove_instrument(wakes)
        nursery.cancel_scope.cancel()
    assert wakes.steps < 500  # the ticks, not the sleepers


async def test_where_the_clock_waits_for_the_physics_the_sleep_ends_at_its_time(
    autojump_clock: trio.testing.MockClock,
) -> None:
    clock = SimClock(start_s=START_S)
    clock.start()
    woke_s: list[tuple[float, float]] = []

    async def sleeper(at_s: float) -> None:
        await clock.sleep_until(START_S + at_s)
        woke_s.append((at_s, clock.now_s() - START_S))

    async with trio.open_nursery() as nursery:
        for at_s in (0.5, 1.4, 1.9, 3.0):
            nursery.start_soon(sleeper, at_s)
        await trio.sleep(10.2)  # the physics stand still: the clock stops at 1.0
        assert [at_s for at_s, _ in woke_s] == [0.5]
        nursery.start_soon(ticks, clock)
        clock.tick_done()
        await trio.sleep(5)
        nursery.cancel_scope.cancel()
    assert [at_s for at_s, _ in woke_s] == [0.5, 1.4, 1.9, 3.0]
    assert all(0 <= now_s - at_s < 0.01 for at_s, now_s in woke_s)
