"""707 to 710: the trip that acts is the trip that is shown, and can be moved."""

import pytest

from dersim.hardware.nameplate import bundled, read_nameplate
from dersim.modes import Curve
from dersim.setpoint_sources import SetpointSource
from dersim.setpoints import SetpointChange


def write_set(bench, model, group, pairs, magnitude="V", number=2):
    where = f"Crv[{number - 1}].{group}"
    assert bench.write_points(model, {f"{where}.ActPt": len(pairs)}) == 0
    for index, (value, seconds) in enumerate(pairs):
        point = {f"{where}.Pt[{index}].{magnitude}": value, f"{where}.Pt[{index}].Tms": seconds}
        assert bench.write_points(model, point) == 0


def shown(bench, model, group="MustTrip", magnitude="V"):
    where = f"Crv[0].{group}"
    return [
        (bench.read(model, f"{where}.Pt[{i}].{magnitude}"), bench.read(model, f"{where}.Pt[{i}].Tms"))
        for i in range(bench.read(model, f"{where}.ActPt"))
    ]


def test_set_1_shows_the_category_s_defaults(bench):
    assert shown(bench, 707) == [(50, 2), (50, 21), (88, 21)]
    assert shown(bench, 708) == [(120, 0.16), (120, 13), (110, 13)]
    assert shown(bench, 709, magnitude="Hz") == [(56.5, 0.16), (56.5, 300), (58.5, 300)]
    assert shown(bench, 710, magnitude="Hz") == [(62, 0.16), (62, 300), (61.2, 300)]
    assert [bench.read(m, "Ena") for m in (707, 708, 709, 710)] == [1, 1, 1, 1]


@pytest.mark.parametrize("reverse", [False, True])
def test_a_trip_set_over_modbus_trips_when_it_says(bench, reverse):
    pairs = [(120.0, 0.16), (120.0, 3.0), (105.0, 3.0)]
    write_set(bench, 708, "MustTrip", pairs[::-1] if reverse else pairs)
    assert bench.write(708, AdptCrvReq=2) == 0
    assert bench.read(708, "AdptCrvRslt") == 1
    curve = Curve(((0.16, 120.0), (3.0, 120.0), (3.0, 105.0)), 4)
    assert bench.device.setpoints.value("opModHVRTMustTrip") == curve
    bench.device.inputs.set(voltage_pu=1.07)
    bench.wait(2.9, tick_s=0.1)
    assert bench.read(701, "ConnSt") == 1
    bench.wait(0.2, tick_s=0.1)
    assert (bench.read(701, "ConnSt"), bench.read(701, "W"), bench.read(701, "InvSt")) == (0, 0, 6)
    assert int(bench.read(701, "Alrm")) & 1 << 10  # AC_OVER_VOLT
    assert int(bench.read(701, "Alrm")) & 1 << 4  # GRID_DISCONNECT


def test_a_curve_that_makes_no_sense_fails_and_the_old_one_stays(bench):
    write_set(bench, 707, "MustTrip", [(88.0, 2.0), (50.0, 21.0)])  # the longer, the deeper: impossible
    assert bench.write(707, AdptCrvReq=2) == 0
    assert bench.read(707, "AdptCrvRslt") == 2
    assert shown(bench, 707) == [(50, 2), (50, 21), (88, 21)]
    assert bench.device.setpoints.value("opModLVRTMustTrip") is None


def test_disabled_nothing_trips_and_enabled_the_set_acts_again(bench):
    bench.write(703, ESDlyTms=1, ESRndTms=0, ESRmpTms=0)
    write_set(bench, 708, "MustTrip", [(120.0, 0.16), (120.0, 3.0), (105.0, 3.0)])
    bench.write(708, AdptCrvReq=2)
    assert bench.write(708, Ena=0) == 0
    assert bench.read(708, "Ena") == 0
    bench.device.inputs.set(voltage_pu=1.3)
    bench.wait(30)
    assert bench.read(701, "ConnSt") == 1
    assert bench.write(708, Ena=1) == 0
    bench.wait(5)
    assert bench.read(701, "ConnSt") == 0
    assert (bench.read(708, "Ena"), shown(bench, 708)) == (1, [(120, 0.16), (120, 3), (105, 3)])


def test_may_trip_and_momentary_cessation(bench):
    write_set(bench, 707, "MayTrip", [(50.0, 1.0), (70.0, 10.0)])
    write_set(bench, 707, "MomCess", [(60.0, 0.0), (60.0, 10.0)])
    bench.write(707, AdptCrvReq=2)
    assert bench.read(707, "AdptCrvRslt") == 1, bench.logged()
    modes = bench.device.setpoints.values()
    assert modes["opModLVRTMayTrip"].points == ((1, 50), (10, 70))
    assert "opModLVRTMomentaryCessation" in modes
    bench.device.inputs.set(voltage_pu=0.55)
    bench.wait(0.5, tick_s=0.1)
    assert bench.read(701, "W") == 0
    bench.device.inputs.set(voltage_pu=1.0)
    bench.wait(2)
    assert bench.read(701, "W") == 7005
    assert shown(bench, 707, "MayTrip") == [(50, 1), (70, 10)]


def test_frequency_has_no_momentary_cessation(bench):
    write_set(bench, 709, "MomCess", [(57.0, 1.0)], magnitude="Hz")
    bench.write(709, AdptCrvReq=2)
    assert bench.read(709, "AdptCrvRslt") == 2


def test_a_trip_of_a_dercontrol_is_what_set_1_shows(bench):
    curve = Curve(((0.5, 63.0), (100.0, 63.0), (100.0, 61.0)), 0)
    bench.device.setpoints.submit(SetpointChange(SetpointSource.CSIP, "opModHFRTMustTrip", curve, "C1"))
    assert shown(bench, 710, magnitude="Hz") == [(63, 0.5), (63, 100), (61, 100)]


def power_at(bench, voltage_pu):
    bench.device.inputs.set(voltage_pu=voltage_pu)
    bench.wait(0.5, tick_s=0.1)
    power = bench.read(701, "W")
    bench.device.inputs.set(voltage_pu=1.0)
    bench.wait(0.5, tick_s=0.1)
    return power


@pytest.mark.parametrize(
    ("model", "threshold", "seconds", "voltage_pu"), [(707, 50.0, 1.0, 0.45), (708, 110.0, 12.0, 1.12)]
)
def test_the_cessation_that_acts_is_shown_and_can_be_ended(bench, model, threshold, seconds, voltage_pu):
    assert shown(bench, model, "MomCess") == [(threshold, 0), (threshold, seconds)]
    assert power_at(bench, voltage_pu) == 0
    write_set(bench, model, "MustTrip", shown(bench, model))
    assert bench.write_points(model, {"Crv[1].MomCess.ActPt": 0}) == 0
    assert bench.write(model, AdptCrvReq=2) == 0
    assert bench.read(model, "AdptCrvRslt") == 1
    assert shown(bench, model, "MomCess") == []
    assert power_at(bench, voltage_pu) > 0


@pytest.mark.parametrize(("model", "voltage_pu"), [(707, 0.45), (708, 1.12)])
def test_disabled_nothing_ceases(bench, model, voltage_pu):
    assert bench.write(model, Ena=0) == 0
    assert bench.read(model, "Ena") == 0
    assert power_at(bench, voltage_pu) > 0
    assert bench.write(model, Ena=1) == 0
    assert power_at(bench, voltage_pu) == 0


def test_a_cessation_of_ones_own_moves_the_threshold(bench):
    write_set(bench, 707, "MustTrip", shown(bench, 707))
    write_set(bench, 707, "MomCess", [(60.0, 0.0), (60.0, 1.0)])
    assert bench.write(707, AdptCrvReq=2) == 0
    assert power_at(bench, 0.59) == 0
    assert power_at(bench, 0.61) > 0


def test_category_ii_ceases_only_if_told(make_bench):
    plate = read_nameplate(bundled("10kW-3Phase"), **{"702.AbnOpCatRtg": 1})
    bench = make_bench(nameplate=plate)
    assert shown(bench, 707, "MomCess") == []
    assert power_at(bench, 0.46) > 0


@pytest.mark.parametrize("source", [SetpointSource.CSIP, SetpointSource.REST])
def test_a_trip_of_another_source_is_enabled_though_it_was_disabled_here(bench, source):
    curve = Curve(((1.0, 50.0), (2.0, 70.0)), 4)
    assert bench.write(707, Ena=0) == 0
    bench.device.setpoints.submit(SetpointChange(source, "opModLVRTMustTrip", curve))
    assert (bench.read(707, "Ena"), bench.read(707, "Crv[0].MustTrip.Pt[1].V")) == (1, 70)
    assert bench.write(707, Ena=1) == 0
    bench.device.setpoints.submit(SetpointChange(source, "opModLVRTMustTrip", None))
    assert bench.read(707, "Ena") == 1
    assert bench.device.setpoints.value("opModLVRTMustTrip").points[-1][1] > 0


def test_a_trip_disabled_by_another_source_is_shown_and_can_be_enabled(bench):
    never = Curve(((3600.0, 0.0),), 4)
    for mode in ("opModLVRTMustTrip", "opModLVRTMomentaryCessation"):
        if mode in bench.device.setpoints.supported_modes:
            bench.device.setpoints.submit(SetpointChange(SetpointSource.REST, mode, never))
    assert bench.read(707, "Ena") == 0
    assert bench.write(707, Ena=1) == 0
    assert bench.read(707, "Ena") == 1


@pytest.mark.parametrize(("model", "hz"), [(709, 31.0), (710, 89.0)])
def test_a_disabled_trip_never_comes_at_any_frequency_of_the_grid(bench, model, hz):
    bench.write(model, Ena=0)
    bench.device.inputs.set(frequency_hz=hz)
    bench.wait(7200, tick_s=60)
    assert not bench.state.tripped
