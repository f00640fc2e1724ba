"""`/programs`: DERPrograms with their default controls."""

from __future__ import annotations

from typing import Annotated, Any, NotRequired, TypedDict

from dersim.errors import ConfigError
from dersim.json_schema import described
from dersim.modes import modes_to_json
from dersim.pages.routes import Query
from dersim.utility.admin import controls
from dersim.utility.admin.body import read_modes
from dersim.utility.admin.context import PROGRAM_ID, AdminContext, AdminRoute, Call
from dersim.utility.admin.orders import Modes
from dersim.utility.admin.paging import AFTER, LIMIT, matches, page
from dersim.utility.admin.problems import PREFIX, refusal
from dersim.utility.program import Program
from dersim.utility.programs import MAX_DESCRIPTION_CHARS, MAX_ORDER, check_program

EXAMPLE = {"description": "feeder 7", "primacy": 10}
DEFAULT_EXAMPLE = {"modes": {"opModMaxLimW": 100}}

_Description = Annotated[str, described("shown to devices", maxLength=MAX_DESCRIPTION_CHARS)]
_Primacy = Annotated[int, described("the lower one has priority", minimum=0, maximum=255)]
_Order = Annotated[
    int,
    described(
        "place in DERProgramList: a lower one comes first whatever the primacy; default 0, all by primacy",
        minimum=-MAX_ORDER,
        maximum=MAX_ORDER,
    ),
]


class DefaultView(TypedDict):
    """A DefaultDERControl."""

    mRID: str
    version: int
    modes: dict[str, Any]


class ProgramView(TypedDict):
    """A DERProgram with its default and its controls."""

    id: int
    href: str
    mRID: str
    description: str
    primacy: int
    order: int
    groups: Annotated[list[int], described("ids of the groups whose devices it is for")]
    default_control: DefaultView | None
    controls: NotRequired[list[controls.ControlView]]


class ProgramBody(TypedDict):
    """A new DERProgram."""

    description: _Description
    primacy: _Primacy
    order: NotRequired[_Order]
    groups: NotRequired[Annotated[list[int], described("ids of groups; left out: all devices", minItems=1)]]


class ProgramChange(TypedDict):
    """What is to change of a DERProgram."""

    description: NotRequired[_Description]
    primacy: NotRequired[_Primacy]
    order: NotRequired[_Order]
    groups: NotRequired[Annotated[list[int], described("ids of groups", minItems=1)]]


class DefaultBody(TypedDict):
    """The modes of a DefaultDERControl, all of them."""

    modes: Modes


def view(item: Program, *, with_controls: bool = True) -> dict[str, Any]:
    """One program with its default and its controls."""
    shown = {
        "id": item.number,
        "href": item.href,
        "mRID": item.mrid,
        "description": item.description,
        "primacy": item.primacy,
        "order": item.order,
        "groups": [group.number for group in item.groups],
        "default_control": _default_view(item) if item.default else None,
    }
    if with_controls:
        shown["controls"] = [controls.view(each) for each in item.listed_controls()]
    return shown


def _default_view(item: Program) -> dict[str, Any]:
    default = item.default
    if default is None:
        raise refusal("not-found", f"program {item.number} has no default control", "PUT one here")
    return {"mRID": default.mrid, "version": default.version, "modes": modes_to_json(default.modes)}


def _all(context: AdminContext, call: Call) -> list[dict[str, Any]]:
    query = call.query
    found = [
        item
        for item in context.head_end.programs.listed()
        if matches(item.primacy, query["primacy"]) and matches(item.description, query["description"])
    ]
    if (number := query["group"]) is not None:
        found = [item for item in found if any(group.number == number for group in item.groups)]
    with_controls = query["controls"] == "yes"
    chosen = page(found, query, lambda item: item.number)
    return [view(item, with_controls=with_controls) for item in chosen]


def _get(context: AdminContext, call: Call) -> dict[str, Any]:
    return view(context.program(call.ids[0]))


def _create(context: AdminContext, call: Call) -> dict[str, Any]:
    head_end, body = context.head_end, call.body
    description, primacy, order = body["description"], body["primacy"], body.get("order", 0)
    check_program(description, primacy, order)
    program = head_end.create_program(description, primacy, _groups(context, body.get("groups", ())))
    if order:
        head_end.update_program(program, description, primacy, order)
    return view(program)


def _change(context: AdminContext, call: Call) -> dict[str, Any]:
    program, body = context.program(call.ids[0]), call.body
    if not body:
        raise ConfigError("one of description, primacy, order and groups is needed")
    groups = _groups(context, body.get("groups", ()))
    context.head_end.update_program(
        program,
        body.get("description", program.description),
        body.get("primacy", program.primacy),
        body.get("order", program.order),
    )
    if groups:
        context.head_end.assign_program(program, groups)
    return view(program)


def _groups(context: AdminContext, numbers: Any) -> tuple[Any, ...]:
    found = []
    for index, number in enumerate(numbers):
        if (group := context.head_end.groups.get(number)) is None:
            raise ConfigError(f"groups: there is no group {number}, number {index + 1} of the list")
        found.append(group)
    return tuple(found)


def _remove(context: AdminContext, call: Call) -> dict[str, Any]:
    program = context.program(call.ids[0])
    shown = view(program)
    try:
        context.head_end.remove_program(program)
    except ConfigError as error:
        raise refusal("conflict", str(error), "start the server without --cycle") from None
    return shown


def _get_default(context: AdminContext, call: Call) -> dict[str, Any]:
    return _default_view(context.program(call.ids[0]))


def _set_default(context: AdminContext, call: Call) -> dict[str, Any]:
    program = context.program(call.ids[0])
    context.head_end.set_default(program, read_modes(call.body["modes"]))
    return _default_view(program)


def _remove_default(context: AdminContext, call: Call) -> dict[str, Any]:
    program = context.program(call.ids[0])
    shown = _default_view(program)
    context.head_end.clear_default(program)
    return shown


_PATH = f"{PREFIX}/programs/{{id}}"
_DEFAULT = f"{_PATH}/default-control"

ROUTES = [
    AdminRoute(
        method="GET",
        path=f"{PREFIX}/programs",
        handler=_all,
        summary="The programs, in the order of DERProgramList.",
        response=list[ProgramView],
        query=(
            Query("description", str, None, "Only those of this description."),
            Query("primacy", int, None, "Only those of this primacy.", 0, 255),
            Query("group", int, None, "Only those of this group.", 1),
            Query("controls", str, "yes", "no: without their controls.", choices=("yes", "no")),
            LIMIT,
            AFTER,
        ),
        tag="Programs",
    ),
    AdminRoute(
        method="POST",
        path=f"{PREFIX}/programs",
        handler=_create,
        summary="Add a program.",
        response=ProgramView,
        status=201,
        request=ProgramBody,
        example=EXAMPLE,
        tag="Programs",
    ),
    AdminRoute(
        method="GET",
        path=_PATH,
        handler=_get,
        summary="One program.",
        response=ProgramView,
        path_parameters=(PROGRAM_ID,),
        tag="Programs",
        problems=("not-found",),
    ),
    AdminRoute(
        method="PUT",
        path=_PATH,
        handler=_change,
        summary="Change a program: what is left out stays.",
        response=ProgramView,
        request=ProgramChange,
        example=EXAMPLE,
        path_parameters=(PROGRAM_ID,),
        tag="Programs",
        problems=("not-found",),
    ),
    AdminRoute(
        method="DELETE",
        path=_PATH,
        handler=_remove,
        summary="Remove a program with its default, its controls and its curves.",
        response=ProgramView,
        path_parameters=(PROGRAM_ID,),
        tag="Programs",
        problems=("not-found", "conflict"),
    ),
    AdminRoute(
        method="GET",
        path=_DEFAULT,
        handler=_get_default,
        summary="The default control of a program.",
        response=DefaultView,
        path_parameters=(PROGRAM_ID,),
        tag="Programs",
        problems=("not-found",),
    ),
    AdminRoute(
        method="PUT",
        path=_DEFAULT,
        handler=_set_default,
        summary="Set or replace the default control of a program.",
        response=DefaultView,
        request=DefaultBody,
        example=DEFAULT_EXAMPLE,
        path_parameters=(PROGRAM_ID,),
        tag="Programs",
        problems=("not-found",),
    ),
    AdminRoute(
        method="DELETE",
        path=_DEFAULT,
        handler=_remove_default,
        summary="Remove the default control of a program.",
        response=DefaultView,
        path_parameters=(PROGRAM_ID,),
        tag="Programs",
        problems=("not-found",),
    ),
]
