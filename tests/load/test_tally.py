import random

import pytest

from dersim.load import LoadTally
from dersim.load.latencies import Buckets, Latencies
from dersim.load.reactions import MOST_CONTROLS, PATIENCE_S, ControlFacts, Devices
from dersim.load.series import MOST_SLOTS, Series
from dersim.load.tally import MOST_EXAMPLES, MOST_KINDS, OTHER, Example, RequestRecord

KINDS = ("GET Time", "GET DERControlList", "PUT DERStatus", "POST Response")
START_S = 1_800_000_000.0


def draw(rng, count=3000, seconds=40):
    """What a process may count, as calls of a tally."""
    for _ in range(count):
        time_s = START_S + rng.uniform(0, seconds)
        error = rng.choice(["", "", "", "503", "receive"])
        late_s, service_s = rng.expovariate(5), rng.lognormvariate(-3, 1)
        kind = rng.choice(KINDS)
        yield (
            "request",
            (
                RequestRecord(
                    kind,
                    time_s,
                    rng.randrange(1, 50),
                    late_s,
                    service_s,
                    100,
                    1200,
                    error,
                    f"{kind}: {time_s}",
                ),
            ),
        )
        yield "polled", (time_s, late_s)
        yield "loop_lag", (time_s, rng.expovariate(200))


def counted(calls, source=""):
    tally = LoadTally(source)
    for name, arguments in calls:
        getattr(tally, name)(*arguments)
    return tally


def facts(mrid="A", program="P", published_s=START_S, seconds=60.0):
    return ControlFacts(mrid, program, published_s, published_s + 10, published_s + 10 + seconds, "")


def test_parts_added_up_are_the_whole():
    calls = list(draw(random.Random(1)))
    parts = [counted(calls[place::3]) for place in range(3)]
    whole = LoadTally()
    for part in parts:
        whole.add(part)
    assert whole.snapshot() == counted(calls).snapshot()


def test_bytes_bring_back_the_same_tally():
    tally = counted(draw(random.Random(2)), "shard 1")
    tally.handshake(START_S, 0.02, resumed=True)
    tally.states(START_S, (3, 1, 0, 0, 0))
    reaction = tally.reactions.of(facts())
    reaction.seen.put(2000)
    reaction.record("seen", 4.0)
    tally.reactions.follow("P", 7, START_S)
    tally.server_now_s = START_S + 1000
    again = LoadTally.from_bytes(tally.to_bytes())
    assert again.snapshot() == tally.snapshot()
    assert again.source == "shard 1"
    assert again.snapshot()["never_seen"] == 1


def test_bytes_of_another_format_are_refused(monkeypatch):
    monkeypatch.setattr("dersim.load.tally.FORMAT", 99)
    data = LoadTally().to_bytes()
    monkeypatch.undo()
    with pytest.raises(ValueError, match="format 99, not 1"):
        LoadTally.from_bytes(data)


def test_latency_counts_from_the_due_time_and_service_from_the_sending():
    tally = LoadTally()
    tally.request(RequestRecord("GET Time", START_S, 1, 3.0, 0.5, 0, 0))
    kind = tally.kinds["GET Time"]
    assert kind.latency.percentile_s(50) == pytest.approx(3.5, rel=0.01)
    assert kind.service.percentile_s(50) == pytest.approx(0.5, rel=0.01)


def test_an_error_counts_with_its_first_examples():
    tally = LoadTally()
    for place in range(10):
        tally.request(RequestRecord("GET Time", START_S + place, 4, 0, None, 0, 0, "503", f"no {place}"))
    (shown,) = tally.snapshot()["kinds"]
    (error,) = shown["errors"]
    assert (error["error"], error["count"]) == ("503", 10)
    assert [each["text"] for each in error["examples"]] == ["no 0", "no 1", "no 2"][:MOST_EXAMPLES]
    assert shown["latency_ms"] is None
    assert tally.snapshot()["error_rate"] == 1.0


def test_a_document_that_breaks_the_schema_is_one_error():
    tally = LoadTally()
    tally.request(RequestRecord("GET DERControlList", START_S, 1, 0, 0.1, 0, 0))
    tally.violations("GET DERControlList", 5, Example(START_S, 1, "mRID is missing"))
    assert tally.errors == 1
    text = tally.snapshot()["kinds"][0]["errors"][0]["examples"][0]["text"]
    assert text == "5 in one document: mRID is missing"


def test_kinds_are_bounded():
    tally = LoadTally()
    for place in range(MOST_KINDS + 20):
        tally.request(RequestRecord(f"GET {place}", START_S, 1, 0, 0.1, 0, 0))
    assert len(tally.kinds) == MOST_KINDS + 1
    assert tally.kinds[OTHER].count == 20


def test_lag_above_50_ms_is_a_saturated_client():
    tally = LoadTally()
    for _ in range(100):
        tally.loop_lag(START_S, 0.04)
    assert not tally.saturated
    for _ in range(2):
        tally.loop_lag(START_S, 0.06)
    assert tally.saturated


def test_a_busy_process_is_not_hidden_by_the_others():
    whole = LoadTally()
    for place in range(20):
        part = LoadTally(f"shard {place}")
        for _ in range(100):
            part.loop_lag(START_S, 0.2 if place == 7 else 0.001)
        whole.add(LoadTally.from_bytes(part.to_bytes()))
    assert whole.saturated
    assert whole.busiest == "shard 7"
    assert whole.snapshot()["lag_ms"]["p50"] == pytest.approx(200, rel=0.02)


def test_the_quantiles_of_buckets_are_those_of_the_histogram():
    rng = random.Random(3)
    exact, coarse = Latencies(), Buckets()
    for _ in range(20_000):
        seconds = rng.lognormvariate(-4, 1.5)
        exact.record(seconds)
        coarse.record(seconds)
    for percent in (50, 90, 95, 99, 99.9):
        assert coarse.percentile_s(percent) == pytest.approx(exact.percentile_s(percent), rel=0.04)


def test_packed_buckets_come_back():
    buckets = Buckets()
    for micros in (1, 15, 16, 17, 31, 32, 33, 1000, 10**9):
        buckets.record(micros / 1e6)
    assert Buckets.unpacked(buckets.packed(), buckets.most_s).counts == buckets.counts


# ---- over time


def test_the_p95_of_a_moment_is_that_of_ten_seconds():
    series = Series()
    series.at(START_S).record(1.0)
    for second in range(1, 30):
        series.at(START_S + second).record(0.1)
    shown = series.shown()["p95_ms"]
    assert all(value == pytest.approx(1000, rel=0.04) for value in shown[:10])
    assert all(value == pytest.approx(100, rel=0.04) for value in shown[10:])


def test_the_states_of_processes_add_up_and_hold_for_some_seconds():
    series = Series()
    series.at(START_S).states = {"a": (5, 0, 0, 0, 0), "b": (2, 1, 0, 0, 0)}
    series.at(START_S + 2).states = {"a": (6, 0, 0, 0, 0)}
    series.at(START_S + 20).requests = 1
    connected = series.shown()["states"]["connected"]
    assert connected[:3] == [7, 7, 8]
    assert connected[7] == 6
    assert connected[8] == 0


def test_a_long_run_has_longer_slots_and_the_same_sums():
    series = Series()
    for second in range(2 * MOST_SLOTS + 10):
        slot = series.at(START_S + second)
        slot.requests += 1
        slot.record(0.05)
    shown = series.shown()
    assert series.width_s == 4
    assert len(shown["p95_ms"]) <= MOST_SLOTS
    assert sum(shown["requests_per_s"]) * 4 == 2 * MOST_SLOTS + 10


def test_series_of_other_widths_can_be_added():
    wide, narrow = Series(), Series()
    for second in range(MOST_SLOTS + 10):
        wide.at(START_S + second).requests += 1
    narrow.at(START_S).requests += 1
    narrow.add(wide)
    assert narrow.width_s == 2
    assert sum(narrow.shown()["requests_per_s"]) * 2 == MOST_SLOTS + 11


def test_only_the_last_seconds_can_be_shown():
    series = Series()
    for second in range(100):
        series.at(START_S + second).requests = second
    shown = series.shown(last_s=10)
    assert shown["requests_per_s"] == list(range(90, 100))
    assert len(shown["p95_ms"]) == 10


# ---- controls


def test_devices_is_a_set_of_numbers():
    devices = Devices([1, 1023, 1024, 999_999])
    assert devices.put(2)
    assert not devices.put(1024)
    assert len(devices) == 5
    assert 999_999 in devices
    assert 3 not in devices
    assert len(Devices.from_json(devices.to_json())) == 5


def test_a_control_is_missed_by_followers_that_never_saw_it_once_it_is_over():
    tally = LoadTally()
    reactions = tally.reactions
    for device in range(1, 6):
        reactions.follow("P", device, START_S)
    reactions.follow("P", 9, START_S + 100)
    reaction = reactions.of(facts())
    reaction.seen.put(1)
    assert reactions.missed(reaction, START_S + 30) is None
    assert reactions.missed(reaction, START_S + 71) == 4


def test_a_long_control_is_missed_after_five_minutes():
    reactions = LoadTally().reactions
    reactions.follow("P", 1, START_S)
    reaction = reactions.of(facts(seconds=3600))
    assert reactions.missed(reaction, START_S + PATIENCE_S - 1) is None
    assert reactions.missed(reaction, START_S + PATIENCE_S) == 1


def test_what_two_processes_saw_of_a_control_adds_up():
    one, two = LoadTally(), LoadTally()
    for tally, device in ((one, 1), (two, 2)):
        reaction = tally.reactions.of(facts())
        reaction.seen.put(device)
        reaction.record("seen", device)
        tally.reactions.follow("P", device, START_S)
    two.reactions.follow("P", 3, START_S)
    one.add(two)
    one.server_now_s = START_S + 1000
    (control,) = one.snapshot()["controls"]
    assert (control["devices"], control["seen_by"], control["never_seen"]) == (3, 2, 1)
    assert control["steps"]["seen"]["count"] == 2
    assert control["steps"]["seen"]["max"] == 2


def test_the_oldest_controls_are_forgotten():
    reactions = LoadTally().reactions
    for place in range(MOST_CONTROLS + 5):
        reactions.of(facts(mrid=f"{place}"))
    assert reactions.forgotten == 5
    assert len(reactions.shown(START_S)) == MOST_CONTROLS


def test_counts_up_to_each_bound():
    latencies = Latencies()
    for seconds in (0.001, 0.005, 0.0051, 0.2, 30.0):
        latencies.record(seconds)
    assert latencies.counts_up_to((0.0005, 0.005, 0.1, 1.0, 10.0)) == [0, 2, 3, 4, 4]
    assert Latencies().counts_up_to((1.0,)) == [0]
