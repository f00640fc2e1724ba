"""What the controls have in force: the safety net, the shown end, and a client that is started again."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import pytest
from tests.csip.control_bench import START, Bench, control, default, max_w, mrid, program
from trio.testing import MockClock

from dersim.csip.controls import ProgramReading
from dersim.errors import ConfigError
from dersim.setpoint_sources import SetpointSource
from dersim.setpoints import InForce

LIMIT = "opModMaxLimW"


def limit_in_force(bench: Bench) -> InForce:
    return next(line for line in bench.device.setpoints.in_force() if line.mode == LIMIT)


async def test_a_setpoint_shows_its_effective_end_and_expires_a_minute_later(
    bench: Bench, autojump_clock: MockClock
) -> None:
    start = int(START) + 10
    bench.controls.update([ProgramReading(program(), (control("a", start, 20, max_w(60)),))])
    await bench.clock.sleep_until(START + 15)
    (change,) = bench.submits[-1]
    assert (change.expires_s, change.until_s) == (start + 80 - 0.5, start + 20 - 0.5)
    assert limit_in_force(bench).until_s == start + 20 - 0.5


async def test_the_setpoint_of_a_dead_client_ends_by_itself(bench: Bench, autojump_clock: MockClock) -> None:
    start = int(START) + 2
    controls = bench.make()  # nobody runs it
    controls.set_clock_offset(0.0)
    controls.update([ProgramReading(program(), (control("a", start - 10, 30, max_w(60)),))])
    assert limit_in_force(bench).value == 60.0
    bench.device.setpoints.expire(start + 20 + 59.9)
    assert limit_in_force(bench).value == 60.0
    bench.device.setpoints.expire(start + 20 + 60)
    assert bench.device.setpoints.value(LIMIT) is None


async def test_the_expiry_moves_with_the_clock_and_with_the_end(
    bench: Bench, autojump_clock: MockClock
) -> None:
    start = int(START) + 5
    reading = ProgramReading(program(), (control("a", start, 200, max_w(60)),))
    bench.controls.update([reading])
    await bench.clock.sleep_until(START + 10)
    bench.controls.set_clock_offset(10.5)
    assert limit_in_force(bench).until_s == start + 200 - 10.5
    longer = control("a", start, 300, max_w(60), version=1)
    bench.controls.update([reading._replace(controls=(longer,))])
    assert limit_in_force(bench).until_s == start + 300 - 10.5
    assert bench.submits[-1][0].expires_s == start + 360 - 10.5
    assert {value for _, value, _ in bench.history} == {60.0}  # it was in force all the time
    await bench.clock.sleep_until(START + 400)
    assert bench.statuses("a") == [1, 2, 3]


async def test_a_client_that_is_started_again_takes_over_what_is_still_asked_for(
    bench: Bench, autojump_clock: MockClock
) -> None:
    start = int(START) + 5
    held = control("a", start, 200, max_w(60))
    bench.controls.update([ProgramReading(program(), (held,), default(max_w(90)))])
    await bench.clock.sleep_until(START + 10)
    before = len(bench.submits)
    successor = bench.make()
    successor.set_clock_offset(0.5)
    assert limit_in_force(bench).value == 60.0  # until everything was read again
    successor.update([ProgramReading(program(), (held,), default(max_w(90)))])
    assert len(bench.submits) == before
    assert limit_in_force(bench).value == 60.0


async def test_a_default_is_shown_after_a_restart_before_the_server_was_read(
    bench: Bench, autojump_clock: MockClock
) -> None:
    reading = ProgramReading(program(), (), default(max_w(90, rampTms=200)))
    bench.controls.update([reading])
    shown = bench.controls.snapshot()["default_control"]
    successor = bench.make()
    kept = successor.snapshot()["default_control"]
    assert kept == shown | {"program": None}
    assert kept["modes"] == {LIMIT: 90.0, "rampTms": 2.0}
    successor.set_clock_offset(0.5)
    successor.update([reading])
    assert successor.snapshot()["default_control"] == shown
    successor.update([ProgramReading(program(), (), None)])
    assert successor.snapshot()["default_control"] is None


async def test_a_client_that_is_started_again_withdraws_what_is_no_longer_asked_for(
    bench: Bench, autojump_clock: MockClock
) -> None:
    start = int(START) + 5
    held = control("a", start, 200, max_w(60))
    bench.controls.update([ProgramReading(program(), (held,), default(max_w(90)))])
    await bench.clock.sleep_until(START + 10)
    successor = bench.make()
    successor.set_clock_offset(0.5)
    successor.update([ProgramReading(program(), (), None)])
    assert not [line for line in bench.device.setpoints.in_force() if "CSIP" in line.source.name]


async def test_another_identity_withdraws_what_the_one_before_left(
    bench: Bench, autojump_clock: MockClock
) -> None:
    bench.controls.update([ProgramReading(program(), (), default(max_w(90)))])
    assert limit_in_force(bench).source is SetpointSource.CSIP_DEFAULT
    bench.make().withdraw()
    assert bench.device.setpoints.value(LIMIT) is None


# ---- one control that fails


class Fence:
    """Keeps errors, as `dersim.fences` does without fail_fast."""

    def __init__(self) -> None:
        self.met: list[str] = []

    @contextlib.contextmanager
    def __call__(self, what: str) -> Iterator[None]:
        try:
            yield
        except ZeroDivisionError:
            self.met.append(what)


async def test_an_unforeseen_error_costs_its_control_alone(bench: Bench, autojump_clock: MockClock) -> None:
    fence = Fence()
    controls = bench.make(fence=fence)
    bench.broken = {"opModFixedW"}
    controls.set_clock_offset(0.0)
    broken = control("bad", int(START) - 5, 60, max_w(50, opModFixedW=4000))
    good = control("good", int(START) - 5, 60, max_w(60))
    controls.update([ProgramReading(program("A", 1), (broken,)), ProgramReading(program("B", 2), (good,))])
    assert fence.met == [f"DERControl {mrid('bad')}"]
    assert bench.statuses("bad") == [253]
    assert bench.statuses("good") == [1, 2]
    assert limit_in_force(bench).value == 60.0
    with pytest.raises(ConfigError):
        controls.opt_out(mrid("bad"))


async def test_an_unforeseen_error_in_a_default_costs_that_default_alone(
    bench: Bench, autojump_clock: MockClock
) -> None:
    fence = Fence()
    controls = bench.make(fence=fence)
    bench.broken = {"opModFixedW"}
    controls.set_clock_offset(0.0)
    bad = default(max_w(50, opModFixedW=4000))
    controls.update(
        [ProgramReading(program("A", 1), (), bad), ProgramReading(program("B", 2), (), default(max_w(80)))]
    )
    assert fence.met == [f"DefaultDERControl {bad.mRID}"]
    assert limit_in_force(bench).value == 80.0
