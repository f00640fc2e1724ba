"""From DERControls to setpoints of a real device, on a simulated clock."""

from __future__ import annotations

from typing import Any

import pytest
import trio
from tests.csip.control_bench import START, Bench, control, default, max_w, mrid, program, volt_var
from trio.testing import MockClock

from dersim.clock import SimClock
from dersim.csip.controls import ProgramReading
from dersim.errors import ConfigError
from dersim.ieee2030_5 import resources as r
from dersim.ieee2030_5.declare import Extra
from dersim.ieee2030_5.event_types import EventSettings
from dersim.setpoint_sources import SetpointSource


async def test_starts_and_ends_at_the_exact_instant_of_the_server_s_time(
    bench: Bench, autojump_clock: MockClock
) -> None:
    start = int(START) + 10
    reading = ProgramReading(program(), (control("a", start, 20, max_w(60)),), default(max_w(90)))
    bench.controls.update([reading])
    await bench.clock.sleep_until(START + 60)
    shown = [(round(time - start, 3), value, source) for time, value, source in bench.history]
    assert shown == [(-9.25, 90.0, "csip-default"), (0.0, 60.0, "csip"), (20.0, 90.0, "csip-default")]
    assert bench.statuses("a") == [1, 2, 3]
    # Response 2 and 3 speak of a device that has made the step already.
    assert [limit for _, _, _, limit in bench.said] == [90.0, 60.0, 90.0]
    assert [reread.href for reread in bench.rereads] == ["/derc/a"]
    assert bench.controls.reaction.last_s == pytest.approx(0.0, abs=1e-6)


async def test_a_control_that_is_found_after_its_start_is_no_reaction(
    bench: Bench, autojump_clock: MockClock
) -> None:
    reading = ProgramReading(program(), (control("a", int(START) - 100, 200, max_w(60)),), default(max_w(90)))
    bench.controls.update([reading])
    await bench.clock.sleep_until(START + 5)
    assert bench.statuses("a")[-1] == 2
    assert bench.controls.reaction.last_s is None


async def test_a_hand_over_is_one_submit_and_the_default_never_flashes(
    bench: Bench, autojump_clock: MockClock
) -> None:
    start = int(START) + 10
    controls = tuple(control(f"e{n}", start + 10 * n, 10, max_w(50 + n)) for n in range(5))
    bench.controls.update([ProgramReading(program(), controls, default(max_w(90)))])
    await bench.clock.sleep_until(START + 100)
    assert [value for _, value, _ in bench.history] == [90.0, 50.0, 51.0, 52.0, 53.0, 54.0, 90.0]
    assert all(len(changes) == 1 for changes in bench.submits)
    assert [changes[0].detail for changes in bench.submits[1:-1]] == [mrid(f"e{n}") for n in range(5)]


async def test_a_better_program_takes_over_in_one_submit(bench: Bench, autojump_clock: MockClock) -> None:
    start = int(START) + 5
    poor = ProgramReading(program("SY", 10), (control("sy", start, 60, max_w(40)),), default(max_w(90)))
    bench.controls.update([poor])
    await bench.clock.sleep_until(START + 10)
    better = ProgramReading(program("SP", 4), (control("sp", start + 20, 20, max_w(70)),))
    bench.controls.update([poor, better])
    await bench.clock.sleep_until(START + 100)
    assert [value for _, value, _ in bench.history] == [90.0, 40.0, 70.0, 90.0]
    order = [(name, status) for name, status, _, _ in bench.said]
    assert order[-3:] == [("sy", 7), ("sp", 2), ("sp", 3)]


async def test_event_and_default_lie_over_each_other_mode_by_mode(
    bench: Bench, autojump_clock: MockClock
) -> None:
    start = int(START) + 5
    pf = r.PowerFactorWithExcitationControlType(displacement=950, excitation=False, multiplier=-3)
    base = r.DERControlBase(opModFixedPFInjectW=pf)
    bench.controls.update([ProgramReading(program(), (control("a", start, 20, base),), default(max_w(90)))])
    await bench.clock.sleep_until(START + 10)
    sources = {line.mode: line.source for line in bench.device.setpoints.in_force()}
    assert sources["opModMaxLimW"] is SetpointSource.CSIP_DEFAULT
    assert sources["opModFixedPFInjectW"] is SetpointSource.CSIP


async def test_refusals(bench: Bench, autojump_clock: MockClock) -> None:
    start = int(START) + 5
    delta = r.ActivePowerDeltaControlType(multiplier=0, value=5)
    controls = (
        control("some", start, 10, max_w(60, opModDeltaW=delta)),
        control("none", start + 20, 10, r.DERControlBase(opModDeltaW=delta)),
        control("wild", start + 40, 10, r.DERControlBase(opModMaxLimW=20_000)),
        control("empty", start + 60, 10, r.DERControlBase()),
        control("ramp", start + 80, 10, r.DERControlBase(rampTms=100)),
    )
    bench.controls.update([ProgramReading(program(), controls)])
    await bench.clock.sleep_until(START + 120)
    assert bench.statuses("some") == [1, 251, 2, 3]
    assert bench.statuses("none") == [1, 251]
    assert bench.statuses("wild") == [1, 253]
    assert bench.statuses("empty") == [1, 253]
    assert bench.statuses("ramp") == [1, 253]
    assert any(level == "Warning" and mrid("none") in text for level, text in bench.log)


async def test_elements_that_nobody_declares_are_named_in_the_log(
    bench: Bench, autojump_clock: MockClock
) -> None:
    foreign = tuple(Extra("https://a.example/ns", f"opMod{name}", "<x/>") for name in "ABCDE")
    start = int(START) + 5
    controls = (
        control("alone", start, 10, r.DERControlBase(extra=foreign[:1])),
        control("beside", start + 20, 10, max_w(60, extra=foreign)),
    )
    bench.controls.update([ProgramReading(program(), controls)])
    await bench.clock.sleep_until(START + 60)
    assert bench.statuses("alone") == [1, 253]
    assert bench.statuses("beside") == [1, 2, 3]
    told = [text for _, text in bench.log]
    assert (
        f"DERControl {mrid('alone')} rejected, {{}}: it sets no mode of this device; "
        "opModA of https://a.example/ns is not known here"
    ) in told
    named = "; ".join(f"opMod{name} of https://a.example/ns is not known here" for name in "ABC")
    assert any(f"{named}; nor are 2 more elements" in text for text in told if mrid("beside") in text)


async def test_the_ramp_goes_with_its_control_and_competes_for_nothing(
    bench: Bench, autojump_clock: MockClock
) -> None:
    start = int(START) + 5
    poor = ProgramReading(program("SY", 10), (control("sy", start, 60, max_w(40, rampTms=500)),))
    better = ProgramReading(program("SP", 4), (control("sp", start + 20, 20, max_w(70)),))
    bench.controls.update([poor, better])
    await bench.clock.sleep_until(START + 100)
    assert bench.statuses("sy") == [1, 7]  # its rampTms is no mode that it could go on with
    again = control("x", int(START) + 105, 10, max_w(30, rampTms=500))
    bench.controls.update([ProgramReading(program(), (again,))])
    await bench.clock.sleep_until(START + 110)
    wishes = {change.mode: change.value for change in bench.submits[-1]}
    assert wishes == {"opModMaxLimW": 30.0, "rampTms": 5.0}
    await bench.clock.sleep_until(START + 120)
    assert {change.mode: change.value for change in bench.submits[-1]} == {
        "opModMaxLimW": None,
        "rampTms": None,
    }


async def test_a_mode_that_the_machine_cannot_have_is_answered_251(
    bench: Bench, autojump_clock: MockClock
) -> None:
    pf = r.PowerFactorWithExcitationControlType(displacement=950, excitation=False, multiplier=-3)
    charging = control("a", int(START) + 5, 20, r.DERControlBase(opModFixedPFAbsorbW=pf))
    bench.controls.update([ProgramReading(program(), (charging,))])
    await bench.clock.sleep_until(START + 10)
    assert bench.statuses("a") == [1, 251]


async def test_each_setpoint_has_the_ramp_of_its_own_control(bench: Bench, autojump_clock: MockClock) -> None:
    start = int(START) + 5
    pf = r.PowerFactorWithExcitationControlType(displacement=950, excitation=False, multiplier=-3)
    slow = control("sy", start, 60, r.DERControlBase(opModFixedPFInjectW=pf, rampTms=6000))
    half = control("sp", start, 60, r.DERControlBase(opModFixedW=5000))
    limits = default(max_w(90, rampTms=1000))
    readings = [
        ProgramReading(program("SY", 10), (slow,), limits),
        ProgramReading(program("SP", 4), (half,)),
    ]
    bench.controls.update(readings)
    await bench.clock.sleep_until(START + 10)
    ramps = {change.mode: change.ramp_s for changes in bench.submits for change in changes}
    assert ramps["opModFixedPFInjectW"] == 60.0
    assert ramps["opModFixedW"] is None
    assert ramps["opModMaxLimW"] == 10.0
    # At setGradW, 100 %/s, and not by the 60 s of the other control.
    bench.device.step(START + 10)
    assert bench.device.state.p_w == pytest.approx(5000)
    assert bench.statuses("sp") == [1, 2]
    assert bench.device.setpoints.value("rampTms") == 60.0  # as shown beside the control


async def test_a_control_waits_for_its_curve(bench: Bench, autojump_clock: MockClock) -> None:
    start = int(START) + 5
    base = r.DERControlBase(opModVoltVar=r.DERCurveLink(href="/dc/1"))
    bench.controls.update([ProgramReading(program(), (control("a", start, 60, base),))])
    assert bench.controls.needed_curves == {"/dc/1"}
    await bench.clock.sleep_until(START + 10)
    assert bench.said == []
    bench.controls.set_curves({"/dc/1": volt_var((9200, 3000), (9670, 0), (10300, 0), (10700, -3000))})
    assert bench.controls.needed_curves == frozenset()
    assert bench.statuses("a") == [1, 2]
    value: Any = bench.device.setpoints.value("opModVoltVar")
    assert value.points[0] == (92.0, 30.0)
    await bench.clock.sleep_until(START + 100)
    assert bench.statuses("a") == [1, 2, 3]


async def test_a_curve_that_cannot_be_had_is_impossible(bench: Bench, autojump_clock: MockClock) -> None:
    start = int(START) + 5
    base = max_w(60, opModVoltVar=r.DERCurveLink(href="/dc/1"))
    bench.controls.update([ProgramReading(program(), (control("a", start, 60, base),))])
    bench.controls.set_curves({"/dc/1": None})
    await bench.clock.sleep_until(START + 100)
    assert bench.statuses("a") == [1, 253, 2, 3]


async def test_a_default_s_curve_keeps_its_mode_from_worse_defaults(
    bench: Bench, autojump_clock: MockClock
) -> None:
    base = r.DERControlBase(opModVoltVar=r.DERCurveLink(href="/dc/good"))
    worse = r.DERControlBase(opModVoltVar=r.DERCurveLink(href="/dc/bad"))
    flat = volt_var((9000, 0), (11000, 0))
    bench.controls.set_curves({"/dc/bad": flat})
    bench.controls.update(
        [
            ProgramReading(program("GOOD", 1), (), default(base, setGradW=5000)),
            ProgramReading(program("BAD", 9), (), default(worse)),
        ]
    )
    assert [
        line.mode for line in bench.device.setpoints.in_force() if line.source is SetpointSource.CSIP_DEFAULT
    ] == ["setGradW"]
    bench.controls.set_curves({"/dc/good": volt_var((9200, 3000), (10700, -3000))})
    value: Any = bench.device.setpoints.value("opModVoltVar")
    assert value.points[0] == (92.0, 30.0)


async def test_cancelled_between_two_polls_is_seen_by_its_own_href(
    bench: Bench, autojump_clock: MockClock
) -> None:
    start = int(START) + 10
    planned = control("a", start, 20, max_w(60))
    bench.controls.update([ProgramReading(program(), (planned,))])
    await bench.clock.sleep_until(START + 9)
    assert bench.rereads
    cancelled = r.EventStatus(currentStatus=2, dateTime=0, potentiallySuperseded=False)
    bench.controls.update_control(control("a", start, 20, max_w(60), EventStatus=cancelled))
    await bench.clock.sleep_until(START + 60)
    assert bench.statuses("a") == [1, 6]
    assert bench.device.setpoints.value("opModMaxLimW") is None


async def test_the_clock_offset_moves_what_is_scheduled(bench: Bench, autojump_clock: MockClock) -> None:
    start = int(START) + 1000
    bench.controls.update([ProgramReading(program(), (control("a", start, 20, max_w(60)),))])
    await bench.clock.sleep_until(START + 10)
    bench.controls.set_clock_offset(900.0)
    await bench.clock.sleep_until(START + 150)
    assert [round(time - start, 3) for time, _, _ in bench.history] == [0.0, 20.0]


async def test_without_the_server_s_time_only_defaults_are_obeyed(
    autojump_clock: MockClock,
) -> None:
    clock = SimClock(start_s=START)
    clock.start()
    bench = Bench(clock)
    bench.controls.update(
        [ProgramReading(program(), (control("a", START - 5, 60, max_w(60)),), default(max_w(90)))]
    )
    assert bench.device.setpoints.value("opModMaxLimW") == 90.0
    assert bench.said == []
    bench.controls.set_clock_offset(0.0)
    assert bench.device.setpoints.value("opModMaxLimW") == 60.0
    assert bench.statuses("a") == [1, 2]


async def test_opting_out_and_in(bench: Bench, autojump_clock: MockClock) -> None:
    start = int(START) + 5
    bench.controls.update([ProgramReading(program(), (control("a", start, 60, max_w(60)),))])
    await bench.clock.sleep_until(START + 10)
    bench.controls.opt_out(mrid("a").lower())
    assert bench.device.setpoints.value("opModMaxLimW") is None
    bench.controls.opt_in(mrid("a"))
    assert bench.device.setpoints.value("opModMaxLimW") == 60.0
    assert bench.statuses("a") == [1, 2, 4, 5]
    for call in (bench.controls.opt_in, bench.controls.opt_out):
        with pytest.raises(ConfigError, match=r"no .*control"):
            call(mrid("unknown"))


async def test_withdraw_lets_go_of_everything(bench: Bench, autojump_clock: MockClock) -> None:
    start = int(START) + 2
    bench.controls.update(
        [ProgramReading(program(), (control("a", start, 60, max_w(60)),), default(max_w(90)))]
    )
    await bench.clock.sleep_until(START + 10)
    bench.controls.withdraw()
    assert not [line for line in bench.device.setpoints.in_force() if "CSIP" in line.source.name]
    assert bench.controls.snapshot()["programs"] == []
    await bench.clock.sleep_until(START + 100)
    assert bench.statuses("a") == [1, 2]


async def test_an_unchanged_picture_submits_nothing(bench: Bench, autojump_clock: MockClock) -> None:
    reading = ProgramReading(program(), (control("a", START + 5, 60, max_w(60)),), default(max_w(90)))
    bench.controls.update([reading])
    before = len(bench.submits)
    for _ in range(5):
        bench.controls.update([reading])
    assert len(bench.submits) == before
    assert bench.statuses("a") == [1]


async def test_the_snapshot_has_the_shape_of_the_contract(bench: Bench, autojump_clock: MockClock) -> None:
    start = int(START) + 5
    controls = (control("a", start, 20, max_w(60, rampTms=200)), control("b", start + 60, 20, max_w(70)))
    bench.controls.update([ProgramReading(program(), controls, default(max_w(90), setGradW=10000))])
    await bench.clock.sleep_until(START + 10)
    shown = bench.controls.snapshot()
    assert shown["programs"] == [{"href": "/derp/P", "mRID": mrid("P"), "description": "P", "primacy": 5}]
    assert shown["default_control"] == {
        "program": "/derp/P",
        "mRID": mrid("DEFAULT"),
        "modes": {"opModMaxLimW": 90.0, "setGradW": 100.0},
    }
    (active,) = shown["active_controls"]
    assert active == {
        "mRID": mrid("a"),
        "href": "/derc/a",
        "program": "/derp/P",
        "primacy": 5,
        "status": 1,
        "status_text": "Active",
        "start": "2023-11-14T22:13:25.000Z",
        "duration_s": 20.0,
        "effective_start": "2023-11-14T22:13:25.000Z",
        "effective_end": "2023-11-14T22:13:45.000Z",
        "modes": {"opModMaxLimW": 60.0, "rampTms": 2.0},
        "why": "in force for opModMaxLimW",
    }
    assert [entry["mRID"] for entry in shown["scheduled_controls"]] == [mrid("b")]
    assert [view.mrid for view in bench.controls.explain()] == [mrid("a"), mrid("b")]


async def test_who_keeps_the_views_gets_them_again_until_something_changes(
    bench: Bench, autojump_clock: MockClock
) -> None:
    over, soon = control("a", START, 5, max_w(60)), control("b", START + 60, 60, max_w(50))
    bench.controls.update([ProgramReading(program(), (over, soon))])
    await bench.clock.sleep_until(START + 10)
    first = bench.controls.explain()
    assert [view.phase.value for view in first] == ["completed", "scheduled"]
    assert bench.controls.explain() is first
    bench.controls.opt_out(mrid("b"))
    second = bench.controls.explain()
    assert second[0] is first[0]
    assert "opted out" in second[1].why
    assert "opted out" not in first[1].why
    bench.controls.update([ProgramReading(program(primacy=77), (over, soon))])
    assert {view.primacy for view in bench.controls.explain()} == {77}
    assert {view.primacy for view in second} == {first[0].primacy}
    bench.controls.withdraw()
    assert bench.controls.explain() == []


async def test_too_many_controls_are_told_once_a_poll_with_their_number(
    bench: Bench, autojump_clock: MockClock
) -> None:
    controls = bench.make(settings=EventSettings(most_held=10))
    controls.set_clock_offset(0.0)
    many = tuple(control(f"n{n}", START + 100 + n, 10, max_w(60)) for n in range(25))
    for _ in range(2):
        controls.update([ProgramReading(program(), many)])
    told = [message for level, message in bench.log if level == "Warning"]
    assert told == ["15 DERControls beyond the 10 that are held were left out"] * 2


@pytest.mark.parametrize("multiplier", [32767, 10**9, -(2**63), 10, -10])
async def test_a_multiplier_that_no_one_can_mean_is_answered_253_and_the_rest_is_run(
    bench: Bench, autojump_clock: MockClock, multiplier: int
) -> None:
    target = r.ActivePower(multiplier=multiplier, value=5)
    controls = (
        control("odd", START - 5, 60, max_w(60, opModTargetW=target)),
        control("all", START - 5, 60, r.DERControlBase(opModTargetW=target)),
    )
    bench.controls.update([ProgramReading(program(), controls)])
    assert bench.statuses("odd") == [1, 253, 2]
    assert bench.statuses("all") == [1, 253]


@pytest.mark.parametrize(
    ("mode", "value"),
    [
        ("opModTargetW", r.ActivePower(multiplier=99, value=5)),
        ("opModFixedVar", r.FixedVar(refType=9, value=5)),
        ("opModVoltWatt", r.DERCurveLink(href="/vv")),
    ],
)
async def test_the_reason_of_a_refusal_names_the_mode_once(
    bench: Bench, autojump_clock: MockClock, mode: str, value: Any
) -> None:
    bench.controls.set_curves({"/vv": volt_var((95, 10), (105, -10))})
    odd = control("odd", START + 5, 60, r.DERControlBase(**{mode: value}))
    bench.controls.update([ProgramReading(program(), (odd,))])
    (why,) = (view.why for view in bench.controls.explain())
    assert why.count(mode) == 1


@pytest.mark.parametrize(
    ("start", "duration"), [(1_800_000_000_000, 60), (2**63 - 1, 1), (1_700_000_000, 2**63 - 1)]
)
async def test_times_that_have_no_date_are_answered_253_and_the_snapshot_goes_on(
    bench: Bench, autojump_clock: MockClock, start: int, duration: int
) -> None:
    odd = control("odd", start, duration, max_w(60))
    bench.controls.update([ProgramReading(program(), (odd,), default(max_w(90)))])
    assert bench.statuses("odd") == [1, 253]
    shown = bench.controls.snapshot()
    assert shown["active_controls"] == shown["scheduled_controls"] == []
    assert [view.mrid for view in bench.controls.explain()] == [mrid("odd")]


async def test_where_many_ders_start_a_control_at_once_other_tasks_run_in_between(
    bench: Bench, autojump_clock: MockClock
) -> None:
    clock, turn = bench.clock, trio.Semaphore(1)
    start = int(START) + 1
    reading = ProgramReading(program(), (control("a", start, 20, max_w(60)),), default(max_w(90)))
    counter, begun = Passes(), list[int]()
    async with trio.open_nursery() as nursery:
        for _ in range(5):
            controls = Bench(clock).make(turn=turn)
            controls._on_response = lambda response: begun.append(counter.passes)
            controls.set_clock_offset(0.0)
            controls.update([reading])
            controls.timing.run_in(nursery)
        begun.clear()
        trio.lowlevel.add_instrument(counter)
        await clock.sleep_until(start + 5)
        nursery.cancel_scope.cancel()
    trio.lowlevel.remove_instrument(counter)
    assert len(begun) == 5
    assert len(set(begun)) == 5


class Passes(trio.abc.Instrument):
    """Counts the turns of the event loop."""

    passes = 0

    def after_io_wait(self, timeout: float) -> None:
        self.passes += 1


async def test_curves_and_doubts_of_controls_that_are_over_and_gone_are_forgotten(
    bench: Bench, autojump_clock: MockClock
) -> None:
    controls = bench.controls
    for number in range(100):
        start = int(bench.clock.now_s()) + 5
        href = f"/curve/{number}"
        base = r.DERControlBase(opModVoltVar=r.DERCurveLink(href=href))
        running = r.EventStatus(currentStatus=1, dateTime=0, potentiallySuperseded=False)
        listed = control(f"e{number}", start, 10, base, EventStatus=running)
        controls.update([ProgramReading(program(), (listed,), default(max_w(90)))])
        assert controls.needed_curves == {href}
        controls.set_curves({href: volt_var((9500, 5000), (10500, -5000))})
        assert not controls.needed_curves
        await bench.clock.sleep_until(start + 20)
        assert bench.statuses(f"e{number}") == [1, 2, 3]
    assert len(controls._judge.curves) < 50
    assert len(controls._doubts) < 50
