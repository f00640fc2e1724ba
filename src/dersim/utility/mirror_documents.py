"""The resources of the metering mirror: /mup, where devices post, and /upt, where readings are read."""

from __future__ import annotations

from typing import Any

from dersim.ieee2030_5 import resources as r
from dersim.ieee2030_5.edition import Edition
from dersim.utility import standard_rules
from dersim.utility.listing import listing
from dersim.utility.mirrors import MeterReadingRecord, MirrorRecord, NumberedSet, Posted
from dersim.utility.refusal import RequestRefused, not_found
from dersim.utility.request_context import Answer, Document, RequestContext
from dersim.utility.state.posted import drop_mirror, keep_mirror, keep_readings


def mirrors(context: RequestContext) -> Document:
    """GET /mup: the client's own mirrors; empty before registration."""
    return listing(
        context,
        r.MirrorUsagePointList,
        lambda: context.head_end.mirrors.listed(context.acts_for),
        lambda item, _: _mirror(context, item),
        version=context.head_end.mirrors.version,
        own=True,
        poll_rate=context.head_end.rates.mup,
    )


def mirror(context: RequestContext, number: int) -> Document:
    """GET /mup/k: the first level only, without readings (10.11.3)."""
    found = _own_mirror(context, number)
    return Document((found.version, context.head_end.rates.post_s), lambda _: _mirror(context, found))


def _own_mirror(context: RequestContext, number: int) -> MirrorRecord:
    found = context.head_end.mirrors.get(number)
    if found is None or not context.may_act_for(found.lfdi):
        raise not_found("there is no such mirror, or it is not yours")
    return found


def _mirror(context: RequestContext, record: MirrorRecord) -> Any:
    point = record.point
    return r.MirrorUsagePoint(
        href=record.href,
        mRID=point.mRID,
        description=point.description,
        version=point.version,
        roleFlags=point.roleFlags,
        serviceCategoryKind=point.serviceCategoryKind,
        status=point.status,
        deviceLFDI=point.deviceLFDI,
        postRate=context.head_end.rates.post_s,
        UsagePointLink=r.Link(href=record.usage_point_href),
    )


def post_mirror(context: RequestContext) -> Answer:
    """POST /mup: a MirrorUsagePoint (201, or 204 for a known one).

    A MirrorMeterReading with a known mRID is accepted here too: the CSIP conformance tests post it here.
    """
    context.need_registration()
    posted: Any = context.read(r.MirrorUsagePoint, r.MirrorMeterReading)
    if isinstance(posted, r.MirrorMeterReading):
        return _post_to_list(context, posted)
    if not context.may_act_for(posted.deviceLFDI):
        raise RequestRefused(
            403, f"MirrorUsagePoint: deviceLFDI {posted.deviceLFDI} is not that of your certificate"
        )
    readings, known = posted.MirrorMeterReading, context.head_end.mirrors.known_types(posted)
    device = context.head_end.end_devices.find(posted.deviceLFDI)
    context.note(standard_rules.usage_point(posted), device)
    for reading in readings:
        context.note(standard_rules.meter_reading(reading, known.get(reading.mRID)), device)
    _note_foreign(context, posted.deviceLFDI, readings)
    outcome = context.head_end.mirrors.post_point(posted)
    keep_mirror(context.head_end, posted, readings, context.body, context.now_s)
    return Answer(201 if outcome.created else 204, outcome.href)


def _note_foreign(context: RequestContext, lfdi: str, readings: tuple[r.MirrorMeterReading, ...]) -> None:
    """2030.5-2018 6.7: an mRID is unique; that of another device's reading cannot be this one's."""
    foreign = context.head_end.mirrors.of_others(lfdi, readings)
    texts = [f"MirrorMeterReading/mRID {mrid} is that of another device's" for mrid in foreign]
    context.note(texts, context.head_end.end_devices.find(lfdi), rule="foreign-mrid")


def _post_to_list(context: RequestContext, posted: r.MirrorMeterReading) -> Answer:
    for record in context.head_end.mirrors.listed(context.acts_for):
        if posted.mRID in record.readings:
            return _post(context, record, (posted,))[0]
    raise RequestRefused(
        400,
        f"MirrorMeterReading {posted.mRID} is not known here: post it to the href of its MirrorUsagePoint",
    )


def post_reading(context: RequestContext, number: int) -> Answer:
    """POST /mup/k: a MirrorMeterReading, or a list of them; 201 for what is new, 204 for what is known.

    Location is that of the MeterReading under /upt, for a list that of the MeterReadingList.
    """
    record = _own_mirror(context, number)
    posted: Any = context.read(r.MirrorMeterReading, r.MirrorMeterReadingList)
    if isinstance(posted, r.MirrorMeterReading):
        return _post(context, record, (posted,))[0]
    answers = _post(context, record, posted.MirrorMeterReading)
    created = any(answer.status == 201 for answer in answers)
    return Answer(201 if created else 204, f"{record.usage_point_href}/mr")


def _post(
    context: RequestContext, record: MirrorRecord, readings: tuple[r.MirrorMeterReading, ...]
) -> list[Answer]:
    known = context.head_end.mirrors.known_types(record.point)
    device = context.head_end.end_devices.find(record.lfdi)
    for reading in readings:
        context.note(standard_rules.meter_reading(reading, known.get(reading.mRID)), device)
    _note_foreign(context, record.lfdi, readings)
    outcome: list[Posted] = context.head_end.mirrors.post_readings(record, readings)
    keep_readings(context.head_end.journal, record, readings, context.body, context.now_s)
    return [Answer(201 if each.created else 204, each.href) for each in outcome]


def delete_mirror(context: RequestContext, number: int) -> Answer:
    """DELETE /mup/k."""
    mirror = _own_mirror(context, number)
    context.head_end.mirrors.remove(mirror)
    drop_mirror(context.head_end.journal, mirror)
    return Answer(204)


def usage_points(context: RequestContext) -> Document:
    """GET /upt: the UsagePoints of the client's own mirrors; empty before registration."""
    return listing(
        context,
        r.UsagePointList,
        lambda: context.head_end.mirrors.listed(context.acts_for),
        _usage_point,
        version=context.head_end.mirrors.version,
        own=True,
        poll_rate=context.head_end.rates.mup,
    )


def usage_point(context: RequestContext, number: int) -> Document:
    """GET /upt/k."""
    record = _own_mirror(context, number)
    return Document(record.version, lambda edition: _usage_point(record, edition))


def _usage_point(record: MirrorRecord, _: Edition) -> Any:
    point = record.point
    return r.UsagePoint(
        href=record.usage_point_href,
        mRID=point.mRID,
        description=point.description,
        version=point.version,
        roleFlags=point.roleFlags,
        serviceCategoryKind=point.serviceCategoryKind,
        status=point.status,
        deviceLFDI=point.deviceLFDI,
        MeterReadingListLink=r.ListLink(href=f"{record.usage_point_href}/mr", all=len(record.readings)),
    )


def meter_readings(context: RequestContext, number: int) -> Document:
    """GET /upt/k/mr."""
    record = _own_mirror(context, number)
    return listing(
        context,
        r.MeterReadingList,
        record.listed_readings,
        lambda item, _: _meter_reading(record, item),
        version=record.version,
    )


def _own_reading(
    context: RequestContext, number: int, reading_number: int
) -> tuple[MirrorRecord, MeterReadingRecord]:
    record = _own_mirror(context, number)
    reading = record.reading(reading_number)
    if reading is None:
        raise not_found()
    return record, reading


def meter_reading(context: RequestContext, number: int, reading_number: int) -> Document:
    """GET /upt/k/mr/y."""
    record, reading = _own_reading(context, number, reading_number)
    return Document(record.version, lambda _: _meter_reading(record, reading))


def _meter_reading(record: MirrorRecord, reading: MeterReadingRecord) -> Any:
    href = f"{record.usage_point_href}/mr/{reading.number}"
    return r.MeterReading(
        href=href,
        mRID=reading.mrid,
        description=reading.description,
        version=reading.version,
        ReadingLink=r.Link(href=f"{href}/r") if reading.newest() else None,
        ReadingSetListLink=r.ListLink(href=f"{href}/rs", all=len(reading.sets)),
        ReadingTypeLink=r.Link(href=f"{href}/rt"),
    )


def reading_type(context: RequestContext, number: int, reading_number: int) -> Document:
    """GET /upt/k/mr/y/rt."""
    record, reading = _own_reading(context, number, reading_number)
    return Document(record.version, lambda _: reading.reading_type)


def newest_reading(context: RequestContext, number: int, reading_number: int) -> Document:
    """GET /upt/k/mr/y/r: the newest value."""
    record, reading = _own_reading(context, number, reading_number)
    newest = reading.newest()
    if newest is None:
        raise not_found("no value was posted yet")
    return Document(record.version, lambda _: newest)


def reading_sets(context: RequestContext, number: int, reading_number: int) -> Document:
    """GET /upt/k/mr/y/rs, newest first."""
    record, reading = _own_reading(context, number, reading_number)
    return listing(
        context,
        r.ReadingSetList,
        reading.listed_sets,
        lambda item, _: _reading_set(f"{record.usage_point_href}/mr/{reading.number}/rs", item),
        version=record.version,
        time_of=lambda item: item.reading_set.timePeriod.start,
    )


def reading_set(context: RequestContext, number: int, reading_number: int, set_number: int) -> Document:
    """GET /upt/k/mr/y/rs/z."""
    record, found = _own_set(context, number, reading_number, set_number)
    return Document(record.version, lambda _: _reading_set(context.path.rpartition("/")[0], found))


def _reading_set(list_href: str, item: NumberedSet) -> Any:
    posted = item.reading_set
    href = f"{list_href}/{item.number}"
    return r.ReadingSet(
        href=href,
        mRID=posted.mRID,
        description=posted.description,
        version=posted.version,
        timePeriod=posted.timePeriod,
        ReadingListLink=r.ListLink(href=f"{href}/r", all=len(posted.Reading)),
    )


def _own_set(
    context: RequestContext, number: int, reading_number: int, set_number: int
) -> tuple[MirrorRecord, NumberedSet]:
    record, reading = _own_reading(context, number, reading_number)
    for item in reading.sets.values():
        if item.number == set_number:
            return record, item
    raise not_found()


def readings(context: RequestContext, number: int, reading_number: int, set_number: int) -> Document:
    """GET /upt/k/mr/y/rs/z/r."""
    record, found = _own_set(context, number, reading_number, set_number)
    return listing(
        context,
        r.ReadingList,
        lambda: found.reading_set.Reading,
        lambda item, _: item,
        version=record.version,
    )
