"""Commands in a DER: what they ask for, what acts, and what is shown, whoever asked for it."""

from __future__ import annotations

import pytest
from one_der import OneDer
from py1815.application import FunctionCode
from py1815.control import CommandStatus, ControlRelayOutputBlock, OperationType
from py1815.session import Control

from dersim.plugin import FixedPowerFactor, FixedVar, FreqDroop, SetpointSource

OK, RANGE, NOT, BLOCKED = (
    CommandStatus.SUCCESS,
    CommandStatus.OUT_OF_RANGE,
    CommandStatus.NOT_SUPPORTED,
    CommandStatus.BLOCKED,
)


@pytest.fixture
def der():
    return OneDer()


@pytest.fixture
def battery():
    return OneDer("Batt-3Phase")


def acting(der, mode):
    return der.device.setpoints.value(mode)


def test_the_limit_of_generation_is_ao_88_and_begins_with_its_enable(der):
    before_w = der.device.state.p_w
    assert der.command("AO88", 40) is OK
    der.wait(3)
    assert der.device.state.p_w == before_w
    assert der.read("AI149") is None  # kept, and not in force
    assert der.read("AO88") == 40
    assert der.command("BO17", True) is OK
    der.wait(3)
    assert der.device.state.p_w == pytest.approx(4000)
    assert (der.read("AI149"), der.read("BI69"), der.read("AI537")) == (40, True, 4000)
    assert der.device.setpoints.in_force()[0].source.label == "dnp3"
    assert der.command("BO17", False) is OK
    der.wait(3)
    assert der.device.state.p_w == before_w
    assert der.read("BI69") is False


def test_a_limit_that_is_written_while_it_acts_acts_at_once(der):
    der.command("BO17", True)
    assert der.command("AO88", 25) is OK
    assert acting(der, "opModMaxLimW") == 25
    assert der.command("AO510", 3000) is OK
    assert acting(der, "opModMaxLimW") == 25
    assert der.command("BO45", True) is OK
    assert acting(der, "opModMaxLimW") == pytest.approx(30)
    assert der.read("AI620") == 3000


def test_a_limit_reverts_after_its_time_and_a_new_one_counts_anew(der):
    der.command("AO88", 40)
    der.command("AO85", 60)
    der.command("BO17", True)
    der.wait(50)
    der.command("AO88", 50)
    der.wait(59)
    assert der.read("BI69") is True
    der.wait(2)
    assert der.read("BI69") is False
    assert der.device.state.p_w > 5500


def test_what_another_front_end_asks_for_is_shown(der):
    der.ask("opModMaxLimW", 60.0)
    assert (der.read("BI69"), der.read("AO88"), der.read("AI149")) == (True, 60, 60)
    der.ask("opModMaxLimW", 30.0, SetpointSource.CSIP)
    assert der.read("AI149") == 30
    assert der.command("AO88", 50) is OK  # kept below the event
    assert der.read("AI149") == 30
    der.ask("opModMaxLimW", None, SetpointSource.CSIP)
    assert der.read("AI149") == 50
    assert der.command("BO17", False) is OK  # ends what was asked for locally, by whomever
    assert acting(der, "opModMaxLimW") is None


def test_a_machine_without_a_battery_keeps_a_limit_of_charging(der, battery):
    assert der.command("AO87", 30) is OK
    der.command("BO17", True)
    assert acting(der, "InWRte") is None
    battery.command("AO87", 30)
    battery.command("BO17", True)
    assert acting(battery, "InWRte") == 30
    assert battery.read("AI148") == 30


def test_power_that_is_held(der, battery):
    assert der.command("AO93", -50) is RANGE  # it would charge
    der.command("AO93", 20)
    assert der.command("BO18", True) is OK
    der.wait(3)
    assert der.device.state.p_w == pytest.approx(2000)
    assert der.command("AO508", 1500) is OK
    der.command("BO46", True)
    assert acting(der, "opModTargetW") == 1500
    assert acting(der, "opModFixedW") is None
    battery.command("AO93", -50)
    battery.command("BO18", True)
    battery.wait(20)
    assert battery.device.state.p_w < 0
    assert battery.read("BI20") is True


def test_var_that_are_held_are_of_what_ao_5_says(der):
    der.command("AO203", -50)
    der.command("BO27", True)
    assert acting(der, "opModFixedVar") == FixedVar(-50, "statVarAvail")
    der.wait(3)
    assert der.read("AI541") == pytest.approx(-2200, abs=5)
    der.command("AO5", 2)
    assert der.read("AI281") == pytest.approx(-50)  # what acts, of the other reference
    der.command("AO203", 100)
    assert acting(der, "opModFixedVar") == FixedVar(100, "setMaxVar")
    der.command("AO511", 1000)
    der.command("BO47", True)
    assert acting(der, "opModTargetVar") == 1000


def test_a_power_factor(der):
    assert der.command("AO210", 0) is RANGE
    assert der.command("AO210", 0.9) is OK
    assert der.command("BO10", True) is OK
    assert der.command("BO28", True) is OK
    assert acting(der, "opModFixedPFInjectW") == FixedPowerFactor(0.9, "absorb")
    der.wait(3)
    assert der.device.state.q_var < 0
    assert der.read("BI29") is True
    assert der.command("AO211", 0.8) is OK  # this machine never charges: kept


def test_the_droop_in_both_units(der):
    assert der.command("AO62", 0.5) is OK
    assert der.command("AO64", 25) is OK
    assert der.command("AO66", -0.1) is OK
    assert der.command("AO73", 3) is OK
    assert der.command("BO16", True) is OK
    droop = acting(der, "opModFreqDroop")
    assert droop == FreqDroop(0.5, pytest.approx(0.1), pytest.approx(0.04), 0.05, 3)
    assert der.read("AI131") == der.read("AI132") == 3
    der.command("AO480", 1000)
    der.command("BO44", True)
    assert acting(der, "opModFreqDroop").k_of == pytest.approx(10000 / 60 / 1000)
    der.command("AO482", 500)
    assert acting(der, "opModFreqDroop").p_min_w == 500
    assert der.command("AO483", 5000) is RANGE  # this machine has no such limit


def test_start_and_stop_with_their_permissions(der):
    assert der.command("BO4", False) is OK
    assert der.command("BO2", True) is BLOCKED
    der.command("BO4", True)
    assert der.command("BO2", True) is OK
    assert (der.read("BI14"), der.read("BI15"), der.read("BI21"), der.read("BI22")) == (
        False,
        True,
        False,
        True,
    )
    assert der.command("BO3", False) is OK
    assert der.command("BO1", True) is BLOCKED
    der.command("BO3", True)
    assert der.command("BO1", True) is OK
    assert der.read("BI21") is True
    assert der.read("BI12") is True
    der.wait(310)
    assert (der.read("BI14"), der.read("BI12")) == (True, False)


def test_a_stop_reverts_after_its_time(der):
    der.command("AO15", 20)
    der.command("BO2", True)
    der.wait(19)
    der.station.timers.run_due()
    assert not der.device.permitted
    der.wait(1)
    der.station.timers.run_due()
    assert der.device.permitted


def test_the_switch_opens_for_a_time(der):
    der.command("AO17", 30)
    assert der.command("BO5", False) is OK
    assert der.read("BI23") is False
    assert not der.device.state.connection.connected
    der.wait(31)
    assert der.read("BI23") is True
    assert acting(der, "opModConnect") is None


def test_the_rules_of_entering_service_are_settings(der):
    der.ask("setESDelay", 33.0, SetpointSource.CSIP_DEFAULT)
    assert der.read("AI54") == 33
    assert der.command("AO10", 17) is OK
    assert der.command("AO8", 60.3) is OK
    assert der.command("AO8", 59) is RANGE
    assert (der.device.settings.setESDelay, der.device.settings.setESHighFreq) == (17, pytest.approx(60.3))
    assert der.read("AI54") == 17


def test_settings_of_the_machine(der):
    assert der.command("AO0", 470) is OK
    assert der.device.settings.setVRef == 470
    assert der.command("AO2", 50) is RANGE
    assert der.command("AO4", 2) is OK
    der.ask("opModFixedVar", FixedVar(50, "setMaxVar"))
    der.wait(3)
    assert der.read("AI545") < 0  # injects
    assert der.command("AO600", 2) is RANGE


def test_a_threshold_raises_its_alarm(der):
    assert der.read("BI94") is False
    assert der.command("AO449", 1000) is OK
    assert der.read("BI94") is True
    assert der.read("AI557") == 1000


def test_points_that_a_machine_does_not_have(der, battery):
    assert der.read("AI48") is None
    assert battery.read("AI48") is not None
    single = OneDer("PV-1Phase")
    assert single.read("AI549") is None
    assert single.read("AI534") == 1


def test_an_error_that_nobody_foresaw_ends_one_command_alone(der, monkeypatch):
    def broken(_value):
        raise ValueError("broken")

    monkeypatch.setattr(der.device.setpoints, "check", lambda *_args: broken(1))
    assert der.command("AO88", 10) is CommandStatus.HARDWARE_ERROR
    assert len(der.unforeseen) == 1


def test_the_last_command_of_a_point_is_kept_with_its_reason(der):
    der.station.master = 4
    der.command("AO88", 40)
    der.command("AO210", 0)
    limit, factor = der.station.last[("AO", 88)], der.station.last[("AO", 210)]
    assert (limit.value, limit.status, limit.reason, limit.master) == (40, OK, "", 4)
    assert factor.status is RANGE
    assert factor.reason == "0 is outside 0.8 to 1"


def test_an_operation_that_is_none_is_answered_and_told(der):
    control = Control(FunctionCode.DIRECT_OPERATE, 0, 12, 1, 17, b"", ControlRelayOutputBlock(0x0B))
    assert der.outstation.operate([control]) == [NOT]
    assert der.station.last[("BO", 17)].status is NOT
    assert acting(der, "opModMaxLimW") is None


def test_a_control_that_is_to_be_repeated_is_refused_and_those_beside_it_are_carried_out(der):
    def switch(index, count):
        command = ControlRelayOutputBlock(int(OperationType.LATCH_ON), count)
        return Control(FunctionCode.DIRECT_OPERATE, 0, 12, 1, index, b"", command)

    controls = [switch(27, 2), switch(17, 1), switch(99, 1)]
    assert der.outstation.select(controls) == [NOT, OK, NOT]
    assert der.outstation.operate(controls) == [NOT, OK, NOT]
    assert acting(der, "opModMaxLimW") == 100
    assert acting(der, "opModFixedVar") is None


@pytest.mark.parametrize("point", ["AO84", "AO85", "BO45"])
def test_what_is_written_below_a_dercontrol_takes_over_nothing_of_it(der, point):
    der.command("AO88", 40)
    der.command("AO510", 4000)
    der.command("BO17", True)
    der.ask("opModMaxLimW", 20.0, SetpointSource.CSIP)
    assert der.command(point, 1 if point == "BO45" else 500) is OK
    assert acting(der, "opModMaxLimW") == 20
    der.ask("opModMaxLimW", None, SetpointSource.CSIP)
    assert acting(der, "opModMaxLimW") == 40


def test_a_dercontrol_does_not_change_what_is_kept_for_the_next_enable(der):
    der.command("AO88", 40)
    der.ask("opModMaxLimW", 60.0, SetpointSource.CSIP)
    assert der.command("AO84", 10) is OK
    der.ask("opModMaxLimW", None, SetpointSource.CSIP)
    assert (der.read("BO17"), der.read("AO88")) == (False, 40)


@pytest.mark.parametrize(
    ("enable", "in_unit", "percent", "own", "mode", "value"),
    [
        ("BO18", "BO46", "AO93", "AO508", "opModFixedW", 50.0),
        ("BO27", "BO47", "AO203", "AO511", "opModFixedVar", FixedVar(50.0, "statVarAvail")),
    ],
)
def test_the_unit_shown_is_that_of_the_dercontrol_in_force(der, enable, in_unit, percent, own, mode, value):
    der.command(own, 2000)
    der.command(in_unit, 1)
    der.command(enable, 1)
    der.ask(mode, value, SetpointSource.CSIP)
    assert (der.read(in_unit), der.read(percent)) == (False, 50)
    der.ask(mode, None, SetpointSource.CSIP)
    assert (der.read(in_unit), der.read(own)) == (True, 2000)


def test_a_set_point_below_a_dercontrol_alone_enables_nothing(der):
    der.ask("opModMaxLimW", 60.0, SetpointSource.CSIP)
    assert der.command("AO88", 10) is OK
    der.ask("opModMaxLimW", None, SetpointSource.CSIP)
    assert (acting(der, "opModMaxLimW"), der.read("BO17"), der.read("AO88")) == (None, False, 10)
    assert der.command("BO17", True) is OK
    assert acting(der, "opModMaxLimW") == 10
