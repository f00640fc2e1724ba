"""The numbers of all shards, merged."""

from dersim.fleet_plan import FleetPlan, Group
from dersim.fleet_run.board import Board
from dersim.fleet_run.plan import cut

POWER = {"power_w": 10.0, "reactive_var": 1.0, "exported_wh": 5.0, "imported_wh": 0.0}


def numbers(connected, requests, ders=5):
    states = {"connected": connected, "discovering": ders - connected}
    counters = {"requests": requests, "errors": 1}
    return {"ders": ders, "states": states, "counters": counters, "controls": 1, "lag_s": 0.01, **POWER}


def event(shard, attempt, connected, requests, worker="w1"):
    told = {"kind": "numbers", "shard": shard, "attempt": attempt, "worker": worker}
    return {**told, "numbers": numbers(connected, requests)}


def board():
    return Board(cut(FleetPlan((Group("", 1, 10),), 1, 10), 5, [], 1))


def test_counters_and_states_of_all_shards_are_summed():
    seen = board()
    seen.take(event("ders-1-5", "a", 5, 100), 0.0)
    seen.take(event("ders-6-10", "b", 3, 50), 0.0)
    totals = seen.totals(1.0)
    assert totals.states == {"connected": 8, "discovering": 2}
    assert (totals.counters["requests"], totals.sums["power_w"], totals.connected) == (150, 20.0, 8)
    assert [row.state(1.0) for row in seen.rows.values()] == ["connected", "connecting"]


def test_counters_of_a_lost_attempt_still_count():
    seen = board()
    seen.take(event("ders-1-5", "a", 5, 100), 0.0)
    seen.take(event("ders-1-5", "b", 0, 3), 1.0)
    assert seen.totals(1.0).counters["requests"] == 103
    assert (seen.totals(1.0).restarts, seen.rows["ders-1-5"].has_joined) == (1, True)


def test_the_ders_of_a_shard_that_is_silent_or_waits_are_unknown():
    seen = board()
    seen.take(event("ders-1-5", "a", 5, 100), 0.0)
    assert seen.totals(6.0).states == {"unknown": 10}
    assert [row.state(6.0) for row in seen.rows.values()] == ["silent", "waiting"]


def test_what_an_earlier_attempt_told_arrives_too_late():
    seen = board()
    seen.take(event("ders-1-5", "a", 5, 100), 0.0)
    seen.take(event("ders-1-5", "b", 5, 1), 1.0)
    seen.take(event("ders-1-5", "a", 5, 101), 1.1)
    assert (seen.rows["ders-1-5"].attempt, seen.rows["ders-1-5"].restarts) == ("b", 1)


def test_a_shard_of_two_on_one_worker_is_to_move_while_another_idles():
    seen = board()
    seen.workers = ("w1", "w2")
    seen.take(event("ders-1-5", "a", 5, 1), 0.0)
    assert seen.overloaded() is None
    seen.take(event("ders-6-10", "b", 5, 1), 0.0)
    assert seen.overloaded().shard.name == "ders-6-10"
    seen.workers = ("w1",)
    assert seen.overloaded() is None
    seen.workers = ("w1", "w2")
    seen.take(event("ders-6-10", "c", 5, 1, worker="w2"), 0.0)
    assert seen.overloaded() is None


def test_ders_that_are_away_on_purpose_are_not_waited_for():
    seen = board()
    told = event("ders-1-5", "a", 3, 100)
    told["numbers"]["states"] = {"connected": 3, "away": 2}
    seen.take(told, 0.0)
    assert seen.rows["ders-1-5"].state(0.0) == "connected"
    assert seen.rows["ders-1-5"].has_joined
