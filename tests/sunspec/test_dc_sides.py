"""The DC sources in registers: 160, 713, 714 and 802."""

import pytest

from dersim.hardware.nameplate import bundled, read_nameplate


def hybrid(make_bench, sun, ac_w=2000):
    bench = make_bench(device_type="HybridDC-3Phase")
    bench.device.inputs.set(irradiance_w_m2=sun)
    bench.write(704, WSetMod=1)
    bench.write(704, WSet=ac_w)
    bench.write(704, WSetEna=1)
    bench.wait(120)
    return bench


def test_each_source_of_a_hybrid_has_a_port_of_its_own(make_bench):
    bench = hybrid(make_bench, 700)
    pv, battery = bench.state.dc_sides
    assert battery.p_w < -3000
    assert bench.read(714, "NPrt") == 2
    for index, (side, kind, name) in enumerate(((pv, 0, "PV"), (battery, 1, "battery"))):
        port = {p: bench.read(714, f"Prt[{index}].{p}") for p in ("PrtTyp", "ID", "IDStr", "DCSta")}
        assert port == {"PrtTyp": kind, "ID": index + 1, "IDStr": name, "DCSta": 1}
        assert bench.read(714, f"Prt[{index}].DCW") == pytest.approx(side.p_w, abs=1)
        assert bench.read(714, f"Prt[{index}].DCV") == pytest.approx(side.v, abs=0.1)
        assert bench.read(714, f"Prt[{index}].DCA") == pytest.approx(side.a, abs=0.01)
        assert bench.read(714, f"Prt[{index}].DCWhInj") == round(side.delivered_wh)
        assert bench.read(714, f"Prt[{index}].DCWhAbs") == round(side.taken_wh)
    assert bench.read(714, "DCW") == pytest.approx(pv.p_w + battery.p_w, abs=1)
    assert bench.read(714, "DCWhInj") == round(pv.delivered_wh + battery.delivered_wh) > 100
    assert bench.read(714, "DCWhAbs") == round(battery.taken_wh) > 100


def test_a_battery_that_the_sun_charges_is_charging_while_the_inverter_exports(make_bench):
    bench = hybrid(make_bench, 700)
    battery = bench.state.battery
    assert bench.read(701, "W") == 2000
    assert bench.read(802, "W") == pytest.approx(battery.p_w, abs=1)
    assert bench.read(802, "A") == pytest.approx(battery.a, abs=0.01)
    assert bench.read(802, "W") < -3000
    assert bench.read(802, "V") == pytest.approx(battery.v, abs=0.1)
    assert bench.read(802, "ChaSt") == 4


def test_the_tracker_shows_the_sun_only(make_bench):
    bench = hybrid(make_bench, 0)
    tracker = {p: bench.read(160, f"module[0].{p}") for p in ("DCW", "DCA", "DCWH", "DCSt")}
    assert tracker == {"DCW": 0, "DCA": 0, "DCWH": round(bench.state.pv.delivered_wh), "DCSt": 2}
    assert bench.read(802, "W") == pytest.approx(2000 / 0.96, abs=1)
    assert bench.read(802, "ChaSt") == 3
    assert bench.read(714, "Prt[0].DCW") == 0
    assert bench.read(714, "Prt[0].DCSta") == 0
    assert bench.read(714, "Prt[1].DCSta") == 1


@pytest.mark.parametrize("kind", ["Batt-3Phase", "HybridDC-3Phase"])
def test_evcc_and_home_assistant_find_the_battery_in_modules_3_and_4(make_bench, kind):
    bench = make_bench(device_type=kind)
    assert bench.read(160, "N") == 4
    for rate, point, charges in ((-50, "OutWRte", True), (-50, "InWRte", False)):
        bench.write(124, StorCtl_Mod=2 if charges else 1)
        bench.write(124, **{point: rate})
        bench.wait(60)
        side = bench.state.battery
        powers = [bench.read(160, f"module[{index}].DCW") for index in (2, 3)]
        assert powers[1] - powers[0] == pytest.approx(side.p_w, abs=1)
        assert powers[not charges] > 4000
        assert powers[charges] == 0
    energies = [bench.read(160, f"module[{index}].DCWH") for index in (2, 3)]
    assert energies == pytest.approx([side.taken_wh, side.delivered_wh], abs=1)
    assert min(energies) > 50
    assert [bench.read(160, f"module[{index}].IDStr") for index in (1, 2, 3)] == [
        "not used",
        "charge",
        "discharge",
    ]


def test_array_and_battery_of_a_stopped_inverter_rest(make_bench):
    bench = hybrid(make_bench, 700)
    assert bench.read(802, "ChaSt") == 4
    bench.write(715, OpCtl=0)
    bench.wait(2)
    soc = bench.state.soc_pct
    assert [bench.read(model, "W") for model in (701, 802)] == [0, 0]
    assert [bench.read(160, f"module[0].{point}") for point in ("DCW", "DCSt")] == [0, 1]
    assert bench.read(802, "ChaSt") == 6
    bench.wait(60)
    assert bench.state.soc_pct == pytest.approx(soc, abs=0.01)
    bench.write(715, OpCtl=1)
    bench.wait(700)
    assert bench.read(802, "ChaSt") == 4


def test_at_night_the_array_is_neither_available_nor_operating_but_the_battery_is(make_bench):
    day, night = hybrid(make_bench, 700), hybrid(make_bench, 0)
    assert [day.read(122, point) for point in ("PVConn", "StorConn")] == [0b111, 0b111]
    assert [night.read(122, point) for point in ("PVConn", "StorConn")] == [0b001, 0b111]


def test_the_tracker_of_a_limited_array_is_throttled(bench):
    assert bench.read(160, "module[0].DCSt") == 4
    bench.write(704, WMaxLimPct=20)
    bench.write(704, WMaxLimPctEna=1)
    bench.wait(30)
    assert bench.read(160, "module[0].DCSt") == 5


def storage(make_bench, ac_w, **points):
    plate = read_nameplate(bundled("15kWh-3Phase"), **points)
    bench = make_bench(device_type="Batt-3Phase", nameplate=plate)
    bench.write(704, WSetMod=1)
    bench.write(704, WSet=ac_w)
    bench.write(704, WSetEna=1)
    return bench


def test_a_charged_battery_is_full_and_holds_and_takes_nothing(make_bench):
    bench = storage(make_bench, -10_000)
    bench.wait(600)
    assert (bench.read(802, "ChaSt"), int(bench.state.storage_mode)) == (4, 0)
    assert bench.read(802, "AChaMax") == pytest.approx(10_000 * 0.96 / bench.read(802, "V"), abs=0.1)
    bench.wait(3600)
    assert (bench.read(802, "ChaSt"), int(bench.state.storage_mode)) == (5, 2)
    assert bench.read(713, "SoC") == pytest.approx(95, abs=0.02)
    assert (bench.read(701, "W"), bench.read(802, "AChaMax")) == (0, 0)
    bench.wait(3600)
    assert (bench.read(802, "ChaSt"), int(bench.state.storage_mode)) == (5, 2)


def test_a_discharged_battery_is_empty_and_holds(make_bench):
    bench = storage(make_bench, 10_000)
    bench.wait(600)
    assert (bench.read(802, "ChaSt"), int(bench.state.storage_mode)) == (3, 1)
    bench.wait(3600)
    assert (bench.read(802, "ChaSt"), int(bench.state.storage_mode)) == (2, 2)
    assert (bench.read(701, "W"), bench.read(802, "ADisChaMax")) == (0, 0)


def test_a_battery_at_rest_below_full_holds(make_bench):
    assert storage(make_bench, 0, **{"713.SoC": 94.8}).read(802, "ChaSt") == 6


def test_a_failed_battery_reports_an_error_and_no_power(make_bench):
    bench = hybrid(make_bench, 700)
    bench.device.fail("broken")
    assert (bench.read(713, "Sta"), bench.read(802, "W"), bench.read(802, "A")) == (2, 0, 0)
    assert [bench.read(714, f"Prt[{k}].DCSta") for k in (0, 1)] == [3, 3]


@pytest.mark.parametrize(("sun", "takes"), [(0, False), (300, True)])
def test_a_battery_that_the_grid_must_not_charge_could_take_what_the_sun_gives(make_bench, sun, takes):
    bench = hybrid(make_bench, sun)
    assert bench.write(124, ChaGriSet=0) == 0
    bench.wait(2)
    pv, battery = bench.state.dc_sides
    assert battery.charge_available_w == pv.available_w
    assert (bench.read(802, "AChaMax") > 0) is takes
