"""The metering mirror: what devices POST under /mup and anyone reads under /upt (2030.5-2018 10.11).

A MirrorUsagePoint is identified by its device and mRID, a MirrorMeterReading within it by its mRID. Posting a
known MirrorUsagePoint replaces it; a known MirrorMeterReading gets its Reading replaced and its reading sets
added, or replaced if their mRID is known. A new MirrorMeterReading needs a ReadingType. A POST is accepted as
a whole or refused.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from dersim.buffers import BufferSize
from dersim.ieee2030_5 import resources as r
from dersim.ieee2030_5.declare import Extra
from dersim.utility.reading_samples import MOST_SAMPLE_BYTES, SAMPLE_BYTES, Samples
from dersim.utility.refusal import RESOURCE_LIMIT, RequestRefused

MIRRORS_PER_DEVICE = 20
READINGS_PER_MIRROR = 200
#: Reading sets kept per MirrorMeterReading; the oldest are dropped.
SETS_KEPT = 48
_SET_BYTES = 650


class NumberedSet(NamedTuple):
    """A reading set and its number in the ReadingSetList."""

    number: int
    reading_set: r.MirrorReadingSet


@dataclass(slots=True, eq=False)
class MeterReadingRecord:
    """One quantity: its ReadingType, its newest Reading, its newest reading sets by mRID, and its samples.

    extra: unknown elements of the newest MirrorMeterReading.
    """

    number: int
    mrid: str
    reading_type: r.ReadingType
    description: str | None = None
    version: int | None = None
    reading: r.Reading | None = None
    sets: dict[str, NumberedSet] = field(default_factory=dict)
    sets_seen: int = 0
    extra: tuple[Extra, ...] = ()
    samples: Samples = field(default_factory=Samples)

    def update(self, posted: r.MirrorMeterReading, received_s: float) -> None:
        """Apply a posted MirrorMeterReading."""
        self.extra = posted.extra
        if posted.description is not None:
            self.description = posted.description
        if posted.version is not None:
            self.version = posted.version
        if posted.ReadingType is not None:
            self.reading_type = posted.ReadingType
        for reading_set in posted.MirrorReadingSet:
            self._keep(reading_set)
            for reading in reading_set.Reading:
                self.samples.add(reading, reading_set.timePeriod, received_s)
        if posted.Reading is not None:
            self.reading = posted.Reading
            self.samples.add(posted.Reading, None, received_s)

    def _keep(self, reading_set: r.MirrorReadingSet) -> None:
        known = self.sets.pop(reading_set.mRID, None)
        if known is None:
            self.sets_seen += 1
        self.sets[reading_set.mRID] = NumberedSet(known.number if known else self.sets_seen, reading_set)
        while len(self.sets) > SETS_KEPT:
            del self.sets[next(iter(self.sets))]

    def listed_sets(self) -> list[NumberedSet]:
        """The newest first."""
        by_number = sorted(self.sets.values(), key=lambda item: -item.number)
        return sorted(by_number, key=lambda item: -item.reading_set.timePeriod.start)

    def newest(self) -> r.Reading | None:
        """The newest value: the Reading, or the last of the latest set."""
        if self.reading is not None:
            return self.reading
        sets = self.listed_sets()
        readings = sets[0].reading_set.Reading if sets else ()
        return readings[-1] if readings else None


@dataclass(slots=True, eq=False)
class MirrorRecord:
    """One MirrorUsagePoint. point: as posted, without its readings. version: rises with each change."""

    number: int
    mrid: str
    lfdi: str
    point: r.MirrorUsagePoint
    readings: dict[str, MeterReadingRecord] = field(default_factory=dict)
    version: int = 0

    @property
    def href(self) -> str:
        """The path that the device posts to."""
        return f"/mup/{self.number}"

    @property
    def usage_point_href(self) -> str:
        """The path of the UsagePoint, where readings are read."""
        return f"/upt/{self.number}"

    def reading(self, number: int) -> MeterReadingRecord | None:
        """The meter reading of this number."""
        return next((item for item in self.readings.values() if item.number == number), None)

    def listed_readings(self) -> list[MeterReadingRecord]:
        """In the order of MeterReadingList: mRID descending."""
        return sorted(self.readings.values(), key=lambda item: item.mrid, reverse=True)


class Posted(NamedTuple):
    """The outcome of a POST: where it is, and whether it is new."""

    href: str
    created: bool


class Mirrors:
    """All mirrors. `version` rises when one is added, changed or removed. now_s: the time, UTC seconds."""

    def __init__(self, now_s: Callable[[], float] = time.time) -> None:
        self._now_s = now_s
        self.version = 0
        self._by_number: dict[int, MirrorRecord] = {}
        self._by_mrid: dict[tuple[str, str], MirrorRecord] = {}
        self._by_device: dict[str, list[MirrorRecord]] = {}
        self._first_by: dict[str, str] = {}
        #: The highest number that was ever used.
        self.highest = 0

    def __iter__(self) -> Iterator[MirrorRecord]:
        return iter(self._by_number.values())

    def size(self) -> BufferSize:
        """What the sets of readings and the samples take, by their number."""
        meters = [reading for mirror in self for reading in mirror.readings.values()]
        held = sum(len(meter.sets) * _SET_BYTES + len(meter.samples) * SAMPLE_BYTES for meter in meters)
        return BufferSize(held, len(meters) * (SETS_KEPT * _SET_BYTES + MOST_SAMPLE_BYTES))

    def get(self, number: int) -> MirrorRecord | None:
        """The mirror of this number."""
        return self._by_number.get(number)

    def listed(self, lfdis: Iterable[str] | None) -> list[MirrorRecord]:
        """In the order of MirrorUsagePointList, mRID descending: those of some devices, with None all."""
        mirrors = self if lfdis is None else [m for lfdi in lfdis for m in self._by_device.get(lfdi, [])]
        return sorted(mirrors, key=lambda item: item.mrid, reverse=True)

    def of(self, point: r.MirrorUsagePoint) -> MirrorRecord | None:
        """The mirror of this device and mRID."""
        return self._by_mrid.get(_key(point))

    def known_types(self, point: r.MirrorUsagePoint) -> dict[str, r.ReadingType]:
        """The ReadingTypes known below a MirrorUsagePoint, by mRID."""
        mirror = self._by_mrid.get(_key(point))
        return {mrid: item.reading_type for mrid, item in mirror.readings.items()} if mirror else {}

    def of_others(self, lfdi: str, readings: Iterable[r.MirrorMeterReading]) -> list[str]:
        """The mRIDs among these that a device other than `lfdi` has posted first."""
        mine, first = lfdi.zfill(40), self._first_by
        return [each.mRID for each in readings if first.get(each.mRID, mine) != mine]

    def post_point(self, point: r.MirrorUsagePoint, number: int | None = None) -> Posted:
        """Add or replace a MirrorUsagePoint with its readings; RequestRefused (400, 413) changes nothing.

        number: of a mirror that an earlier run had; the next one without.
        """
        key = _key(point)
        mirror = self._by_mrid.get(key)
        check_readings(mirror, point.MirrorMeterReading)
        created = mirror is None
        if mirror is None:
            if len(self.listed((key[0],))) >= MIRRORS_PER_DEVICE:
                raise RequestRefused(
                    413,
                    f"the mirror is full: at most {MIRRORS_PER_DEVICE} MirrorUsagePoints per device",
                    code=RESOURCE_LIMIT,
                )
            self.highest = max(self.highest + 1 if number is None else number, self.highest)
            mirror = MirrorRecord(number or self.highest, point.mRID, key[0], point)
            self._by_mrid[key] = self._by_number[mirror.number] = mirror
            self._by_device.setdefault(mirror.lfdi, []).append(mirror)
        readings, point.MirrorMeterReading = point.MirrorMeterReading, ()
        mirror.point = point
        self._update(mirror, readings)
        return Posted(mirror.href, created)

    def post_readings(self, mirror: MirrorRecord, readings: Sequence[r.MirrorMeterReading]) -> list[Posted]:
        """Add or update MirrorMeterReadings; RequestRefused (400, 413) changes nothing."""
        check_readings(mirror, readings)
        return self._update(mirror, readings)

    def restore(self, number: int, point: r.MirrorUsagePoint, meters: Mapping[str, int]) -> None:
        """Take over a mirror of an earlier run. meters: the numbers of its meter readings, by mRID."""
        self.post_point(point, number)
        for mrid, each in self._by_number[number].readings.items():
            each.number = meters.get(mrid, each.number)

    def remove(self, mirror: MirrorRecord) -> None:
        """Remove a mirror and its readings."""
        del self._by_number[mirror.number]
        del self._by_mrid[mirror.lfdi, mirror.mrid]
        self._by_device[mirror.lfdi].remove(mirror)
        for mrid in mirror.readings:
            if self._first_by.get(mrid) == mirror.lfdi:
                del self._first_by[mrid]
        self.version += 1

    def _update(self, mirror: MirrorRecord, readings: Sequence[r.MirrorMeterReading]) -> list[Posted]:
        self.version += 1
        mirror.version += 1
        outcome, now_s = [], self._now_s()
        for posted in readings:
            record = mirror.readings.get(posted.mRID)
            created = record is None
            if record is None:
                number = len(mirror.readings) + 1
                record = MeterReadingRecord(number, posted.mRID, posted.ReadingType or r.ReadingType())
                mirror.readings[posted.mRID] = record
                self._first_by.setdefault(posted.mRID, mirror.lfdi)
            record.update(posted, now_s)
            outcome.append(Posted(f"{mirror.usage_point_href}/mr/{record.number}", created))
        return outcome


def _key(point: r.MirrorUsagePoint) -> tuple[str, str]:
    """The LFDI with all its digits, which some devices shorten, and the mRID."""
    return point.deviceLFDI.zfill(40), point.mRID


def check_readings(mirror: MirrorRecord | None, readings: Sequence[r.MirrorMeterReading]) -> None:
    """RequestRefused for a new reading without a ReadingType (400) and for too many readings (413)."""
    known: set[Any] = set(mirror.readings) if mirror else set()
    for posted in readings:
        if posted.mRID not in known and posted.ReadingType is None:
            raise RequestRefused(
                400,
                f"MirrorMeterReading {posted.mRID} is new and has no ReadingType: "
                "post it with its ReadingType first",
            )
        known.add(posted.mRID)
    if len(known) > READINGS_PER_MIRROR:
        raise RequestRefused(
            413,
            f"the mirror is full: at most {READINGS_PER_MIRROR} MirrorMeterReadings per MirrorUsagePoint",
            code=RESOURCE_LIMIT,
        )
