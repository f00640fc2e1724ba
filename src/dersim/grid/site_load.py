"""The load behind the meter of a DER: how it is spread over the phases, and its reactive power."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

from dersim.errors import ConfigError
from dersim.grid.profiles import Profile

Triple = tuple[float, float, float]

#: The inputs of a load.
LOAD = ("load_w", "load_var")
#: The power factor of a load, as a magnitude.
LEAST_POWER_FACTOR = 0.01


class SiteLoad(NamedTuple):
    """The load of a site with 1, 2 or 3 phases.

    power_factor: of a load whose reactive power is not given, -1 to 1; > 0 inductive, < 0 capacitive.
    """

    phases: int
    power_factor: float = 1.0

    def completed(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """The load's inputs among `values`, per phase; with W and without var, var by the power factor.

        One number is the total, in equal parts. ConfigError for power in a phase that the site has not.
        """
        found = {name: self._spread(name, values[name]) for name in LOAD if name in values}
        if "load_w" in found and "load_var" not in found:
            found["load_var"] = self._var_of(found["load_w"])
        return found

    def of_profile(self, profile: Profile) -> Profile:
        """The profile with load_w and load_var, each per phase."""
        given = {name: profile.columns[name] for name in LOAD if name in profile.columns}
        rows = [
            self.completed(dict(zip(given, row, strict=True))) for row in zip(*given.values(), strict=True)
        ]
        return profile.with_columns({name: [row[name] for row in rows] for name in rows[0]})

    def shown(self, values: Triple) -> float | list[float]:
        """The total where all phases are equal, else A, B and C."""
        used = values[: self.phases]
        return used[0] * self.phases if len(set(used)) == 1 else list(values)

    def _spread(self, name: str, value: float | Triple) -> Triple:
        if isinstance(value, tuple):
            for index, letter in enumerate("ABC"):
                if index >= self.phases and value[index]:
                    raise ConfigError(
                        f"{name}: the DER has no phase {letter}; give 0 there, or one number for all"
                    )
            return value
        part = value / self.phases
        return (part, part * (self.phases > 1), part * (self.phases > 2))

    def _var_of(self, load_w: Triple) -> Triple:
        factor = self.power_factor
        ratio = math.copysign(math.sqrt(max(0.0, 1 - factor * factor)) / abs(factor), factor)
        a, b, c = load_w
        return (a * ratio, b * ratio, c * ratio)
