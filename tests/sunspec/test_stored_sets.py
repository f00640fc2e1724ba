"""705, 706, 711, 712: written at leisure, adopted at once, checked then."""

import pytest

from dersim.modes import Curve, FreqDroop
from dersim.setpoint_sources import SetpointSource
from dersim.setpoints import SetpointChange


def write_curve(bench, model, number, names, points, **more):
    """A set as a tool writes it: its head and every point."""
    group = f"Crv[{number - 1}]"
    assert bench.write_points(model, {f"{group}.ActPt": len(points)}) == 0
    for name, value in more.items():
        assert bench.write_points(model, {f"{group}.{name}": value}) == 0
    for index, pair in enumerate(points):
        values = {f"{group}.Pt[{index}].{name}": value for name, value in zip(names, pair, strict=True)}
        assert bench.write_points(model, values) == 0


def set_of(bench, model, number, names):
    group = f"Crv[{number - 1}]"
    count = bench.read(model, f"{group}.ActPt")
    return [tuple(bench.read(model, f"{group}.Pt[{i}].{n}") for n in names) for i in range(count)]


VV = ("V", "Var")
POINTS = [(92.0, 100.0), (98.0, 50.0), (102.0, 50.0), (108.0, -100.0)]


def test_set_1_shows_1547s_default_before_anything(bench):
    assert set_of(bench, 705, 1, VV) == [(92, 44), (98, 0), (102, 0), (108, -44)]
    assert bench.read(705, "Crv[0].DeptRef") == 3
    assert bench.read(705, "Crv[0].RspTms") == 5
    assert set_of(bench, 706, 1, ("V", "W")) == [(106, 100), (110, 20)]
    assert set_of(bench, 712, 1, ("W", "Var")) == [(20, 0), (50, 0), (100, -44)]
    assert (bench.read(711, "Ctl[0].DbOf"), bench.read(711, "Ctl[0].KOf")) == (0.036, 0.05)
    assert [bench.read(m, "Ena") for m in (705, 706, 711, 712)] == [0, 0, 0, 0]


def test_a_curve_is_adopted_and_acts(bench):
    write_curve(bench, 705, 2, VV, POINTS, DeptRef=1, RspTms=1)
    assert bench.write(705, Ena=1) == 0
    assert bench.write(705, AdptCrvReq=2) == 0
    assert (bench.read(705, "AdptCrvReq"), bench.read(705, "AdptCrvRslt")) == (2, 1)
    assert set_of(bench, 705, 1, VV) == POINTS
    bench.wait(10)
    assert bench.read(701, "Var") == pytest.approx(2200, abs=5)
    value = bench.device.setpoints.value("opModVoltVar")
    assert value == Curve(tuple(POINTS), 2, open_loop_s=1)


def test_adopting_while_disabled_waits_for_enable(bench):
    write_curve(bench, 705, 3, VV, POINTS, DeptRef=1)
    bench.write(705, AdptCrvReq=3)
    assert bench.device.setpoints.value("opModVoltVar") is None
    assert set_of(bench, 705, 1, VV) == POINTS
    bench.write(705, Ena=1)
    assert bench.device.setpoints.value("opModVoltVar").points == tuple(POINTS)
    bench.write(705, Ena=0)
    assert bench.device.setpoints.value("opModVoltVar") is None


@pytest.mark.parametrize(
    "nonsense",
    [
        [(98.0, 0.0), (92.0, 44.0)],  # voltage falls
        [(92.0, 300.0), (108.0, 0.0)],  # more than 100 %
        [(300.0, 0.0)],  # beyond any voltage
    ],
)
def test_nonsense_may_be_written_but_not_adopted(bench, nonsense):
    write_curve(bench, 705, 2, VV, POINTS, DeptRef=1)
    bench.write(705, Ena=1)
    bench.write(705, AdptCrvReq=2)
    in_force = bench.device.setpoints.value("opModVoltVar")
    write_curve(bench, 705, 3, VV, nonsense)
    assert bench.write(705, AdptCrvReq=3) == 0
    assert bench.read(705, "AdptCrvRslt") == 2
    assert set_of(bench, 705, 1, VV) == POINTS
    assert bench.device.setpoints.value("opModVoltVar") == in_force
    assert "set 3 cannot be adopted" in bench.logged()[-1]
    assert bench.write(705, AdptCrvReq=2) == 0
    assert bench.read(705, "AdptCrvRslt") == 1


@pytest.mark.parametrize("count", [0, 11])
def test_a_count_of_points_that_cannot_be_fails_at_adoption(bench, count):
    assert bench.write_points(705, {"Crv[1].ActPt": count}) == 0
    assert bench.write(705, AdptCrvReq=2) == 0
    assert bench.read(705, "AdptCrvRslt") == 2


def test_what_cannot_be_written(bench):
    for values, code in (
        ({"Crv[0].ActPt": 2}, 2),
        ({"Crv[0].Pt[0].V": 90, "Crv[0].Pt[0].Var": 1}, 2),
        ({"Crv[1].ReadOnly": 1}, 2),
        ({"NPt": 4}, 2),
        ({"AdptCrvRslt": 1}, 2),
        ({"Crv[1].VRefAuto": 100}, 2),
        ({"AdptCrvReq": 0}, 3),
        ({"AdptCrvReq": 4}, 3),
        ({"RvrtCrv": 4}, 3),
        ({"Ena": 2}, 3),
        ({"Crv[1].DeptRef": 4}, 3),
    ):
        before = bench.unit.block(705).data()
        assert bench.write_points(705, values) == code, values
        assert bench.unit.block(705).data() == before


def test_a_write_that_reaches_into_set_1_changes_nothing(bench):
    """Ena to RvrtCrv are RW and not; a range with one read-only register is refused as a whole."""
    _, _, address = bench.at(705, "Ena")
    request = bytes.fromhex(f"10{address:04x}000306000100020001")
    assert bench.service.answer(request) == b"\x90\x02"
    assert bench.read(705, "Ena") == 0


def test_a_set_and_enable_and_adoption_in_one_write_of_many(bench):
    values = {"ActPt": 2, "DeptRef": 0, "RspTms": 10}
    assert bench.write_points(706, {f"Crv[1].{k}": v for k, v in values.items()}) == 0
    where = "Crv[1].Pt"
    points = {f"{where}[0].V": 103, f"{where}[0].W": 100, f"{where}[1].V": 106, f"{where}[1].W": 0}
    assert bench.write_points(706, points) == 0
    assert bench.write(706, Ena=1, AdptCrvReq=2) == 0
    bench.device.inputs.set(voltage_pu=1.045)
    bench.wait(60)
    assert bench.read(701, "W") == 5000  # half way from 100 % to 0


def test_a_curve_of_a_derccontrol_is_what_set_1_shows(bench):
    curve = Curve(((95.0, 30.0), (105.0, -30.0)), 2, open_loop_s=2.0)
    bench.device.setpoints.submit(SetpointChange(SetpointSource.CSIP, "opModVoltVar", curve, "C1"))
    assert bench.read(705, "Ena") == 1
    assert set_of(bench, 705, 1, VV) == [(95, 30), (105, -30)]
    assert (bench.read(705, "Crv[0].DeptRef"), bench.read(705, "Crv[0].RspTms")) == (1, 2)
    bench.device.setpoints.submit(SetpointChange(SetpointSource.CSIP, "opModVoltVar", None, "C1"))
    assert bench.read(705, "Ena") == 0


def test_reversion_to_another_set_and_to_nothing(bench):
    write_curve(bench, 705, 2, VV, POINTS, DeptRef=1)
    write_curve(bench, 705, 3, VV, [(95.0, 10.0), (105.0, -10.0)], DeptRef=1)
    bench.write(705, RvrtTms=30)
    bench.write(705, RvrtCrv=3)
    bench.write(705, Ena=1, AdptCrvReq=2)
    bench.wait(10)
    assert bench.read(705, "RvrtRem") == 20
    bench.wait(21)
    assert set_of(bench, 705, 1, VV) == [(95, 10), (105, -10)]
    assert bench.device.setpoints.value("opModVoltVar").points == ((95, 10), (105, -10))
    assert bench.read(705, "RvrtRem") == 0
    bench.write(705, RvrtCrv=0)
    bench.write(705, AdptCrvReq=2)
    bench.wait(31)
    assert (bench.read(705, "Ena"), bench.device.setpoints.value("opModVoltVar")) == (0, None)


def test_watt_var_with_three_points_all_zero(bench):
    """The JSON: IEEE 1547 implementations must allow 0 values."""
    write_curve(bench, 712, 2, ("W", "Var"), [(0.0, 0.0)] * 3, DeptRef=1)
    bench.write(712, Ena=1, AdptCrvReq=2)
    assert bench.read(712, "AdptCrvRslt") == 1
    bench.wait(5)
    assert bench.read(701, "Var") == 0


def test_autonomous_reference_voltage(bench):
    write_curve(bench, 705, 2, VV, POINTS, VRefAutoEna=1, VRefAutoTms=600, DeptRef=1)
    bench.write(705, Ena=1, AdptCrvReq=2)
    value = bench.device.setpoints.value("opModVoltVar")
    assert (value.autonomous_v_ref, value.autonomous_v_ref_s) == (True, 600)


@pytest.mark.parametrize(("written", "meant"), [(0, None), (100, None), (98, 98)])
def test_a_reference_voltage_of_0_is_the_nominal_one(bench, written, meant):
    write_curve(bench, 705, 2, VV, POINTS, VRef=written, DeptRef=1)
    bench.write(705, Ena=1, AdptCrvReq=2)
    assert bench.device.setpoints.value("opModVoltVar").v_ref == meant


def test_droop_is_adopted_and_answers_frequency(bench):
    assert bench.write_points(711, {"Ctl[1].DbOf": 0.1, "Ctl[1].DbUf": 0.1}) == 0
    assert bench.write_points(711, {"Ctl[1].KOf": 0.05, "Ctl[1].KUf": 0.05, "Ctl[1].RspTms": 0.5}) == 0
    assert bench.write(711, Ena=1, AdptCtlReq=2) == 0
    assert bench.read(711, "AdptCtlRslt") == 1
    assert bench.device.setpoints.value("opModFreqDroop") == FreqDroop(0.1, 0.1, 0.05, 0.05, 0.5, 0.0)
    bench.device.inputs.set(frequency_hz=60.7)
    bench.wait(10)
    # 0.6 Hz beyond the dead-band over 60 Hz * 0.05 is a fifth of 10 kW.
    assert bench.read(701, "W") == pytest.approx(7005 - 2000, abs=5)
    assert bench.write_points(711, {"Ctl[2].KOf": 0}) == 0
    bench.write(711, AdptCtlReq=3)
    assert bench.read(711, "AdptCtlRslt") == 2


@pytest.mark.parametrize("enabled_before", [False, True])
def test_a_curve_that_is_not_enabled_has_no_running_reversion(bench, enabled_before):
    bench.write(705, RvrtTms=60)
    bench.write(705, RvrtCrv=2)
    if enabled_before:
        bench.write(705, Ena=1)
        assert bench.read(705, "RvrtRem") == 60
        bench.write(705, Ena=0)
    assert bench.read(705, "RvrtRem") == 0
    bench.wait(100)
    assert bench.read(705, "Ena") == 0


def test_a_set_is_written_before_it_is_adopted_whatever_the_order_of_the_points(bench):
    points = [{}, {"ActPt": 2, "Pt": [{"V": 95, "Var": 30}, {"V": 105, "Var": -30}]}]
    bench.server.apply_points(705, {"AdptCrvReq": 2, "Ena": 1, "Crv": points})
    assert bench.device.setpoints.value("opModVoltVar").points == ((95, 30), (105, -30))


def test_the_lowest_power_of_the_droop_is_the_setting_of_charging(make_bench):
    bench = make_bench(device_type="Batt")
    droop = FreqDroop(0.036, 0.036, 0.05, 0.05, 5.0)
    bench.device.setpoints.submit(SetpointChange(SetpointSource.CSIP, "opModFreqDroop", droop))
    assert bench.read(711, "Ctl[0].PMin") == -100
    bench.device.settings.update({"setMaxChargeRateW": 2000.0})
    assert bench.read(711, "Ctl[0].PMin") == -20


def by_source(bench, mode):
    return {item.mode: item.source for item in bench.device.setpoints.in_force()}.get(mode)


def default_curve(bench, mode, points, y_ref_type=8):
    change = SetpointChange(SetpointSource.CSIP_DEFAULT, mode, Curve(points, y_ref_type, 5.0), "D1")
    (outcome,) = bench.device.setpoints.submit(change)
    assert outcome.reason == ""


@pytest.mark.parametrize(
    ("model", "mode", "names", "default", "own"),
    [
        (705, "opModVoltVar", VV, ((90, 30), (98, 0), (102, 0), (110, -30)), POINTS),
        (706, "opModVoltWatt", ("V", "W"), ((105, 100), (110, 0)), [(106.0, 100.0), (109.0, 10.0)]),
        (712, "opModWattVar", ("W", "Var"), ((20, 0), (60, 0), (100, -30)), [(20.0, 0.0), (100.0, -40.0)]),
    ],
)
def test_a_curve_adopted_over_a_default_control_acts(bench, model, mode, names, default, own):
    default_curve(bench, mode, default, 1 if model == 706 else 8)
    assert (bench.read(model, "Ena"), set_of(bench, model, 1, names)) == (1, list(default))
    write_curve(bench, model, 2, names, own, DeptRef=0 if model == 706 else 1)
    assert bench.write(model, AdptCrvReq=2) == 0
    assert bench.read(model, "AdptCrvRslt") == 1
    assert set_of(bench, model, 1, names) == own
    assert bench.device.setpoints.value(mode).points == tuple(own)
    assert by_source(bench, mode) is SetpointSource.MODBUS
    assert bench.write(model, Ena=0) == 0
    assert (bench.read(model, "Ena"), set_of(bench, model, 1, names)) == (1, list(default))
    assert by_source(bench, mode) is SetpointSource.CSIP_DEFAULT


def test_an_adopted_curve_is_in_progress_while_an_event_overrides_it(bench):
    event = Curve(((90, 30), (98, 0), (102, 0), (110, -30)), 8, 5.0)
    write_curve(bench, 705, 2, VV, POINTS, DeptRef=1)
    bench.device.setpoints.submit(SetpointChange(SetpointSource.CSIP, "opModVoltVar", event, "C1"))
    assert bench.write(705, AdptCrvReq=2) == 0
    assert (bench.read(705, "AdptCrvRslt"), set_of(bench, 705, 1, VV)) == (0, list(event.points))
    bench.device.setpoints.submit(SetpointChange(SetpointSource.CSIP, "opModVoltVar", None, "C1"))
    assert (bench.read(705, "AdptCrvRslt"), set_of(bench, 705, 1, VV)) == (1, POINTS)
    assert bench.device.setpoints.value("opModVoltVar").points == tuple(POINTS)


def test_set_1_is_adopted_as_it_is_shown(bench):
    default_curve(bench, "opModVoltVar", ((90, 30), (98, 0), (102, 0), (110, -30)))
    assert bench.write(705, AdptCrvReq=1) == 0
    assert bench.device.setpoints.value("opModVoltVar").points[0] == (90, 30)
    assert bench.write(705, Ena=1) == 0
    assert by_source(bench, "opModVoltVar") is SetpointSource.MODBUS
    assert bench.device.setpoints.value("opModVoltVar").points[0] == (90, 30)


def test_request_0_of_the_droop_is_no_active_control(bench):
    assert (bench.read(711, "AdptCtlReq"), bench.read(711, "Ena")) == (0, 0)
    assert bench.write(711, Ena=1) == 0
    assert bench.read(711, "AdptCtlReq") == 1
    assert bench.write(711, AdptCtlReq=2) == 0
    assert (bench.read(711, "AdptCtlReq"), bench.read(711, "AdptCtlRslt")) == (2, 1)
    assert bench.device.setpoints.value("opModFreqDroop") is not None
    assert bench.write(711, AdptCtlReq=0) == 0
    assert (bench.read(711, "AdptCtlReq"), bench.read(711, "Ena")) == (0, 0)
    assert bench.device.setpoints.value("opModFreqDroop") is None
    assert bench.write(705, AdptCrvReq=0) == 3
