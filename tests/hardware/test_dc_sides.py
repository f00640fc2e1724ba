"""Each DC source of a DER: its power, voltage, current and energy."""

from __future__ import annotations

import math

import pytest

from dersim.device import Device, ManualClock
from dersim.errors import PluginError
from dersim.grid.conditions import Conditions
from dersim.grid.inputs import Inputs
from dersim.hardware.battery import Battery
from dersim.hardware.device_type import DeviceType
from dersim.hardware.nameplate import Nameplate, bundled, read_nameplate
from dersim.hardware.pv import PvArray
from dersim.hardware.settings import Settings
from dersim.hardware.source import DcPoint, Part
from dersim.hardware.state import DcSide, DeviceState, StorageMode
from dersim.plugin.builtin import make_device
from dersim.setpoint_sources import SetpointSource
from dersim.setpoints import SetpointChange, Verdict

TYPES = ("PV-3Phase", "Batt-3Phase", "HybridDC-3Phase")


class Bench:
    """A DER with its own clock, sun and target."""

    def __init__(self, device_type: str, *, sun: float = 700.0) -> None:
        self.clock = ManualClock()
        self.inputs = Inputs(Conditions(irradiance_w_m2=sun))
        self.device = make_device(device_type=device_type, clock=self.clock, inputs=self.inputs)
        self.device.step(0.0)

    def target(self, watts: float) -> None:
        change = SetpointChange(SetpointSource.REST, "opModTargetW", watts)
        [outcome] = self.device.setpoints.submit(change)
        assert outcome.verdict is Verdict.ACCEPTED

    def run(self, seconds: float, tick_s: float = 1.0) -> DeviceState:
        for _ in range(round(seconds / tick_s)):
            self.clock.time_s += tick_s
            self.device.step(self.clock.time_s)
        return self.device.state


def pv_of(state: DeviceState) -> DcSide:
    assert state.pv is not None
    return state.pv


def battery_of(state: DeviceState) -> DcSide:
    assert state.battery is not None
    return state.battery


def test_the_sun_charges_the_battery_of_a_hybrid_while_the_inverter_exports() -> None:
    bench = Bench("HybridDC-3Phase")
    bench.device.settings.update({"setGradW": 0.0})
    bench.target(2000.0)
    state = bench.run(60)
    pv, battery = pv_of(state), battery_of(state)
    assert state.p_w == pytest.approx(2000)
    assert pv.ac_w == pytest.approx(pv.available_w)
    assert battery.ac_w == pytest.approx(2000 - pv.available_w)
    assert battery.p_w == pytest.approx(0.96 * battery.ac_w)
    assert battery.p_w < -3000
    assert battery.v > 0
    assert battery.a == pytest.approx(battery.p_w / battery.v)
    assert battery.a < 0
    assert state.storage_mode is StorageMode.CHARGING
    assert state.dc_w == pytest.approx(pv.p_w + battery.p_w)


def test_at_night_a_hybrid_discharges_its_battery_and_the_array_gives_nothing() -> None:
    bench = Bench("HybridDC-3Phase", sun=0.0)
    bench.target(2000.0)
    state = bench.run(60)
    pv, battery = pv_of(state), battery_of(state)
    assert (pv.p_w, pv.v, pv.a, pv.ac_w) == (0, 0, 0, 0)
    assert pv.delivered_wh == pytest.approx(0, abs=1e-9)
    assert battery.ac_w == pytest.approx(2000)
    assert state.storage_mode is StorageMode.DISCHARGING
    assert state.dc_v == battery.v
    assert state.dc_a == pytest.approx(battery.a)


def test_a_hybrid_that_exports_its_sun_holds_its_battery() -> None:
    state = Bench("HybridDC-3Phase").run(60)
    assert state.p_w > 1000
    assert state.storage_mode is StorageMode.HOLDING


def test_array_and_battery_of_a_hybrid_that_leaves_service_rest() -> None:
    bench = Bench("HybridDC-3Phase")
    bench.target(2000.0)
    bench.run(60)
    for leave in (lambda: bench.device.command("stop"), lambda: bench.inputs.set(voltage_pu=0.4)):
        leave()
        state = bench.run(5)
        assert [side.ac_w for side in state.dc_sides] == [0, 0]
        assert state.storage_mode is StorageMode.HOLDING
        taken_wh = battery_of(state).taken_wh
        assert battery_of(bench.run(60)).taken_wh == taken_wh
        bench.inputs.set(voltage_pu=1.0)
        bench.device.command("start")
        assert battery_of(bench.run(700, 1.0)).p_w < 0


def test_a_hybrid_that_starts_out_of_service_does_not_charge() -> None:
    clock = ManualClock()
    inputs = Inputs(Conditions(irradiance_w_m2=700.0))
    device = make_device(device_type="HybridDC-3Phase", clock=clock, inputs=inputs, start="off")
    device.step(0.0)
    device.step(1.0)
    assert battery_of(device.state).p_w == 0


@pytest.mark.parametrize("device_type", TYPES)
def test_the_sides_sum_up_to_the_ac_power_and_their_energies_to_the_registers(device_type: str) -> None:
    bench = Bench(device_type)
    plate, first = bench.device.nameplate, bench.device.state
    pv_wh = out_wh = in_wh = 0.0
    for sun, watts in ((700.0, 2000.0), (0.0, 3000.0), (300.0, -4000.0), (900.0, 0.0), (0.0, 0.0)):
        bench.inputs.set(irradiance_w_m2=sun)
        bench.target(watts if plate.rtgMaxWh else max(0.0, watts))
        for _ in range(300):
            state = bench.run(1)
            assert sum(side.ac_w for side in state.dc_sides) == pytest.approx(state.p_w)
            pv_wh += (state.pv.p_w if state.pv else 0) / 3600
            battery_w = state.battery.p_w if state.battery else 0
            out_wh, in_wh = out_wh + max(0, battery_w) / 3600, in_wh - min(0, battery_w) / 3600
    ac_wh = sum(state.exported_wh) - sum(first.exported_wh) - sum(state.imported_wh) + sum(first.imported_wh)
    if state.pv:
        assert state.pv.delivered_wh == pytest.approx(pv_wh, rel=0.01)
        assert state.pv.taken_wh == 0
        ac_wh -= state.pv.delivered_wh * plate.inverter_efficiency
    if state.battery:
        assert state.battery.delivered_wh == pytest.approx(out_wh, rel=0.01)
        assert state.battery.taken_wh == pytest.approx(in_wh, rel=0.01)
        ac_wh -= state.battery.delivered_wh * plate.discharge_efficiency
        ac_wh += state.battery.taken_wh / plate.charge_efficiency
    assert ac_wh == pytest.approx(0, abs=1e-6)
    assert [side.kind for side in state.dc_sides] == {
        "PV-3Phase": ["pv"], "Batt-3Phase": ["battery"], "HybridDC-3Phase": ["pv", "battery"]
    }[device_type]  # fmt: skip


@pytest.mark.parametrize("device_type", TYPES)
def test_a_failed_der_shows_no_dc_power_and_keeps_its_energies(device_type: str) -> None:
    bench = Bench(device_type)
    bench.target(2000.0)
    before = bench.run(600, 10.0)
    bench.device.fail("broken")
    after = bench.device.state
    assert (after.dc_w, after.dc_v, after.dc_a, after.charge_available_w) == (0, 0, 0, 0)
    assert [side.kind for side in after.dc_sides] == [side.kind for side in before.dc_sides]
    for old, new in zip(before.dc_sides, after.dc_sides, strict=True):
        assert (new.p_w, new.v, new.a, new.ac_w, new.available_w) == (0, 0, 0, 0, 0)
        assert (new.delivered_wh, new.taken_wh) == (old.delivered_wh, old.taken_wh)
        assert new.delivered_wh + new.taken_wh > 0


class OnlyDc:
    """The source of a plug-in that knows nothing of sides."""

    available_w = 5000.0
    charge_w = 0.0
    rest_w = math.inf
    settled = True
    soc_pct: float | None = None
    cell_temperature_c = 25.0

    def see(self, conditions: Conditions, dt_s: float) -> None: ...

    def drew(self, p_w: float, dt_s: float) -> None: ...

    def dc(self, p_w: float) -> DcPoint:
        return DcPoint(400.0, p_w / 0.9 / 400.0, p_w / 0.9)


def test_a_source_with_dc_only_is_one_side() -> None:
    plate = read_nameplate(bundled("10kW-3Phase"), **{"dersim.DERType": 3})
    kind = DeviceType("generator", "10kW-3Phase", lambda _: OnlyDc())
    device = Device(nameplate=plate, device_type=kind, functions=())
    device.step(0.0)
    device.step(3600.0)
    [side] = device.state.dc_sides
    assert side == DcSide("generator", 5000 / 0.9, 400.0, side.a, 5000.0, side.delivered_wh, 0.0, 5000.0)
    assert side.delivered_wh == pytest.approx(5000 / plate.inverter_efficiency)
    assert device.state.pv is None
    assert device.state.battery is None


class Two:
    """A source of a plug-in that is made of two."""

    def __init__(self, plate: Nameplate) -> None:
        self.pv, self.battery = PvArray(plate), Battery(plate)
        self.parts = (Part("pv", self.pv), Part("battery", self.battery))
        self.available_w = self.charge_w = 0.0
        self.rest_w = math.inf
        self.settled = False
        self.cell_temperature_c = 25.0
        self.configured = 0.0

    @property
    def soc_pct(self) -> float:
        return self.battery.soc_pct

    def configure(self, settings: Settings) -> None:
        self.configured = settings.setMaxChargeRateW

    def see(self, conditions: Conditions, dt_s: float) -> None:
        self.pv.see(conditions, dt_s)
        self.available_w = self.pv.available_w

    def drew(self, p_w: float, dt_s: float) -> None: ...

    def shares(self, p_w: float) -> tuple[float, ...]:
        return (p_w, 0.0)

    def dc(self, p_w: float) -> DcPoint:
        return self.pv.dc(p_w)


def two(plate: Nameplate) -> Device:
    return Device(nameplate=plate, device_type=DeviceType("two", "15kVA-Hybrid", Two), functions=())


def test_a_plug_in_s_source_of_two_has_two_sides_and_follows_the_settings() -> None:
    device = two(read_nameplate(bundled("15kVA-Hybrid")))
    device.step(0.0)
    device.step(60.0)
    assert pv_of(device.state).ac_w == device.state.p_w > 1000
    assert battery_of(device.state).p_w == 0
    device.settings.update({"setMaxChargeRateW": 1234.0})
    assert device.source.configured == 1234  # type: ignore[attr-defined] # of the plug-in's own class


def test_a_share_of_a_plug_in_that_is_no_number_is_named() -> None:
    device = two(read_nameplate(bundled("15kVA-Hybrid")))
    device.step(0.0)
    device.source.source.shares = lambda p_w: (p_w, math.nan)  # type: ignore[attr-defined] # as above
    with pytest.raises(PluginError, match=r"shares\(\) of its DC side is nan"):
        _ = device.state


def test_the_charging_power_available_follows_the_setting() -> None:
    bench = Bench("Batt-3Phase")
    assert bench.run(1).charge_available_w == pytest.approx(10_000)
    bench.device.settings.update({"setMaxChargeRateW": 3000.0})
    assert bench.device.state.charge_available_w == pytest.approx(3000)
    assert Bench("PV-3Phase").run(1).charge_available_w == 0


def test_the_sun_of_a_hybrid_charges_with_no_more_than_the_setting() -> None:
    bench = Bench("HybridDC-3Phase")
    bench.device.settings.update({"setMaxChargeRateW": 1000.0, "setMaxDischargeRateW": 500.0})
    bench.target(2000.0)
    assert battery_of(bench.run(120)).ac_w == pytest.approx(-1000)
    bench.inputs.set(irradiance_w_m2=0.0)
    state = bench.run(120)
    assert battery_of(state).ac_w == state.p_w == pytest.approx(500)


def test_the_iv_curve_of_a_hybrid_has_the_operating_point_of_its_array() -> None:
    bench = Bench("HybridDC-3Phase")
    bench.target(2000.0)
    pv = pv_of(bench.run(60))
    assert bench.device.dc_iv()["operating_point"] == {"v": pv.v, "i": pv.a, "p": pv.p_w}
    bench.inputs.set(irradiance_w_m2=0.0)
    assert bench.device.dc_iv()["operating_point"] == {"v": 0.0, "i": 0.0, "p": 0.0}
