"""The timers of a device, by a clock that the test moves."""

from types import SimpleNamespace

import pytest

from dersim.local_control.reversion import Timers
from dersim.modes import Curve
from dersim.setpoint_sources import SetpointSource
from dersim.setpoints import SetpointChange


def test_timers_that_ran_out_together_fire_in_the_order_of_time():
    clock = SimpleNamespace(now_s=0.0)
    timers = Timers(lambda: clock.now_s)
    fired = []
    for seconds in (30, 10, 20, 90):
        timers.add(lambda seconds=seconds: fired.append(seconds)).start(seconds)
    clock.now_s = 60.0
    timers.run_due()
    assert fired == [10, 20, 30]
    assert timers.next_s == 90


@pytest.mark.parametrize("reverts_to_another", [0, 1])
def test_the_timer_of_704_leaves_what_another_source_asked_for_since(bench, reverts_to_another):
    bench.write(704, WMaxLimPctRvrtTms=20)
    bench.write(704, WMaxLimPctEnaRvrt=reverts_to_another)
    bench.write(704, WMaxLimPct=60)
    bench.write(704, WMaxLimPctEna=1)
    bench.device.setpoints.submit(SetpointChange(SetpointSource.REST, "opModMaxLimW", 30.0))
    bench.wait(30)
    assert (bench.device.setpoints.value("opModMaxLimW"), bench.read(704, "WMaxLimPct")) == (30, 30)
    bench.device.setpoints.submit(SetpointChange(SetpointSource.REST, "opModMaxLimW", None))
    assert (bench.device.setpoints.value("opModMaxLimW"), bench.read(704, "WMaxLimPctEna")) == (None, 0)


def test_the_timer_of_the_switch_leaves_what_the_operator_opened(bench):
    bench.write(123, Conn_RvrtTms=20)
    bench.write(123, Conn=0)
    bench.device.setpoints.submit(SetpointChange(SetpointSource.OPERATOR, "opModConnect", False))
    bench.wait(30)
    assert bench.read(123, "Conn") == 0


@pytest.mark.parametrize("reverts_to", [0, 3])
def test_the_timer_of_a_curve_leaves_what_another_source_asked_for_since(bench, reverts_to):
    bench.write(705, RvrtTms=20)
    bench.write(705, RvrtCrv=reverts_to)
    bench.write(705, AdptCrvReq=2)
    bench.write(705, Ena=1)
    curve = Curve(((95.0, 30.0), (105.0, -30.0)), 1)
    bench.device.setpoints.submit(SetpointChange(SetpointSource.REST, "opModVoltVar", curve))
    bench.wait(30)
    assert bench.device.setpoints.value("opModVoltVar") == curve


def test_no_timer_runs_for_the_curve_of_a_default_control(bench):
    curve = Curve(((95.0, 30.0), (105.0, -30.0)), 1)
    bench.device.setpoints.submit(SetpointChange(SetpointSource.CSIP_DEFAULT, "opModVoltVar", curve))
    bench.write(705, RvrtCrv=3)
    assert bench.write(705, RvrtTms=20) == 0
    assert bench.read(705, "RvrtRem") == 0
    bench.wait(30)
    assert bench.device.setpoints.value("opModVoltVar") == curve


@pytest.mark.parametrize("point", ["WMaxLimPctRvrtTms", "WMaxLimPctEnaRvrt", "WMaxLimPctRvrt"])
def test_a_write_about_reversion_does_not_put_an_earlier_set_point_back_in_force(bench, point):
    bench.write(704, WMaxLimPct=60)
    bench.write(704, WMaxLimPctEna=1)
    bench.device.setpoints.submit(SetpointChange(SetpointSource.REST, "opModMaxLimW", 30.0))
    assert bench.write(704, **{point: 1}) == 0
    assert (bench.device.setpoints.value("opModMaxLimW"), bench.read(704, "WMaxLimPctRvrtRem")) == (30, 0)


def test_a_timer_written_while_the_switch_is_open_closes_it(bench):
    bench.write(123, Conn=0)
    assert bench.write(123, Conn_RvrtTms=20) == 0
    bench.wait(15)
    assert bench.write(123, Conn_RvrtTms=20) == 0
    bench.wait(15)
    assert bench.read(123, "Conn") == 0
    bench.wait(10)
    assert bench.read(123, "Conn") == 1
