"""What devices sent, kept as the bodies that they sent it with, and read again at the start.

A document or reading that replaces an older one has its key. Values go to the table of readings, too.
"""

from __future__ import annotations

import hashlib
import itertools
import json
from collections.abc import Iterable, Sequence
from typing import Any

from dersim.ieee2030_5 import decode
from dersim.ieee2030_5 import resources as r
from dersim.ieee2030_5.edition import Edition
from dersim.utility.end_devices import (
    LOG_EVENTS_KEPT,
    EndDeviceRecord,
    NumberedLogEvent,
    ReportedDocument,
)
from dersim.utility.head_end import HeadEnd
from dersim.utility.mirrors import SETS_KEPT, MeterReadingRecord, MirrorRecord, NumberedSet
from dersim.utility.responses import KEPT, NumberedResponse
from dersim.utility.state.journal import HeldReading, Journal
from dersim.utility.state.store import Row

#: By kind, the highest number that was ever used.
HIGHEST = "highest"
REPORTED, LOG_EVENT, RESPONSE, MIRROR, READINGS = "reported", "log_event", "response", "mirror", "readings"


def keep_reported(
    journal: Journal, device: EndDeviceRecord, name: str, document: ReportedDocument, body: bytes
) -> None:
    """A document that a device has PUT."""
    form = f'["{document.edition.value}", {document.number}, "{document.resource.href}"]'
    journal.put(REPORTED, f"{device.number}/{name}", form, body)


def keep_log_event(journal: Journal, device: EndDeviceRecord, entry: NumberedLogEvent, body: bytes) -> None:
    """A LogEvent; the one that it pushed out of the list is dropped."""
    journal.put(LOG_EVENT, f"{device.number}/{entry.number}", f"{entry.id}", body)
    if entry.number > LOG_EVENTS_KEPT:
        journal.drop(LOG_EVENT, f"{device.number}/{entry.number - LOG_EVENTS_KEPT}")


def keep_response(journal: Journal, entry: NumberedResponse, body: bytes) -> None:
    """A Response; the one that it pushed out is dropped."""
    if journal.on:
        journal.put(RESPONSE, str(entry.number), json.dumps([entry.lfdi, entry.received_s]), body)
        if entry.number > KEPT:
            journal.drop(RESPONSE, str(entry.number - KEPT))


def keep_mirror(
    head_end: HeadEnd,
    point: r.MirrorUsagePoint,
    readings: Sequence[r.MirrorMeterReading],
    body: bytes,
    now_s: float,
) -> None:
    """A MirrorUsagePoint, with the numbers of its meter readings."""
    mirror = head_end.mirrors.of(point)
    if head_end.journal.on and mirror is not None:
        numbers = {each.mrid: each.number for each in mirror.readings.values()}
        head_end.journal.put(MIRROR, str(mirror.number), json.dumps([mirror.lfdi, numbers]), body)
        head_end.journal.put(HIGHEST, MIRROR, str(head_end.mirrors.highest))
        _keep_values(head_end.journal, mirror, readings, now_s)


def keep_readings(
    journal: Journal, mirror: MirrorRecord, posted: Sequence[r.MirrorMeterReading], body: bytes, now_s: float
) -> None:
    """A post of readings: it takes the place of the last one of the same meter readings."""
    if not journal.on:
        return
    numbers = [_numbers(mirror.readings[each.mRID], each) for each in posted]
    journal.put(READINGS, f"{mirror.number}/{_shape(posted, numbers)}", json.dumps(numbers), body)
    _keep_values(journal, mirror, posted, now_s)


def _numbers(record: MeterReadingRecord, posted: r.MirrorMeterReading) -> list[int]:
    """The number of a meter reading, and those of the sets that were posted for it; 0: not held."""
    sets = (record.sets.get(each.mRID) for each in posted.MirrorReadingSet)
    return [record.number, *(0 if each is None else each.number for each in sets)]


def _shape(posted: Sequence[r.MirrorMeterReading], numbers: Sequence[list[int]]) -> str:
    """What a later post must have in common to take the place of this one.

    Of sets as many are kept as the server holds: the newest takes the place of the oldest.
    """
    shape = hashlib.sha256()
    for each, (_, *sets) in zip(posted, numbers, strict=True):
        kind = "" if each.ReadingType is None else "type"
        shape.update(f"{each.mRID} {kind} {[number % SETS_KEPT for number in sets]}".encode())
    return shape.hexdigest()[:16]


def _keep_values(
    journal: Journal, mirror: MirrorRecord, posted: Iterable[r.MirrorMeterReading], now_s: float
) -> None:
    for each in posted:
        number = mirror.readings[each.mRID].number
        for value in _values(each):
            journal.read(_held(mirror.number, number, value, now_s))


def _values(posted: r.MirrorMeterReading) -> Iterable[r.Reading]:
    own = () if posted.Reading is None else (posted.Reading,)
    return itertools.chain(own, *(sets.Reading for sets in posted.MirrorReadingSet))


def _held(mirror: int, meter: int, reading: r.Reading, now_s: float) -> HeldReading:
    period = reading.timePeriod
    start_s, duration_s = (None, None) if period is None else (period.start, period.duration)
    return HeldReading(now_s, mirror, meter, start_s, duration_s, reading.value, reading.qualityFlags)


def drop_mirror(journal: Journal, mirror: MirrorRecord) -> None:
    """A mirror that was removed, with its posts."""
    journal.drop(MIRROR, str(mirror.number))
    journal.drop_all(READINGS, f"{mirror.number}/")


def drop_device(journal: Journal, number: int) -> None:
    """An EndDevice that was removed, with its documents and LogEvents."""
    journal.drop_all(REPORTED, f"{number}/")
    journal.drop_all(LOG_EVENT, f"{number}/")


def by_owner(head_end: HeadEnd, rows: Iterable[Row]) -> dict[str, list[Row]]:
    """What was posted by the LFDI of its device; "" for what nobody in particular has posted."""
    owners: dict[str, list[Row]] = {}
    of_mirror = {row.key: str(json.loads(row.document)[0]) for row in rows if row.kind == MIRROR}
    for row in rows:
        number = row.key.partition("/")[0]
        if row.kind in (REPORTED, LOG_EVENT):
            device = head_end.end_devices.get(int(number))
            owner = None if device is None else device.lfdi
        elif row.kind in (MIRROR, READINGS):
            owner = of_mirror.get(number)
        elif row.kind == RESPONSE:
            owner = json.loads(row.document)[0] or ""
        else:
            continue
        if owner is not None:
            owners.setdefault(owner, []).append(row)
    return owners


def restore(head_end: HeadEnd, rows: Sequence[Row]) -> None:
    """Take over what one device has posted. rows: in the order in which they were written."""
    by_kind: dict[str, list[Row]] = {}
    for row in rows:
        by_kind.setdefault(row.kind, []).append(row)
    for row in by_kind.get(REPORTED, ()):
        _restore_reported(head_end, row)
    for row in sorted(by_kind.get(LOG_EVENT, ()), key=lambda row: json.loads(row.document)):
        number, _, own = row.key.partition("/")
        device = head_end.end_devices.get(int(number))
        if device is not None:
            event = _read(row.body)
            device.log_events.append(NumberedLogEvent(int(own), event, int(row.document)))
    responses = sorted(by_kind.get(RESPONSE, ()), key=lambda row: int(row.key))
    for row in responses:
        lfdi, received_s = json.loads(row.document)
        entry = NumberedResponse(int(row.key), _read(row.body), lfdi, received_s)
        head_end.responses.restore(entry)
    for row in by_kind.get(MIRROR, ()):
        head_end.mirrors.restore(int(row.key), _read(row.body), json.loads(row.document)[1])
    for row in by_kind.get(READINGS, ()):
        mirror = head_end.mirrors.get(int(row.key.partition("/")[0]))
        if mirror is not None:
            _restore_readings(head_end, mirror, _read(row.body), json.loads(row.document))


def _restore_reported(head_end: HeadEnd, row: Row) -> None:
    number, _, name = row.key.partition("/")
    device = head_end.end_devices.get(int(number))
    if device is not None:
        edition, version, href = json.loads(row.document)
        resource = _read(row.body)
        resource.href = href
        device.reported[name] = ReportedDocument(resource, Edition(edition), version)


def _restore_readings(head_end: HeadEnd, mirror: MirrorRecord, posted: Any, numbers: list[list[int]]) -> None:
    single = isinstance(posted, r.MirrorMeterReading)
    readings = (posted,) if single else posted.MirrorMeterReading
    head_end.mirrors.post_readings(mirror, readings)
    for (number, *sets), each in zip(numbers, readings, strict=True):
        record = mirror.readings[each.mRID]
        record.number = number
        for own, reading_set in zip(sets, each.MirrorReadingSet, strict=True):
            if not own:
                continue
            record.sets[reading_set.mRID] = NumberedSet(own, reading_set)
            record.sets_seen = max(record.sets_seen, own)


def _read(body: bytes) -> Any:
    """The resource of a body that was taken before."""
    return decode(body, validation="off").resource
