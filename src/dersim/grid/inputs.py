"""The inputs of one DER: grid, weather and load, constant, from CSV profiles or from a grid, and alarms.

Each input is *const*, follows a *csv* profile, or is held by a *grid* behind the fleet (`contract.py`); an
alarm is const. All may be changed at run time; setting a value makes that input const. The frequency may move
to its value in a straight line. A change steps the DER first, so that the time before it counts under the old
conditions. What a grid gives is no such change: it is the condition of the next step.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, Literal

from dersim.errors import ConfigError
from dersim.grid.conditions import Conditions
from dersim.grid.frequency_ramp import FrequencyRamp
from dersim.grid.from_grid import FromGrid
from dersim.grid.profiles import LOAD_RANGE, Profile
from dersim.grid.site_load import LOAD, SiteLoad
from dersim.kept import plain, value
from dersim.numeric import number

Kind = Literal["const", "csv", "grid"]

#: The range of each input; voltage and angle are per phase. A rate of 0 or less reaches no target.
RANGES: dict[str, tuple[float, float]] = {
    "voltage_pu": (0.0, 2.0),
    "frequency_hz": (30.0, 90.0),
    "irradiance_w_m2": (0.0, 2000.0),
    "temperature_c": (-60.0, 80.0),
    "wind_m_s": (0.0, 100.0),
    "angle_deg": (-180.0, 180.0),
    "rocof_hz_s": (1e-3, 100.0),
    **dict.fromkeys(LOAD, LOAD_RANGE),
}
_PER_PHASE = ("voltage_pu", "angle_deg", *LOAD)
#: Alarms that nothing simulated raises; each is on or off.
ALARMS = ("current_imbalance", "phase_rotation", "emergency_local", "emergency_remote")
_FLAGS = (*ALARMS, "grid_lost")
_GRID = ("voltage_pu", "frequency_hz", "rocof_hz_s", "angle_deg")
_WEATHER = ("irradiance_w_m2", "temperature_c", "wind_m_s")
_SOURCES = {"grid_source": _GRID, "weather_source": _WEATHER, "load_source": LOAD}


def _nothing() -> None:
    return None


class Inputs(FromGrid):
    """The inputs of one DER. `before_change` and `after_change` are called around a change at run time.

    site: of a DER that has a load behind its meter; without it there are no inputs of a load.
    """

    def __init__(
        self,
        conditions: Conditions,
        *,
        grid: Profile | None = None,
        weather: Profile | None = None,
        load: Profile | None = None,
        site: SiteLoad | None = None,
        start_s: float = 0.0,
    ) -> None:
        #: The constant values, which apply where no profile does.
        self.constants = conditions
        self.site = site
        self._profiles: dict[str, Profile] = {}
        for names, profile in ((_GRID, grid), (_WEATHER, weather), (LOAD, load)):
            if profile is not None:
                self._profiles.update({name: profile for name in names if name in profile.columns})
        self._known = dict(self._profiles)
        self._ramp: FrequencyRamp | None = None
        #: Simulated time; the device sets its clock's.
        self.now_s: Callable[[], float] = lambda: start_s
        self.before_change: Callable[[], object] = _nothing
        self.after_change: Callable[[], object] = _nothing
        #: Whether no input follows a profile.
        self.constant = not self._profiles

    def source(self, name: str) -> Kind:
        """Whether one input is const, csv or grid."""
        return "grid" if name in self.held else "csv" if name in self._profiles else "const"

    @property
    def peak_load_va(self) -> float:
        """The largest load that is known: the constant one, and those of the profile."""
        loads = [(self.constants.load_w, self.constants.load_var)]
        if (profile := self._known.get("load_w")) is not None:
            loads += zip(profile.columns["load_w"], profile.columns["load_var"], strict=True)
        return max(math.hypot(sum(load_w), sum(load_var)) for load_w, load_var in loads)

    def at(self, now_s: float) -> Conditions:
        """The conditions at simulated time now_s."""
        if self.constant:
            return self.constants
        values: dict[str, Any] = {}
        for name, profile in self._profiles.items():
            values[name] = profile.at(name, now_s)
        return self._moving(values, now_s, now_s)

    def during(self, start_s: float, end_s: float) -> Conditions:
        """The conditions of an interval without a new grid row: that row, and what moves, at its end."""
        values: dict[str, Any] = {}
        for name, profile in self._profiles.items():
            values[name] = profile.during(name, start_s, end_s)
        return self._moving(values, start_s, end_s)

    def _moving(self, values: dict[str, Any], start_s: float, end_s: float) -> Conditions:
        ramp = self._ramp
        if ramp is not None:
            values |= {"frequency_hz": ramp.at(end_s), "rocof_hz_s": ramp.rocof_hz_s(start_s)}
        return self.constants._replace(**values)

    def next_change_s(self, now_s: float) -> float:
        """The next instant after now_s at which a row begins or the grid has moved a little; inf for none.

        A frequency that has reached its target is const from then on.
        """
        if self._ramp is not None and now_s >= self._ramp.end_s:
            self._hold_frequency(self._ramp.target_hz)
        next_s = math.inf
        for names in (_GRID, _WEATHER, LOAD):
            profile = next((self._profiles[name] for name in names if name in self._profiles), None)
            next_s = next_s if profile is None else min(next_s, profile.next_step_s(now_s))
        return next_s if self._ramp is None else min(next_s, self._ramp.next_step_s(now_s))

    def _hold_frequency(self, hz: float) -> None:
        self._ramp = None
        self.constants = self.constants._replace(frequency_hz=hz)
        self.constant = not self._profiles

    def hold(self, conditions: Conditions) -> None:
        """Set all inputs const without a step of the DER; for replays of sampled records."""
        if not self.constant:
            self._profiles, self._ramp, self.constant = {}, None, True
        self.constants = conditions

    def set(self, **values: Any) -> str:
        """Make inputs const at these values; what it took from a grid, for the log, "" for nothing.

        ConfigError names the input and what is allowed. If anything is refused, nothing is changed.

        voltage_pu, angle_deg: a number for all phases or a list of three. rocof_hz_s: the rate at which the
        frequency moves to the frequency_hz of the same call; without it it jumps. load_w, load_var: the total
        or a list of three; load_w alone sets load_var by the power factor. source, grid_source,
        weather_source, load_source: "csv" returns the inputs (of grid, weather, load) to their profile,
        "grid" to the grid behind the fleet, "const" keeps their present values.
        """
        groups = {"source": (*_GRID, *_WEATHER, *LOAD)} | _SOURCES
        switches = {name: values.pop(name) for name in groups if name in values}
        for name, source in switches.items():
            self._check_switch(name, source, groups[name])
        wanted = self._with_load(checked(values))
        rate_hz_s = wanted.pop("rocof_hz_s", None)
        if rate_hz_s is not None and "frequency_hz" not in wanted:
            raise ConfigError("rocof_hz_s: the frequency_hz to which it moves is missing; give both")
        self.before_change()
        held = self.held
        if "frequency_hz" in wanted or {"source", "grid_source"} & switches.keys():
            self._end_ramp()
        for name, source in switches.items():
            self._switch(groups[name], source)
        if rate_hz_s is not None:
            self._start_ramp(wanted.pop("frequency_hz"), rate_hz_s)
        elif "frequency_hz" in wanted:
            self._profiles.pop("rocof_hz_s", None)
        self._let_go(wanted)
        self.constants = self.constants._replace(**wanted)
        self._release_profiles(wanted)
        self.after_change()
        taken = ", ".join(sorted(held - self.held))
        return f"{taken} no longer from the grid, until grid_source is set to grid" if taken else ""

    def _with_load(self, wanted: dict[str, Any]) -> dict[str, Any]:
        """These inputs, those of a load per phase; ConfigError for a load that the DER has not."""
        given = [name for name in LOAD if name in wanted]
        if given and self.site is None:
            raise ConfigError(f"{given[0]}: the DER has no load behind its meter; start with --site_load 0")
        return wanted | (self.site.completed(wanted) if self.site is not None and given else {})

    def _check_switch(self, name: str, source: object, group: tuple[str, ...]) -> None:
        if source not in ("const", "csv", "grid"):
            raise ConfigError(f"{name}: {source!r} is not one of const, csv, grid")
        if source == "csv" and not any(each in self._known for each in group):
            raise ConfigError(
                f"{name}: csv needs a profile; start with --dc_profile, --grid_profile or --site_load"
            )
        if source == "grid" and not self._offered & set(group):
            raise ConfigError(f"{name}: no grid of this run gives it; docs/inputs.md says which flags do")

    def checkpoint(self) -> dict[str, Any]:
        """The constant values, what follows a profile, what was taken from a grid, and the ramp."""
        ramp = None if self._ramp is None else self._ramp.course
        taken = sorted(self._offered - self.held)
        return {
            "constants": plain(self.constants),
            "csv": sorted(self._profiles),
            "known": sorted(self._known),
            "not_grid": taken,
            "ramp": ramp,
        }

    def restore(self, document: Mapping[str, Any]) -> None:
        """Take over what `checkpoint` gave; an input whose profile or grid is not there is const.

        One that has a profile now and had none follows it.
        """
        self.constants = Conditions(*value(document["constants"]))
        new = self._known.keys() - set(document.get("known", self._known))
        follow = (*document["csv"], *new)
        self._profiles = {name: self._known[name] for name in follow if name in self._known}
        ramp = document["ramp"]
        self._ramp = None if ramp is None else FrequencyRamp(*ramp)
        self.held = frozenset()
        self._hold(self._offered - frozenset(document.get("not_grid", ())))

    def _end_ramp(self) -> None:
        if self._ramp is not None:
            self._hold_frequency(self._ramp.at(self.now_s()))

    def _start_ramp(self, target_hz: float, rate_hz_s: float) -> None:
        now_s = self.now_s()
        start_hz = self.at(now_s).frequency_hz
        self._let_go(("frequency_hz",))
        for name in ("frequency_hz", "rocof_hz_s"):
            self._profiles.pop(name, None)
        self._ramp = FrequencyRamp(now_s, start_hz, target_hz, rate_hz_s)

    def _switch(self, names: tuple[str, ...], source: str) -> None:
        if source == "grid":
            self._hold(names)
            return
        self._let_go(name for name in names if source == "const" or name in self._known)
        if source == "csv":
            self._profiles.update({name: self._known[name] for name in names if name in self._known})
            return
        now = self.at(self.now_s())._asdict()
        self.constants = self.constants._replace(**{name: now[name] for name in names} | {"rocof_hz_s": 0.0})
        for name in names:
            self._profiles.pop(name, None)

    def as_json(self, now_s: float) -> dict[str, Any]:
        """The inputs as the REST API shows them."""
        c = self.at(now_s)
        return {
            "voltage_pu": _short(c.voltage_pu),
            "angle_deg": _short(c.angle_deg),
            "frequency_hz": c.frequency_hz,
            "rocof_hz_s": c.rocof_hz_s,
            "irradiance_w_m2": c.irradiance_w_m2,
            "temperature_c": c.temperature_c,
            "wind_m_s": c.wind_m_s,
            **{name: getattr(c, name) for name in _FLAGS},
            "source": self._source_of((*_GRID, *_WEATHER, *LOAD)),
            **{name: self._source_of(names) for name, names in _SOURCES.items()},
            "offered_by_grid": sorted(self._offered),
            "held_by_grid": sorted(self.held),
            **self._load_json(c),
        }

    def _source_of(self, names: tuple[str, ...]) -> Kind:
        """Of several inputs: csv or grid if some are, csv first where both are."""
        kinds = {self.source(name) for name in names}
        return "csv" if "csv" in kinds else "grid" if "grid" in kinds else "const"

    def _load_json(self, now: Conditions) -> dict[str, Any]:
        site = self.site
        return {name: None if site is None else site.shown(getattr(now, name)) for name in LOAD}


def checked(values: Mapping[str, Any]) -> dict[str, Any]:
    """Inputs as `Conditions` has them, three values for what is per phase; ConfigError names the bad one.

    One number for a load is its total, and stays one number.
    """
    return {name: _checked(name, value) for name, value in values.items()}


def _short(phases: tuple[float, float, float]) -> float | list[float]:
    """One number where all phases are equal."""
    return phases[0] if phases[0] == phases[1] == phases[2] else list(phases)


def _checked(name: str, value: Any) -> Any:
    if name in _FLAGS:
        if not isinstance(value, bool):
            raise ConfigError(f"{name}: {value!r} is not true or false")
        return value
    if name not in RANGES:
        raise ConfigError(f"{name} is not an input; known are {', '.join((*RANGES, *_FLAGS))}")
    if name in _PER_PHASE and isinstance(value, list | tuple):
        if len(value) != 3:
            raise ConfigError(f"{name}: a number or three of them are needed, not {value!r}")
        return tuple(_number(name, item) for item in value)
    number = _number(name, value)
    return (number, number, number) if name in _PER_PHASE and name not in LOAD else number


def _number(name: str, value: Any) -> float:
    low, high = RANGES[name]
    return number(name, value, low, high)
