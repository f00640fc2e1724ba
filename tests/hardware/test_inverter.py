"""The P-Q limits: corners of the wedge and the circle, both priorities, the power factor, the current."""

from __future__ import annotations

import math
from typing import Any

import pytest

from dersim.device import ManualClock
from dersim.grid.conditions import Conditions
from dersim.grid.inputs import Inputs
from dersim.hardware.inverter import Inverter
from dersim.hardware.nameplate import bundled, read_nameplate
from dersim.hardware.settings import Settings
from dersim.hardware.state import Alarm
from dersim.modes import Curve
from dersim.plugin.builtin import make_device
from dersim.setpoint_sources import SetpointSource
from dersim.setpoints import SetpointChange


def inverter(**points: Any) -> Inverter:
    plate = read_nameplate(bundled("10kW-3Phase"), **points)
    return Inverter(plate, Settings(plate))


@pytest.mark.parametrize(
    ("p", "q", "fits"),
    [
        (5000, 3000, (5000, 3000)),
        (5000, 5000, (5000, 4400)),
        (5000, -5000, (5000, -4400)),
        (10_000, 4400, (math.sqrt(1e8 - 4400**2), 4400)),
        (10_000, 0, (10_000, 0)),
        (2000, 4400, (2000, 4400)),  # 20 %: all of it
        (1000, 4400, (1000, 2200)),
        (500, 4400, (500, 1100)),  # 5 %: the last
        (499, 4400, (499, 0)),
        (0, 100, (0, 0)),
    ],
)
def test_fit(p: float, q: float, fits: tuple[float, float]) -> None:
    machine = inverter()
    assert machine.fit(p, q) == pytest.approx(fits)


@pytest.mark.parametrize(
    ("category", "priority", "q", "kept"),
    [
        (1, "active", -6000, -4400),
        (0, "active", -6000, -2500),
        (0, "active", 6000, 4400),
        (1, "reactive", -6000, -6000),
        (0, "reactive", -6000, -6000),
    ],
)
def test_beyond_what_the_category_demands_the_priority_decides(
    category: int, priority: str, q: float, kept: float
) -> None:
    machine = inverter(
        **{
            "702.VarMaxInjRtg": 6000,
            "702.VarMaxAbsRtg": 6000,
            "702.NorOpCatRtg": category,
            "dersim.Priority": priority,
        }
    )
    p, q_fit = machine.fit(10_000, q)
    assert q_fit == kept
    assert p == pytest.approx(math.sqrt(1e8 - kept**2))


def test_power_factor_first() -> None:
    machine = inverter(**{"702.VarMaxInjRtg": 6000})
    assert machine.fit(10_000, 5000, power_factor_first=True) == pytest.approx(
        (10_000 / math.sqrt(1.25), 5000 / math.sqrt(1.25))
    )
    assert machine.fit(5000, 5900, power_factor_first=True) == pytest.approx((5000, 5900))


def test_storage_makes_var_without_power() -> None:
    plate = read_nameplate(bundled("15kWh-3Phase"))
    assert Inverter(plate, Settings(plate)).fit(0, 4400) == (0, 4400)
    assert Inverter(plate, Settings(plate)).fit(-10_000, 4400) == pytest.approx(
        (-math.sqrt(1e8 - 4400**2), 4400)
    )


def test_the_current_limits_at_low_voltage_and_reactive_current_has_priority() -> None:
    machine = inverter()
    machine.v_pu = 0.5
    assert machine.fit(10_000, 4000) == pytest.approx((math.sqrt(6000**2 - 4000**2), 4000))
    assert machine.var_available(5000) == pytest.approx((math.sqrt(6000**2 - 5000**2),) * 2)
    machine.v_pu = 0.2
    assert machine.fit(10_000, 4000) == pytest.approx((0, 2400))


@pytest.mark.parametrize("v_pu", [1.09, 1.0, 0.95, 0.905, 0.901, 0.9, 0.899, 0.6])
@pytest.mark.parametrize("kind", ["PV-3Phase", "PV-2Phase", "PV-1Phase"])
def test_the_current_limit_holds_at_every_voltage(kind: str, v_pu: float) -> None:
    device = make_device(
        device_type=kind, clock=ManualClock(), inputs=Inputs(Conditions(irradiance_w_m2=1500))
    )
    device.step(0.0)
    device.settings.update({"setMaxA": 5.0})
    device.inputs.set(voltage_pu=(v_pu, v_pu, v_pu))
    assert max(device.state.current_a) == pytest.approx(5.0)
    device.settings.update({"setMaxA": 10_000 / device.nameplate.v_ln_v / device.nameplate.phases})
    assert device.state.p_w == pytest.approx(min(10_000, 10_000 * v_pu))


def test_no_phase_carries_more_than_the_limit_when_the_voltages_differ() -> None:
    device = make_device(device_type="PV-3Phase", clock=ManualClock())
    device.step(0.0)
    device.settings.update({"setMaxA": 5.0})
    device.inputs.set(voltage_pu=(0.95, 1.0, 1.05))
    assert device.state.current_a == pytest.approx((5.0, 5.0, 5.0))


def test_the_rating_by_default_leaves_full_power_down_to_0_84_of_the_voltage() -> None:
    machine = inverter()
    machine.v_pu = 0.84
    assert machine.fit(10_000, 0) == (10_000, 0)


def test_the_current_limit_goes_by_the_voltage_at_the_terminals() -> None:
    device = make_device(device_type="PV-3Phase", clock=ManualClock())
    device.step(0.0)
    device.settings.update({"setMaxA": 5.0, "setVRef": 456.0, "setVRefOfs": 4.8})
    assert device.state.current_a[0] == pytest.approx(5.0)


def test_a_watt_var_curve_is_kept_at_the_current_limit() -> None:
    device = make_device(device_type="PV-3Phase", clock=ManualClock())
    device.step(0.0)
    device.settings.update({"setMaxA": 5.0})
    curve = Curve(((0.0, 0.0), (100.0, -44.0)), 2, 0.0)
    device.setpoints.submit(SetpointChange(SetpointSource.REST, "opModWattVar", curve))
    state = device.state
    assert state.current_a[0] == pytest.approx(5.0)
    assert state.q_var == pytest.approx(-0.44 * 0.44 * state.p_w)


def test_settings_narrow_the_limits() -> None:
    plate = read_nameplate(bundled("10kW-3Phase"))
    settings = Settings(plate)
    machine = Inverter(plate, settings)
    settings.update({"setMaxVA": 5000.0, "setMaxVar": 1000.0})
    machine.configure()
    assert machine.fit(8000, 3000) == pytest.approx((math.sqrt(25e6 - 1e6), 1000))
    assert machine.var_available(3000) == pytest.approx((1000, 4000))


def test_the_required_reactive_power_follows_the_setting_of_apparent_power() -> None:
    plate = read_nameplate(bundled("10kW-3Phase"), **{"dersim.Priority": "active"})
    settings = Settings(plate)
    settings.update({"setMaxVA": 5000.0})
    assert Inverter(plate, settings).fit(5000, 4400) == pytest.approx((math.sqrt(25e6 - 2200**2), 2200))


@pytest.mark.parametrize(("p", "share"), [(1000, 1.0), (999, 0.999), (500, 0.5), (250, 0.25), (249, 0.0)])
def test_the_wedge_follows_the_setting_of_active_power(p: float, share: float) -> None:
    plate = read_nameplate(bundled("10kW-3Phase"))
    settings = Settings(plate)
    settings.update({"setMaxW": 5000.0})
    assert Inverter(plate, settings).fit(p, 4400) == pytest.approx((p, 4400 * share))


def test_without_any_active_power_pv_makes_no_var() -> None:
    plate = read_nameplate(bundled("10kW-3Phase"))
    settings = Settings(plate)
    settings.update({"setMaxW": 0.0})
    assert Inverter(plate, settings).fit(0, 4400) == (0, 0)
    assert Inverter(plate, settings).var_available(0) == (0, 0)


@pytest.mark.parametrize(
    ("p", "fits"),
    [
        (8000, (8000, 6000)),
        (8001, (8001, math.sqrt(1e8 - 8001**2))),
        (8970, (8970, math.sqrt(1e8 - 8970**2))),
        (9500, (math.sqrt(1e8 - 4400**2), 4400)),
    ],
)
def test_with_priority_of_active_power_q_falls_along_the_circle(p: float, fits: tuple[float, float]) -> None:
    points = {"702.VarMaxInjRtg": 6000, "702.VarMaxAbsRtg": 6000, "dersim.Priority": "active"}
    machine = inverter(**points)
    assert machine.fit(p, 6000) == pytest.approx(fits)
    assert machine.fit(p, -6000) == pytest.approx((fits[0], -fits[1]))


def test_full_power_at_the_rated_current_is_no_over_current() -> None:
    device = make_device(
        device_type="PV-3Phase", clock=ManualClock(), inputs=Inputs(Conditions(irradiance_w_m2=1500))
    )
    device.step(0.0)
    device.settings.update({"setMaxA": 10_000 / 480 / math.sqrt(3)})
    assert Alarm.OVER_CURRENT not in device.state.alarms
    device.inputs.set(voltage_pu=0.95)
    assert Alarm.OVER_CURRENT in device.state.alarms


def test_where_q_leaves_no_charging_the_limit_is_that_of_no_charging() -> None:
    plate = read_nameplate(bundled("15kWh-3Phase"))
    settings = Settings(plate)
    settings.update({"setMaxVA": 2000.0, "setMaxChargeRateVA": 4000.0})
    machine = Inverter(plate, settings)
    assert machine.fit(-3000, 3000) == pytest.approx((-math.sqrt(7e6), 3000))
    p, q = machine.fit(-100, 4400)
    assert (p, q) == (0.0, 2000.0)
    assert math.copysign(1, p) == 1


def test_discharging_has_an_apparent_power_of_its_own() -> None:
    plate = read_nameplate(bundled("15kWh-3Phase"))
    settings = Settings(plate)
    settings.update({"setMaxDischargeRateVA": 2000.0})
    machine = Inverter(plate, settings)
    assert machine.fit(1900, 1600) == pytest.approx((1200, 1600))
    assert machine.fit(-1900, 1600) == (-1900, 1600)
    assert machine.fit(100, 4000) == (0.0, 2000.0)
    assert machine.fit(0.0, 4000) == (0.0, 4000)


def test_a_lower_current_setting_keeps_the_power_factor_at_nominal_voltage() -> None:
    plate = read_nameplate(bundled("10kW-3Phase"))
    settings = Settings(plate)
    settings.update({"setMaxA": 5000 / 480 / math.sqrt(3)})
    machine = Inverter(plate, settings)
    assert machine.fit(8000, 4000, power_factor_first=True) == pytest.approx(
        (5000 * 2 / math.sqrt(5), 5000 / math.sqrt(5))
    )
    machine.v_pu = 0.6
    assert machine.fit(8000, 4000, power_factor_first=True) == pytest.approx(
        (math.sqrt(3000**2 - 5000**2 / 5), 5000 / math.sqrt(5))
    )
