"""`/groups`: groups of devices, each one FunctionSetAssignments, and orders for a group or one device."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Annotated, Any, Literal, NotRequired, TypedDict

from dersim.errors import ConfigError
from dersim.json_schema import described, unit
from dersim.pages.routes import Query
from dersim.utility import grouping
from dersim.utility.admin.context import LFDI, AdminContext, AdminRoute, Call
from dersim.utility.admin.controls import Published
from dersim.utility.admin.orders import CONTROL, ControlBody, order_of
from dersim.utility.admin.paging import AFTER, LIMIT, matches, page
from dersim.utility.admin.problems import PREFIX, refusal
from dersim.utility.groups import LEVELS, MAX_NAME_CHARS, MAX_OFFSET_S, MAX_ZONE_S, Group, TimeOf
from dersim.utility.head_end import HeadEnd

EXAMPLE = {"name": "feeder 7", "level": "feeder"}

_Name = Annotated[str, described("shown to devices, unlike any other", minLength=1, maxLength=MAX_NAME_CHARS)]
_Lfdis = Annotated[list[str], described("LFDIs of the devices in the group itself, all of them")]
_Patterns = Annotated[list[str], described('patterns of LFDIs, * and ? as in a shell; ["*"]: every device')]


class TimeBody(TypedDict):
    """A Time resource of the group's own."""

    offset_s: NotRequired[
        Annotated[
            int, unit("s", "how far its currentTime is off", minimum=-MAX_OFFSET_S, maximum=MAX_OFFSET_S)
        ]
    ]
    tz_offset_s: NotRequired[
        Annotated[int, unit("s", "of local time", minimum=-MAX_ZONE_S, maximum=MAX_ZONE_S)]
    ]
    quality: NotRequired[Annotated[int, described("as in the standard; default 7", minimum=3, maximum=7)]]


class GroupView(TypedDict):
    """A group; `devices` counts those in it by the tree, as far as they are registered."""

    id: int
    name: str
    level: str
    parent: Annotated[int | None, described("id of the group above")]
    mRID: str
    lfdis: list[str]
    patterns: list[str]
    time: TimeBody | None
    programs: Annotated[list[int], described("ids of the programs for this group")]
    devices: int


class GroupBody(TypedDict):
    """A new group."""

    name: _Name
    level: Literal[
        "subtransmission", "substation", "feeder", "segment", "transformer", "service_point", "non_topology"
    ]
    parent: NotRequired[Annotated[int, described("id of the group above; left out: the system, 1")]]
    lfdis: NotRequired[_Lfdis]
    patterns: NotRequired[_Patterns]
    time: NotRequired[TimeBody | None]


class GroupChange(TypedDict):
    """What is to change of a group."""

    name: NotRequired[_Name]
    lfdis: NotRequired[_Lfdis]
    patterns: NotRequired[_Patterns]
    time: NotRequired[Annotated[TimeBody | None, described("null: the Time of the server")]]


class PlaceBody(TypedDict):
    """The one group of the topology that a device is assigned to."""

    group: Annotated[int | None, described("id; null: none")]


class PlaceView(TypedDict):
    """The groups that a device is in, in the order of FunctionSetAssignmentsList."""

    lfdi: str
    groups: list[int]


def view(context: AdminContext, item: Group, devices: Mapping[Group, int] | None = None) -> dict[str, Any]:
    """One group. devices: how many are in each, where that is known."""
    head_end = context.head_end
    return {
        "id": item.number,
        "name": item.name,
        "level": item.level,
        "parent": item.parent.number if item.parent else None,
        "mRID": item.mrid,
        "lfdis": sorted(item.lfdis),
        "patterns": list(item.patterns),
        "time": item.time._asdict() if item.time else None,
        "programs": [program.number for program in head_end.programs.of_group(item)],
        "devices": (_devices(head_end) if devices is None else devices)[item],
    }


def _devices(head_end: HeadEnd) -> Counter[Group]:
    """How many devices are in each group."""
    return Counter(group for device in head_end.end_devices for group in head_end.groups.of(device.lfdi))


def _all(context: AdminContext, call: Call) -> list[dict[str, Any]]:
    query, devices = call.query, _devices(context.head_end)
    found = (
        item
        for item in context.head_end.groups
        if matches(item.level, query["level"]) and matches(item.name, query["name"])
    )
    return [view(context, item, devices) for item in page(found, query, lambda item: item.number)]


def _get(context: AdminContext, call: Call) -> dict[str, Any]:
    return view(context, context.group(call.ids[0]))


def _create(context: AdminContext, call: Call) -> dict[str, Any]:
    head_end, body = context.head_end, call.body
    parent = None
    if "parent" in body and (parent := head_end.groups.get(body["parent"])) is None:
        raise ConfigError(f"parent: there is no group {body['parent']}")
    grouping.check_members(body.get("lfdis", ()), body.get("patterns", ()))
    group = grouping.create(head_end, body["name"], body["level"], parent)
    _apply(context, group, body)
    return view(context, group)


def _change(context: AdminContext, call: Call) -> dict[str, Any]:
    group, body = context.group(call.ids[0]), call.body
    if not body:
        raise ConfigError("one of name, lfdis, patterns and time is needed")
    grouping.check_members(body.get("lfdis", ()), body.get("patterns", ()))
    if "name" in body:
        grouping.rename(context.head_end, group, body["name"])
    _apply(context, group, body)
    return view(context, group)


def _apply(context: AdminContext, group: Group, body: dict[str, Any]) -> None:
    if "lfdis" in body or "patterns" in body:
        lfdis, patterns = body.get("lfdis", group.lfdis), body.get("patterns", group.patterns)
        grouping.set_members(context.head_end, group, lfdis, patterns)
    if "time" in body:
        time = body["time"]
        grouping.set_time(context.head_end, group, None if time is None else TimeOf(**time))


def _remove(context: AdminContext, call: Call) -> dict[str, Any]:
    group = context.group(call.ids[0])
    shown = view(context, group)
    try:
        grouping.remove(context.head_end, group)
    except ConfigError as error:
        raise refusal("conflict", str(error), f"GET {PREFIX}/groups shows the tree") from None
    return shown


def _publish(context: AdminContext, call: Call) -> dict[str, Any]:
    order = order_of(call.body, context.head_end.now_s())
    control = grouping.publish(context.head_end, context.group(call.ids[0]), order)
    return {"mRID": control.mrid, "href": control.href}


def _publish_for_device(context: AdminContext, call: Call) -> dict[str, Any]:
    order = order_of(call.body, context.head_end.now_s())
    device = context.device(call.ids[0])
    control = grouping.publish_for_device(context.head_end, device.lfdi, order)
    return {"mRID": control.mrid, "href": control.href}


def _place(context: AdminContext, call: Call) -> dict[str, Any]:
    device = context.device(call.ids[0])
    groups = context.head_end.groups.of(device.lfdi)
    return {"lfdi": device.lfdi, "groups": [group.number for group in groups]}


def _move(context: AdminContext, call: Call) -> dict[str, Any]:
    device, number = context.device(call.ids[0]), call.body["group"]
    group = None
    if number is not None and (group := context.head_end.groups.get(number)) is None:
        raise ConfigError(f"group: there is no group {number}")
    if group is not None and group.level == "non_topology":
        raise ConfigError(f"group: {number} is outside the topology; add the device to its lfdis")
    grouping.move(context.head_end, device.lfdi, group)
    return _place(context, call)


_ID = (Query("id", int, None, "The group's id.", 1),)
_DEVICE = f"{PREFIX}/end-devices/{{lfdi}}"

ROUTES = [
    AdminRoute(
        method="GET",
        path=f"{PREFIX}/groups",
        handler=_all,
        summary="The groups of devices; 1 is the system, which all others of the topology are below.",
        response=list[GroupView],
        query=(
            Query("level", str, None, "Only those of this level.", choices=tuple(LEVELS)),
            Query("name", str, None, "Only that of this name."),
            LIMIT,
            AFTER,
        ),
        tag="Groups",
    ),
    AdminRoute(
        method="POST",
        path=f"{PREFIX}/groups",
        handler=_create,
        summary="Add a group.",
        response=GroupView,
        status=201,
        request=GroupBody,
        example=EXAMPLE,
        tag="Groups",
    ),
    AdminRoute(
        method="GET",
        path=f"{PREFIX}/groups/{{id}}",
        handler=_get,
        summary="One group.",
        response=GroupView,
        path_parameters=_ID,
        tag="Groups",
        problems=("not-found",),
    ),
    AdminRoute(
        method="PUT",
        path=f"{PREFIX}/groups/{{id}}",
        handler=_change,
        summary="Change a group: what is left out stays.",
        response=GroupView,
        request=GroupChange,
        example={"patterns": ["3E4F*"]},
        path_parameters=_ID,
        tag="Groups",
        problems=("not-found",),
    ),
    AdminRoute(
        method="DELETE",
        path=f"{PREFIX}/groups/{{id}}",
        handler=_remove,
        summary="Remove a group; programs for it alone are for nobody then.",
        response=GroupView,
        path_parameters=_ID,
        tag="Groups",
        problems=("not-found", "conflict"),
    ),
    AdminRoute(
        method="POST",
        path=f"{PREFIX}/groups/{{id}}/controls",
        handler=_publish,
        summary="Publish a control for the devices of one group, in its program; it is made where missing.",
        response=Published,
        status=201,
        request=ControlBody,
        example=CONTROL,
        path_parameters=_ID,
        tag="Groups",
        problems=("not-found",),
    ),
    AdminRoute(
        method="GET",
        path=f"{_DEVICE}/groups",
        handler=_place,
        summary="The groups that a device is in.",
        response=PlaceView,
        path_parameters=(LFDI,),
        tag="Groups",
        problems=("not-found",),
    ),
    AdminRoute(
        method="PUT",
        path=f"{_DEVICE}/groups",
        handler=_move,
        summary="Move a device to one group of the topology.",
        response=PlaceView,
        request=PlaceBody,
        example={"group": 2},
        path_parameters=(LFDI,),
        tag="Groups",
        problems=("not-found",),
    ),
    AdminRoute(
        method="POST",
        path=f"{_DEVICE}/controls",
        handler=_publish_for_device,
        summary="Publish a control for one device alone.",
        response=Published,
        status=201,
        request=ControlBody,
        example=CONTROL,
        path_parameters=(LFDI,),
        tag="Groups",
        problems=("not-found",),
    ),
]
