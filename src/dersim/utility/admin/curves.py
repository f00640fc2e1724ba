"""`/programs/{id}/curves`: the DERCurveList of a program.

A curve of a control or a default is listed as long as that refers to it. The operator can list others, and
give a listed one other points, which changes it for all that refer to it.
"""

from __future__ import annotations

from typing import Annotated, Any, TypedDict

from dersim.errors import ConfigError
from dersim.json_schema import described
from dersim.modes import MODES, Curve, value_from_json, value_to_json
from dersim.pages.routes import Query
from dersim.timestamps import rfc3339
from dersim.utility.admin.context import PROGRAM_ID, AdminContext, AdminRoute, Call, number_of
from dersim.utility.admin.paging import AFTER, LIMIT, matches, page
from dersim.utility.admin.problems import PREFIX, refusal
from dersim.utility.program import ListedCurve, Program
from dersim.utility.wire_modes import curve_href

_POINTS = {"curve": [[92, 44], [98, 0], [102, 0], [108, -44]]}
EXAMPLE = {"mode": "opModVoltVar", "value": _POINTS}

_Value = Annotated[Any, described("the curve as the mode takes it, in plain units")]


class CurveView(TypedDict):
    """A DERCurve."""

    id: int
    mRID: str
    href: str
    mode: str
    created: str
    value: _Value
    used: Annotated[bool, described("whether a control or the default refers to it")]


class CurveBody(TypedDict):
    """A curve to list."""

    mode: Annotated[str, described("a mode that takes a curve, such as opModVoltVar")]
    value: _Value


class CurveChange(TypedDict):
    """Other points for a curve."""

    value: _Value


def view(program: Program, item: ListedCurve) -> dict[str, Any]:
    """One curve of a program."""
    return {
        "id": item.number,
        "mRID": item.mrid,
        "href": curve_href(program, item),
        "mode": item.mode,
        "created": rfc3339(item.creation_s),
        "value": value_to_json(item.curve),
        "used": program.uses(item),
    }


def _all(context: AdminContext, call: Call) -> list[dict[str, Any]]:
    program = context.program(call.ids[0])
    found = (item for item in program.curves.listed() if matches(item.mode, call.query["mode"]))
    return [view(program, item) for item in page(found, call.query, lambda item: item.number)]


def _find(context: AdminContext, call: Call) -> tuple[Program, ListedCurve]:
    program = context.program(call.ids[0])
    curve = program.curves.get(number_of(call.ids[1]))
    if curve is None:
        where = f"GET {PREFIX}/programs/{program.number}/curves lists them"
        raise refusal("not-found", f"there is no curve {call.ids[1][:80]}", where)
    return program, curve


def _get(context: AdminContext, call: Call) -> dict[str, Any]:
    return view(*_find(context, call))


def _add(context: AdminContext, call: Call) -> dict[str, Any]:
    program, mode = context.program(call.ids[0]), call.body["mode"]
    curve = context.head_end.add_curve(program, mode, _read(mode, call.body["value"]))
    return view(program, curve)


def _change(context: AdminContext, call: Call) -> dict[str, Any]:
    program, item = _find(context, call)
    curve = _read(item.mode, call.body["value"])
    if program.curves.has(item.mode, curve) and curve != item.curve:
        raise refusal("conflict", "the program has a curve with these points already")
    context.head_end.change_curve(program, item, curve)
    return view(program, item)


def _remove(context: AdminContext, call: Call) -> dict[str, Any]:
    program, item = _find(context, call)
    if program.uses(item):
        hint = "cancel the controls, or change the default, that refer to it"
        raise refusal("conflict", f"curve {item.number} is in use", hint)
    shown = view(program, item)
    context.head_end.remove_curve(program, item)
    return shown


def _read(mode: str, value: Any) -> Curve:
    spec = MODES.get(mode)
    if spec is None or spec.kind != "curve":
        known = ", ".join(name for name, each in MODES.items() if each.kind == "curve")
        raise ConfigError(f"mode: {mode[:60]!r} takes no curve; those that do are {known}")
    curve = value_from_json(mode, value)
    if not isinstance(curve, Curve):
        raise ConfigError("value: a curve is needed")
    return curve


_PATH = f"{PREFIX}/programs/{{id}}/curves"
_ONE = (PROGRAM_ID, Query("curve", int, None, "The curve's id.", 1))

ROUTES = [
    AdminRoute(
        method="GET",
        path=_PATH,
        handler=_all,
        summary="The curves of a program.",
        response=list[CurveView],
        query=(Query("mode", str, None, "Only those of this mode."), LIMIT, AFTER),
        path_parameters=(PROGRAM_ID,),
        tag="Curves",
        problems=("not-found",),
    ),
    AdminRoute(
        method="POST",
        path=_PATH,
        handler=_add,
        summary="List a curve, whether anything refers to it or not.",
        response=CurveView,
        status=201,
        request=CurveBody,
        example=EXAMPLE,
        path_parameters=(PROGRAM_ID,),
        tag="Curves",
        problems=("not-found",),
    ),
    AdminRoute(
        method="GET",
        path=f"{_PATH}/{{curve}}",
        handler=_get,
        summary="One curve.",
        response=CurveView,
        path_parameters=_ONE,
        tag="Curves",
        problems=("not-found",),
    ),
    AdminRoute(
        method="PUT",
        path=f"{_PATH}/{{curve}}",
        handler=_change,
        summary="Give a curve other points, for all controls and the default that refer to it.",
        response=CurveView,
        request=CurveChange,
        example={"value": _POINTS},
        path_parameters=_ONE,
        tag="Curves",
        problems=("not-found", "conflict"),
    ),
    AdminRoute(
        method="DELETE",
        path=f"{_PATH}/{{curve}}",
        handler=_remove,
        summary="Remove a curve that nothing refers to.",
        response=CurveView,
        path_parameters=_ONE,
        tag="Curves",
        problems=("not-found", "conflict"),
    ),
]
