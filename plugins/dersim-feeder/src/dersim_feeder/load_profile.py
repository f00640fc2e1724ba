"""The loads' course over the day: from a CSV file, or the day of a household that comes with the plug-in."""

from __future__ import annotations

import random
from dataclasses import dataclass
from importlib.resources import as_file, files
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dersim.plugin import ConfigError, csv_cell, open_csv

Array = NDArray[np.float64]
_COLUMNS = ("hour", "load", "power_factor")
DAY_H = 24.0
#: Customers are this much earlier or later than their profile, h, at the most.
_SHIFT_H = 0.75
_LEAST, _MOST = 0.3, 3.0


@dataclass(frozen=True, slots=True)
class LoadProfile:
    """A load over the local day. hours rise from 0; load is relative to the load's kw; it repeats."""

    hours: Array
    load: Array
    power_factor: Array | None = None

    def at(self, hours: Array) -> Array:
        """The load at these hours of the day, a straight line between rows."""
        return np.interp(hours % DAY_H, self.hours, self.load, period=DAY_H)

    def power_factor_at(self, hours: Array, otherwise: Array) -> Array:
        """The power factor, where the file has one."""
        if self.power_factor is None:
            return otherwise
        return np.interp(hours % DAY_H, self.hours, self.power_factor, period=DAY_H)


def constant() -> LoadProfile:
    """The same all day."""
    return LoadProfile(np.array([0.0]), np.array([1.0]))


def residential() -> LoadProfile:
    """A household's day with a high evening."""
    with as_file(files("dersim_feeder") / "data" / "residential.csv") as path:
        return read_profile(path)


def read_profile(path: Path) -> LoadProfile:
    """A CSV file: hour (0 to 24, rising), load (1: the load's kw), and perhaps power_factor (lagging)."""
    rows: list[list[float]] = []
    with open_csv(path, _COLUMNS) as table:
        missing = [name for name in _COLUMNS[:2] if name not in table.header]
        if missing:
            raise ConfigError(f"{path} line 1: column {missing[0]} is missing; name hour and load")
        for where, row in table.rows:
            cells = dict(zip(table.header, row, strict=True))
            hour = csv_cell(where, "hour", cells["hour"], 0, DAY_H, "h")
            if rows and hour <= rows[-1][0]:
                raise ConfigError(f"{where}: hour {hour:g} is not after the row before; hours rise")
            factor = cells.get("power_factor")
            rows.append(
                [
                    hour,
                    csv_cell(where, "load", cells["load"], 0, 10),
                    1.0 if factor is None else csv_cell(where, "power_factor", factor, 0.5, 1),
                ]
            )
    if not rows:
        raise ConfigError(f"{path}: no rows; give hour and load, one row each")
    hours, load, factors = np.array(rows).T
    return LoadProfile(hours, load, factors if "power_factor" in table.header else None)


@dataclass(frozen=True, slots=True)
class LoadSpec:
    """One load of a feeder file: its element, kW at the profile's 1, and how customers differ."""

    element: str
    kw: float
    power_factor: float
    profile: str
    spread: float


class Loads:
    """The loads of a feeder file over the day; each differs from its profile as the seed says."""

    def __init__(self, specs: list[LoadSpec], profiles: dict[str, LoadProfile], seed: int) -> None:
        rng = random.Random(f"{seed}/feeder loads")  # noqa: S311 - a simulation's draws
        self.elements = [spec.element for spec in specs]
        scale, shift = [], []
        for spec in specs:
            drawn = rng.lognormvariate(-(spec.spread**2) / 2, spec.spread) if spec.spread else 1.0
            scale.append(spec.kw * min(max(drawn, _LEAST), _MOST))
            shift.append(rng.uniform(-_SHIFT_H, _SHIFT_H) if spec.spread else 0.0)
        self._kw, self._shift_h = np.array(scale), np.array(shift)
        self._factor = np.array([spec.power_factor for spec in specs])
        self._parts = [
            (profile, np.array([i for i, spec in enumerate(specs) if spec.profile == name], dtype=np.intp))
            for name, profile in profiles.items()
        ]

    def at(self, hour: float) -> tuple[Array, Array]:
        """P and Q of every load at this hour of the local day, kW and kvar."""
        kw, factor = self._kw.copy(), self._factor.copy()
        for profile, which in self._parts:
            hours = hour + self._shift_h[which]
            kw[which] *= profile.at(hours)
            factor[which] = profile.power_factor_at(hours, factor[which])
        return kw, kw * np.tan(np.arccos(factor))
