"""What is remembered of the Responses that were queued."""

import sys

from dersim.csip.told import Told


def test_each_status_of_each_event_is_remembered_once():
    told = Told()
    for status in (1, 2, 2, 3):
        told.add("AA", status, 10)
    told.add("BB", 1, 10)
    assert len(told) == 4
    assert ("AA", 2) in told
    assert ("BB", 2) not in told
    assert ("CC", 1) not in told


def test_beyond_the_most_the_event_that_was_told_of_longest_ago_goes():
    told = Told()
    for mrid in ("AA", "BB", "CC"):
        told.add(mrid, 1, 4)
        told.add(mrid, 2, 4)
    assert told.newest(9) == {"BB": (1, 2), "CC": (1, 2)}
    told.add("BB", 3, 4)
    assert told.newest(9) == {"BB": (1, 2, 3)}


def test_the_newest_come_back_from_a_checkpoint():
    told = Told()
    for number in range(5):
        told.add(f"{number}", 1, 100)
        told.add(f"{number}", 2, 100)
    kept = told.newest(5)
    assert list(kept.items()) == [("3", (1, 2)), ("4", (1, 2))]
    again = Told()
    again.restore(kept, 100)
    assert again.newest(9) == kept
    assert told.newest(0) == {}


def test_an_event_takes_no_more_than_its_place_in_a_table():
    told = Told()
    for number in range(1_000):
        for status in (1, 2, 3):
            told.add(f"{number}", status, 10_000)
    statuses = told._statuses.values()
    assert len({id(each) for each in statuses}) == 1
    assert sys.getsizeof(told._statuses) / 1_000 < 110
