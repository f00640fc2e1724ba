"""`GET /api/dersim/logs`: the log buffer, filtered; and the same as a file."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any, TypedDict

from dersim.json_schema import described
from dersim.logbuffer import LEVELS
from dersim.pages.problems import Problem
from dersim.pages.routes import Query, Reply, Route
from dersim.web.context import BOTH, Call, WebContext

if TYPE_CHECKING:
    from dersim.logbuffer import LogEntry


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
    log = context.engine.log
    entries = _chosen(context, call)
    return {"logs": [e.to_json() for e in entries], "modules": log.modules(), "last_id": log.last_id}


def _export_text(context: WebContext, call: Call) -> Reply:
    lines = (entry.to_line() for entry in _chosen(context, call))
    return Reply(200, "".join(f"{line}\n" for line in lines), _TEXT)


def _export_jsonl(context: WebContext, call: Call) -> Reply:
    lines = (json.dumps(entry.to_json(), ensure_ascii=False) for entry in _chosen(context, call))
    return Reply(200, "".join(f"{line}\n" for line in lines), _JSONL)


def _chosen(context: WebContext, call: Call) -> list[LogEntry]:
    """The entries that the query asks for; all of them where it has no limit."""
    query = call.query
    modules = [name for name in query["modules"].split(",") if name]
    return context.engine.log.entries(
        modules,
        _level(query["level"]),
        query.get("after"),
        query.get("limit"),
        device=query["device"],
        text=query["text"],
    )


def _level(text: str) -> Any:
    if not text:
        return None
    level = text.capitalize()
    if level not in LEVELS:
        raise Problem("bad-request", f"query parameter level={text!r} is not one of {', '.join(LEVELS)}")
    return level


_TEXT, _JSONL = "text/plain; charset=utf-8", "application/jsonl"

_FILTERS = (
    Query("modules", str, "", "Only these modules, separated by commas; CSIP is the conversation."),
    Query("level", str, "", "This level and more severe: Debug, Info, Warning, Error."),
    Query("text", str, "", "Only messages that contain this, whatever its case."),
    Query("device", int, None, "Only entries of this DER.", 0),
)

ROUTES = [
    Route(
        method="GET",
        path="/api/dersim/logs",
        handler=_get,
        summary="The log, filtered by module, level, text and DER.",
        response=Logs,
        per_device=False,
        query=(
            *_FILTERS,
            Query("limit", int, 200, "At most so many entries.", 1, 10_000),
            Query("after", int, None, "Only entries with a higher id: what a poller asks.", 0),
        ),
        tag="Log",
        etag=True,
        sites=BOTH,
    ),
    Route(
        method="GET",
        path="/api/dersim/logs/export.txt",
        handler=_export_text,
        summary="All that the log holds and the filters let through, one line per entry.",
        response=str,
        per_device=False,
        query=_FILTERS,
        tag="Log",
        content_type=_TEXT,
        sites=BOTH,
    ),
    Route(
        method="GET",
        path="/api/dersim/logs/export.jsonl",
        handler=_export_jsonl,
        summary="The same, one JSON document per line.",
        response=str,
        per_device=False,
        query=_FILTERS,
        tag="Log",
        content_type=_JSONL,
        sites=BOTH,
    ),
]
