"""`/timeline`: what was ordered and when, ended controls too, beside what acts by default."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Annotated, Any, TypedDict

from dersim.json_schema import described
from dersim.pages.routes import Query
from dersim.timestamps import rfc3339
from dersim.utility.admin.context import AdminContext, AdminRoute, Call
from dersim.utility.admin.problems import PREFIX
from dersim.utility.mode_words import words_of
from dersim.utility.program import CANCELLED, CANCELLED_AT_RANDOM, STATUS_TEXT, SUPERSEDED, Control, Program

_LONGEST_S = 2 * 86_400
_ENDED_EARLY = (CANCELLED, CANCELLED_AT_RANDOM, SUPERSEDED)


class ModeTold(TypedDict):
    """A mode and its value in words."""

    mode: str
    text: str


class OrderView(TypedDict):
    """A control of the span."""

    mRID: str
    program: int
    program_description: str
    primacy: int
    groups: list[str]
    description: str
    modes: list[ModeTold]
    status: int
    status_text: str
    start: str
    end: Annotated[str, described("without randomization; when it was cancelled or superseded, if it was")]
    planned_end: str


class DefaultTold(TypedDict):
    """What acts by default."""

    program: int
    program_description: str
    primacy: int
    modes: list[ModeTold]


class TimelineView(TypedDict):
    """The controls of a span, by their start, and the defaults by primacy."""

    now: str
    orders: list[OrderView]
    more: Annotated[bool, described("whether older ones of the span were left out")]
    defaults: list[DefaultTold]


def _timeline(context: AdminContext, call: Call) -> dict[str, Any]:
    head_end, query = context.head_end, call.query
    now_s = head_end.now_s()
    programs = list(_programs(context, query["lfdi"], query["program"]))
    newest_first: Iterable[Control] = reversed(head_end.programs.recent)
    wanted = {program.number for program in programs}
    found = [
        control
        for control in newest_first
        if control.program.number in wanted and _end_s(control) >= now_s - query["seconds"]
    ]
    chosen = sorted(islice(found, query["limit"]), key=lambda control: (control.start_s, control.id))
    defaults = [program for program in programs if program.default is not None]
    return {
        "now": rfc3339(now_s),
        "orders": [_order(control) for control in chosen],
        "more": len(found) > len(chosen),
        "defaults": [_default(program) for program in defaults[: query["limit"]]],
    }


def _programs(context: AdminContext, lfdi: str | None, number: int | None) -> Iterator[Program]:
    """Those that a device sees, or one, or all."""
    groups = None if lfdi is None else set(context.head_end.groups.of(context.device(lfdi).lfdi))
    for program in context.head_end.programs.listed():
        if number in (None, program.number) and (groups is None or groups.intersection(program.groups)):
            yield program


def _end_s(control: Control) -> int:
    if control.status in _ENDED_EARLY:
        return min(control.end_s, max(control.status_since_s, control.start_s))
    return control.end_s


def _order(control: Control) -> dict[str, Any]:
    program = control.program
    return {
        "mRID": control.mrid,
        "program": program.number,
        "program_description": program.description,
        "primacy": program.primacy,
        "groups": [group.name for group in program.groups],
        "description": control.description,
        "modes": _modes(control.modes),
        "status": control.status,
        "status_text": STATUS_TEXT[control.status],
        "start": rfc3339(control.start_s),
        "end": rfc3339(_end_s(control)),
        "planned_end": rfc3339(control.end_s),
    }


def _default(program: Program) -> dict[str, Any]:
    return {
        "program": program.number,
        "program_description": program.description,
        "primacy": program.primacy,
        "modes": _modes({} if program.default is None else program.default.modes),
    }


def _modes(modes: Any) -> list[dict[str, str]]:
    return [{"mode": mode, "text": words_of(mode, value)} for mode, value in modes.items()]


ROUTES = [
    AdminRoute(
        method="GET",
        path=f"{PREFIX}/timeline",
        handler=_timeline,
        summary="The controls of a span of time, ended ones too, and what acts by default.",
        response=TimelineView,
        query=(
            Query("seconds", int, 900, "How far back; what is to come is always in it.", 60, _LONGEST_S),
            Query("lfdi", str, None, "Only the programs of the device with this LFDI."),
            Query("program", int, None, "Only this program.", 1),
            Query("limit", int, 200, "At most so many controls, the newest.", 1, 1000),
        ),
        tag="Controls",
        problems=("not-found",),
    ),
]
