import trio

from dersim.clock import SimClock
from dersim.csip.schedule import Schedule


def new_schedule():
    clock = SimClock(start_s=1000.0, tick_s=1000.0)
    clock.start()
    return clock, Schedule(clock)


async def test_the_earliest_is_waited_for_and_its_neighbours_come_along(autojump_clock):
    clock, schedule = new_schedule()
    schedule.set("b", 1010.3)
    schedule.set("a", 1010.0)
    schedule.set("c", 1011.0)
    await schedule.wait()
    assert clock.now_s() == 1010.0
    assert schedule.take_due() == ["a", "b"]
    assert schedule.keys() == {"c"}


async def test_a_punctual_item_does_not_come_early(autojump_clock):
    _, schedule = new_schedule()
    schedule.set("time", 1010.3)
    schedule.set("a", 1010.0)
    await schedule.wait()
    assert schedule.take_due(frozenset({"time"})) == ["a"]


async def test_something_put_in_front_ends_the_sleep(autojump_clock, nursery):
    clock, schedule = new_schedule()
    schedule.set("a", 1500.0)

    async def later():
        await trio.sleep(7)
        schedule.set_earlier("now", clock.now_s())

    nursery.start_soon(later)
    await schedule.wait()
    assert clock.now_s() == 1007.0
    assert schedule.take_due() == ["now"]


async def test_set_earlier_never_moves_back(autojump_clock):
    _, schedule = new_schedule()
    schedule.set("a", 1010.0)
    schedule.set_earlier("a", 1020.0)
    assert schedule.next_due_s == 1010.0
    schedule.drop("a")
    assert schedule.next_due_s == float("inf")


async def test_what_is_put_off_until_another_item_is_due_after_that(autojump_clock):
    _, schedule = new_schedule()
    schedule.set("child", 1010.0)
    schedule.hold("child", "parent")
    schedule.hold("grandchild", "child")
    assert schedule.next_due_s == float("inf")
    schedule.release("another", 1011.0)
    assert not schedule.keys()
    schedule.release("parent", 1012.0)
    assert schedule.keys() == {"child"}
    schedule.clear()
    schedule.release("child", 1013.0)
    assert not schedule.keys()


async def test_what_is_asked_for_again_before_it_begins_is_done_once(autojump_clock):
    clock, schedule = new_schedule()
    for key in ("list", "post"):
        schedule.set(key, 1010.0)
    await schedule.wait()
    assert schedule.take_due() == ["list", "post"]
    schedule.set_earlier("post", clock.now_s())  # by what the list has said
    assert schedule.begin("post") == 1010.0
    assert not schedule.keys()
    schedule.set("post", 1020.0)
    schedule.begin("post")
    assert schedule.keys() == {"post"}
