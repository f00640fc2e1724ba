"""The past: coverage, thinning, budget."""

import gzip
import json
from threading import get_ident

import pytest
import trio
import trio.testing

from dersim.pages.compression import pack
from dersim.web import app
from dersim.web.history import ALL_WATCHED, BLOCK, BUDGET_BYTES, COLUMNS, MIN_STEP_S, SAMPLES, History, Series


def shown(past):
    return json.loads(past.to_json())


def run_for(fleet, history, seconds, step_s):
    for _ in range(round(seconds / step_s)):
        fleet.step(step_s)
        history.sample()


async def test_four_hours_at_one_sample_per_second_are_kept(make_context):
    fleet = make_context().fleet
    history = History(fleet)
    run_for(fleet, history, 6 * 3600, 1.0)
    document = shown(history.past(fleet.devices[0], 4 * 3600))
    assert len(document["time"]) == 4 * 3600 + 1
    assert len(shown(history.past(fleet.devices[0], 1e9))["time"]) == SAMPLES
    assert all(len(column) == len(document["time"]) for column in document.values())
    assert document["time"] == sorted(document["time"])


async def test_fast_ticks_are_thinned(make_context):
    fleet = make_context().fleet
    history = History(fleet)
    run_for(fleet, history, 60, 0.1)
    assert 60 <= len(shown(history.past(fleet.devices[0], 1e9))["time"]) <= 80
    assert SAMPLES * MIN_STEP_S >= 4 * 3600


async def test_where_the_process_was_stopped_is_a_row_without_values(make_context):
    """Simulated time stops with it, so that the times alone would not tell."""
    fleet, real_s = make_context().fleet, [0.0]
    history = History(fleet, real_s=lambda: real_s[0])
    for passed_s in [1.0] * 10 + [30.0] + [1.0] * 3:
        real_s[0] += passed_s
        run_for(fleet, history, 1, 1.0)
    document = shown(history.past(fleet.devices[0], 1e9))
    assert [k for k, power in enumerate(document["power_kw"]) if power is None] == [10]
    assert len(document["time"]) == 15
    assert all(document[name][10] is None for name in COLUMNS)


@pytest.mark.parametrize("usual_s", [0.1, 1.0, 4.0])
async def test_a_slow_process_is_not_a_stopped_one(make_context, usual_s):
    fleet, real_s = make_context().fleet, [0.0]
    history = History(fleet, real_s=lambda: real_s[0])
    for k in range(40):
        real_s[0] += usual_s * (4 if k % 7 == 6 else 1)
        run_for(fleet, history, 1, 1.0)
    assert None not in shown(history.past(fleet.devices[0], 1e9))["power_kw"]


async def test_a_tick_that_comes_a_little_early_is_not_lost(make_context):
    fleet = make_context().fleet
    history = History(fleet)
    run_for(fleet, history, 50 * 0.995, 0.995)
    assert len(shown(history.past(fleet.devices[0], 1e9))["time"]) == 50


async def test_columns_hold_what_the_overview_showed(open_site):
    async with open_site() as site:
        fleet = site.context.fleet
        for k in range(3):
            fleet.step(60.0, p_w=1000.0 * k)
            site.frontend.history.sample()
        document = json.loads((await site("GET", "/api/dersim/history?seconds=61")).body)
    assert document["power_kw"] == [1.0, 2.0]
    assert document["voltage_ln_v"] == pytest.approx([277.2, 277.2])
    assert document["soc_pct"] == [None, None]


async def test_the_past_is_compressed_where_the_client_accepts_it_and_in_a_thread(open_site, monkeypatch):
    threads = set()
    monkeypatch.setattr(app, "pack", lambda *given: threads.add(get_ident()) or pack(*given))
    async with open_site() as site:
        run_for(site.context.fleet, site.frontend.history, 2000, 1.0)
        plain = await site("GET", "/api/dersim/history")
        packed = await site("GET", "/api/dersim/history", headers=[("Accept-Encoding", "gzip")])
        tag = ("If-None-Match", packed.headers["etag"])
        again = await site("GET", "/api/dersim/history", headers=[("Accept-Encoding", "gzip"), tag])
        other = await site("GET", "/api/dersim/history", headers=[tag])
    assert "content-encoding" not in plain.headers
    assert packed.headers["content-encoding"] == "gzip"
    assert packed.headers["vary"] == plain.headers["vary"] == "Accept-Encoding"
    assert gzip.decompress(packed.body) == plain.body
    assert len(packed.body) < len(plain.body) / 3
    assert (again.status, again.body) == (304, b"")
    assert "content-encoding" not in again.headers
    assert (other.status, other.body) == (200, plain.body)
    assert threads
    assert get_ident() not in threads


async def test_in_a_large_fleet_only_the_watched_and_the_sum_are_kept(make_context):
    fleet = make_context(ALL_WATCHED + 10).fleet
    history = History(fleet)
    history.watch(fleet.devices[4])
    async with trio.open_nursery() as nursery:
        nursery.start_soon(history.run)
        for _ in range(10):
            await trio.testing.wait_all_tasks_blocked()
            fleet.step(1.0)
        await trio.testing.wait_all_tasks_blocked()
        nursery.cancel_scope.cancel()
    assert len(shown(history.past(fleet.devices[4], 1e9))["time"]) == 10
    assert shown(history.past(fleet.devices[5], 1e9))["time"] == []
    assert len(shown(history.fleet_past(1e9))["time"]) == 2
    total = shown(history.fleet_past(1e9))["power_kw"][-1]
    assert total == pytest.approx(sum(device.state.p_w for device in fleet.devices) / 1000, rel=1e-6)


async def test_the_budget_holds_whoever_looks(make_context):
    fleet = make_context(200).fleet
    history = History(fleet)
    for device in fleet.devices:
        history.watch(device)
    full = sum(series.held_bytes for series in _filled(history))
    assert full <= BUDGET_BYTES
    # The last to be looked at are the ones that are kept.
    assert 200 in history._series
    assert 1 not in history._series


def _filled(history):
    series = Series()
    for k in range(SAMPLES * 9 // 8):
        series.add(float(k), (0.0,) * len(COLUMNS))
    return [series] * (len(history._series) + 1)


def test_samples_lie_in_blocks_that_never_grow():
    """An array that grows moves and leaves a hole in the heap; in the second half of a soak that was 3 MB."""
    series, addresses = Series(capacity=3 * BLOCK), set()
    for k in range(10 * BLOCK):
        series.add(float(k), (float(k),) * len(COLUMNS))
        addresses |= {(block.values.buffer_info(), block.times.buffer_info()) for block in series._blocks}
    assert {(values[1], times[1]) for values, times in addresses} == {(len(COLUMNS) * BLOCK, BLOCK)}
    assert series.held_bytes <= 4 * BLOCK * (8 + 4 * len(COLUMNS))
    past = series.last(1e9)
    assert list(past.times) == [float(k) for k in range(7 * BLOCK, 10 * BLOCK)]
    assert [list(column) for column in past.columns] == [list(past.times)] * len(COLUMNS)


def test_the_last_seconds_cross_blocks_and_part_of_one():
    series = Series(capacity=3 * BLOCK)
    for k in range(2 * BLOCK + 10):
        series.add(float(k), (float(-k),) * len(COLUMNS))
    past = series.last(20.0)
    assert list(past.times) == [float(k) for k in range(2 * BLOCK - 11, 2 * BLOCK + 10)]
    assert list(past.columns[9]) == [-time_s for time_s in past.times]
