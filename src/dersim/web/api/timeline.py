"""`GET /api/dersim/timeline`: what the utility asked for beside what was done, on one time axis.

The controls are on the server's clock and the setpoints on the simulated one; here both are shown on the
simulated one, so that they can be drawn above each other and above the history of the power.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, TypedDict

from dersim.json_schema import described
from dersim.modes import modes_to_json, value_to_json
from dersim.pages.routes import Query, Route
from dersim.setpoints import Verdict
from dersim.timestamps import rfc3339, rfc3339_or_none
from dersim.web.api.csip import Modes, client_of
from dersim.web.api.setpoints import ModeJson
from dersim.web.context import Call, WebContext

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dersim.setpoints import JournalEntry


class TimelineControl(TypedDict):
    """A DERControl, from its announcement to its end."""

    mRID: str
    href: str
    program: str
    primacy: int
    phase: Annotated[str, described("scheduled, active, completed, cancelled, superseded, ...")]
    status: int
    status_text: str
    start: Annotated[str, described("of the interval, simulated time", format="date-time")]
    effective_start: Annotated[str, described("after randomization", format="date-time")]
    effective_end: Annotated[str, described("after randomization", format="date-time")]
    modes: Modes
    why: Annotated[str, described("why it stands as it does")]


class AppliedSetpoint(TypedDict):
    """A setpoint of one source, from when it was accepted to when it ended."""

    mode: str
    value: ModeJson
    source: str
    detail: str
    start: str
    end: Annotated[str | None, described("null: still asked for")]


class BoundSpan(TypedDict):
    """What held P or Q where it was, as `binding` of the setpoints tells it; looked at once per step."""

    quantity: Annotated[str, described("p or q")]
    mode: str
    function: str | None
    source: str
    detail: str
    out: Annotated[bool, described("out of service, or ceased")]
    text: Annotated[str, described("the same in words")]
    start: str
    end: Annotated[str | None, described("null: it still does")]


class Timeline(TypedDict):
    """Controls and setpoints over time."""

    now: str
    controls: list[TimelineControl]
    applied: list[AppliedSetpoint]
    bound: list[BoundSpan]


def _controls(context: WebContext, call: Call, since_s: float) -> list[dict[str, Any]]:
    client = client_of(context, call.device)
    if client is None:
        return []
    shift_s = context.engine.clock.now_s() - client.server_now_s()
    return [
        {
            "mRID": seen.mrid,
            "href": seen.href,
            "program": seen.program,
            "primacy": seen.primacy,
            "phase": getattr(seen.phase, "name", str(seen.phase)).lower(),
            "status": seen.status,
            "status_text": seen.status_text,
            "start": rfc3339(seen.start_s + shift_s),
            "effective_start": rfc3339(seen.effective_start_s + shift_s),
            "effective_end": rfc3339(seen.effective_end_s + shift_s),
            "modes": modes_to_json(seen.modes),
            "why": seen.why,
        }
        for seen in client.explain()
        if seen.effective_end_s + shift_s >= since_s
    ]


def applied(journal: Iterable[JournalEntry], since_s: float) -> list[dict[str, Any]]:
    """The journal's entries as intervals; one that changes its value becomes two."""
    wanted: dict[tuple[Any, str], JournalEntry] = {}
    out = []

    def close(entry: JournalEntry, end_s: float | None) -> None:
        if end_s is None or end_s >= since_s:
            out.append(
                {
                    "mode": entry.mode,
                    "value": None if entry.value is None else value_to_json(entry.value),
                    "source": entry.source.label,
                    "detail": entry.detail,
                    "start": rfc3339(entry.time_s),
                    "end": rfc3339_or_none(end_s),
                }
            )

    for entry in journal:
        if entry.outcome.verdict is not Verdict.ACCEPTED:
            continue
        key = (entry.source, entry.mode)
        before = wanted.get(key)
        if before is not None and (before.value, before.detail) == (entry.value, entry.detail):
            continue
        if before is not None:
            close(wanted.pop(key), entry.time_s)
        if entry.value is not None:
            wanted[key] = entry
    for entry in wanted.values():
        close(entry, None)
    return out


def _get(context: WebContext, call: Call) -> dict[str, Any]:
    now_s = context.engine.clock.now_s()
    since_s = now_s - call.query["seconds"]
    return {
        "now": rfc3339(now_s),
        "controls": _controls(context, call, since_s),
        "applied": applied(call.device.setpoints.journal, since_s),
        "bound": context.history.bound(call.device).spans(since_s),
    }


ROUTES = [
    Route(
        method="GET",
        path="/api/dersim/timeline",
        handler=_get,
        summary="Every control's life against the setpoints that were applied.",
        response=Timeline,
        query=(Query("seconds", float, 3600.0, "How far back.", 1, 10_000_000),),
        tag="CSIP",
    )
]
