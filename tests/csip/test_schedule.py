import trio

from dersim.clock import SimClock
from dersim.csip.schedule import Schedule


def new_agenda():
    clock = SimClock(start_s=1000.0, tick_s=1000.0)
    clock.start()
    return clock, Schedule(clock)


async def test_the_earliest_is_waited_for_and_its_neighbours_come_along(autojump_clock):
    clock, agenda = new_agenda()
    agenda.set("b", 1010.3)
    agenda.set("a", 1010.0)
    agenda.set("c", 1011.0)
    await agenda.wait()
    assert clock.now_s() == 1010.0
    assert agenda.take_due() == ["a", "b"]
    assert agenda.keys() == {"c"}


async def test_a_punctual_item_does_not_come_early(autojump_clock):
    _, agenda = new_agenda()
    agenda.set("time", 1010.3)
    agenda.set("a", 1010.0)
    await agenda.wait()
    assert agenda.take_due(frozenset({"time"})) == ["a"]


async def test_something_put_in_front_ends_the_sleep(autojump_clock, nursery):
    clock, agenda = new_agenda()
    agenda.set("a", 1500.0)

    async def later():
        await trio.sleep(7)
        agenda.set_earlier("now", clock.now_s())

    nursery.start_soon(later)
    await agenda.wait()
    assert clock.now_s() == 1007.0
    assert agenda.take_due() == ["now"]


async def test_set_earlier_never_moves_back(autojump_clock):
    _, agenda = new_agenda()
    agenda.set("a", 1010.0)
    agenda.set_earlier("a", 1020.0)
    assert agenda.next_due_s == 1010.0
    agenda.drop("a")
    assert agenda.next_due_s == float("inf")
