"""The rows of a trajectory: which columns there are, and what one row means."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from dersim.csv_text import cell
from dersim.errors import ConfigError

COLUMNS = ("t", "p_w", "q_var", "status")
#: Columns on request: per phase P (W), Q (var) and current (A).
PHASE_COLUMNS = tuple(
    f"{name}_{phase}_{unit}" for name, unit in (("p", "w"), ("q", "var"), ("i", "a")) for phase in "abc"
)
_PHASES = ("v_a_pu", "v_b_pu", "v_c_pu")
_INPUTS = ("t", "f_hz", "v_pu", *_PHASES, "p_avl_pu", "p_dem_pu")
#: Columns that a trajectory may have: the inputs, and outputs of an earlier run, which are not read.
KNOWN = (*_INPUTS, *COLUMNS[1:], "soc", *PHASE_COLUMNS, "p_desired_pu", "q_desired_pu")
_PER_UNIT = {"v": "pu of v_nom", "p": "pu of w_max"}


class Row(NamedTuple):
    """One row: time (s), voltages A, B, C (pu), frequency (Hz), and the available or demanded power (pu)."""

    t: float
    voltage_pu: tuple[float, float, float]
    f_hz: float
    power_pu: float


class RowReader:
    """Reads the rows of a machine of 1 to 3 phases one after another; storage: with a demand for power."""

    def __init__(self, phases: int, *, storage: bool) -> None:
        self._phases = phases
        self._power = "p_dem_pu" if storage else "p_avl_pu"
        self._last_s = -math.inf

    def check_columns(self, where: str, names: Iterable[str]) -> None:
        """ConfigError for a column that is missing."""
        names = set(names)
        for name in ("t", "f_hz", self._power):
            if name not in names:
                raise ConfigError(f"{where}: column {name} is missing")
        if "v_pu" not in names and not names.issuperset(_PHASES[: self._phases]):
            per_phase = ", ".join(_PHASES[: self._phases])
            raise ConfigError(f"{where}: column v_pu is missing; give it, or {per_phase}")

    def read(self, where: str, row: Mapping[str, Any]) -> Row:
        """The values of a row whose columns are complete; ConfigError names the place and the column."""
        t = cell(where, "t", row["t"], -1e12, 1e12, "s")
        if t <= self._last_s:
            raise ConfigError(f"{where}: t {t:g} does not rise; it must in every row")
        self._last_s = t
        low = -10.0 if self._power == "p_dem_pu" else 0.0
        power = cell(where, self._power, row[self._power], low, 10, _PER_UNIT["p"])
        return Row(t, self._voltage(where, row), cell(where, "f_hz", row["f_hz"], 30, 90, "Hz"), power)

    def _voltage(self, where: str, row: Mapping[str, Any]) -> tuple[float, float, float]:
        if row.get("v_a_pu") not in (None, "") or ("v_a_pu" in row and "v_pu" not in row):
            names = _PHASES[: self._phases]
            volts = [cell(where, name, row.get(name), 0, 2, _PER_UNIT["v"]) for name in names]
            # The phases that a machine does not have do not matter.
            return (volts[0], volts[1 % len(volts)], volts[-1])
        v = cell(where, "v_pu", row.get("v_pu"), 0, 2, _PER_UNIT["v"])
        return (v, v, v)
