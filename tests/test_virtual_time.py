"""Time that jumps to the next deadline, but not while a thread works."""

import random
import time

import trio

from dersim.virtual_time import run_virtual, seeded_schedule


def test_an_hour_takes_no_time():
    async def main():
        began_s = trio.current_time()
        await trio.sleep(3600)
        return trio.current_time() - began_s

    begun = time.process_time()  # other programs may share the machine
    assert run_virtual(main) == 3600
    assert time.process_time() - begun < 1


def test_what_a_thread_does_takes_no_simulated_time():
    async def main():
        async with trio.open_nursery() as nursery:
            nursery.start_soon(trio.sleep, 3600)
            began_s = trio.current_time()
            await trio.to_thread.run_sync(time.sleep, 0.01)
            spent_s = trio.current_time() - began_s
            nursery.cancel_scope.cancel()
        return spent_s

    assert run_virtual(main) == 0


def test_the_seed_decides_the_order_of_tasks():
    async def main():
        order = []

        async def note(number):
            await trio.lowlevel.checkpoint()
            order.append(number)

        async with trio.open_nursery() as nursery:
            for number in range(10):
                nursery.start_soon(note, number)
        return order

    assert run_virtual(main, seed=1) == run_virtual(main, seed=1)
    assert run_virtual(main, seed=1) != run_virtual(main, seed=2)


def test_afterwards_the_order_is_left_to_chance_again():
    run = trio._core._run
    before, is_fixed = run._r, run._ALLOW_DETERMINISTIC_SCHEDULING
    with seeded_schedule(1):
        assert isinstance(run._r, random.Random)
        assert run._r is not before
    assert run._r is before
    assert is_fixed == run._ALLOW_DETERMINISTIC_SCHEDULING
