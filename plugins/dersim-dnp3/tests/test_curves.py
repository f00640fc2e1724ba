"""Curves by selector: staged, taken over whole, locked while they are used, and shown whoever asked."""

from __future__ import annotations

import pytest
from one_der import OneDer
from py1815.control import CommandStatus

from dersim.plugin import Curve, SetpointSource

OK, RANGE, NOT, INHIBIT = (
    CommandStatus.SUCCESS,
    CommandStatus.OUT_OF_RANGE,
    CommandStatus.NOT_SUPPORTED,
    CommandStatus.AUTOMATION_INHIBIT,
)
VOLT_VAR = {"kind": 2, "units": (129, 4), "points": ((920, 440), (980, 0), (1020, 0), (1080, -440))}
STEEP = {**VOLT_VAR, "points": ((950, 440), (990, 0), (1010, 0), (1050, -440))}
VOLT_WATT = {"kind": 5, "units": (129, 5), "points": ((1000, 1000), (1060, 1000), (1100, 200))}
HV_TRIP = {"kind": 9, "units": (4, 8), "points": ((160, 1200), (13_000, 1200), (13_000, 1100))}


@pytest.fixture
def der():
    return OneDer()


def define(der, number, *, kind, units, points, count=None):
    """Write a curve, its number of points last."""
    statuses = [der.command("AO244", number), der.command("AO245", kind)]
    statuses += [der.command("AO247", units[0]), der.command("AO248", units[1])]
    for place, (x, y) in enumerate(points):
        statuses += [der.command(f"AO{249 + 2 * place}", x), der.command(f"AO{250 + 2 * place}", y)]
    statuses.append(der.command("AO246", len(points) if count is None else count))
    return set(statuses)


def acting(der, mode="opModVoltVar"):
    return der.device.setpoints.value(mode)


def test_a_written_curve_acts_once_its_function_is_switched_on(der):
    assert define(der, 3, **VOLT_VAR) == {OK}
    assert der.command("AO217", 3) is OK
    assert der.command("AO218", 2) is OK
    assert acting(der) is None
    assert der.command("BO29", True) is OK
    assert acting(der) == Curve(((92, 44), (98, 0), (102, 0), (108, -44)), 8, 2.0)
    der.device.inputs.set(voltage_pu=1.08)
    der.wait(20)
    assert der.device.state.q_var == pytest.approx(-4400, rel=0.01)
    assert (der.read("BI81"), der.read("AI297"), der.read("AI298"), der.read("AI299")) == (True, 3, 2, 2)
    assert der.command("BO29", False) is OK
    assert acting(der) is None
    der.wait(20)
    assert der.device.state.q_var == pytest.approx(0, abs=1)


def test_a_curve_in_use_is_locked_and_another_may_be_written_and_taken_over(der):
    define(der, 1, **VOLT_VAR)
    der.command("AO217", 1)
    der.command("BO29", True)
    before = acting(der)
    for point in ("AO245", "AO246", "AO247", "AO248", "AO249", "AO250"):
        assert der.command(point, 1) is INHIBIT
    assert der.read("AO249") == 920
    assert define(der, 2, **STEEP) == {OK}
    assert acting(der) == before
    assert der.command("AO217", 2) is OK
    assert acting(der).points[0] == (95, 44)
    der.command("AO244", 1)
    assert der.command("AO249", 910) is OK  # the one that was left
    assert acting(der).points[0] == (95, 44)
    der.command("BO29", False)
    der.command("AO244", 2)
    assert der.command("AO249", 940) is OK


def test_no_half_curve_acts(der):
    define(der, 1, **VOLT_VAR)
    der.command("AO217", 1)
    der.command("BO29", True)
    before = acting(der)
    assert define(der, 2, **{**STEEP, "count": 0}) == {OK}
    assert der.command("AO217", 2) is RANGE
    assert (acting(der), der.read("AI297")) == (before, 1)
    der.command("BO29", False)
    assert der.command("AO217", 2) is OK  # it need not be whole while the function is off
    assert der.command("BO29", True) is RANGE
    assert acting(der) is None
    der.command("AO246", 4)
    assert der.command("BO29", True) is OK
    assert acting(der).points[0] == (95, 44)


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"units": (29, 4)}, NOT),
        ({"units": (129, 7)}, NOT),
        ({"points": ((980, 0), (920, 440))}, RANGE),  # x goes down
        ({"points": ((920, 1440), (980, 0))}, RANGE),
    ],
)
def test_a_curve_that_the_machine_does_not_follow_is_refused_when_it_would_act(der, change, status):
    assert define(der, 1, **{**VOLT_VAR, **change}) == {OK}
    assert der.command("AO217", 1) is OK
    assert der.command("BO29", True) is status
    assert acting(der) is None


def test_curves_that_are_not_there_or_of_another_type_cannot_be_named(der):
    assert der.command("AO244", 0) is RANGE
    assert der.command("AO244", 400) is RANGE
    assert der.command("AO217", 400) is RANGE
    assert der.command("AO217", 5) is NOT  # not defined
    define(der, 5, **VOLT_WATT)
    assert der.command("AO217", 5) is NOT
    assert der.command("AO173", 5) is OK
    assert der.command("AO245", 2) is NOT  # named by a function of another type
    assert der.command("AO173", 0) is OK
    assert der.command("AO245", 2) is OK
    assert der.command("AO246", 11) is RANGE


def test_the_indicator_tells_of_the_curve_that_is_shown(der):
    define(der, 1, **VOLT_VAR)
    assert der.read("BI107") is False
    der.command("AO217", 1)
    assert der.read("BI107") is True
    der.command("AO244", 2)
    assert (der.read("BI107"), der.read("AI328"), der.read("AI329")) == (False, 2, 0)


def test_number_0_is_the_function_s_own_points_at_first_those_of_1547(der):
    assert der.command("BO29", True) is OK
    assert acting(der) == Curve(((92, 44), (98, 0), (102, 0), (108, -44)), 8, 5)
    assert der.command("AO485", 30) is OK
    assert acting(der).points[0] == (92, 30)
    assert der.read("AI595") == 30
    assert der.command("AO484", 99) is OK  # above the second: kept until it is a curve again
    assert (acting(der).points[0], der.read("AO484")) == ((92, 30), 99)
    assert der.read("AI297") > 10
    assert der.command("AO484", 95) is OK
    assert (acting(der).points[0], der.read("AI297")) == ((95, 30), 0)
    assert der.command("BO25", True) is OK
    assert acting(der, "opModVoltWatt").points == ((106, 100), (110, 20))


def test_another_protocol_s_curve_is_shown_under_a_number_of_its_own_and_cannot_be_written(der):
    define(der, 1, **VOLT_VAR)
    der.command("AO217", 1)
    der.command("BO29", True)
    ours = acting(der)
    event = Curve(((90, 30), (100, 0), (110, -30)), 2, 7.0)
    der.ask("opModVoltVar", event, SetpointSource.CSIP)
    number = der.read("AI297")
    assert number > 10
    assert der.read("AI298") == 7
    assert der.command("AO244", number) is OK
    assert [der.read(f"AI{index}") for index in range(329, 335)] == [2, 3, 129, 2, 900, 300]
    assert der.read("BI107") is True
    assert der.command("AO249", 1) is INHIBIT
    assert der.command("AO217", number) is NOT
    der.ask("opModVoltVar", None, SetpointSource.CSIP)
    assert (acting(der), der.read("AI297")) == (ours, 1)
    assert der.read("AI329") == 0


def test_a_curve_of_modbus_is_the_function_s_and_ends_with_its_enable(der):
    der.ask("opModVoltVar", Curve(((90, 30), (110, -30)), 2))
    assert der.read("BI81") is True
    assert der.command("AO218", 4) is OK  # taken over, with another response time
    [item] = [each for each in der.device.setpoints.in_force() if each.mode == "opModVoltVar"]
    assert (item.source.label, item.value.points, item.value.open_loop_s) == (
        "dnp3",
        ((90, 30), (110, -30)),
        4,
    )
    assert der.command("BO29", False) is OK
    assert acting(der) is None
    assert der.command("BO29", True) is OK
    assert acting(der).points[0] == (92, 44)


def test_the_reference_voltage_follows_where_it_is_told_to(der):
    der.command("BO41", True)
    der.command("AO220", 600)
    der.command("BO29", True)
    assert (acting(der).autonomous_v_ref, acting(der).autonomous_v_ref_s) == (True, 600)
    assert der.read("BI93") is True


def test_a_curve_reverts_after_its_time(der):
    der.command("AO215", 30)
    der.command("BO29", True)
    der.wait(29)
    assert der.read("BI81") is True
    der.wait(2)
    assert der.read("BI81") is False


def test_trips_act_by_default_take_a_curve_and_can_be_switched_off(der):
    assert (der.read("BI64"), der.read("AI73"), der.read("BI65")) == (True, 0, True)
    define(der, 1, **HV_TRIP)
    assert der.command("AO23", 1) is OK
    assert acting(der, "opModHVRTMustTrip").points == ((0.16, 120), (13, 120), (13, 110))
    assert der.read("AI73") == 1
    assert der.command("BO12", False) is OK
    assert (der.read("BI64"), der.read("BI65")) == (False, True)
    der.device.inputs.set(voltage_pu=1.25)
    der.wait(3)
    assert not der.device.state.tripped
    assert der.command("BO12", True) is OK
    der.wait(1)
    assert der.device.state.tripped
    assert der.command("AO24", 1) is NOT


def test_number_0_of_a_trip_is_the_default_again(der):
    define(der, 1, **HV_TRIP)
    der.command("AO23", 1)
    assert der.command("AO23", 0) is OK
    assert acting(der, "opModHVRTMustTrip") is None
    assert der.command("BO12", False) is OK
    assert der.command("BO12", True) is OK
    assert acting(der, "opModHVRTMustTrip") is None


def test_a_frequency_trip_is_in_hundredths_of_a_hertz(der):
    define(der, 4, kind=15, units=(4, 33), points=((160, 5650), (300_000, 5650), (300_000, 5850)))
    assert der.command("AO29", 4) is OK
    assert acting(der, "opModLFRTMustTrip").points == ((0.16, 56.5), (300, 56.5), (300, 58.5))


def test_another_protocol_s_trip_is_shown(der):
    der.ask("opModLVRTMustTrip", Curve(((0.2, 40.0), (3.0, 40.0), (3.0, 80.0)), 4))
    number = der.read("AI74")
    assert number > 10
    der.command("AO244", number)
    assert [der.read(f"AI{index}") for index in range(329, 335)] == [11, 3, 4, 8, 200, 400]
