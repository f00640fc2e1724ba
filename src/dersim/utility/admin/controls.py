"""`/controls` and `/programs/{id}/controls`: DERControls are published, read, cancelled and taken out."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any, Literal, TypedDict

from dersim.errors import ConfigError
from dersim.json_schema import FieldError, described
from dersim.modes import modes_to_json
from dersim.pages.routes import Query
from dersim.timestamps import rfc3339, rfc3339_or_none
from dersim.utility.admin.body import bad_request
from dersim.utility.admin.context import MRID, PROGRAM_ID, AdminContext, AdminRoute, Call
from dersim.utility.admin.orders import CONTROL, ControlBody, order_of
from dersim.utility.admin.paging import AFTER, LIMIT, matches, page
from dersim.utility.admin.problems import PREFIX, refusal
from dersim.utility.program import CANCELLED, STATUS_TEXT, SUPERSEDED, Control, Program


class ControlView(TypedDict):
    """A DERControl with its EventStatus."""

    id: int
    mRID: str
    href: str
    program: Annotated[int, described("its program's id")]
    description: str
    status: int
    status_text: str
    status_since: str
    created: str
    start: str | None
    duration_s: int
    randomize_start_s: int
    randomize_duration_s: int
    response_required: int
    device_category: Annotated[str | None, described("8 hexadecimal digits; null: every device")]
    reply_to: str | None
    potentially_superseded: bool
    modes: dict[str, Any]


class Published(TypedDict):
    """Where a new control is."""

    mRID: str
    href: str


class PublishedIn(Published):
    """The same, and the id of its program."""

    program: int


class BulkBody(ControlBody):
    """One order for many programs."""

    programs: Annotated[list[int] | Literal["all"], described("ids of programs, or all")]


class BulkPublished(TypedDict):
    """The new controls, in the order of the programs that were given."""

    controls: list[PublishedIn]


def view(item: Control) -> dict[str, Any]:
    """One DERControl with its EventStatus and modes."""
    category = item.device_category
    return {
        "id": item.id,
        "mRID": item.mrid,
        "href": item.href,
        "program": item.program.number,
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
        "device_category": None if category is None else f"{category:08X}",
        "reply_to": item.reply_to,
        "potentially_superseded": item.potentially_superseded,
        "modes": modes_to_json(item.modes),
    }


def _all(context: AdminContext, call: Call) -> list[dict[str, Any]]:
    programs: Iterable[Program] = context.head_end.programs.listed()
    if (number := call.query["program"]) is not None:
        programs = [program for program in programs if program.number == number]
    return _selected(programs, call)


def _of_program(context: AdminContext, call: Call) -> list[dict[str, Any]]:
    return _selected((context.program(call.ids[0]),), call)


def _selected(programs: Iterable[Program], call: Call) -> list[dict[str, Any]]:
    mode = call.query["mode"]
    found = (
        control
        for program in programs
        for control in program.listed_controls()
        if matches(control.status, call.query["status"]) and (mode is None or mode in control.modes)
    )
    return [view(control) for control in page(found, call.query, lambda control: control.id)]


def _get(context: AdminContext, call: Call) -> dict[str, Any]:
    return view(context.control(call.ids[0]))


def _publish(context: AdminContext, call: Call) -> dict[str, Any]:
    program = context.program(call.ids[0])
    control = context.head_end.publish(program, order_of(call.body, context.head_end.now_s()))
    return {"mRID": control.mrid, "href": control.href}


def _publish_to_many(context: AdminContext, call: Call) -> dict[str, Any]:
    head_end, wanted = context.head_end, call.body["programs"]
    programs = head_end.programs.listed() if wanted == "all" else _named(context, wanted)
    controls = head_end.publish_to(programs, order_of(call.body, head_end.now_s()))
    return {
        "controls": [
            {"program": each.program.number, "mRID": each.mrid, "href": each.href} for each in controls
        ]
    }


def _named(context: AdminContext, numbers: list[int]) -> list[Program]:
    found = [context.head_end.programs.get(number) for number in numbers]
    errors = [
        FieldError(f"/programs/{index}", f"there is no program {numbers[index]}")
        for index, program in enumerate(found)
        if program is None
    ]
    if errors:
        raise bad_request(errors, f"GET {PREFIX}/programs lists them")
    if len(set(numbers)) < len(numbers):
        raise ConfigError("programs: each program may be named once")
    if not numbers:
        raise ConfigError('programs: at least one id, or "all", is needed')
    return [program for program in found if program is not None]


def _cancel(context: AdminContext, call: Call) -> dict[str, Any]:
    control = context.control(call.ids[0])
    if call.query["remove"] == "yes":
        shown = view(control)
        context.head_end.withdraw(control)
        return shown
    if not control.live:
        raise refusal("conflict", f"control {control.mrid} is over: it is {STATUS_TEXT[control.status]}")
    context.head_end.cancel(control, call.query["status"])
    return view(control)


_FILTERS = (
    Query("status", int, None, "Only those of this EventStatus, 0 to 5.", 0, 5),
    Query("mode", str, None, "Only those with this mode."),
    LIMIT,
    AFTER,
)
_STATUS = Query(
    "status",
    int,
    CANCELLED,
    "2: cancelled, 3: cancelled with randomization, 4: superseded.",
    CANCELLED,
    SUPERSEDED,
)
_REMOVE = Query(
    "remove",
    str,
    "no",
    "yes: taken out of its list at once, without a status; devices may carry it on.",
    choices=("no", "yes"),
)
ROUTES = [
    AdminRoute(
        method="GET",
        path=f"{PREFIX}/controls",
        handler=_all,
        summary="The controls of all programs.",
        response=list[ControlView],
        query=(Query("program", int, None, "Only those of this program.", 1), *_FILTERS),
        tag="Controls",
    ),
    AdminRoute(
        method="POST",
        path=f"{PREFIX}/controls",
        handler=_publish_to_many,
        summary="Publish one control in many programs at once.",
        response=BulkPublished,
        status=201,
        request=BulkBody,
        example={"programs": [1, 2], **CONTROL},
        tag="Controls",
    ),
    AdminRoute(
        method="GET",
        path=f"{PREFIX}/controls/{{mRID}}",
        handler=_get,
        summary="One control, as long as it is listed.",
        response=ControlView,
        path_parameters=(MRID,),
        tag="Controls",
        problems=("not-found",),
    ),
    AdminRoute(
        method="DELETE",
        path=f"{PREFIX}/controls/{{mRID}}",
        handler=_cancel,
        summary="Cancel a control: it stays listed with its status for a while. Or take it out of its list.",
        response=ControlView,
        query=(_STATUS, _REMOVE),
        path_parameters=(MRID,),
        tag="Controls",
        problems=("not-found", "conflict"),
    ),
    AdminRoute(
        method="GET",
        path=f"{PREFIX}/programs/{{id}}/controls",
        handler=_of_program,
        summary="The controls of one program.",
        response=list[ControlView],
        query=_FILTERS,
        path_parameters=(PROGRAM_ID,),
        tag="Controls",
        problems=("not-found",),
    ),
    AdminRoute(
        method="POST",
        path=f"{PREFIX}/programs/{{id}}/controls",
        handler=_publish,
        summary="Publish a control in one program.",
        response=Published,
        status=201,
        request=ControlBody,
        example=CONTROL,
        path_parameters=(PROGRAM_ID,),
        tag="Controls",
        problems=("not-found",),
    ),
]
