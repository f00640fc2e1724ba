"""DeviceCapability, Time, and the client's EndDevice with everything below it."""

from __future__ import annotations

from typing import Any

from dersim.errors import LocalProtocolError
from dersim.ieee2030_5 import identity
from dersim.ieee2030_5 import resources as r
from dersim.ieee2030_5.edition import Edition
from dersim.utility import standard_rules
from dersim.utility.device_resources import links_of
from dersim.utility.end_devices import EndDeviceRecord, NumberedLogEvent, ReportedDocument
from dersim.utility.groups import Group, TimeOf
from dersim.utility.listing import UNCONDITIONAL, listing
from dersim.utility.refusal import RequestRefused, not_found
from dersim.utility.request_context import Answer, Document, RequestContext
from dersim.utility.state.posted import keep_log_event, keep_reported

#: Clients need Time rarely once they have it (2030.5-2018 9.2.3).
TIME_POLL_RATE_S = 900
#: How the machine sets its clock is not known here: 7 is "intentionally uncoordinated".
TIME_QUALITY = 7

#: The documents that a device PUTs: last segment of the path: name in `EndDeviceRecord.reported`, class.
REPORTED: dict[str, tuple[str, type[Any]]] = {
    "dercap": ("capability", r.DERCapability),
    "derg": ("settings", r.DERSettings),
    "ders": ("status", r.DERStatus),
    "dera": ("availability", r.DERAvailability),
    "di": ("information", r.DeviceInformation),
}


def device_capability(context: RequestContext) -> Document:
    """GET /dcap, the first request of every client."""
    head_end = context.head_end
    registered, devices = context.is_registered, len(_visible(context))
    mirrors = len(head_end.mirrors.listed(context.acts_for))

    def build(_: Edition) -> Any:
        return r.DeviceCapability(
            href="/dcap",
            pollRate=head_end.rates.dcap,
            ResponseSetListLink=r.ListLink(href="/rsps", all=int(registered)),
            TimeLink=r.Link(href="/tm"),
            UsagePointListLink=r.ListLink(href="/upt", all=mirrors),
            EndDeviceListLink=r.ListLink(href="/edev", all=devices),
            MirrorUsagePointListLink=r.ListLink(href="/mup", all=mirrors),
        )

    return Document((head_end.rates.dcap, registered, devices, mirrors), build, own=True)


def time(context: RequestContext) -> Document:
    """GET /tm: UTC, in whole seconds; no zone and no summer time."""
    return _time(context, TimeOf(quality=TIME_QUALITY))


def time_of_group(context: RequestContext, number: int) -> Document:
    """GET /tm/g: the Time of one group."""
    found = _own_group(context, number).time
    if found is None:
        raise not_found("this group has no Time of its own")
    return _time(context, found)


def _time(context: RequestContext, given: TimeOf) -> Document:
    seconds = int(context.now_s) + given.offset_s

    def build(_: Edition) -> Any:
        return r.Time(
            href=context.path,
            pollRate=TIME_POLL_RATE_S,
            currentTime=seconds,
            dstEndTime=0,
            dstOffset=0,
            dstStartTime=0,
            localTime=seconds + given.tz_offset_s,
            quality=given.quality,
            tzOffset=given.tz_offset_s,
        )

    return Document((seconds, given), build)


def _visible(context: RequestContext) -> list[EndDeviceRecord]:
    devices = context.head_end.end_devices
    return devices.listed() if context.lfdi is None else devices.seen_by(context.lfdi)


def end_devices(context: RequestContext) -> Document:
    """GET /edev: the client's own EndDevice; without TLS all of them."""
    return listing(
        context,
        r.EndDeviceList,
        lambda: _visible(context),
        lambda device, _: _end_device(context, device),
        version=_devices_version(context),
        own=True,
        time_of=lambda device: device.changed_s,
        poll_rate=context.head_end.rates.edev,
        subscribable=True,
    )


def end_device(context: RequestContext, number: int) -> Document:
    """GET /edev/k."""
    device = context.end_device(number)
    groups, devices = context.head_end.groups, context.head_end.end_devices
    version = (_version(context, device), groups.version, devices.version)
    return Document(version, lambda _: _end_device(context, device))


def _version(context: RequestContext, device: EndDeviceRecord) -> int:
    return device.version + context.head_end.subscriptions.version_of(device.number)


def _devices_version(context: RequestContext) -> tuple[int, int, int, int]:
    visible = _visible(context)
    versions = sum(_version(context, device) for device in visible)
    return (
        len(visible),
        versions,
        context.head_end.groups.version,
        context.head_end.end_devices.version,
    )


def _end_device(context: RequestContext, device: EndDeviceRecord) -> Any:
    href = device.href
    # An aggregator's own EndDevice is no DER: the devices behind it are.
    acts_for_others = bool(context.head_end.end_devices.of_aggregator(device.lfdi))
    assigned = len(context.head_end.groups.of(device.lfdi))
    offered, held = context.head_end.config.subscriptions, context.head_end.subscriptions
    return r.EndDevice(
        href=href,
        subscribable=UNCONDITIONAL if offered else None,
        deviceCategory=device.device_category,
        DERListLink=None if acts_for_others else r.ListLink(href=f"{href}/der", all=1),
        DeviceInformationLink=r.Link(href=f"{href}/di"),
        lFDI=device.lfdi if device.shows_lfdi else None,
        LogEventListLink=r.ListLink(href=f"{href}/lel", all=len(device.log_events)),
        sFDI=device.sfdi,
        changedTime=device.changed_s,
        enabled=device.enabled,
        FunctionSetAssignmentsListLink=(
            None if acts_for_others else r.ListLink(href=f"{href}/fsa", all=assigned)
        ),
        RegistrationLink=r.Link(href=f"{href}/rg"),
        SubscriptionListLink=(
            r.ListLink(href=f"{href}/sub", all=len(held.of_device(device.number))) if offered else None
        ),
        extra=() if acts_for_others else links_of(context.head_end, device),
    )


def register(context: RequestContext) -> Answer:
    """POST /edev: in-band registration of the client itself.

    403 for the LFDI of another device and in mode known, 409 with Location if it is registered already.
    """
    known = context.head_end.end_devices
    posted = context.read(r.EndDevice)
    lfdi = _posted_lfdi(context, posted)
    if (existing := known.find(lfdi)) is not None:
        raise RequestRefused(409, f"{lfdi} is registered already", headers=(("location", existing.href),))
    if known.mode == "known":
        raise RequestRefused(403, "this server registers devices out of band; ask its operator")
    context.note(standard_rules.end_device(posted, identity.sfdi(lfdi)))
    device = known.add(lfdi, context.now_s, by="itself")
    device.last_seen_s = context.now_s
    device.extra, device.device_category = posted.extra, posted.deviceCategory
    context.device = device
    context.head_end.info(f"registered {lfdi} in band as {device.href}")
    return Answer(201, device.href)


def _posted_lfdi(context: RequestContext, posted: r.EndDevice) -> str:
    if posted.lFDI is None:
        if context.lfdi is None:
            raise RequestRefused(400, "EndDevice: without TLS the lFDI is needed")
        if posted.sFDI != identity.sfdi(context.lfdi):
            raise RequestRefused(403, f"EndDevice: sFDI {posted.sFDI} is not that of your certificate")
        return context.lfdi
    try:
        lfdi = identity.normal_lfdi(posted.lFDI)
    except LocalProtocolError as error:
        raise RequestRefused(400, f"EndDevice/lFDI: {error}") from None
    if context.lfdi is not None and lfdi != context.lfdi:
        raise RequestRefused(403, f"EndDevice: lFDI {lfdi} is not that of your certificate")
    return lfdi


def registration(context: RequestContext, number: int) -> Document:
    """GET /edev/k/rg: the PIN, with which a client verifies its registration."""
    device = context.end_device(number)
    device.pin_read_s = context.now_s
    rate = context.head_end.rates.edev

    def build(_: Edition) -> Any:
        return r.Registration(
            href=context.path, pollRate=rate, dateTimeRegistered=device.registered_s, pIN=device.pin
        )

    return Document((device.pin, rate), build)


def assignments(context: RequestContext, number: int) -> Document:
    """GET /edev/k/fsa: one assignment for each group of the device."""
    device = context.end_device(number)
    return listing(
        context,
        r.FunctionSetAssignmentsList,
        lambda: context.head_end.groups.of(device.lfdi),
        lambda group, _: _assignment(context, device, group),
        version=_assignments_version(context),
        poll_rate=context.head_end.rates.fsa,
        subscribable=True,
    )


def assignment(context: RequestContext, number: int, group_number: int) -> Document:
    """GET /edev/k/fsa/g."""
    device = context.end_device(number)
    group = context.head_end.groups.get(group_number)
    if group is None or group not in context.head_end.groups.of(device.lfdi):
        raise not_found("this device is in no such group")
    return Document(_assignments_version(context), lambda _: _assignment(context, device, group))


def _assignments_version(context: RequestContext) -> tuple[int, int]:
    return (context.head_end.programs.version, context.head_end.groups.version)


def _assignment(context: RequestContext, device: EndDeviceRecord, group: Group) -> Any:
    programs = len(context.head_end.programs.of_group(group))
    return r.FunctionSetAssignments(
        href=f"{device.href}/fsa/{group.number}",
        DERProgramListLink=r.ListLink(href=group.list_href, all=programs) if programs else None,
        ResponseSetListLink=r.ListLink(href="/rsps", all=1),
        TimeLink=r.Link(href=group.time_href),
        mRID=group.mrid,
        description=group.name,
    )


def _own_group(context: RequestContext, number: int) -> Group:
    group = context.head_end.groups.get(number)
    if group is None or not context.may_see_any((group,)):
        raise not_found("there is no such group, or you are not in it")
    return group


def ders(context: RequestContext, number: int) -> Document:
    """GET /edev/k/der: the one DER of the EndDevice; its pollRate drives the device's PUTs."""
    device = context.end_device(number)
    return listing(
        context,
        r.DERList,
        lambda: [device],
        _der,
        version=0,
        poll_rate=context.head_end.rates.der,
    )


def der(context: RequestContext, number: int, der_number: int) -> Document:
    """GET /edev/k/der/1."""
    device = context.end_device(number)
    _only_one(der_number)
    return Document(0, lambda edition: _der(device, edition))


def _der(device: EndDeviceRecord, _: Edition) -> Any:
    href = f"{device.href}/der/1"
    return r.DER(
        href=href,
        DERAvailabilityLink=r.Link(href=f"{href}/dera"),
        DERCapabilityLink=r.Link(href=f"{href}/dercap"),
        DERSettingsLink=r.Link(href=f"{href}/derg"),
        DERStatusLink=r.Link(href=f"{href}/ders"),
    )


def _only_one(number: int) -> None:
    if number != 1:
        raise not_found()


def get_reported(context: RequestContext, number: int, der_number: int = 1) -> Document:
    """GET of a document that the device PUTs: as it was sent, in its edition; 404 before the first PUT."""
    device = context.end_device(number)
    _only_one(der_number)
    name, cls = REPORTED[context.path.rpartition("/")[2]]
    reported = device.reported.get(name)
    if reported is None:
        raise not_found(f"this device has not PUT its {cls.__name__} yet")
    return Document(reported.number, lambda _: reported.resource, edition=reported.edition)


def put_reported(context: RequestContext, number: int, der_number: int = 1) -> Answer:
    """PUT of such a document; 204."""
    device = context.end_device(number)
    _only_one(der_number)
    name, cls = REPORTED[context.path.rpartition("/")[2]]
    resource, edition = context.read_in(cls)
    context.note(standard_rules.of_reported(resource, edition, device.reported), device)
    resource.href = context.path
    before = device.reported.get(name)
    document = ReportedDocument(resource, edition, before.number + 1 if before else 1)
    device.reported[name] = document
    keep_reported(context.head_end.journal, device, name, document, context.body)
    return Answer(204)


def log_events(context: RequestContext, number: int) -> Document:
    """GET /edev/k/lel, newest first."""
    device = context.end_device(number)
    return listing(
        context,
        r.LogEventList,
        device.listed_log_events,
        lambda item, _: _log_event(device, item),
        version=device.log_events_seen,
        time_of=lambda item: item.event.createdDateTime,
        poll_rate=context.head_end.rates.edev,
    )


def log_event(context: RequestContext, number: int, event_number: int) -> Document:
    """GET /edev/k/lel/n."""
    device = context.end_device(number)
    item = next((each for each in device.log_events if each.number == event_number), None)
    if item is None:
        raise not_found()
    return Document(0, lambda _: _log_event(device, item))


def _log_event(device: EndDeviceRecord, item: NumberedLogEvent) -> Any:
    item.event.href = f"{device.href}/lel/{item.number}"
    return item.event


def post_log_event(context: RequestContext, number: int) -> Answer:
    """POST /edev/k/lel; 201 with the path of the LogEvent."""
    device = context.end_device(number)
    event = context.read(r.LogEvent)
    context.note(standard_rules.log_event(event), device)
    entry = device.log_event(event)
    keep_log_event(context.head_end.journal, device, entry, context.body)
    return Answer(201, f"{device.href}/lel/{entry.number}")
