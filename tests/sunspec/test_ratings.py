"""702, 121, 703, 715, 1: settings, the permission to be in service, commands."""

import pytest

from dersim.csip.der_bodies import settings as der_settings
from dersim.hardware.nameplate import bundled, read_nameplate
from dersim.ieee2030_5 import Edition
from dersim.setpoint_sources import SetpointSource
from dersim.setpoints import SetpointChange


def test_a_setting_written_acts_and_shows_everywhere(bench):
    assert bench.write(702, WMax=5000) == 0
    bench.wait(2)
    assert bench.read(701, "W") == 5000
    assert bench.read(121, "WMax") == bench.read(702, "WMax") == 5000
    assert bench.device.settings.setMaxW == 5000
    assert bench.read(702, "WMaxRtg") == 10000


def test_what_was_written_is_what_2030_5_tells(bench):
    assert bench.write(702, WMax=5000) == 0
    assert bench.write(702, VarMaxInj=3000, VarMaxAbs=2500) == 0
    device = bench.device
    told = der_settings(device.nameplate, device.settings, device.setpoints.supported_modes, Edition.E2018, 0)
    assert told.setMaxW.value * 10**told.setMaxW.multiplier == 5000
    assert told.setMaxVar.value * 10**told.setMaxVar.multiplier == 3000
    assert told.setMaxVarNeg.value * 10**told.setMaxVarNeg.multiplier == -2500


@pytest.mark.parametrize(
    ("model", "values", "code"),
    [
        (702, {"WMax": 10001}, 3),
        (702, {"VarMaxAbs": 5000}, 3),
        (702, {"WMaxRtg": 9000}, 2),
        (702, {"WChaRteMax": 10}, 2),
        (702, {"WMaxOvrExt": 10}, 2),
        (702, {"WMax": None}, 3),  # "not implemented", written back
        (702, {"W_SF": 1}, 2),
        (121, {"WMax": 10001}, 3),
        (121, {"ECPNomHz": 50}, 3),
        (703, {"ESVHi": 90}, 3),
        (703, {"ESDlyTms": 86401}, 3),
        (703, {"ESDlyRemTms": 1}, 2),
        (703, {"ES": 2}, 3),
        (715, {"LocRemCtl": 1}, 2),
        (715, {"OpCtl": 4}, 3),
        (1, {"DA": 0}, 3),
        (1, {"DA": 248}, 3),
        (1, {"Mn": "other"}, 2),
        (120, {"WRtg": 1}, 2),
    ],
)
def test_refusals_change_nothing(bench, model, values, code):
    before, settings = bench.unit.block(model).data(), bench.device.settings.as_dict()
    assert bench.write_points(model, values) == code
    assert bench.unit.block(model).data() == before
    assert bench.device.settings.as_dict() == settings


def test_one_bad_value_of_many_changes_none(bench):
    before = bench.device.settings.as_dict()
    assert bench.write(702, VAMax=9000, VarMaxInj=9999) == 3
    assert bench.device.settings.as_dict() == before


def test_the_power_factors_of_120_and_121_have_the_signs_of_eei(make_bench):
    rated = {"702.PFOvrExtRtg": 0.85, "702.PFUndExtRtg": 0.8}
    bench = make_bench(nameplate=read_nameplate(bundled("10kW-3Phase"), **rated))
    # A Fronius inverter reads -0.85 in quadrant 1 and +0.85 in quadrant 4.
    shown = [bench.read(120, f"PFRtgQ{quadrant}") for quadrant in (1, 2, 3, 4)]
    assert shown == [-0.85, 0.85, -0.8, 0.8]
    assert (bench.read(121, "PFMinQ1"), bench.read(121, "PFMinQ4")) == (-0.85, 0.8)
    assert bench.write(121, PFMinQ1=-0.9) == 0
    assert bench.write(121, PFMinQ4=0.95) == 0
    settings = bench.device.settings
    assert (settings.setMinPFOverExcited, settings.setMinPFUnderExcited) == (0.9, 0.95)
    assert (bench.read(121, "PFMinQ1"), bench.read(702, "PFOvrExt")) == (-0.9, 0.9)
    assert bench.write(121, PFMinQ1=0.9) == 3


def test_what_is_written_to_703_rules_over_the_default_control(bench):
    setpoints = bench.device.setpoints
    setpoints.submit(SetpointChange(SetpointSource.CSIP_DEFAULT, "setESDelay", 10.0, "D1"))
    assert bench.read(703, "ESDlyTms") == 10
    assert bench.write(703, ESDlyTms=4) == 0
    assert (bench.read(703, "ESDlyTms"), bench.device.settings.setESDelay) == (4, 4)
    setpoints.submit(SetpointChange(SetpointSource.CSIP_DEFAULT, "setGradW", 5.0, "D1"))
    assert bench.read(704, "WRmp") == 5
    assert bench.write(704, WRmp=20) == 0
    assert (bench.read(121, "WGra"), bench.device.settings.setGradW) == (20, 20)


def test_permission_withdrawn_stops_at_once_and_comes_back_by_the_rules(bench):
    assert bench.write(703, ESDlyTms=20, ESRndTms=0, ESRmpTms=10) == 0
    assert bench.write(703, ES=0) == 0
    assert (bench.read(701, "W"), bench.read(701, "St"), bench.read(703, "ES")) == (0, 0, 0)
    assert bench.device.setpoints.value("opModEnergize") is False
    bench.wait(60)
    assert bench.read(701, "W") == 0
    assert bench.write(703, ES=1) == 0
    bench.wait(5)
    assert bench.read(701, "W") == 0
    assert bench.read(703, "ESDlyRemTms") == 15
    bench.wait(20)
    assert bench.read(701, "St") == 1
    assert 4000 < bench.read(701, "W") < 6000  # half way up the ramp
    bench.wait(10)
    assert (bench.read(701, "W"), bench.read(703, "ESDlyRemTms")) == (7005, 0)


def test_the_window_of_enter_service_blocks_and_releases(bench):
    bench.write(703, ESDlyTms=5, ESRndTms=0, ESRmpTms=0)
    assert bench.write(703, ESVHi=106, ESVLo=94) == 0
    assert bench.device.settings.setESLowVolt == 94
    bench.write(703, ES=0)
    bench.device.inputs.set(voltage_pu=0.93)
    bench.write(703, ES=1)
    bench.wait(30)
    assert bench.read(701, "St") == 0
    bench.device.inputs.set(voltage_pu=0.95)
    bench.wait(4)
    assert bench.read(701, "St") == 0
    bench.wait(2)
    assert bench.read(701, "St") == 1


def test_the_operator_s_commands(bench):
    bench.write(703, ESDlyTms=1, ESRndTms=0, ESRmpTms=0)
    assert bench.write(715, OpCtl=0) == 0
    bench.wait(2)
    assert (bench.read(701, "W"), bench.read(715, "OpCtl"), bench.read(703, "ES")) == (0, 0, 0)
    assert int(bench.read(701, "Alrm")) & 1 << 6  # MANUAL_SHUTDOWN
    bench.write(715, OpCtl=1)
    bench.wait(3)
    assert (bench.read(701, "W"), bench.read(715, "OpCtl")) == (7005, 1)
    bench.write(715, OpCtl=2)
    bench.wait(2)
    assert (bench.read(701, "W"), bench.read(715, "OpCtl")) == (0, 2)
    bench.write(715, OpCtl=3)
    bench.wait(3)
    assert bench.read(715, "OpCtl") == 1
    assert bench.write(715, ControllerHb=77) == 0
    assert bench.read(715, "ControllerHb") == 77
    before = bench.read(715, "DERHb")
    bench.wait(3)
    assert bench.read(715, "DERHb") == before + 3


def test_a_trip_is_forgotten_by_alarm_reset(bench):
    bench.write(703, ESDlyTms=100, ESRndTms=0, ESRmpTms=0)
    bench.device.inputs.set(voltage_pu=1.25)
    bench.wait(1)
    bench.device.inputs.set(voltage_pu=1.0)
    bench.wait(2)
    assert bench.read(701, "InvSt") == 6
    assert bench.write(715, AlarmReset=1) == 0
    bench.wait(1)
    assert bench.read(701, "InvSt") != 6
    assert bench.read(715, "AlarmReset") == 0


def test_the_unit_id_may_be_changed(bench):
    assert bench.server.answers_to(1)
    assert bench.write(1, DA=9) == 0
    assert bench.read(1, "DA") == 9
    assert bench.server.answers_to(9)
    assert not bench.server.answers_to(1)


def test_the_end_of_standby_does_not_start_what_was_stopped(bench):
    stop, start, enter, leave = range(4)
    bench.write(715, OpCtl=stop)
    bench.write(715, OpCtl=enter)
    assert bench.write(715, OpCtl=leave) == 0
    assert (bench.read(715, "OpCtl"), bench.device.permitted, bench.read(701, "InvSt")) == (stop, False, 0)
    bench.write(715, OpCtl=start)
    assert bench.device.permitted


def test_standby_is_told_as_standby(bench):
    assert bench.write(715, OpCtl=2) == 0
    bench.wait(1)
    standby_of_701, standby_of_103 = 7, 8
    assert bench.read(701, "InvSt") == standby_of_701
    assert bench.read(103, "St") == standby_of_103
    assert (bench.read(701, "W"), bench.read(715, "OpCtl")) == (0, 2)


def test_a_stop_is_shown_where_nothing_else_changes(bench):
    bench.write(123, Conn=0)
    assert (bench.read(701, "Alrm"), bench.read(715, "OpCtl")) == (0, 1)
    bench.device.command("stop")
    assert (bench.read(701, "Alrm"), bench.read(715, "OpCtl")) == (1 << 6, 0)
    bench.device.command("start")
    assert (bench.read(701, "Alrm"), bench.read(715, "OpCtl")) == (0, 1)
