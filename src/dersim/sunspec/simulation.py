"""64414, simulation controls: a test bench sets irradiance, temperature and grid."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from dersim.errors import ConfigError
from dersim.local_control.view import View
from dersim.setpoint_sources import SetpointSource
from dersim.sunspec.block import Model, Values
from dersim.sunspec.exceptions import ILLEGAL_VALUE, ModbusRefusal

_GRID, _SUN = "GridModelSource", "IrradianceModelSource"
_VOLTAGES = ("GridVoltageA", "GridVoltageB", "GridVoltageC")
#: Register -> input of `grid.inputs`.
_PLAIN = {"Temperature": "temperature_c", "Irradiance": "irradiance_w_m2", "GridFrequency": "frequency_hz"}


class Simulation(Model):
    """The registers of 64414. A value that is written makes its input constant, as over REST."""

    model_id = 64414

    def __init__(self, view: View) -> None:
        self.view = view

    def stamp(self) -> object:
        """Changes with the clock, and with the inputs and their sources."""
        inputs, now_s = self.view.device.inputs, self.view.now_s()
        return (now_s, inputs.at(now_s), inputs.source("voltage_pu"), inputs.source("irradiance_w_m2"))

    def values(self) -> Values:
        """The inputs as they are now."""
        now_s = self.view.now_s()
        inputs = self.view.device.inputs
        now = inputs.at(now_s)
        clock = datetime.fromtimestamp(now_s, UTC)
        return {
            "Time": clock.strftime("%H:%M:%S"),
            "Temperature": now.temperature_c,
            _GRID: inputs.source("voltage_pu"),
            _SUN: inputs.source("irradiance_w_m2"),
            "Irradiance": now.irradiance_w_m2,
            "GridVoltageA": now.voltage_pu[0],
            "GridVoltageB": now.voltage_pu[1],
            "GridVoltageC": now.voltage_pu[2],
            "GridFrequency": now.frequency_hz,
        }

    def writable(self, path: str) -> bool:
        """All but the time."""
        return path != "Time"

    def write(self, changes: Mapping[str, Any], source: SetpointSource) -> None:  # noqa: ARG002 - as in Model
        """Set the inputs, all or none."""
        inputs = self.view.device.inputs
        now = inputs.at(self.view.now_s())
        wanted: dict[str, Any] = {_PLAIN[k]: float(v) for k, v in changes.items() if k in _PLAIN}
        if any(name in changes for name in _VOLTAGES):
            wanted["voltage_pu"] = [
                float(changes.get(name, now.voltage_pu[i])) for i, name in enumerate(_VOLTAGES)
            ]
        for register, name in ((_GRID, "grid_source"), (_SUN, "weather_source")):
            if register in changes:
                wanted[name] = changes[register]
        try:
            taken = inputs.set(**wanted)
        except ConfigError as error:
            raise ModbusRefusal(ILLEGAL_VALUE, f"64414: {error}") from None
        if taken:
            self.view.say("Info", f"64414: {taken}")
