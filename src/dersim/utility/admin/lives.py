"""`/control-lives`: what became of each control on each device."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from typing import Annotated, Any, TypedDict

from dersim.json_schema import described, unit
from dersim.pages.routes import Query
from dersim.timestamps import rfc3339, rfc3339_or_none
from dersim.utility.admin import controls
from dersim.utility.admin.context import MRID, AdminContext, AdminRoute, Call
from dersim.utility.admin.problems import PREFIX, refusal
from dersim.utility.control_lives import STAGES, Life, Lives, Stage, Summary, newest_first
from dersim.utility.head_end import HeadEnd
from dersim.utility.mode_words import words_of
from dersim.utility.program import Control
from dersim.utility.responses import STATUS_TEXT, NumberedResponse, created_s

#: Rows of one answer, where the query does not say how many.
ROWS = 50


class AnswerView(TypedDict):
    """A Response of a device to a control."""

    status: int | None
    text: str
    time: Annotated[str | None, described("the device's own")]
    received: str


class LifeView(TypedDict):
    """A control on one device."""

    lfdi: str
    device: Annotated[int | None, described("id of the EndDevice; null: it is not registered")]
    stage: Stage
    text: Annotated[str, described("in words; of a refusal why")]
    read: Annotated[str | None, described("when the device first read it")]
    responses: list[AnswerView]
    started_late_s: Annotated[
        int | None, unit("s", "past its latest start; negative: early; 0: in time; null: not said")
    ]
    ended_late_s: Annotated[int | None, unit("s", "the same for its end")]


_Counts = Annotated[dict[str, int], described("devices by stage, those of no device left out")]


class OrderedMode(TypedDict):
    """A mode of a control in words."""

    mode: str
    text: str


class ControlLifeView(TypedDict):
    """A control and how far it is, counted over its devices."""

    control: controls.ControlView
    orders: list[OrderedMode]
    program: Annotated[str, described("its program's description")]
    primacy: int
    groups: Annotated[list[str], described("names of the groups that it is for")]
    listed: Annotated[bool, described("whether devices can still read it")]
    latest_end: Annotated[str, described("when it is over on every device")]
    devices: Annotated[int, described("that it is for")]
    counts: _Counts
    refusals: Annotated[dict[str, int], described("devices by why they refused it")]
    incomplete: Annotated[
        bool, described("whether Responses to it may have been dropped, as there were many")
    ]
    late: Annotated[int, described("devices that started or ended outside the allowed time")]
    life: Annotated[LifeView | None, described("on the one device that was asked for")]


class DevicesOfControl(ControlLifeView):
    """The same with the devices, one by one."""

    matching: Annotated[int, described("devices at the stage that was asked for")]
    rows: list[LifeView]


def life_view(life: Life) -> dict[str, Any]:
    """One control on one device."""
    return {
        "lfdi": life.lfdi,
        "device": life.device.number if life.device else None,
        "stage": life.stage,
        "text": life.text,
        "read": rfc3339_or_none(life.read_s),
        "responses": [_answer(each) for each in life.responses],
        "started_late_s": life.started_late_s,
        "ended_late_s": life.ended_late_s,
    }


def _answer(each: NumberedResponse) -> dict[str, Any]:
    status = each.response.status
    return {
        "status": status,
        "text": STATUS_TEXT.get(status or 0, "reserved"),
        "time": rfc3339_or_none(created_s(each)),
        "received": rfc3339(each.received_s),
    }


def control_life(
    head_end: HeadEnd, control: Control, summary: Summary, own: Life | None = None
) -> dict[str, Any]:
    """One control, counted over its devices."""
    program = control.program
    return {
        "control": controls.view(control),
        "orders": [{"mode": mode, "text": words_of(mode, each)} for mode, each in control.modes.items()],
        "program": program.description,
        "primacy": program.primacy,
        "groups": [group.name for group in program.groups],
        "listed": control.listed,
        "latest_end": rfc3339(control.latest_end_s),
        **summary._asdict(),
        "incomplete": head_end.responses.dropped_since(control.creation_s),
        "life": None if own is None else life_view(own),
    }


def _all(context: AdminContext, call: Call) -> list[dict[str, Any]]:
    query, lives = call.query, Lives(context.head_end)
    device = None if query["lfdi"] is None else context.device(query["lfdi"])
    chosen: Iterable[Control] = newest_first(context.head_end.programs.recent)
    if (wanted := query["state"]) != "all":
        chosen = (each for each in chosen if (each.live and each.listed) == (wanted == "live"))
    if (number := query["program"]) is not None:
        chosen = (each for each in chosen if each.program.number == number)
    if device is not None:
        of_device = ((each, lives.on(each, device)) for each in chosen)
        found = islice(((each, own) for each, own in of_device if own is not None), query["limit"])
        return [control_life(context.head_end, each, lives.summary(each), own) for each, own in found]
    return [
        control_life(context.head_end, each, lives.summary(each)) for each in islice(chosen, query["limit"])
    ]


def _one(context: AdminContext, call: Call) -> dict[str, Any]:
    mrid, query = call.ids[0].upper(), call.query
    control = next((each for each in context.head_end.programs.recent if each.mrid == mrid), None)
    if control is None:
        raise refusal(
            "not-found", f"there is no control {mrid[:80]}", f"GET {PREFIX}/control-lives lists the newest"
        )
    lives = Lives(context.head_end)
    stage, start = query["stage"], query["start"]
    chosen = [life for life in lives.of(control) if stage is None or life.stage == stage]
    rows = [life_view(life) for life in chosen[start : start + query["limit"]]]
    return {
        **control_life(context.head_end, control, lives.summary(control)),
        "matching": len(chosen),
        "rows": rows,
    }


_LIMIT = Query("limit", int, ROWS, "At most so many.", 0, 1000)

ROUTES = [
    AdminRoute(
        method="GET",
        path=f"{PREFIX}/control-lives",
        handler=_all,
        summary="The newest controls, ended ones too, and how far each is on its devices.",
        response=list[ControlLifeView],
        query=(
            Query("state", str, "all", "live: scheduled or active.", choices=("all", "live", "over")),
            Query("program", int, None, "Only those of this program.", 1),
            Query("lfdi", str, None, "Only those for this device, with its own life."),
            _LIMIT,
        ),
        tag="Controls",
    ),
    AdminRoute(
        method="GET",
        path=f"{PREFIX}/control-lives/{{mRID}}",
        handler=_one,
        summary="One control on each device: read, received, started, ended or refused, and how late.",
        response=DevicesOfControl,
        query=(
            Query("stage", str, None, "Only the devices at this stage.", choices=STAGES),
            Query("start", int, 0, "Leave out so many.", 0, 1_000_000),
            _LIMIT,
        ),
        path_parameters=(MRID,),
        tag="Controls",
        problems=("not-found",),
    ),
]
