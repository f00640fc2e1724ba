"""The inputs of one DER: grid and weather, constant or from CSV profiles, and alarms.

Each input is *const* or follows a *csv* profile; an alarm has no profile. All may be changed at run time;
setting a value makes that input const. A change steps the DER first, so that the time before it counts under
the old conditions.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Literal

from dersim.errors import ConfigError
from dersim.grid.conditions import Conditions
from dersim.grid.profiles import Profile
from dersim.numeric import number

Kind = Literal["const", "csv"]

#: The range of each input; voltage is per phase, in per unit.
RANGES: dict[str, tuple[float, float]] = {
    "voltage_pu": (0.0, 2.0),
    "frequency_hz": (30.0, 90.0),
    "irradiance_w_m2": (0.0, 2000.0),
    "temperature_c": (-60.0, 80.0),
    "wind_m_s": (0.0, 100.0),
}
#: Alarms that nothing simulated raises; each is on or off.
ALARMS = ("current_imbalance", "phase_rotation", "emergency_local", "emergency_remote")
_GRID, _WEATHER = ("voltage_pu", "frequency_hz"), ("irradiance_w_m2", "temperature_c", "wind_m_s")


def _nothing() -> None:
    return None


class Inputs:
    """The inputs of one DER. `before_change` and `after_change` are called around a change at run time."""

    def __init__(
        self,
        conditions: Conditions,
        *,
        grid: Profile | None = None,
        weather: Profile | None = None,
        start_s: float = 0.0,
    ) -> None:
        #: The constant values, which apply where no profile does.
        self.constants = conditions
        self._profiles: dict[str, Profile] = {}
        for names, profile in ((_GRID, grid), (_WEATHER, weather)):
            if profile is not None:
                self._profiles.update({name: profile for name in names if name in profile.columns})
        self._known = dict(self._profiles)
        #: Simulated time; the device sets its clock's.
        self.now_s: Callable[[], float] = lambda: start_s
        self.before_change: Callable[[], object] = _nothing
        self.after_change: Callable[[], object] = _nothing
        #: Whether no input follows a profile.
        self.constant = not self._profiles

    def source(self, name: str) -> Kind:
        """Whether one input is const or csv."""
        return "csv" if name in self._profiles else "const"

    def at(self, now_s: float) -> Conditions:
        """The conditions at simulated time now_s."""
        if not self._profiles:
            return self.constants
        values: dict[str, Any] = {}
        for name, profile in self._profiles.items():
            values[name] = profile.at(name, now_s)
        return self.constants._replace(**values)

    def during(self, start_s: float, end_s: float) -> Conditions:
        """The conditions of an interval without a new grid row: grid at its start, weather at its end."""
        values: dict[str, Any] = {}
        for name, profile in self._profiles.items():
            values[name] = profile.at(name, start_s if name in _GRID else end_s)
        return self.constants._replace(**values)

    def next_change_s(self, now_s: float) -> float:
        """The next instant after now_s at which a stepwise profile (the grid's) changes; inf for none."""
        grid = self._profiles.get("voltage_pu") or self._profiles.get("frequency_hz")
        return grid.next_step_s(now_s) if grid is not None else math.inf

    def hold(self, conditions: Conditions) -> None:
        """Set all inputs const without a step of the DER; for replays of sampled records."""
        self._profiles = {}
        self.constant = True
        self.constants = conditions

    def set(self, **values: Any) -> None:
        """Make inputs const at these values; ConfigError names the input and what is allowed.

        voltage_pu: a number for all phases or a list of three. source, grid_source, weather_source: "csv"
        returns the inputs (of grid, of weather) to their profile, "const" keeps their present values. If
        anything is refused, nothing is changed.
        """
        groups = {"source": (*_GRID, *_WEATHER), "grid_source": _GRID, "weather_source": _WEATHER}
        switches = {name: values.pop(name) for name in groups if name in values}
        for name, source in switches.items():
            if source not in ("const", "csv"):
                raise ConfigError(f"{name}: {source!r} is not one of const, csv")
            if source == "csv" and not any(each in self._known for each in groups[name]):
                raise ConfigError(f"{name}: csv needs a profile; start with --dc_profile or --grid_profile")
        checked = {name: _checked(name, value) for name, value in values.items()}
        self.before_change()
        for name, source in switches.items():
            self._switch(groups[name], source)
        for name in checked:
            self._profiles.pop(name, None)
        self.constants = self.constants._replace(**checked)
        self.constant = not self._profiles
        self.after_change()

    def _switch(self, names: tuple[str, ...], source: str) -> None:
        if source == "csv":
            self._profiles.update({name: self._known[name] for name in names if name in self._known})
            return
        now = self.at(self.now_s())._asdict()
        self.constants = self.constants._replace(**{name: now[name] for name in names})
        for name in names:
            self._profiles.pop(name, None)

    def as_json(self, now_s: float) -> dict[str, Any]:
        """The inputs as the REST API shows them."""
        c = self.at(now_s)
        even = c.voltage_pu[0] == c.voltage_pu[1] == c.voltage_pu[2]
        return {
            "voltage_pu": c.voltage_pu[0] if even else list(c.voltage_pu),
            "frequency_hz": c.frequency_hz,
            "irradiance_w_m2": c.irradiance_w_m2,
            "temperature_c": c.temperature_c,
            "wind_m_s": c.wind_m_s,
            **{name: getattr(c, name) for name in ALARMS},
            "source": "const" if self.constant else "csv",
            "grid_source": "csv" if any(name in self._profiles for name in _GRID) else "const",
            "weather_source": "csv" if any(name in self._profiles for name in _WEATHER) else "const",
        }


def _checked(name: str, value: Any) -> Any:
    if name in ALARMS:
        if not isinstance(value, bool):
            raise ConfigError(f"{name}: {value!r} is not true or false")
        return value
    if name not in RANGES:
        raise ConfigError(f"{name} is not an input; known are {', '.join((*RANGES, *ALARMS))}")
    if name == "voltage_pu" and isinstance(value, list | tuple):
        if len(value) != 3:
            raise ConfigError(f"voltage_pu: a number or three of them are needed, not {value!r}")
        return tuple(_number(name, item) for item in value)
    number = _number(name, value)
    return (number, number, number) if name == "voltage_pu" else number


def _number(name: str, value: Any) -> float:
    low, high = RANGES[name]
    return number(name, value, low, high)
