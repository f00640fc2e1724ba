"""Distributions of times that can be added up: HdrHistogram for requests, and a small one for what is many.

`Latencies` is HdrHistogram with two digits: within 1 % from 1 us to an hour, 26 kB, 1.5 us a record. Its
encoded form is that of the Java, C and Go libraries. `Buckets` holds only what was counted, within 3 %: there
is one for each second of a run and for each step of a control.
"""

from __future__ import annotations

import struct
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from dersim.errors import ConfigError

#: The quantiles that are shown, by name; the names are also words of thresholds.
PERCENTILES: Mapping[str, float] = {"p50": 50.0, "p90": 90.0, "p95": 95.0, "p99": 99.0, "p99.9": 99.9}
_MOST_US = 3_600_000_000
_DIGITS = 2
#: The width of a bucket with two digits.
_WIDTH = 0.01


def library() -> Any:
    """The class of HdrHistogram; ConfigError says what to install."""
    try:
        from hdrh.histogram import HdrHistogram  # noqa: PLC0415 - an extra: only who measures load needs it
    except ImportError:
        raise ConfigError(
            f"load is measured with hdrhistogram, which is not installed: {sys.executable} -m pip install "
            f"hdrhistogram"
        ) from None
    return HdrHistogram


def _micros(seconds: float) -> int:
    return min(max(round(seconds * 1e6), 1), _MOST_US)


class Latencies:
    """Times in seconds from 1 us to an hour; what lies outside counts as the nearest.

    sum_s: of all of them.
    """

    __slots__ = ("_held", "sum_s")

    def __init__(self) -> None:
        self._held: Any = library()(1, _MOST_US, _DIGITS)
        self.sum_s = 0.0

    def record(self, seconds: float) -> None:
        """Count one."""
        self._held.record_value(_micros(seconds))
        self.sum_s += seconds

    def add(self, other: Latencies) -> None:
        """Count all of another."""
        self._held.add(other._held)
        self.sum_s += other.sum_s

    @property
    def count(self) -> int:
        """How many."""
        return int(self._held.get_total_count())

    def percentile_s(self, percent: float) -> float:
        """The value that so many percent do not exceed, s; 0 where there is none."""
        return float(self._held.get_value_at_percentile(percent)) / 1e6 if self.count else 0.0

    @property
    def mean_s(self) -> float:
        """The mean, s."""
        return self.sum_s / self.count if self.count else 0.0

    def shown_ms(self) -> dict[str, float] | None:
        """Percentiles, maximum and mean, ms; None where there is nothing."""
        if not self.count:
            return None
        found = self._held.get_percentile_to_value_dict(list(PERCENTILES.values()))
        shown = {name: found[percent] / 1e3 for name, percent in PERCENTILES.items()}
        return {**shown, "max": self._held.get_max_value() / 1e3, "mean": round(self.mean_s * 1e3, 3)}

    def counts_up_to(self, ends_s: Sequence[float]) -> list[int]:
        """How many do not exceed each of these, s, which rise."""
        found, total, place = [0] * len(ends_s), 0, 0
        for each in self._held.get_recorded_iterator():
            while place < len(ends_s) and each.value_iterated_to > ends_s[place] * 1e6 * (1 + _WIDTH):
                found[place] = total
                place += 1
            total += each.count_added_in_this_iter_step
        return found[:place] + [total] * (len(ends_s) - place)

    def to_text(self) -> str:
        """The sum, a space, and HdrHistogram's compressed form in base64."""
        return f"{self.sum_s!r} {self._held.encode().decode()}"

    @classmethod
    def from_text(cls, text: str) -> Latencies:
        """The inverse of `to_text`."""
        made = cls.__new__(cls)
        total, _, encoded = text.partition(" ")
        made._held, made.sum_s = library().decode(encoded), float(total)
        return made


#: Buckets per doubling, as a power of two.
_FINE = 4
_PAIR = struct.Struct("<HI")


def _index(micros: int) -> int:
    shift = max(micros.bit_length() - _FINE - 1, 0)
    return (shift << _FINE) + (micros >> shift)


def _middle_s(index: int) -> float:
    """The middle of a bucket, s."""
    shift = max((index >> _FINE) - 1, 0)
    return ((index - (shift << _FINE)) + (0.5 if shift else 0.0)) * (1 << shift) / 1e6


class Buckets:
    """Times in seconds, counted in buckets that are 6 % wide; the greatest one is exact."""

    __slots__ = ("counts", "most_s")

    def __init__(self) -> None:
        self.counts: dict[int, int] = {}
        self.most_s = 0.0

    def record(self, seconds: float) -> None:
        """Count one; what is below 1 us or above an hour counts as that."""
        index = _index(_micros(seconds))
        self.counts[index] = self.counts.get(index, 0) + 1
        self.most_s = max(self.most_s, seconds)

    def add(self, other: Buckets) -> None:
        """Count all of another."""
        for index, count in other.counts.items():
            self.counts[index] = self.counts.get(index, 0) + count
        self.most_s = max(self.most_s, other.most_s)

    def subtract(self, other: Buckets) -> None:
        """Take away what was added; the greatest one stays."""
        for index, count in other.counts.items():
            left = self.counts[index] - count
            if left:
                self.counts[index] = left
            else:
                del self.counts[index]

    @property
    def count(self) -> int:
        """How many."""
        return sum(self.counts.values())

    def percentile_s(self, percent: float) -> float:
        """The value that so many percent do not exceed, s; 0 where there is none."""
        rank, seen = percent / 100 * self.count, 0
        for index in sorted(self.counts):
            seen += self.counts[index]
            if seen >= rank:
                return min(_middle_s(index), self.most_s)
        return self.most_s

    @property
    def mean_s(self) -> float:
        """The mean of the buckets' middles, s; 0 where there is none."""
        count = self.count
        return sum(_middle_s(index) * each for index, each in self.counts.items()) / count if count else 0.0

    def shown_s(self) -> dict[str, float] | None:
        """Percentiles and maximum, s; None where there is nothing."""
        if not self.counts:
            return None
        shown = {name: round(self.percentile_s(PERCENTILES[name]), 3) for name in ("p50", "p95", "p99")}
        return {**shown, "max": round(self.most_s, 3)}

    def packed(self) -> bytes:
        """The counts in six bytes a bucket."""
        return b"".join(_PAIR.pack(index, min(count, 0xFFFFFFFF)) for index, count in self.counts.items())

    @classmethod
    def unpacked(cls, data: bytes, most_s: float) -> Buckets:
        """The inverse of `packed`."""
        made = cls()
        made.counts = dict(_PAIR.iter_unpack(data))
        made.most_s = most_s
        return made


def merged(parts: Iterable[Latencies]) -> Latencies:
    """All of them in a new one."""
    whole = Latencies()
    for part in parts:
        whole.add(part)
    return whole
