"""`/control-options` and `/control-preview`: what a form of a control offers, and what it would publish."""

from __future__ import annotations

from typing import Annotated, Any, Literal, NotRequired, TypedDict

from dersim.errors import ConfigError
from dersim.ieee2030_5.words import DEVICE_CATEGORIES
from dersim.json_schema import described, unit
from dersim.utility import grouping
from dersim.utility.admin.context import AdminContext, AdminRoute, Call
from dersim.utility.admin.orders import CONTROL, ControlBody, order_of
from dersim.utility.admin.problems import PREFIX
from dersim.utility.control_preview import preview, program_to_be
from dersim.utility.groups import Group
from dersim.utility.head_end import HeadEnd
from dersim.utility.mode_offers import ModeOffer, offers
from dersim.utility.program import Program
from dersim.utility.programs import MAX_DESCRIPTION_CHARS, MAX_DURATION_S, MAX_RANDOMIZATION_S


class Category(TypedDict):
    """A bit of DeviceCategoryType."""

    bit: int
    words: str


class Options(TypedDict):
    """What the form of a control offers."""

    modes: list[ModeOffer]
    categories: list[Category]
    max_duration_s: Annotated[int, unit("s")]
    max_randomization_s: Annotated[int, unit("s", "either way")]
    max_description_chars: int


class PreviewBody(ControlBody):
    """A DERControl to look at, and whom it would be for: one of program, group and device."""

    program: NotRequired[Annotated[int, described("id")]]
    group: NotRequired[Annotated[int, described("id; 1 is all devices")]]
    device: NotRequired[Annotated[str, described("LFDI")]]


class PreviewedCurve(TypedDict):
    """A DERCurve that the control refers to."""

    href: str
    xml: str


class PreviewedDocument(TypedDict):
    """The documents of one edition as they would be served."""

    edition: Literal["2018", "2023"]
    xml: str
    curves: list[PreviewedCurve]


class PreviewView(TypedDict):
    """The control as it would be served; its mRID is given when it is published."""

    program: str
    primacy: int
    made: Annotated[bool, described("whether the program would be made for it")]
    devices: Annotated[int, described("that it would be for")]
    documents: list[PreviewedDocument]


def _options(_: AdminContext, __: Call) -> dict[str, Any]:
    return {
        "modes": offers(),
        "categories": [{"bit": bit, "words": words} for bit, words in DEVICE_CATEGORIES.items()],
        "max_duration_s": MAX_DURATION_S,
        "max_randomization_s": MAX_RANDOMIZATION_S,
        "max_description_chars": MAX_DESCRIPTION_CHARS,
    }


def _preview(context: AdminContext, call: Call) -> dict[str, Any]:
    head_end = context.head_end
    order = order_of(call.body, head_end.now_s())
    program, made, devices = _target(context, call.body)
    return {
        "program": program.description,
        "primacy": program.primacy,
        "made": made,
        "devices": devices,
        "documents": [
            {
                "edition": each.edition.value,
                "xml": each.body.decode(),
                "curves": [{"href": href, "xml": body.decode()} for href, body in each.curves.items()],
            }
            for each in preview(head_end, program, order)
        ],
    }


def _target(context: AdminContext, body: dict[str, Any]) -> tuple[Program, bool, int]:
    """The program, whether it would be made, and how many devices it is for."""
    head_end = context.head_end
    given = [name for name in ("program", "group", "device") if name in body]
    if len(given) != 1:
        raise ConfigError("program: one of program, group and device is needed")
    if "program" in body:
        program = context.program(str(body["program"]))
        return program, False, _count(head_end, program.groups)
    if "group" in body:
        group = context.group(str(body["group"]))
        known = grouping.known_program_of(head_end, group)
        program = known or program_to_be(head_end, group, group.name)
        return program, known is None, _count(head_end, (group,))
    device = context.device(body["device"])
    own = grouping.known_group_of(head_end, device.lfdi)
    known = None if own is None else grouping.known_program_of(head_end, own)
    name = f"device {device.number}" if own is None else own.name
    return known or program_to_be(head_end, own, name), known is None, 1


def _count(head_end: HeadEnd, groups: tuple[Group, ...]) -> int:
    wanted = set(groups)
    return sum(bool(wanted.intersection(head_end.groups.of(each.lfdi))) for each in head_end.end_devices)


ROUTES = [
    AdminRoute(
        method="GET",
        path=f"{PREFIX}/control-options",
        handler=_options,
        summary="The modes of a control with units and ranges, and the categories of devices.",
        response=Options,
        tag="Controls",
    ),
    AdminRoute(
        method="POST",
        path=f"{PREFIX}/control-preview",
        handler=_preview,
        summary="The XML of a control in both editions, without publishing it.",
        response=PreviewView,
        request=PreviewBody,
        example={"group": 1, **CONTROL},
        tag="Controls",
        problems=("not-found",),
    ),
]
