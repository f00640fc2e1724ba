"""`GET /api/dersim/setpoints`: what binds, what is in force and why, what is overridden, and the journal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, TypedDict

from dersim.json_schema import described
from dersim.modes import value_to_json
from dersim.pages.routes import Query, Route
from dersim.timestamps import rfc3339, rfc3339_or_none
from dersim.web.api.binding import Told, told
from dersim.web.context import Call, WebContext

if TYPE_CHECKING:
    from dersim.setpoints import InForce, JournalEntry

ModeJson = Annotated[Any, described("a mode's value in plain units, see docs/modes")]


class SetpointEntry(TypedDict):
    """A setpoint that acts now."""

    mode: str
    value: ModeJson
    source: Annotated[str, described("nameplate, csip-default, operator, rest, modbus, csip, or a plug-in's")]
    detail: Annotated[str, described("what the source calls it: the control's mRID, the register")]
    since: str
    until: str | None


class OverriddenEntry(SetpointEntry):
    """A setpoint that does not act, and why."""

    by: str


class JournalLine(TypedDict):
    """What was asked, by whom, and what came of it."""

    time: str
    source: str
    mode: str
    value: ModeJson
    detail: str
    until: str | None
    outcome: str


class Setpoints(Told):
    """The setpoints of one DER."""

    in_force: list[SetpointEntry]
    overridden: list[OverriddenEntry]
    journal: Annotated[list[JournalLine], described("newest first")]


def in_force_entry(item: InForce) -> dict[str, Any]:
    """One setpoint in force."""
    return {
        "mode": item.mode,
        "value": value_to_json(item.value),
        "source": item.source.label,
        "detail": item.detail,
        "since": rfc3339(item.since_s),
        "until": rfc3339_or_none(item.until_s),
    }


def journal_line(item: JournalEntry) -> dict[str, Any]:
    """One line of the journal; `outcome` has the reason of a refusal."""
    outcome = item.outcome.verdict.value
    return {
        "time": rfc3339(item.time_s),
        "source": item.source.label,
        "mode": item.mode,
        "value": None if item.value is None else value_to_json(item.value),
        "detail": item.detail,
        "until": rfc3339_or_none(item.until_s),
        "outcome": f"{outcome}: {item.outcome.reason}" if item.outcome.reason else outcome,
    }


def _get(context: WebContext, call: Call) -> dict[str, Any]:
    setpoints = call.device.setpoints
    return {
        **told(call.device, context.engine.clock.rate),
        "in_force": [in_force_entry(item) for item in setpoints.in_force()],
        "overridden": [{**in_force_entry(i), "by": i.overridden_by} for i in setpoints.overridden()],
        "journal": [journal_line(item) for item in list(setpoints.journal)[::-1][: call.query["journal"]]],
    }


ROUTES = [
    Route(
        method="GET",
        path="/api/dersim/setpoints",
        handler=_get,
        summary="What binds P and Q, what is in force and why, what is overridden, the journal.",
        response=Setpoints,
        query=(Query("journal", int, 200, "At most so many lines of the journal.", 0, 10_000),),
        etag=True,
    )
]
