"""Tasks that exist only while there is something to do."""

import trio
from tests.test_day import Lab

from dersim.csip.on_demand import OnDemand


def tasks():
    """The coroutines of all tasks of this run."""
    found, nurseries = [], [trio.lowlevel.current_root_task()]
    while nurseries:
        task = nurseries.pop()
        found.append(task)
        nurseries += [child for nursery in task.child_nurseries for child in nursery.child_tasks]
    return found


class Work:
    def __init__(self):
        self.jobs = 0
        self.done = []
        self.running = 0
        self.task = OnDemand(self.work)

    async def work(self):
        self.running += 1
        assert self.running == 1
        try:
            while self.jobs:
                await trio.sleep(1)
                self.jobs -= 1
                self.done.append(trio.current_time())
        finally:
            self.running -= 1

    def add(self):
        self.jobs += 1
        self.task.want()


async def test_what_comes_before_there_is_a_nursery_waits_for_it(autojump_clock):
    work = Work()
    work.add()
    await trio.sleep(5)
    assert work.done == []
    async with trio.open_nursery() as nursery:
        work.task.run_in(nursery)
        await trio.sleep(2)
        assert len(work.done) == 1
        assert nursery.child_tasks == frozenset()
        work.add()
        work.add()
        await trio.sleep(0.5)
        assert len(nursery.child_tasks) == 1
        await trio.sleep(2)
        assert len(work.done) == 3
        assert nursery.child_tasks == frozenset()


async def test_what_a_cancelled_task_left_is_done_in_the_next_nursery(autojump_clock):
    work = Work()
    for _ in range(2):
        async with trio.open_nursery() as nursery:
            work.task.run_in(nursery)
            work.add()
            await trio.sleep(0.5)
            nursery.cancel_scope.cancel()
        work.task.run_in(None)
        work.task.want()  # nobody runs it now
        assert work.done == []
    async with trio.open_nursery() as nursery:
        work.task.run_in(nursery)
    assert len(work.done) == 2


async def test_a_der_at_rest_has_one_task_and_one_with_a_control_two(autojump_clock):
    async with trio.open_nursery() as nursery:
        lab = Lab(nursery, None, count=3)
        await lab.start(for_s=100)
        rest = len(tasks())
        assert len({each.name for each in tasks()}) > 1
        assert sum("csip" in each.name for each in tasks()) == 3
        control = lab.publish(60, 60, opModMaxLimW=40.0)
        await trio.sleep(30)
        assert len(tasks()) == rest + 3
        await trio.sleep(300)
        assert sorted(lab.responses(control.mrid)) == [1, 1, 1, 2, 2, 2, 3, 3, 3]
        assert len(tasks()) == rest
        nursery.cancel_scope.cancel()
