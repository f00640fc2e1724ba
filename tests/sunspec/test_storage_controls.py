"""124: the registers by which evcc, Home Assistant and Fronius tools steer a battery."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dersim.setpoint_sources import SetpointSource
from dersim.setpoints import SetpointChange

BATTERIES = ["Batt-3Phase", "Batt-1Phase", "HybridDC-3Phase"]


@pytest.fixture
def bench(make_bench):
    return make_bench(device_type="Batt")


def battery_w(bench):
    return round(bench.state.battery.ac_w)


def in_force(bench):
    return {item.mode: (item.value, item.source.label) for item in bench.device.setpoints.in_force()}


def shown(bench, *names):
    return tuple(bench.read(124, name) for name in names)


@pytest.mark.parametrize("kind", BATTERIES)
def test_a_battery_at_first(make_bench, kind):
    bench = make_bench(device_type=kind)
    plate = bench.device.nameplate
    assert shown(bench, "WChaMax", "VAChaMax") == (plate.rtgMaxChargeRateW, plate.rtgMaxChargeRateVA)
    assert shown(bench, "StorCtl_Mod", "InWRte", "OutWRte", "ChaGriSet", "ChaSt") == (0, 100, 100, 1, 6)
    assert shown(bench, "ChaState", "MinRsvPct") == (plate.soc_pct, plate.soc_min_pct)
    stored_ah = (plate.soc_pct - plate.soc_min_pct) / 100 * plate.rtgMaxWh / plate.pv_v
    assert bench.read(124, "StorAval") == pytest.approx(stored_ah, abs=0.01)
    assert bench.read(124, "InBatV") == pytest.approx(plate.pv_v)
    timers = shown(bench, "InOutWRte_WinTms", "InOutWRte_RvrtTms", "InOutWRte_RmpTms")
    assert timers == (0, 0, 0)


def test_only_devices_with_a_battery_have_it(make_bench):
    assert 124 not in [block.model_id for block in make_bench().unit.blocks]


def test_a_rate_acts_only_while_its_bit_is_set(bench):
    assert bench.write(124, OutWRte=-40) == 0
    bench.wait(3)
    assert (battery_w(bench), bench.read(124, "OutWRte"), "OutWRte" in in_force(bench)) == (0, -40, False)
    assert bench.write(124, StorCtl_Mod=1) == 0
    bench.wait(3)
    assert battery_w(bench) == 0
    assert bench.write(124, StorCtl_Mod=2) == 0
    bench.wait(3)
    assert (battery_w(bench), bench.read(124, "ChaSt"), bench.read(103, "W")) == (-4_000, 4, -4_000)
    assert in_force(bench)["OutWRte"] == (-40, "modbus")
    assert bench.write(124, StorCtl_Mod=0) == 0
    bench.wait(3)
    assert (battery_w(bench), shown(bench, "StorCtl_Mod", "OutWRte")) == (0, (0, -40))


@pytest.mark.parametrize("kind", BATTERIES)
@pytest.mark.parametrize(
    ("bits", "rates", "power_w", "charge_state"),
    [
        (2, {"OutWRte": -50}, -5_000, 4),
        (1, {"InWRte": -50}, 5_000, 3),
        (3, {"OutWRte": 80, "InWRte": -30}, 3_000, 3),
        (3, {"OutWRte": 0, "InWRte": 0}, 0, 6),
        (0, {"OutWRte": -50, "InWRte": -50}, 0, 6),
    ],
)
def test_a_negative_rate_forces_the_other_direction(make_bench, kind, bits, rates, power_w, charge_state):
    bench = make_bench(device_type=kind)
    assert bench.write(124, StorCtl_Mod=bits) == 0
    assert bench.write(124, **rates) == 0
    bench.wait(5)
    assert battery_w(bench) == power_w
    assert (bench.read(124, "ChaSt"), bench.read(802, "ChaSt")) == (charge_state, charge_state)


def test_a_rate_limits_what_704_asks_for(bench):
    bench.write(704, WSetMod=1)
    bench.write(704, WSet=6_000)
    bench.write(704, WSetEna=1)
    bench.write(124, StorCtl_Mod=2)
    assert bench.write(124, OutWRte=25) == 0
    bench.wait(3)
    assert (battery_w(bench), bench.read(122, "WAval")) == (2_500, 2_500)


def test_the_timer_ends_both_rates_and_starts_anew_with_each_write(bench):
    bench.write(124, InOutWRte_RvrtTms=60)  # as evcc: the timer, the mode, the rate
    bench.write(124, StorCtl_Mod=2)
    bench.write(124, OutWRte=-50)
    (item,) = [each for each in bench.device.setpoints.in_force() if each.mode == "OutWRte"]
    assert item.until_s == bench.clock.now_s() + 60
    bench.wait(50)
    bench.write(124, OutWRte=-50)
    bench.wait(50)
    assert (battery_w(bench), bench.read(124, "StorCtl_Mod")) == (-5_000, 2)
    bench.wait(15)
    assert (battery_w(bench), shown(bench, "StorCtl_Mod", "OutWRte")) == (0, (0, -50))
    assert "124.StorCtl_Mod: reversion timer ran out" in bench.logged("Info")


def test_the_timer_leaves_what_another_asked_for_since(bench):
    bench.write(124, InOutWRte_RvrtTms=20)
    bench.write(124, StorCtl_Mod=2)
    bench.device.setpoints.submit(SetpointChange(SetpointSource.REST, "OutWRte", -10.0))
    bench.wait(30)
    assert in_force(bench)["OutWRte"] == (-10, "rest")
    assert (battery_w(bench), shown(bench, "StorCtl_Mod", "OutWRte")) == (-1_000, (2, -10))


def test_what_rest_asks_for_is_shown_and_a_rate_written_then_is_modbus_own(bench):
    bench.device.setpoints.submit(SetpointChange(SetpointSource.REST, "InWRte", -20.0))
    assert shown(bench, "StorCtl_Mod", "InWRte") == (1, -20)
    assert bench.write(124, InWRte=-30) == 0
    bench.wait(3)
    assert (battery_w(bench), in_force(bench)["InWRte"]) == (3_000, (-30, "modbus"))
    bench.write(124, StorCtl_Mod=0)
    bench.wait(3)
    assert (battery_w(bench), "InWRte" in in_force(bench)) == (0, False)


def test_a_change_ramps(bench):
    bench.write(124, InOutWRte_RmpTms=10)
    bench.write(124, OutWRte=0)
    bench.write(124, StorCtl_Mod=2)
    bench.wait(20)
    bench.write(124, OutWRte=-60)
    bench.wait(5)
    assert battery_w(bench) == pytest.approx(-3_000, abs=1)
    bench.wait(5)
    assert battery_w(bench) == -6_000


def test_a_change_waits_for_an_instant_within_its_window(bench):
    bench.write(124, InOutWRte_WinTms=100)
    assert bench.write(124, StorCtl_Mod=2) == 0
    assert bench.write(124, OutWRte=-50) == 0
    assert (bench.read(124, "StorCtl_Mod"), battery_w(bench)) == (0, 0)
    begun_s = None
    for second in range(101):
        if begun_s is None and bench.read(124, "StorCtl_Mod"):
            begun_s = second
        bench.wait(1)
    assert begun_s is not None
    assert 1 < begun_s <= 100
    assert (battery_w(bench), bench.read(124, "OutWRte")) == (-5_000, -50)


def test_the_reserve_is_kept(bench):
    assert bench.write(124, MinRsvPct=49.5) == 0
    assert in_force(bench)["MinRsvPct"] == (49.5, "modbus")
    bench.write(124, StorCtl_Mod=1)
    bench.write(124, InWRte=-100)
    bench.wait(120)
    assert (bench.read(124, "ChaState"), bench.read(713, "SoC"), battery_w(bench)) == (49.5, 49.5, 0)
    assert shown(bench, "MinRsvPct", "StorAval") == (49.5, 0)


def test_charging_from_the_grid_is_forbidden_and_allowed(make_bench):
    bench = make_bench(device_type="HybridDC-3Phase")
    assert bench.write(124, ChaGriSet=0) == 0
    bench.write(124, StorCtl_Mod=2)
    bench.write(124, OutWRte=-100)
    bench.wait(5)
    assert (battery_w(bench), bench.read(103, "W")) == (-7_005, 0)
    assert (bench.read(124, "ChaGriSet"), in_force(bench)["ChaGriSet"]) == (0, (False, "modbus"))
    bench.write(124, ChaGriSet=1)
    bench.wait(5)
    assert (battery_w(bench), bench.read(103, "W")) == (-10_000, -2_995)


def test_settings_are_those_of_702_and_121(bench):
    assert bench.write(124, WChaMax=8_000) == 0
    assert bench.read(702, "WChaRteMax") == 8_000
    assert bench.write(124, VAChaMax=9_000) == 0
    assert (bench.read(702, "VAChaRteMax"), bench.device.settings.setMaxChargeRateVA) == (9_000, 9_000)
    assert bench.write(124, WChaGra=50, WDisChaGra=50) == 0
    assert (shown(bench, "WChaGra", "WDisChaGra"), bench.read(121, "WGra")) == ((50, 50), 40)
    bench.write(124, StorCtl_Mod=2)
    bench.write(124, OutWRte=-50)
    bench.wait(3)
    assert battery_w(bench) == -4_000


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"StorCtl_Mod": 4}, 3),
        ({"OutWRte": 101}, 3),
        ({"InWRte": -101}, 3),
        ({"OutWRte": None}, 3),
        ({"MinRsvPct": 101}, 3),
        ({"ChaGriSet": 2}, 3),
        ({"WChaMax": 10_001}, 3),
        ({"WChaGra": 50, "WDisChaGra": 60}, 3),
        ({"WChaMax": 5_000, "WChaGra": 60, "WDisChaGra": 60, "StorCtl_Mod": 9}, 3),
        ({"OutWRte": -50, "InWRte": 200}, 3),
        ({"ChaState": 50}, 2),
        ({"ChaSt": 1}, 2),
        ({"InOutWRte_SF": 0}, 2),
    ],
)
def test_refusals_change_nothing(bench, values, code):
    before, settings = bench.unit.block(124).data(), bench.device.settings.as_dict()
    assert bench.write_points(124, values) == code
    assert bench.unit.block(124).data() == before
    assert bench.device.settings.as_dict() == settings


def test_writable_points_take_back_their_own_values(bench):
    writable = [p.path for p in bench.unit.block(124).layout.points if p.writable]
    assert len(writable) == 12
    for path in writable:
        assert bench.write_points(124, {path: bench.read(124, path)}) == 0, path
    assert bench.write_points(124, {path: bench.read(124, path) for path in writable[:4]}) == 0


def test_it_can_be_left_out(make_bench):
    from dersim.plugin.builtin import FUNCTION_TYPES

    some = [kind for kind in FUNCTION_TYPES if kind.name != "storage"]
    bench = make_bench(device_type="Batt", functions=some)
    models = [block.model_id for block in bench.unit.blocks]
    assert 802 in models
    assert 124 not in models


WRITES = st.one_of(
    st.tuples(st.just(124), st.just("StorCtl_Mod"), st.integers(0, 3)),
    st.tuples(st.just(124), st.sampled_from(["InWRte", "OutWRte"]), st.integers(-100, 100)),
    st.tuples(st.just(124), st.just("MinRsvPct"), st.integers(0, 100)),
    st.tuples(st.just(124), st.just("ChaGriSet"), st.integers(0, 1)),
    st.tuples(st.just(124), st.just("InOutWRte_RvrtTms"), st.sampled_from([0, 30])),
    st.tuples(st.just(124), st.just("InOutWRte_RmpTms"), st.sampled_from([0, 20])),
    st.tuples(st.just(124), st.just("WChaMax"), st.integers(0, 10_000)),
    st.tuples(st.just(704), st.just("WSet"), st.integers(-10_000, 10_000)),
    st.tuples(st.just(704), st.just("WSetEna"), st.integers(0, 1)),
    st.tuples(st.just(123), st.just("WMaxLimPct"), st.integers(0, 100)),
    st.tuples(st.just(123), st.just("WMaxLim_Ena"), st.integers(0, 1)),
    st.tuples(st.just(64414), st.just("Irradiance"), st.integers(0, 1_000)),
)


@pytest.mark.parametrize("kind", ["Batt-3Phase", "HybridDC-3Phase"])
@given(writes=st.lists(WRITES, max_size=12))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_is_written_the_battery_stays_where_124_says(make_bench, kind, writes):
    bench = make_bench(device_type=kind)
    bench.write(704, WSetMod=1)
    for model, point, value in writes:
        assert bench.write(model, **{point: value}) == 0
        bench.wait(40)
        power_w, base_w = bench.state.battery.ac_w, bench.read(124, "WChaMax")
        bits, charge, discharge = shown(bench, "StorCtl_Mod", "InWRte", "OutWRte")
        if bits & 1:
            assert power_w >= -max(0, charge) / 100 * base_w - 1
        if bits & 2:
            assert power_w <= max(0, discharge) / 100 * base_w + 1
        soc, reserve = shown(bench, "ChaState", "MinRsvPct")
        if soc < reserve - 0.01:
            assert power_w <= 0
        if not bench.read(124, "ChaGriSet"):
            assert bench.state.p_w >= -1
        assert bench.read(124, "ChaSt") == bench.read(802, "ChaSt")
        assert bench.read(802, "W") == pytest.approx(bench.state.battery.p_w, abs=1)


@pytest.mark.parametrize("setting", ["setMaxW", "setMaxChargeRateW"])
def test_rates_in_percent_of_nothing_take_back_their_value_only(make_bench, setting):
    bench = make_bench(device_type="Batt-3Phase")
    bench.device.settings.update({setting: 0.0})
    assert bench.read(124, "WChaGra") == 0
    assert bench.write(124, WChaGra=0) == 0
    assert bench.write(124, WChaGra=5) == 3
    assert bench.device.settings.setGradW == 100


def test_the_energy_left_is_that_above_the_lowest_state_of_charge_too(make_bench):
    bench = make_bench(device_type="Batt-3Phase")
    usual = bench.read(124, "StorAval")
    assert bench.write(124, MinRsvPct=0) == 0
    assert bench.read(124, "StorAval") == usual
