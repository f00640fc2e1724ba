"""Who must not tell of states that were not saved waits for the checkpoint."""

import trio
from trio.testing import wait_all_tasks_blocked

from dersim.saved_states import SavedStates


async def test_without_checkpoints_nobody_waits():
    with trio.fail_after(1):
        await SavedStates().barrier()


async def test_the_barrier_opens_when_a_checkpoint_taken_later_is_saved(autojump_clock):
    states, passed = SavedStates(), []
    states.keeps = True

    async def pass_barrier():
        await states.barrier()
        passed.append(True)

    async with trio.open_nursery() as nursery:
        states.taken()  # of a state before
        nursery.start_soon(pass_barrier)
        await wait_all_tasks_blocked()
        assert states.wanted.is_set()
        states.saved()
        await wait_all_tasks_blocked()
        assert not passed
        states.taken()
        await wait_all_tasks_blocked()
        assert not passed
        states.saved()
        await wait_all_tasks_blocked()
        assert passed
    assert not states.wanted.is_set()


async def test_who_saves_on_demand_is_woken_after_a_save_that_nobody_waited_for():
    states = SavedStates()
    states.keeps = True
    woken = trio.Event()

    async def save_on_demand():
        await states.wanted.wait()
        woken.set()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(save_on_demand)
        await trio.testing.wait_all_tasks_blocked()
        states.taken([1, 2])
        states.saved()
        states.want(1)
        with trio.fail_after(30):
            await woken.wait()
