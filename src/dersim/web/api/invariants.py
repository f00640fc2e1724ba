"""`GET /api/dersim/invariants`: how often the simulator broke its own rules, where they are watched."""

from __future__ import annotations

from typing import Annotated, Any, TypedDict

from dersim.invariants import Watcher
from dersim.invariants.watcher import MOST_HELD
from dersim.json_schema import described
from dersim.pages.routes import Query, Route
from dersim.web.context import Call, WebContext


class InvariantEntry(TypedDict):
    """One rule. Some have two halves, each with a statement of its own."""

    id: str
    statements: list[str]
    violations: int


class InvariantViolation(TypedDict):
    """One breach."""

    id: str
    device: Annotated[int, described("0: of the whole process")]
    time: Annotated[str | None, described("simulated time", format="date-time")]
    time_s: float
    expected: str
    seen: str


class Invariants(TypedDict):
    """watched: false without `--watch_invariants`. looks: at a DER, so far. violations: the newest first."""

    watched: bool
    looks: int
    total: int
    invariants: list[InvariantEntry]
    violations: list[InvariantViolation]


def _get(context: WebContext, call: Call) -> dict[str, Any]:
    watcher = context.engine.service(Watcher)
    if watcher is None:
        return {"watched": False, "looks": 0, "total": 0, "invariants": [], "violations": []}
    newest = list(watcher.violations)[-call.query["limit"] :]
    return {
        "watched": True,
        "looks": watcher.looks,
        "total": watcher.total,
        "invariants": [_entry(watcher, name) for name in watcher.ids],
        "violations": [violation.to_json() for violation in reversed(newest)],
    }


def _entry(watcher: Watcher, name: str) -> dict[str, Any]:
    statements = [each.statement for each in watcher.invariants if each.id == name]
    return {"id": name, "statements": statements, "violations": watcher.counts[name]}


ROUTES = [
    Route(
        method="GET",
        path="/api/dersim/invariants",
        handler=_get,
        summary="Breaches of the simulator's own rules, where they are watched (--watch_invariants).",
        response=Invariants,
        query=(Query("limit", int, 100, "At most so many violations.", 1, MOST_HELD),),
        per_device=False,
        tag="Simulator",
    )
]
