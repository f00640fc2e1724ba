"""A peer cannot fill the log."""

from dersim.floods import MOST, Flood


class Clock:
    """Real time, set by hand."""

    s = 1_000.0


def test_a_flood_of_lines_is_told_in_part_and_counted():
    told = []
    flood = Flood(told.append, lambda: Clock.s)
    for number in range(MOST + 20):
        flood.line(f"refused {number}")
    assert len(told) == MOST
    assert told[0] == "refused 0"
    assert told[-1] == f"refused {MOST - 1}; more such lines are counted for 60 s"
    Clock.s += 61
    flood.line("refused again")
    assert told[MOST:] == ["20 more such lines were left out in 61 s", "refused again"]


def test_a_few_lines_a_minute_are_told_as_they_are():
    told = []
    flood = Flood(told.append, lambda: Clock.s)
    for number in range(100):
        flood.line(f"refused {number}")
        Clock.s += 3
    assert told == [f"refused {number}" for number in range(100)]
