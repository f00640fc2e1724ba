"""`GET /api/dersim/logs`: the log buffer, filtered."""

from __future__ import annotations

from typing import Annotated, Any, TypedDict

from dersim.logbuffer import LEVELS
from dersim.pages.problems import Problem
from dersim.pages.routes import Query, Route
from dersim.pages.schema import described
from dersim.web.context import BOTH, Call, WebContext


class LogLine(TypedDict):
    """One entry; ids rise by one."""

    id: int
    timestamp: Annotated[str, described("the machine's clock", format="date-time")]
    level: str
    module: str
    device: Annotated[int, described("0 where no DER is concerned")]
    message: str


class Logs(TypedDict):
    """The entries that pass the filters, oldest first."""

    logs: list[LogLine]
    modules: Annotated[list[str], described("the tags that the buffer holds")]
    last_id: int


def _get(context: WebContext, call: Call) -> dict[str, Any]:
    log, query = context.engine.log, call.query
    level = _level(query["level"])
    modules = [name for name in query["modules"].split(",") if name]
    entries = log.entries(modules, level, query["after"], query["limit"], device=query["device"])
    return {"logs": [e.to_json() for e in entries], "modules": log.modules(), "last_id": log.last_id}


def _level(text: str) -> Any:
    if not text:
        return None
    level = text.capitalize()
    if level not in LEVELS:
        raise Problem("bad-request", f"query parameter level={text!r} is not one of {', '.join(LEVELS)}")
    return level


ROUTES = [
    Route(
        method="GET",
        path="/api/dersim/logs",
        handler=_get,
        summary="The log, filtered by module and level.",
        response=Logs,
        per_device=False,
        query=(
            Query("modules", str, "", "Only these modules, separated by commas; CSIP is the conversation."),
            Query("level", str, "", "This level and more severe: Debug, Info, Warning, Error."),
            Query("limit", int, 200, "At most so many entries.", 1, 10_000),
            Query("after", int, None, "Only entries with a higher id: what a poller asks.", 0),
            Query("device", int, None, "Only entries of this DER.", 0),
        ),
        tag="Log",
        etag=True,
        sites=BOTH,
    )
]
