"""The resources of programs: DERProgram, DERControl, DefaultDERControl, DERCurve."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from dersim.ieee2030_5 import resources as r
from dersim.ieee2030_5.edition import Edition
from dersim.utility import wire_modes
from dersim.utility.groups import SYSTEM
from dersim.utility.listing import UNCONDITIONAL, listing
from dersim.utility.paging import select
from dersim.utility.program import ACTIVE, COMPLETED, Control, Program
from dersim.utility.refusal import not_found
from dersim.utility.request_context import Document, RequestContext
from dersim.utility.sightings import is_new


def programs(context: RequestContext) -> Document:
    """GET /derp: the programs of the system, the group of all devices."""
    return programs_of_group(context, SYSTEM)


def programs_of_group(context: RequestContext, number: int) -> Document:
    """GET /fsa/g/derp: the programs of a group."""
    context.need_registration()
    head_end = context.head_end
    group = head_end.groups.get(number)
    if group is None or not context.may_see_any((group,)):
        raise not_found("there is no such group, or you are not in it")
    listed = head_end.programs.of_group(group)
    return listing(
        context,
        r.DERProgramList,
        lambda: listed,
        _program,
        version=tuple((program.number, program.version) for program in listed),
        poll_rate=head_end.rates.derp,
        subscribable=True,
    )


def _find(context: RequestContext, number: int) -> Program:
    context.need_registration()
    program = context.head_end.programs.get(number)
    if program is None or not context.may_see_any(program.groups):
        raise not_found("there is no such DERProgram, or it is not for you")
    return program


def program(context: RequestContext, number: int) -> Document:
    """GET /derp/k."""
    found = _find(context, number)
    return Document(found.version, lambda edition: _program(found, edition))


def _program(item: Program, _: Edition) -> Any:
    href = item.href
    return r.DERProgram(
        href=href,
        mRID=item.mrid,
        description=item.description,
        ActiveDERControlListLink=r.ListLink(href=f"{href}/actderc", all=len(item.active_controls())),
        DefaultDERControlLink=r.Link(href=f"{href}/dderc") if item.default else None,
        DERControlListLink=r.ListLink(href=f"{href}/derc", all=len(item.controls)),
        DERCurveListLink=r.ListLink(href=f"{href}/dc", all=len(item.curves.listed())),
        primacy=item.primacy,
    )


def controls(context: RequestContext, number: int) -> Document:
    """GET /derp/k/derc."""
    found = _find(context, number)
    _note_read(context, found, found.listed_controls)
    return listing(
        context,
        r.DERControlList,
        found.listed_controls,
        control_resource,
        version=found.version,
        time_of=_start_of,
        edition=_edition(found),
        subscribable=True,
    )


def active_controls(context: RequestContext, number: int) -> Document:
    """GET /derp/k/actderc: those whose status is Active."""
    found = _find(context, number)
    _note_read(context, found, found.active_controls)
    return listing(
        context,
        r.DERControlList,
        found.active_controls,
        control_resource,
        version=found.version,
        time_of=_start_of,
        edition=_edition(found),
    )


def _note_read(context: RequestContext, found: Program, items: Callable[[], list[Control]]) -> None:
    """Note which controls the client reads, where some are new to it."""
    device = context.device
    if device is not None and context.is_request and is_new(device, found):
        read = select(items(), context.page, _start_of)
        context.head_end.sightings.note(device, found, read, context.now_s)


def _start_of(item: Control) -> float:
    return item.start_s


def _edition(found: Program) -> Edition | None:
    """That of documents with modes of 2023, which no client would see otherwise; None: the client's."""
    return Edition.E2023 if found.needs_2023 else None


def control(context: RequestContext, number: int, control_number: int) -> Document:
    """GET /derp/k/derc/n."""
    item = _find(context, number).controls.get(control_number)
    if item is None:
        raise not_found("there is no such DERControl, or it is over")
    _note_read(context, item.program, lambda: [item])
    edition = _edition(item.program)
    return Document(item.program.version, lambda edition: control_resource(item, edition), edition=edition)


def control_resource(item: Control, edition: Edition) -> Any:
    """The DERControl."""
    if item.base is None:
        item.base = wire_modes.control_base(item.program, item.modes)
    return r.DERControl(
        href=item.href,
        replyTo=item.reply_to,
        responseRequired=item.response_required,
        mRID=item.mrid,
        description=item.description or None,
        creationTime=item.creation_s,
        EventStatus=_event_status(item, edition),
        interval=r.DateTimeInterval(duration=item.duration_s, start=item.start_s),
        randomizeDuration=item.randomize_duration_s or None,
        randomizeStart=item.randomize_start_s or None,
        DERControlBase=item.base,
        deviceCategory=item.device_category,
    )


def _event_status(item: Control, edition: Edition) -> Any:
    status, since_s = item.status, item.status_since_s
    if status == COMPLETED and edition is Edition.E2018:
        # 2018 has no Completed: such an event stays Active, and its interval says that it is over.
        status, since_s = ACTIVE, max(item.earliest_start_s, item.creation_s)
    return r.EventStatus(
        currentStatus=status,
        dateTime=since_s,
        potentiallySuperseded=item.potentially_superseded,
        potentiallySupersededTime=item.potentially_superseded_s,
    )


def default_control(context: RequestContext, number: int) -> Document:
    """GET /derp/k/dderc."""
    found = _find(context, number)
    default = found.default
    if default is None:
        raise not_found("this program has no DefaultDERControl")

    def build(_: Edition) -> Any:
        resource = wire_modes.default_resource(found, default)
        resource.subscribable = UNCONDITIONAL if context.head_end.config.subscriptions else None
        return resource

    return Document(found.version, build, edition=_edition(found))


def curves(context: RequestContext, number: int) -> Document:
    """GET /derp/k/dc."""
    found = _find(context, number)
    return listing(
        context,
        r.DERCurveList,
        found.curves.listed,
        lambda item, _: wire_modes.curve_resource(found, item),
        version=found.version,
        time_of=lambda item: item.creation_s,
    )


def curve(context: RequestContext, number: int, curve_number: int) -> Document:
    """GET /derp/k/dc/n."""
    found = _find(context, number)
    item = next((each for each in found.curves.listed() if each.number == curve_number), None)
    if item is None:
        raise not_found("there is no such DERCurve")
    return Document(found.version, lambda _: wire_modes.curve_resource(found, item))
