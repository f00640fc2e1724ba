"""Every setting changes an output: the rows of docs/settings.md, one by one."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from dersim.device import Device, ManualClock
from dersim.grid.conditions import Conditions
from dersim.grid.inputs import Inputs
from dersim.hardware.nameplate import bundled, read_nameplate
from dersim.hardware.settings import Settings
from dersim.hardware.state import Alarm
from dersim.modes import Curve, FixedPowerFactor, ModeValue
from dersim.plugin.builtin import make_device
from dersim.setpoint_sources import SetpointSource
from dersim.setpoints import SetpointChange

PAGE = Path(__file__).parents[2] / "docs" / "settings.md"
NAMES = tuple(Settings(read_nameplate(bundled("15kWh-3Phase"))).as_dict())
SLOPE = Curve(((100.0, 0.0), (110.0, -100.0)), 2, 0.0)
AT_ONCE = {"setESDelay": 0.0, "setESRampTms": 0.0}

Look = Callable[[Device], float]


@dataclass(frozen=True)
class Row:
    """A setting, the output that shows it, and that output before and after the setting changes.

    first: settings beforehand. modes: in force. grid: inputs. look: may let time pass.
    """

    name: str
    value: float
    look: Look
    before: float
    after: float
    kind: str = "PV"
    first: Mapping[str, float] = field(default_factory=dict)
    modes: Mapping[str, ModeValue] = field(default_factory=dict)
    grid: Mapping[str, float] = field(default_factory=dict)


def _p(device: Device) -> float:
    return device.state.p_w


def _q(device: Device) -> float:
    _wait(device, 60.0)
    return device.state.q_var


def _q_per_p(device: Device) -> float:
    return _q(device) / device.state.p_w


def _amps(device: Device) -> float:
    return max(device.state.current_a)


def _alarm(alarm: Alarm) -> Look:
    return lambda device: float(alarm in device.state.alarms)


def _limited_for_10_s(device: Device) -> float:
    _submit(device, {"opModMaxLimW": 50.0})
    _wait(device, 10.0)
    return device.state.p_w


def _return(device: Device, seconds: float = 0.0) -> None:
    device.command("stop")
    device.command("start")
    _wait(device, seconds)


def _delay(device: Device) -> float:
    _return(device)
    return device.enter_service_s


def _returning_for_10_s(device: Device) -> float:
    _return(device, 10.0)
    return device.state.p_w


def _returned(device: Device) -> float:
    _return(device, 1.0)
    return float(device.state.connection.energized)


def _wait(device: Device, seconds: float) -> None:
    device.step(device.state.time_s + seconds)


def _submit(device: Device, modes: Mapping[str, ModeValue]) -> None:
    device.setpoints.submit(*(SetpointChange(SetpointSource.REST, m, v) for m, v in modes.items()))


ROWS = (
    Row("setMaxW", 5000.0, _p, 10_000.0, 5000.0),
    Row("setMaxVA", 4000.0, lambda device: device.state.s_va, 10_000.0, 4000.0),
    Row("setMaxVar", 1000.0, _q, 4400.0, 1000.0, modes={"opModTargetVar": 4400.0}),
    Row("setMaxVarNeg", -1000.0, _q, -4400.0, -1000.0, modes={"opModTargetVar": -4400.0}),
    Row("setMaxChargeRateW", 2000.0, _p, -10_000.0, -2000.0, "Batt", modes={"opModTargetW": -10_000.0}),
    Row("setMaxChargeRateVA", 3000.0, _p, -10_000.0, -3000.0, "Batt", modes={"opModTargetW": -10_000.0}),
    Row("setMaxDischargeRateVA", 3000.0, _p, 10_000.0, 3000.0, "Batt", modes={"opModTargetW": 10_000.0}),
    Row("setMaxDischargeRateW", 2000.0, _p, 10_000.0, 2000.0, "Batt", modes={"opModTargetW": 10_000.0}),
    Row("setMaxA", 5.0, _amps, 10_000 / 480 / math.sqrt(3), 5.0),
    Row("setMaxV", 500.0, _alarm(Alarm.OVER_VOLTAGE), 0.0, 1.0, grid={"voltage_pu": 1.06}),
    Row("setMinV", 460.0, _alarm(Alarm.UNDER_VOLTAGE), 0.0, 1.0, grid={"voltage_pu": 0.95}),
    Row("setMaxWh", 10_000.0, lambda device: device.state.soc_pct or 0.0, 50.0, 75.0, "Batt"),
    Row("setVNom", 460.0, _q, 0.0, -44_000 * (48 / 46 - 1), modes={"opModVoltVar": SLOPE}),
    Row("setVRef", 460.0, _q, 0.0, -44_000 * (48 / 46 - 1), modes={"opModVoltVar": SLOPE}),
    Row("setVRefOfs", -24.0, _q, 0.0, -2200.0, modes={"opModVoltVar": SLOPE}),
    Row(
        "setMinPFOverExcited",
        0.95,
        _q_per_p,
        math.tan(math.acos(0.93)),
        math.tan(math.acos(0.95)),
        modes={"opModFixedPFInjectW": FixedPowerFactor(0.93, "inject")},
    ),
    Row(
        "setMinPFUnderExcited",
        0.95,
        _q_per_p,
        -math.tan(math.acos(0.93)),
        -math.tan(math.acos(0.95)),
        modes={"opModWattPF": Curve(((0.0, 0.93),), 0, excitations=("absorb",))},
    ),
    Row("setGradW", 1.0, _limited_for_10_s, 5000.0, 9000.0),
    Row("setSoftGradW", 1.0, _returning_for_10_s, 10_000.0, 1000.0, first=AT_ONCE),
    Row("setESDelay", 60.0, _delay, 300.0, 60.0),
    # DER 1 draws from this generator.
    Row("setESRandomDelay", 100.0, _delay, 300.0, 300 + 100 * random.Random(1).random()),
    Row("setESRampTms", 100.0, _returning_for_10_s, 1000 / 3, 1000.0, first={"setESDelay": 0.0}),
    Row("setESLowVolt", 95.0, _returned, 1.0, 0.0, first=AT_ONCE, grid={"voltage_pu": 0.94}),
    Row("setESHighVolt", 103.0, _returned, 1.0, 0.0, first=AT_ONCE, grid={"voltage_pu": 1.04}),
    Row("setESLowFreq", 59.8, _returned, 1.0, 0.0, first=AT_ONCE, grid={"frequency_hz": 59.7}),
    Row("setESHighFreq", 60.02, _returned, 1.0, 0.0, first=AT_ONCE, grid={"frequency_hz": 60.05}),
)


def _device(row: Row) -> Device:
    inputs = Inputs(Conditions(irradiance_w_m2=1500.0))
    device = make_device(device_type=row.kind, clock=ManualClock(), inputs=inputs)
    device.step(0.0)
    if row.name != "setGradW":
        device.settings.update({"setGradW": 0.0})
    device.settings.update(row.first)
    _submit(device, row.modes)
    if row.grid:
        device.inputs.set(**row.grid)
    return device


def test_every_setting_has_a_row_here_and_on_the_page() -> None:
    assert tuple(row.name for row in ROWS) == NAMES
    cells = [line.split("|") for line in PAGE.read_text(encoding="utf-8").splitlines() if "| `set" in line]
    assert tuple(cell[1].strip().strip("`") for cell in cells) == NAMES


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_the_setting_changes_its_output(row: Row) -> None:
    assert row.look(_device(row)) == pytest.approx(row.before, rel=1e-4)
    device = _device(row)
    device.settings.update({row.name: row.value})
    assert row.look(device) == pytest.approx(row.after, rel=1e-4)


def test_the_reference_voltage_follows_the_nominal_voltage_until_it_is_written() -> None:
    settings = Settings(read_nameplate(bundled("10kW-3Phase")))
    settings.update({"setVNom": 460.0})
    assert settings.setVRef == 460.0
    settings.update({"setVRef": 470.0, "setVNom": 450.0})
    settings.update({"setVNom": 440.0})
    assert settings.setVRef == 470.0


@pytest.mark.parametrize("name", ["setMaxA", "setMaxVA", "setMaxDischargeRateVA", "setMaxChargeRateVA"])
@pytest.mark.parametrize("percent", [100.0, -100.0])
def test_the_available_power_is_what_flows_when_asked(name: str, percent: float) -> None:
    device = make_device(device_type="Batt-3Phase", clock=(clock := ManualClock()))
    device.settings.update({"setGradW": 0.0, name: device.settings[name] * 0.3})
    device.setpoints.submit(SetpointChange(SetpointSource.REST, "opModFixedW", percent))
    for clock.time_s in (1.0, 2.0):
        device.step(clock.time_s)
    state = device.state
    told = state.available_w if percent > 0 else -state.charge_available_w
    assert state.p_w == pytest.approx(told)
