import trio
import trio.testing

from dersim.csip.watch import Watch
from dersim.fleet import Fleet


async def test_one_checks_all_and_the_next_takes_over(autojump_clock, nursery):
    fleet = Fleet([])
    watch = Watch(fleet)
    checks = {1: 0, 2: 0, 3: 0}
    scopes = {}

    async def live(number):
        def check():
            checks[number] += 1

        with trio.CancelScope() as scopes[number]:
            await watch.run(number, check)

    for number in checks:
        nursery.start_soon(live, number)
        await trio.testing.wait_all_tasks_blocked()
    assert checks == {1: 1, 2: 1, 3: 1}
    await fleet.step(1.0)
    await trio.testing.wait_all_tasks_blocked()
    assert checks == {1: 2, 2: 2, 3: 2}
    scopes[1].cancel()
    await trio.testing.wait_all_tasks_blocked()
    await fleet.step(2.0)
    await trio.testing.wait_all_tasks_blocked()
    assert checks == {1: 2, 2: 3, 3: 3}
    scopes[3].cancel()
    await trio.testing.wait_all_tasks_blocked()
    await fleet.step(3.0)
    await trio.testing.wait_all_tasks_blocked()
    assert checks == {1: 2, 2: 4, 3: 3}
