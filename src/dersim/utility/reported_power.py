"""The power that mirrors report, summed over devices: each holds its last value until it is too old."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from dersim.ieee2030_5 import resources as r
from dersim.utility.mirrors import MeterReadingRecord, MirrorRecord
from dersim.utility.reading_samples import Series

WATTS, VARS = 38, 63
#: accumulationBehaviour of a quantity that is no energy: not given, or instantaneous.
_MOMENTARY = (None, 0, 6, 12)
_MOST_EXPONENT = 9


class Held(NamedTuple):
    """The values of one meter reading, each multiplied by `factor`."""

    series: Series
    factor: float


class Sum(NamedTuple):
    """Values at the times that were asked for; None before the first and where nobody reports."""

    values: list[float | None]
    reporting: list[int]


def meters(mirrors: Iterable[MirrorRecord], uom: int) -> list[MeterReadingRecord]:
    """Of each device its total, or its phases where there is no total; of the first mirror that has one."""
    found: dict[str, list[MeterReadingRecord]] = {}
    for mirror in mirrors:
        if mirror.lfdi in found:
            continue
        own = [each for each in mirror.readings.values() if _is(each.reading_type, uom)]
        total = [each for each in own if not each.reading_type.phase]
        if own:
            found[mirror.lfdi] = total[:1] or own
    return [each for own in found.values() for each in own]


def _is(kind: r.ReadingType, uom: int) -> bool:
    return kind.uom == uom and kind.accumulationBehaviour in _MOMENTARY


def held(records: Iterable[MeterReadingRecord], since_s: float) -> list[Held]:
    """Copies of their samples, for another thread."""
    return [
        Held(each.samples.since(since_s), 10.0**exponent)
        for each in records
        if abs(exponent := each.reading_type.powerOfTenMultiplier or 0) <= _MOST_EXPONENT
    ]


def total(parts: Iterable[Held], times_s: list[float], hold_s: float) -> Sum:
    """The sum at each time, rising. hold_s: how long a value holds after it was taken."""
    steps: list[tuple[float, float, int]] = []
    for (own_s, values), factor in parts:
        for index, time_s in enumerate(own_s):
            value = values[index] * factor
            end_s = time_s + hold_s
            if index + 1 < len(own_s):
                end_s = min(end_s, own_s[index + 1])
            steps += ((time_s, value, 1), (end_s, -value, -1))
    steps.sort()
    sums: list[float | None] = []
    reporting: list[int] = []
    power, count, place = 0.0, 0, 0
    for time_s in times_s:
        while place < len(steps) and steps[place][0] <= time_s:
            power += steps[place][1]
            count += steps[place][2]
            place += 1
        sums.append(round(power, 3) + 0.0 if count else None)
        reporting.append(count)
    return Sum(sums, reporting)
