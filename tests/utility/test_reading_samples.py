"""The newest values of a meter reading."""

from dersim.ieee2030_5 import resources as r
from dersim.utility.reading_samples import KEPT, MOST_SAMPLE_BYTES, SAMPLE_BYTES, Samples

T = 1_700_000_000.0


def reading(value, start=None):
    period = None if start is None else r.DateTimeInterval(duration=0, start=int(start))
    return r.Reading(value=value, timePeriod=period)


def added(*readings, period=None, received_s=T):
    samples = Samples()
    for each in readings:
        samples.add(each, period, received_s)
    series = samples.since(0)
    return list(zip(series.times_s, series.values, strict=True))


def test_a_value_has_its_own_time_or_that_of_its_set_or_of_its_arrival():
    whole = r.DateTimeInterval(duration=300, start=int(T) - 300)
    assert added(reading(5, T - 60)) == [(T - 60, 5)]
    assert added(reading(5), period=whole) == [(T - 300, 5)]
    assert added(reading(5)) == [(T, 5)]


def test_a_clock_that_is_far_off_is_not_believed():
    assert added(reading(5, 0)) == added(reading(5, T * 2)) == [(T, 5)]


def test_times_rise_and_the_last_value_of_one_time_counts():
    assert added(reading(1, T - 9), reading(2, T - 5), reading(3, T - 7), reading(4, T - 5)) == [
        (T - 9, 1),
        (T - 5, 4),
    ]
    assert added(reading(None, T)) == []


def test_the_oldest_are_dropped():
    samples = Samples()
    for number in range(1000):
        samples.add(reading(number), None, T + number)
        assert len(samples) * SAMPLE_BYTES <= MOST_SAMPLE_BYTES
    assert len(samples) >= KEPT
    assert samples.since(0).values[-1] == 999


def test_the_value_that_holds_at_the_beginning_comes_too():
    samples = Samples()
    for number in range(5):
        samples.add(reading(number), None, T + 10 * number)
    assert list(samples.since(T + 25).values) == [2, 3, 4]
    assert list(samples.since(T + 20).values) == [2, 3, 4]
    assert list(samples.since(T - 25).values) == [0, 1, 2, 3, 4]
    assert list(samples.since(T + 999).values) == [4]
    assert list(Samples().since(0).values) == []
