"""The power that mirrors report, summed over devices: each holds its last value until it is too old."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from itertools import accumulate
from typing import NamedTuple

from dersim.ieee2030_5 import resources as r
from dersim.utility.mirrors import MeterReadingRecord, MirrorRecord
from dersim.utility.reading_samples import Series

WATTS, VARS = 38, 63
#: accumulationBehaviour of a quantity that is no energy: not given, or instantaneous.
_MOMENTARY = (None, 0, 6, 12)
_MOST_EXPONENT = 9
#: Bits of roleFlags.
_PREMISES, _DER = 1 << 1, 1 << 3


class Held(NamedTuple):
    """The values of one meter reading, each multiplied by `factor`."""

    series: Series
    factor: float


class Sum(NamedTuple):
    """Values at the times that were asked for; None before the first and where nobody reports."""

    values: list[float | None]
    reporting: list[int]


def meters(mirrors: Iterable[MirrorRecord], uom: int) -> list[MeterReadingRecord]:
    """Of each device its total, or its phases where there is no total; of the first mirror that has one.

    The mirror of a premises, which has other signs and the load, is left out.
    """
    found: dict[str, list[MeterReadingRecord]] = {}
    for mirror in mirrors:
        if mirror.lfdi in found or is_of_site(mirror.point):
            continue
        own = [each for each in mirror.readings.values() if _is(each.reading_type, uom)]
        total = [each for each in own if not each.reading_type.phase]
        if own:
            found[mirror.lfdi] = total[:1] or own
    return [each for own in found.values() for each in own]


def is_of_site(point: r.MirrorUsagePoint) -> bool:
    """Whether a mirror is that of a premises, and not of a DER."""
    return bool(point.roleFlags & _PREMISES) and not point.roleFlags & _DER


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
    changes, counts = [0.0] * (len(times_s) + 1), [0] * (len(times_s) + 1)
    for (own_s, values), factor in parts:
        for index, time_s in enumerate(own_s):
            end_s = time_s + hold_s
            if index + 1 < len(own_s):
                end_s = min(end_s, own_s[index + 1])
            first, last = bisect_left(times_s, time_s), bisect_left(times_s, end_s)
            if first < last:
                value = values[index] * factor
                changes[first] += value
                changes[last] -= value
                counts[first] += 1
                counts[last] -= 1
    reporting = list(accumulate(counts[:-1]))
    sums = (round(power, 3) + 0.0 for power in accumulate(changes[:-1]))
    values_shown = [power if count else None for power, count in zip(sums, reporting, strict=True)]
    return Sum(values_shown, reporting)
