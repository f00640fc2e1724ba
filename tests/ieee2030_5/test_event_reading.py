"""How many events are held, which go first, and one control that fails."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator

import pytest
from tests.ieee2030_5.event_trace import PF, T0, Trace, mrid, one_program

from dersim.ieee2030_5 import resources as r
from dersim.ieee2030_5.event_book import EventBook, Fence
from dersim.ieee2030_5.event_types import Event, Judgement, Phase, ProgramFeed
from dersim.ieee2030_5.events import EventScheduler


def test_of_too_many_in_the_lists_those_that_start_last_are_left_out() -> None:
    trace = one_program(most_held=10)
    for number in range(15):
        trace.control("P", f"n{number}", 100 * (number + 1), 50)
    trace.poll()
    assert len(trace.events) == 10
    assert trace.events.left_out == 5
    assert all(not trace.told(f"n{number}") for number in range(10, 15))
    trace.poll()
    assert trace.events.left_out == 5
    assert all(trace.told(f"n{number}") == [1] for number in range(10))


def test_those_that_no_list_names_any_more_go_first() -> None:
    trace = one_program(most_held=10)
    for number in range(8):
        trace.control("P", f"old{number}", 1000 + 100 * number, 50)
    trace.poll()
    trace.controls["P"] = {}
    for number in range(8):
        trace.control("P", f"new{number}", 9000 + 100 * number, 50)
    trace.poll()
    held = {bytes.fromhex(each).rstrip(b"\0").decode() for each in trace.events.phases()}
    assert held == {f"new{number}" for number in range(8)} | {"old0", "old1"}
    assert trace.events.left_out == 6


def test_an_endless_list_of_new_controls_is_held_within_bounds() -> None:
    trace = one_program(most_held=50)
    for turn in range(20):
        trace.controls["P"] = {}
        for number in range(40):
            trace.control("P", f"{turn}-{number}", 1000 + number, 50)
        trace.poll()
        assert len(trace.events) <= 50


def test_a_running_event_is_kept_though_all_others_start_before_it_ends() -> None:
    trace = one_program(most_held=5)
    trace.control("P", "runs", 0, 10_000)
    trace.poll()
    for number in range(20):
        trace.control("P", f"n{number}", -50 + number, 51)
    trace.poll()
    assert trace.events.phases()[mrid("runs")] in (Phase.ACTIVE, Phase.SUPERSEDED)
    assert len(trace.events) <= 5


def test_what_is_over_goes_before_what_may_still_run() -> None:
    trace = one_program(most_held=3)
    trace.control("P", "over", 0, 10)
    trace.control("P", "later", 500, 10)
    trace.poll()
    trace.until(100)
    trace.controls["P"] = {}
    trace.control("P", "a", 100, 10)
    trace.control("P", "b", 200, 10)
    trace.poll()
    assert mrid("over") not in trace.events.phases()
    assert mrid("later") in trace.events.phases()
    assert trace.events.left_out == 0


def fence_of(met: list[str]) -> Fence:
    @contextlib.contextmanager
    def fence(what: str) -> Iterator[None]:
        try:
            yield
        except ZeroDivisionError:
            met.append(what)

    return fence


def test_an_error_in_a_new_version_costs_that_control_alone() -> None:
    trace = one_program()
    met: list[str] = []
    broken: set[str] = set()

    def judge(control: r.DERControl) -> Judgement:
        if control.mRID in broken:
            raise ZeroDivisionError
        return Judgement({PF: control.mRID})

    scheduler = EventScheduler(judge, rng=trace.rng, fence=fence_of(met))
    trace.control("P", "a", 0, 100)
    trace.control("P", "b", 200, 100)
    feed = ProgramFeed(trace.programs["P"], tuple(trace.controls["P"].values()))
    scheduler.feed(T0, [feed])
    assert scheduler.step(T0).events[PF].mrid == mrid("a")
    broken.add(mrid("a"))
    trace.control("P", "a", 0, 100, version=1)
    scheduler.feed(T0 + 10, [feed._replace(controls=tuple(trace.controls["P"].values()))])
    step = scheduler.step(T0 + 10)
    assert step.events == {}
    assert [(response.mrid, response.status) for response in step.responses] == [(mrid("a"), 253)]
    assert met == [f"DERControl {mrid('a')}"]
    assert scheduler.step(T0 + 200).events[PF].mrid == mrid("b")


def test_a_start_or_an_end_that_fails_costs_that_event_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    trace = one_program()
    met: list[str] = []
    scheduler = EventScheduler(trace.judge, rng=trace.rng, fence=fence_of(met))
    trace.control("P", "a", 100, 100)
    trace.control("P", "b", 300, 100)
    trace.control("P", "c", 500, 100)
    scheduler.feed(T0, [ProgramFeed(trace.programs["P"], tuple(trace.controls["P"].values()))])
    scheduler.step(T0)
    tell = EventBook.tell

    def broken(book: EventBook, event: Event, statuses: Iterable[int], now_s: float) -> None:
        told = list(statuses)
        if (event.mrid, told) in [(mrid("a"), [2]), (mrid("b"), [3])]:
            raise ZeroDivisionError
        tell(book, event, told, now_s)

    monkeypatch.setattr(EventBook, "tell", broken)
    ruled = {}
    for after_s in (100, 200, 300, 400, 500, 600):
        source = scheduler.step(T0 + after_s).events.get(PF)
        ruled[after_s] = source and source.mrid
    assert ruled == {100: None, 200: None, 300: mrid("b"), 400: None, 500: mrid("c"), 600: None}
    assert met == [f"the start of DERControl {mrid('a')}", f"the end of DERControl {mrid('b')}"]
    assert scheduler.phases()[mrid("a")] is Phase.REJECTED
    assert scheduler.step(T0 + 601).wake_s is None


def test_a_trace_keeps_its_defaults_when_the_lists_are_too_long() -> None:
    trace = Trace(most_held=1)
    trace.program("P", 1, PF)
    for number in range(3):
        trace.control("P", f"n{number}", 100 + number, 10)
    trace.poll()
    assert trace.rules(PF) == [(0, "default P")]
