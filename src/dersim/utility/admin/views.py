"""The head-end's state as the JSON of the operator's REST."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from dersim.ieee2030_5.declare import TYPES, Extra
from dersim.modes import modes_to_json
from dersim.timestamps import rfc3339, rfc3339_or_none
from dersim.utility.end_devices import EndDeviceRecord
from dersim.utility.head_end import HeadEnd
from dersim.utility.mirrors import MeterReadingRecord, MirrorRecord
from dersim.utility.program import STATUS_TEXT, Control, Program
from dersim.utility.responses import STATUS_TEXT as RESPONSE_TEXT
from dersim.utility.responses import NumberedResponse, created_s
from dersim.utility.standard_rules import MAX_MULTIPLIER

MASK = "******"
_DER_DOCUMENTS = ("capability", "settings", "status", "availability", "information")


def end_devices(head_end: HeadEnd) -> list[dict[str, Any]]:
    """GET /end-devices."""
    return [end_device(device) for device in head_end.end_devices]


def end_device(device: EndDeviceRecord) -> dict[str, Any]:
    """One EndDevice with its PIN masked, and the documents that it has PUT."""
    reported = device.reported
    return {
        "lfdi": device.lfdi,
        "sfdi": device.sfdi,
        "href": device.href,
        "pin": MASK,
        "aggregator": device.aggregator_lfdi,
        "registered": rfc3339(device.registered_s),
        "last_seen": rfc3339_or_none(device.last_seen_s),
        "edition": device.edition.value,
        "violations": device.violations,
        "violation_texts": list(device.violation_texts),
        "der": {
            name: plain(reported[name].resource) if name in reported else None for name in _DER_DOCUMENTS
        },
        **_unknown(device.extra),
    }


def plain(resource: Any) -> Any:
    """A resource as JSON, in the names of the standard; unknown elements are in `extra`."""
    info = TYPES.get(type(resource))
    if info is None:
        return [plain(item) for item in resource] if isinstance(resource, tuple) else resource
    values = ((member.name, getattr(resource, member.name)) for member in info.members)
    found = {name: plain(value) for name, value in values if value is not None and value != ()}
    # Elements that plug-ins have declared by name; unknown ones, which are kept as XML, beside each other.
    extra = getattr(resource, "extra", ())
    known = {each.name: plain(each.value) for each in extra if not isinstance(each.value, str)}
    unknown = [each._asdict() for each in extra if isinstance(each.value, str)]
    return found | known | ({"extra": unknown} if unknown else {})


def _unknown(extra: Iterable[Extra], *resources: Any) -> dict[str, Any]:
    """The member `extra` with the unknown elements among `extra` and anywhere in the resources, if any."""
    todo, found = list(resources), [*extra]
    while todo:
        each = todo.pop()
        if isinstance(each, tuple):
            todo += each
        elif (info := TYPES.get(type(each))) is not None:
            found += each.extra
            todo += [getattr(each, member.name) for member in info.members if member.cls is not None]
    unknown = [each._asdict() for each in found if isinstance(each.value, str)]
    return {"extra": unknown} if unknown else {}


def programs(head_end: HeadEnd) -> list[dict[str, Any]]:
    """GET /programs."""
    return [program(item) for item in head_end.programs.listed()]


def program(item: Program) -> dict[str, Any]:
    """One program with its default and its controls."""
    default = item.default
    return {
        "id": item.number,
        "href": item.href,
        "mRID": item.mrid,
        "description": item.description,
        "primacy": item.primacy,
        "default_control": {"mRID": default.mrid, "modes": modes_to_json(default.modes)} if default else None,
        "controls": [control(each) for each in item.listed_controls()],
    }


def control(item: Control) -> dict[str, Any]:
    """One DERControl with its EventStatus and modes."""
    return {
        "mRID": item.mrid,
        "href": item.href,
        "description": item.description,
        "status": item.status,
        "status_text": STATUS_TEXT[item.status],
        "status_since": rfc3339(item.status_since_s),
        "created": rfc3339(item.creation_s),
        "start": rfc3339_or_none(item.start_s),
        "duration_s": item.duration_s,
        "randomize_start_s": item.randomize_start_s,
        "randomize_duration_s": item.randomize_duration_s,
        "response_required": item.response_required,
        "potentially_superseded": item.potentially_superseded,
        "modes": modes_to_json(item.modes),
    }


def responses(head_end: HeadEnd) -> list[dict[str, Any]]:
    """GET /responses, in the order of arrival."""
    return [response(item) for item in head_end.responses.all]


def response(item: NumberedResponse) -> dict[str, Any]:
    """One Response; `time` is the device's own."""
    posted = item.response
    return {
        "subject": posted.subject,
        "status": posted.status,
        "status_text": RESPONSE_TEXT.get(posted.status or 0, "reserved"),
        "lfdi": posted.endDeviceLFDI,
        "time": rfc3339_or_none(created_s(item)),
        "received": rfc3339(item.received_s),
        **_unknown((), posted),
    }


def mirrors(head_end: HeadEnd) -> list[dict[str, Any]]:
    """GET /mirror-usage-points."""
    return [mirror(item) for item in head_end.mirrors]


def mirror(item: MirrorRecord) -> dict[str, Any]:
    """One MirrorUsagePoint with the newest value of each reading."""
    return {
        "mRID": item.mrid,
        "lfdi": item.lfdi,
        "href": item.href,
        "description": item.point.description,
        "readings": [reading(each) for each in item.readings.values()],
        **_unknown((), item.point),
    }


def reading(item: MeterReadingRecord) -> dict[str, Any]:
    """The newest value of one quantity, in its plain unit: the power of ten is applied."""
    kind, newest = item.reading_type, item.newest()
    period = newest.timePeriod if newest else None
    value = newest.value if newest else None
    return {
        "mRID": item.mrid,
        "description": item.description,
        "uom": kind.uom,
        "phase": kind.phase or 0,
        "flow_direction": kind.flowDirection,
        "value": None if value is None else scaled(value, kind.powerOfTenMultiplier or 0),
        "start": rfc3339_or_none(period.start) if period else None,
        "duration_s": period.duration if period else None,
        **_unknown(item.extra, kind, newest, *(each.reading_set for each in item.sets.values())),
    }


def scaled(value: int, multiplier: int) -> float | int | None:
    """value x 10^multiplier, rounded to its decimals; None for a multiplier outside -9 to 9."""
    if abs(multiplier) > MAX_MULTIPLIER:
        return None
    return value * 10**multiplier if multiplier >= 0 else round(value * 10.0**multiplier, -multiplier)


def log_events(head_end: HeadEnd) -> list[dict[str, Any]]:
    """GET /log-events, oldest first."""
    found = [
        {
            "lfdi": device.lfdi,
            "functionSet": event.functionSet,
            "logEventCode": event.logEventCode,
            "logEventID": event.logEventID,
            "logEventPEN": event.logEventPEN,
            "profileID": event.profileID,
            "createdDateTime": event.createdDateTime,
            "details": event.details,
            **_unknown((), event),
        }
        for device in head_end.end_devices
        for _, event, _ in device.log_events
    ]
    return sorted(found, key=lambda item: item["createdDateTime"])
