"""Profiles of weather, grid and load from CSV files, checked line by line when read.

The first column is time: ``t_s`` (seconds from the start) or ``TimeUTC`` (RFC 3339 or ``YYYY-MM-DD
HH:MM:SS``, UTC). The others, each optional but at least one of them present:

    weather: irradiance_w_m2, temperature_c, wind_m_s       a straight line between rows
    grid:    voltage_pu, or voltage_a_pu, voltage_b_pu, voltage_c_pu; angle_deg, or angle_a_deg, angle_b_deg,
             angle_c_deg; frequency_hz; rocof_hz_s                                  constant until the next
    load:    load_w, or load_a_w, load_b_w, load_c_w; load_var, or load_a_var, load_b_var, load_c_var
                                                                                    constant until the next

A profile repeats at its end, one with TimeUTC after whole days (`whole_days.py`). Weather is interpolated
between rows; rows of grid and load are steps at exact instants, so that ride-through is timed exactly. From a
row with rocof_hz_s the frequency moves at that rate.
"""

from __future__ import annotations

import copy
import math
from bisect import bisect_right
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from dersim.csv_text import cell, open_csv
from dersim.errors import ConfigError
from dersim.grid import whole_days
from dersim.grid.frequency_ramp import next_piece_s
from dersim.numeric import shown

#: The weather of a clear day that comes with dersim, for `--dc_profile`.
CLEAR_DAY = Path(__file__).parent / "data" / "clear-day.csv"
_TIMES = ("t_s", "TimeUTC")
WEATHER = ("irradiance_w_m2", "temperature_c", "wind_m_s")
_PER_PHASE = {
    "voltage_pu": ("voltage_a_pu", "voltage_b_pu", "voltage_c_pu"),
    "angle_deg": ("angle_a_deg", "angle_b_deg", "angle_c_deg"),
}
_LOAD_PER_PHASE = {
    "load_w": ("load_a_w", "load_b_w", "load_c_w"),
    "load_var": ("load_a_var", "load_b_var", "load_c_var"),
}
GRID = (*(name for one, three in _PER_PHASE.items() for name in (one, *three)), "frequency_hz", "rocof_hz_s")
LOAD = tuple(name for one, three in _LOAD_PER_PHASE.items() for name in (one, *three))
_KINDS = {"weather": WEATHER, "grid": GRID, "load": LOAD}
#: The largest load, W or var; a negative one is generation that nothing controls.
LOAD_RANGE = (-1e9, 1e9)
_RANGES = {
    "irradiance_w_m2": (0.0, 2000.0),
    "temperature_c": (-60.0, 80.0),
    "wind_m_s": (0.0, 100.0),
    "frequency_hz": (30.0, 90.0),
    "rocof_hz_s": (-100.0, 100.0),
    **dict.fromkeys(("angle_deg", *_PER_PHASE["angle_deg"]), (-180.0, 180.0)),
    **dict.fromkeys(LOAD, LOAD_RANGE),
}
#: Times as large as those of Unix differ by no less; the step from row to row must move the clock.
_MOST_S, _LEAST_S = 1e12, 1e-4


class Profile:
    """Columns over time. times_s rise; `start_s` is the simulated time of the first row.

    columns: name -> values; ``voltage_pu`` and ``angle_deg`` hold triples, a load's columns either.
    stepwise: rows hold until the next one, but for a frequency that moves at rocof_hz_s.
    time_of_day_s: of the first row, for a profile with TimeUTC, which is played by the time of day and
    repeats after whole days (`whole_days.py`). None: it starts with `begin`, and repeats after its last row,
    which lasts as long as the one before it.
    """

    def __init__(
        self,
        times_s: list[float],
        columns: dict[str, list[Any]],
        *,
        stepwise: bool,
        start_s: float = 0.0,
        time_of_day_s: float | None = None,
    ) -> None:
        self._times = [t - times_s[0] for t in times_s]
        self.columns = columns
        self._stepwise = stepwise
        self._moves = "rocof_hz_s" in columns
        self.start_s = start_s
        self.time_of_day_s = time_of_day_s
        # All DERs of a fleet read the same instant one after another.
        self._last: dict[str, tuple[float, Any]] = {}
        self._days = whole_days.days_of(self._times)
        self._gaps: frozenset[int] = frozenset()
        if time_of_day_s is None:
            last = self._times[-1] - self._times[-2] if len(times_s) > 1 else 1.0
            self._period_s = self._times[-1] + last
        else:
            self._period_s = self._days * whole_days.DAY_S
            self._gaps = whole_days.gaps_of(self._times, self._days, stepwise=stepwise)

    @property
    def filled(self) -> bool:
        """Whether rows are missing for which something else is played."""
        return bool(self._gaps)

    def said(self) -> str:
        """How a profile with TimeUTC is played, in one line; "" for one with t_s."""
        if self.time_of_day_s is None:
            return ""
        effect = "the last row before holds"
        if "irradiance_w_m2" in self.columns:
            effect = "irradiance is 0" + (", all else holds" if len(self.columns) > 1 else "")
        return whole_days.said_of(self._times, self._days, self._gaps, self.time_of_day_s, effect)

    def begin(self, start_s: float, utc_offset_s: float = 0.0) -> None:
        """Start at simulated time start_s; with TimeUTC, aligned to the time of day at this offset."""
        self.start_s = start_s
        self._last.clear()
        if self.time_of_day_s is not None:
            midnight_s = start_s - (start_s + utc_offset_s) % whole_days.DAY_S
            self.start_s = midnight_s + self.time_of_day_s

    def shifted(self, later_s: float) -> Profile:
        """The same rows, played so many seconds later; what has begun stays as it is."""
        other = copy.copy(self)
        other.start_s = self.start_s + later_s
        other._last = {}
        return other

    def with_columns(self, columns: dict[str, list[Any]]) -> Profile:
        """The same rows with other columns."""
        other = self.shifted(0.0)
        other.columns = columns
        return other

    def at(self, name: str, now_s: float) -> Any:
        """The value of a column at simulated time now_s."""
        last = self._last.get(name)
        if last is None or last[0] != now_s:
            self._last[name] = last = (now_s, self._work_out(name, now_s))
        return last[1]

    def during(self, name: str, start_s: float, end_s: float) -> Any:
        """The value of a column at end_s, under the row of start_s if that holds until the next one."""
        if not self._stepwise:
            row = self._row(start_s) if self._gaps else -1
            return self._in_gap(name, row) if row in self._gaps else self.at(name, end_s)
        value = self.at(name, start_s)
        if self._moves and name == "frequency_hz":
            return _within_range(value + self.at("rocof_hz_s", start_s) * (end_s - start_s))
        return value

    def _work_out(self, name: str, now_s: float) -> Any:
        t = self._phase(now_s)
        index = bisect_right(self._times, t) - 1
        values = self.columns[name]
        since_s = t - self._times[index]
        if self._stepwise:
            if self._moves and name == "frequency_hz":
                return _within_range(values[index] + self.columns["rocof_hz_s"][index] * since_s)
            return values[index]
        if index in self._gaps:
            return self._in_gap(name, index) if since_s > 0 else values[index]
        following = index + 1 if index + 1 < len(values) else 0
        share = since_s / (self._end_of(index) - self._times[index])
        return values[index] + (values[following] - values[index]) * share

    def _in_gap(self, name: str, row: int) -> Any:
        """The value of weather after a row that no other follows within two intervals."""
        return 0.0 if name == "irradiance_w_m2" else self.columns[name][row]

    def _row(self, now_s: float) -> int:
        return bisect_right(self._times, self._phase(now_s)) - 1

    def _end_of(self, index: int) -> float:
        """When the next row begins, after the last one the first again."""
        return self._times[index + 1] if index + 1 < len(self._times) else self._period_s

    def _phase(self, now_s: float) -> float:
        """Seconds since the first row, within one period."""
        return (now_s - self.start_s) % self._period_s

    def next_step_s(self, now_s: float) -> float:
        """The next instant after now_s at which a row begins, or a moving frequency has moved a little."""
        t = self._phase(now_s)
        next_s = now_s + self._end_of(bisect_right(self._times, t) - 1) - t
        return next_piece_s(now_s, next_s, self.at("rocof_hz_s", now_s)) if self._moves else next_s


def _within_range(hz: float) -> float:
    low, high = _RANGES["frequency_hz"]
    return min(high, max(low, hz))


def read_profile(path: Path, kind: str) -> Profile:
    """Read a CSV profile of a kind of `_KINDS`; ConfigError names the file and the line."""
    known = _KINDS[kind]
    with open_csv(path, (*_TIMES, *known)) as (header, rows):
        _check_header(path, header, known)
        times, columns = _read_rows(header, rows)
    if not times:
        raise ConfigError(f"{path}: no rows under the header")
    time_of_day_s = times[0] % whole_days.DAY_S if header[0] == "TimeUTC" else None
    for one, three in (_PER_PHASE | _LOAD_PER_PHASE).items():
        if three[0] in columns:
            columns[one] = list(zip(*(columns.pop(name) for name in three), strict=True))
        elif one in columns and one in _PER_PHASE:
            columns[one] = [(v, v, v) for v in columns[one]]
    return Profile(times, columns, stepwise=kind != "weather", time_of_day_s=time_of_day_s)


def _check_header(path: Path, header: list[str], known: tuple[str, ...]) -> None:
    if header[0] not in _TIMES or any(name in _TIMES for name in header[1:]):
        raise ConfigError(f"{path} line 1: the first column, and no other, must be t_s or TimeUTC")
    if len(header) < 2:
        raise ConfigError(f"{path} line 1: a column is missing; one or more of {', '.join(known)} are needed")
    for one, three in (_PER_PHASE | _LOAD_PER_PHASE).items():
        phases = [name for name in three if name in header]
        if phases and (len(phases) < 3 or one in header):
            raise ConfigError(f"{path} line 1: give {one}, or all of {', '.join(three)}")
    if known is LOAD and "load_w" not in header and "load_a_w" not in header:
        raise ConfigError(f"{path} line 1: load_w is missing; give it, or load_a_w, load_b_w and load_c_w")
    if "rocof_hz_s" in header and "frequency_hz" not in header:
        raise ConfigError(f"{path} line 1: rocof_hz_s needs frequency_hz, from which it moves")


def _read_rows(
    header: list[str], rows: Iterator[tuple[str, list[str]]]
) -> tuple[list[float], dict[str, list[Any]]]:
    times: list[float] = []
    columns: dict[str, list[Any]] = {name: [] for name in header[1:]}
    for where, row in rows:
        t = _time(where, header[0], row[0])
        if times and t <= times[-1]:
            raise ConfigError(f"{where}: the time does not rise; it must in every row")
        if times and t - times[-1] < _LEAST_S * 0.99:
            raise ConfigError(f"{where}: the time rises by less than {_LEAST_S:g} s; leave this row out")
        times.append(t)
        for name, text in zip(header[1:], row[1:], strict=True):
            columns[name].append(cell(where, name, text, *_RANGES.get(name, (0.0, 2.0))))
    return times, columns


def _time(where: str, column: str, text: str) -> float:
    try:
        if column == "t_s":
            t = float(text)
        else:
            moment = datetime.fromisoformat(text.strip())
            t = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        t = math.nan
    if not abs(t) <= _MOST_S:
        raise ConfigError(f"{where}: {column} {shown(text)} is not a time")
    return t
