import pytest

from dersim.errors import ConfigError
from dersim.load import LoadTally
from dersim.load.reactions import ControlFacts
from dersim.load.tally import RequestRecord
from dersim.load.thresholds import judge, parse, time_in_words

START_S = 1_800_000_000.0


def tally():
    """100 GETs of 1 to 100 ms, one of them failed; two controls' worth of reactions."""
    made = LoadTally()
    for place in range(1, 101):
        error = "503" if place == 100 else ""
        made.request(RequestRecord("GET Time", START_S + place % 10, 1, 0.1, place / 1000, 0, 0, error))
        made.loop_lag(START_S, place / 10_000)
    made.handshake(START_S, 0.02, resumed=False)
    made.handshake(START_S, 0.01, resumed=True)
    reaction = made.reactions.of(ControlFacts("A", "P", START_S, START_S, START_S + 60, ""))
    reaction.record("seen", 12.0)
    made.reactions.follow("P", 1, START_S)
    made.server_now_s = START_S + 1000
    return made


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("p95(GET Time) < 250ms", 0.195),
        ("p(95)(GET Time) < 250ms", 0.195),
        ("p95(service GET Time) < 250ms", 0.095),
        ("p99.9(requests) < 1s", 0.2),
        ("max(GET Time) < 250 ms", 0.2),
        ("avg(GET Time) < 0.5s", 0.15),
        ("GET Time p50 < 200ms", 0.15),
        ("lag p99 < 50ms", 0.0099),
        ("p99(lag) <= 50000us", 0.0099),
        ("max(handshake) < 1s", 0.02),
        ("max(handshake resumed) < 1s", 0.01),
        ("p95(seen) < 1min", 12.0),
        ("rate(GET Time) > 5", 100 / 9),
        ("count(requests) == 100", 100),
        ("count(PUT DERStatus) == 0", 0),
        ("rate(errors) < 2%", 0.01),
        ("rate(errors) < 0.02", 0.01),
        ("rate(errors GET Time) < 2%", 0.01),
        ("count(errors) != 0", 1),
        ("never_seen == 1", 1),
    ],
)
def test_thresholds_that_hold(text, value):
    verdict = judge(parse(text), tally())
    assert verdict.passed
    assert verdict.value == pytest.approx(value, rel=0.03)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("p95(GET Time) < 100ms", "196 ms"),
        ("rate(errors) < 0.5%", "1 %"),
        ("never_seen == 0", "1"),
        ("rate(requests) > 100", "11.11/s"),
        ("p95(seen) < 5s", "11.8 s"),
        ("p95(PUT DERStatus) < 1s", "nothing was measured"),
        ("p95(applied) < 1s", "nothing was measured"),
    ],
)
def test_thresholds_that_do_not_hold(text, found):
    verdict = judge(parse(text), tally())
    assert not verdict.passed
    assert verdict.found == found


def test_without_requests_there_is_no_share_of_errors():
    assert not judge(parse("rate(errors) < 1%"), LoadTally()).passed


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("p95(GET Time)", "'p95(GET Time)', at 'p95(GET Time)': no operator of <=, >=, ==, !=, <, >"),
        ("", "'', at '': no operator"),
        ("p95 < 3ms", "at 'p95': not AGGREGATE(METRIC); write it as 'p95(GET DERControlList) < 250ms'"),
        ("p95(GET Tme) < 3ms", "at 'Tme': no such resource; did you mean GET Time?"),
        ("p95(GET Zzzzz) < 3ms", "at 'Zzzzz': no such resource; a name of IEEE 2030.5"),
        ("p95(get time) < 3ms", "at 'time': no such resource; did you mean GET Time?"),
        ("p95(latency) < 3ms", "at 'latency': no such metric; "),
        ("p95(eror) < 3ms", "no such metric; did you mean errors?"),
        ("p95(GET Time) < 250", "at '250': a time with a unit is needed here: us, ms, s, min"),
        ("p95(GET Time) < fast", "at 'fast': a number is needed here"),
        ("p95(GET Time) < -1ms", "at '-1ms': a number is needed here"),
        ("rate(errors) < 5ms", "at '5ms': a share such as 0.01 or 1% is needed here"),
        ("never_seen == 1%", "at '1%': a number without a unit is needed here"),
        ("median(GET Time) < 3ms", "at 'median': no aggregate; there are p50, p90, p95, p99, p99.9"),
        ("p95(errors) < 3", "at 'p95': errors have rate, their share of all requests, and count"),
        ("p95(GET Time) < 3ms < 4ms", "at '3ms < 4ms': a number is needed here"),
    ],
)
def test_what_is_wrong_is_shown_with_its_place(text, message):
    with pytest.raises(ConfigError) as found:
        parse(text)
    assert message in str(found.value)
    assert "\n" not in str(found.value)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.0004, "0.4 ms"),
        (0.0123, "12.3 ms"),
        (0.25, "250 ms"),
        (1.2345, "1.23 s"),
        (61, "61 s"),
        (900, "15.0 min"),
    ],
)
def test_times_in_words(seconds, words):
    assert time_in_words(seconds) == words
