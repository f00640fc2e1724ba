"""A loop in a thread of its own, whose time passes while a test waits."""

import threading

import pytest
import trio

from dersim.testing.portal import Portal, Waits


@pytest.fixture
def portal():
    found = Portal(Portal.serve, Waits(in_async=False), virtual=True)
    found.start()
    yield found
    found.stop()


def test_time_stands_still_but_for_waits(portal):
    began_s = portal.call(trio.current_time)
    assert portal.call(trio.current_time) == began_s
    portal.wait(trio.sleep, 3600)
    assert portal.call(trio.current_time) == began_s + 3600
    assert portal.call(trio.current_time) == began_s + 3600


def test_what_sleeps_beside_a_wait_wakes_in_its_order(portal):
    order = []

    async def beside():
        await trio.sleep(10)
        order.append("beside")

    async def wait():
        await trio.sleep(20)
        order.append("wait")

    portal.call(trio.lowlevel.spawn_system_task, beside)
    portal.wait(wait)
    assert order == ["beside", "wait"]


def test_after_a_wait_all_that_is_due_at_this_instant_is_done(portal):
    order = []

    async def long():
        await trio.sleep(10)
        for number in range(500):
            await trio.lowlevel.checkpoint()
            order.append(number)

    portal.call(trio.lowlevel.spawn_system_task, long)
    portal.wait(trio.sleep, 10)
    assert len(order) == 500


def test_a_call_within_the_loop_is_carried_out_at_once(portal):
    assert portal.call(lambda: portal.call(threading.current_thread)).name == "dersim.testing"


def test_errors_come_back_to_who_asked(portal):
    async def fail():
        await trio.sleep(1)
        raise KeyError("x")

    with pytest.raises(KeyError):
        portal.wait(fail)
    with pytest.raises(ZeroDivisionError):
        portal.call(lambda: 1 / 0)
    portal.wait(trio.sleep, 1)


def test_an_error_of_the_start_is_raised_by_the_start():
    async def main(_portal):
        await trio.lowlevel.checkpoint()
        raise KeyError("x")

    with pytest.raises(KeyError):
        Portal(main, Waits(in_async=False), virtual=True).start()


def test_what_ends_the_loop_is_raised_where_the_test_waits():
    async def main(portal):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(portal.serve)
            await trio.sleep(30)
            raise KeyError("it has failed")

    portal = Portal(main, Waits(in_async=False), virtual=True)
    portal.start()
    with pytest.raises(BaseExceptionGroup) as caught:
        portal.wait(trio.sleep, 60)
    assert caught.group_contains(KeyError)
    with pytest.raises(RuntimeError, match="has ended"):
        portal.wait(trio.sleep, 60)
    portal.stop()


async def test_an_async_test_awaits_while_its_own_loop_runs_on():
    portal = Portal(Portal.serve, Waits(in_async=True), virtual=True)
    portal.start()
    began_s = portal.call(trio.current_time)
    await portal.wait(trio.sleep, 600)
    assert portal.call(trio.current_time) == began_s + 600
    portal.stop()
