"""What devices sent as the JSON of the admin REST."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any, Literal, NotRequired, TypedDict

from dersim.ieee2030_5 import report_words
from dersim.ieee2030_5.declare import TYPES, Extra
from dersim.json_schema import described
from dersim.timestamps import rfc3339, rfc3339_or_none
from dersim.utility.end_devices import EndDeviceRecord, NumberedLogEvent
from dersim.utility.mirrors import MeterReadingRecord, MirrorRecord
from dersim.utility.responses import STATUS_TEXT as RESPONSE_TEXT
from dersim.utility.responses import NumberedResponse, created_s
from dersim.utility.standard_rules import MAX_MULTIPLIER

MASK = "******"
_DER_DOCUMENTS = ("capability", "settings", "status", "availability", "information")


class UnknownElement(TypedDict):
    """An element that nobody declares, as it came."""

    namespace: str
    name: str
    value: Annotated[str, described("its XML")]


_Extra = Annotated[list[UnknownElement], described("unknown elements, if there are any")]
_Document = Annotated[dict[str, Any] | None, described("as PUT, in the names of the standard; null: not yet")]


class DerView(TypedDict):
    """The documents that a device has PUT."""

    capability: _Document
    settings: _Document
    status: _Document
    availability: _Document
    information: _Document


class EndDeviceView(TypedDict):
    """An EndDevice with its PIN masked."""

    id: int
    lfdi: str
    sfdi: int
    href: str
    pin: Literal["******"]
    enabled: bool
    aggregator: Annotated[str | None, described("LFDI of the client that may act for it")]
    registered: str
    last_seen: str | None
    edition: Literal["2018", "2023"]
    violations: Annotated[int, described("of the standard, in what it sent")]
    violation_texts: Annotated[list[str], described("the newest ones")]
    der: DerView
    resources: Annotated[
        dict[str, dict[str, Any]],
        described("documents that plug-ins have added, by their names"),
    ]
    extra: NotRequired[_Extra]


class ResponseView(TypedDict):
    """A Response; `time` is the device's own."""

    id: int
    subject: Annotated[str, described("the control's mRID")]
    status: int | None
    status_text: str
    lfdi: str | None
    time: str | None
    received: str
    extra: NotRequired[_Extra]


class ReadingView(TypedDict):
    """The newest value of one quantity, in its plain unit."""

    mRID: str
    description: str | None
    uom: int | None
    phase: int
    flow_direction: int | None
    value: float | None
    start: str | None
    duration_s: int | None
    extra: NotRequired[_Extra]


class MirrorView(TypedDict):
    """A MirrorUsagePoint with the newest value of each reading."""

    id: int
    mRID: str
    lfdi: str
    href: str
    description: str | None
    roleFlags: Annotated[str, described("hexadecimal; bit 0 mirror, 1 premises, 3 DER, 6 submeter")]
    readings: list[ReadingView]
    extra: NotRequired[_Extra]


class LogEventView(TypedDict):
    """A LogEvent, in the names of the standard."""

    id: int
    lfdi: str
    functionSet: int
    logEventCode: int
    logEventID: int
    logEventPEN: int
    profileID: int
    createdDateTime: int
    details: str | None
    time: Annotated[str | None, described("createdDateTime; null: no date")]
    function_set: Annotated[str, described("in words")]
    text: Annotated[str, described("what its code means")]
    extra: NotRequired[_Extra]


class RequestView(TypedDict):
    """A request of a device and the response to it."""

    id: int
    time: str
    method: str
    path: str
    status: int
    lfdi: str | None
    request_body: str
    response_body: str
    planted_faults: Annotated[list[str], described("those that acted")]


def end_device(device: EndDeviceRecord) -> dict[str, Any]:
    """One EndDevice with its PIN masked, and the documents that it has PUT."""
    reported = device.reported
    return {
        "id": device.number,
        "lfdi": device.lfdi,
        "sfdi": device.sfdi,
        "href": device.href,
        "pin": MASK,
        "enabled": device.enabled,
        "aggregator": device.aggregator_lfdi,
        "registered": rfc3339(device.registered_s),
        "last_seen": rfc3339_or_none(device.last_seen_s),
        "edition": device.edition.value,
        "violations": device.violations,
        "violation_texts": list(device.violation_texts),
        "der": {
            name: plain(reported[name].resource) if name in reported else None for name in _DER_DOCUMENTS
        },
        "resources": {name: dict(values) for name, values in device.resources.items()},
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


def response(item: NumberedResponse) -> dict[str, Any]:
    """One Response; `time` is the device's own."""
    posted = item.response
    return {
        "id": item.number,
        "subject": posted.subject,
        "status": posted.status,
        "status_text": RESPONSE_TEXT.get(posted.status or 0, "reserved"),
        "lfdi": posted.endDeviceLFDI,
        "time": rfc3339_or_none(created_s(item)),
        "received": rfc3339(item.received_s),
        **_unknown((), posted),
    }


def mirror(item: MirrorRecord) -> dict[str, Any]:
    """One MirrorUsagePoint with the newest value of each reading."""
    return {
        "id": item.number,
        "mRID": item.mrid,
        "lfdi": item.lfdi,
        "href": item.href,
        "description": item.point.description,
        "roleFlags": f"{item.point.roleFlags:04X}",
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


def log_event(device: EndDeviceRecord, item: NumberedLogEvent) -> dict[str, Any]:
    """One LogEvent of a device, in the names of the standard."""
    event = item.event
    return {
        "id": item.id,
        "lfdi": device.lfdi,
        "functionSet": event.functionSet,
        "logEventCode": event.logEventCode,
        "logEventID": event.logEventID,
        "logEventPEN": event.logEventPEN,
        "profileID": event.profileID,
        "createdDateTime": event.createdDateTime,
        "details": event.details,
        "time": rfc3339_or_none(event.createdDateTime),
        "function_set": report_words.function_set(event),
        "text": report_words.log_event(event),
        **_unknown((), event),
    }
