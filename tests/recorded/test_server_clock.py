"""The clock of a recorded server at another instant."""

from dersim.recorded.server_clock import ServerClock, is_time

TIME = b'<Time xmlns="urn:ieee:std:2030.5:ns"><currentTime>%d</currentTime><localTime>%d</localTime></Time>'


def told(seconds):
    return TIME % (seconds, seconds + 3600)


def test_an_answer_that_comes_later_has_gone_on_both_in_utc_and_in_local_time():
    clock = ServerClock()
    clock.take(told(1000), 10.2, 10.3)  # ahead by 989.7 to 990.8
    assert clock.at(told(1000), 30.0) == told(1020)
    clock.take(told(1020), 30.75, 30.75)  # by 989.25 to 990.25, so by 989.7 to 990.25
    assert clock.at(told(1020), 40.5) == told(1030)
    assert clock.at(told(1020), 40.0) == told(1029)


def test_a_clock_that_was_set_begins_anew():
    clock = ServerClock()
    clock.take(told(1000), 10.0, 10.0)
    clock.take(told(5000), 20.0, 20.0)
    assert clock.at(told(5000), 25.0) == told(5005)


def test_what_is_no_time_stays_as_it_is():
    clock, other = ServerClock(), b"<DERProgramList><currentTime>5</currentTime></DERProgramList>"
    assert clock.at(told(7), 50.0) == told(7)
    clock.take(other, 1.0, 2.0)
    clock.take(told(1000), 10.0, 10.0)
    assert clock.at(other, 50.0) == other
    assert is_time(told(1))
    assert not is_time(other)
