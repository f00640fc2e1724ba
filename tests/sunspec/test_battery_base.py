"""802: the commands of the battery base model, and what they show."""

import pytest

from dersim.setpoint_sources import SetpointSource
from dersim.setpoints import SetpointChange

KINDS = ["Batt-3Phase", "HybridDC-3Phase"]


@pytest.fixture(params=KINDS)
def bench(request, make_bench):
    bench = make_bench(device_type=request.param)
    bench.write(703, ESDlyTms=0, ESRndTms=0, ESRmpTms=0)
    bench.write(704, WSetMod=1)
    bench.write(704, WSet=4_000)
    bench.write(704, WSetEna=1)
    bench.wait(3)
    assert bench.read(103, "W") == 4_000
    return bench


def shown(bench):
    return bench.read(802, "SetOp"), bench.read(802, "SetInvState"), bench.read(802, "State")


def test_disconnect_opens_the_switch_and_connect_closes_it(bench):
    assert shown(bench) == (1, 3, 3)
    assert bench.write(802, SetOp=2) == 0
    bench.wait(2)
    assert (bench.read(103, "W"), bench.read(701, "ConnSt"), bench.read(123, "Conn")) == (0, 0, 0)
    assert shown(bench) == (2, 2, 1)
    assert bench.device.setpoints.value("opModConnect") is False
    assert bench.write(802, SetOp=1) == 0
    bench.wait(3)
    assert (bench.read(103, "W"), shown(bench)) == (4_000, (1, 3, 3))


def test_a_disconnect_lasts_though_an_earlier_one_had_a_timer(bench):
    bench.write(123, Conn_RvrtTms=10)
    bench.write(123, Conn=0)
    assert bench.write(802, SetOp=2) == 0
    bench.wait(30)
    assert (bench.read(103, "W"), bench.read(802, "SetOp")) == (0, 2)


def test_what_another_source_disconnects_is_shown(bench):
    bench.device.setpoints.submit(SetpointChange(SetpointSource.CSIP, "opModConnect", False, "event"))
    bench.wait(2)
    assert shown(bench) == (2, 2, 1)


@pytest.mark.parametrize(("state", "command"), [(1, 0), (2, 2)])
def test_stopped_and_standby_end_at_started(bench, state, command):
    assert bench.write(802, SetInvState=state) == 0
    bench.wait(2)
    assert (bench.read(103, "W"), bench.read(802, "SetInvState"), bench.read(703, "ES")) == (0, state, 0)
    assert bench.read(715, "OpCtl") == command
    assert bench.write(802, SetInvState=3) == 0
    bench.wait(3)
    assert (bench.read(103, "W"), shown(bench), bench.read(703, "ES")) == (4_000, (1, 3, 3), 1)


def test_standby_after_a_stop_is_standby(bench):
    bench.write(802, SetInvState=1)
    assert bench.write(802, SetInvState=2) == 0
    bench.wait(2)
    assert (bench.read(802, "SetInvState"), bench.read(715, "OpCtl"), bench.read(103, "W")) == (2, 2, 0)


def test_a_reset_forgets_a_trip(bench):
    bench.write(703, ESDlyTms=100)
    bench.device.inputs.set(voltage_pu=1.25)
    bench.wait(1)
    bench.device.inputs.set(voltage_pu=1.0)
    bench.wait(2)
    assert (bench.read(701, "InvSt"), bench.read(802, "SetInvState")) == (6, 2)
    assert bench.write(802, AlmRst=1) == 0
    bench.wait(1)
    assert bench.read(701, "InvSt") != 6
    assert bench.read(802, "AlmRst") == 0


def test_the_reserve_is_that_of_124(bench):
    assert bench.read(802, "SoCRsvMin") == bench.device.nameplate.soc_min_pct
    assert bench.write(802, SoCRsvMin=30) == 0
    assert (bench.read(802, "SoCRsvMin"), bench.read(124, "MinRsvPct")) == (30, 30)
    assert bench.write(802, SoCRsvMin=101) == 3
    bench.write(124, MinRsvPct=20)
    assert bench.read(802, "SoCRsvMin") == 20


def test_the_sun_may_charge_where_the_grid_must_not(bench):
    bench.write(124, ChaGriSet=0)
    bench.wait(2)
    plate = bench.device.nameplate
    sun_w = bench.state.pv.available_w if bench.state.pv else 0
    taken_a = min(plate.rtgMaxChargeRateW, sun_w) * 0.96 / plate.pv_v
    assert bench.read(802, "AChaMax") == pytest.approx(taken_a, abs=0.1)


def test_the_controller_s_heartbeat_is_kept(bench):
    assert bench.write(802, CtrlHb=77) == 0
    assert bench.read(802, "CtrlHb") == 77


@pytest.mark.parametrize(
    ("values", "code"),
    [({"SetOp": 3}, 3), ({"SetInvState": 4}, 3), ({"AlmRst": 2}, 3), ({"ChaSt": 1}, 2), ({"SoC": 50}, 2)],
)
def test_refusals_change_nothing(bench, values, code):
    before = shown(bench)
    assert bench.write_points(802, values) == code
    assert shown(bench) == before


@pytest.mark.parametrize(
    ("mode", "model", "point", "value"),
    [
        ("opModConnect", 123, "Conn", 1),
        ("opModConnect", 802, "SetOp", 1),
        ("opModEnergize", 703, "ES", 1),
        ("opModEnergize", 715, "OpCtl", 3),
        ("opModEnergize", 715, "OpCtl", 1),
        ("opModEnergize", 802, "SetInvState", 3),
    ],
)
def test_a_permission_overrules_a_default_control_that_refuses_and_not_an_event(
    bench, mode, model, point, value
):
    def ask(source, value):
        bench.device.setpoints.submit(SetpointChange(source, mode, value, "control"))
        bench.wait(3)

    ask(SetpointSource.CSIP_DEFAULT, False)
    assert bench.read(103, "W") == 0
    assert bench.write(model, **{point: value}) == 0
    bench.wait(3)
    assert (bench.device.setpoints.value(mode), bench.read(103, "W")) == (True, 4_000)
    ask(SetpointSource.CSIP, False)
    assert bench.read(103, "W") == 0


def test_a_start_ends_standby(bench):
    bench.write(715, OpCtl=2)
    assert bench.write(715, OpCtl=1) == 0
    bench.wait(3)
    assert (bench.read(715, "OpCtl"), bench.read(103, "W")) == (1, 4_000)
