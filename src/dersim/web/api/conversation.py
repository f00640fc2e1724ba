"""`GET /api/dersim/conversation`: every exchange with the 2030.5 server, as it went over the wire.

PINs were masked before anything was kept. The list is short; the bodies come one exchange at a time, or all
together as JSON lines.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any, TypedDict

import trio

from dersim import __version__
from dersim.pages.problems import Problem
from dersim.pages.routes import Query, Reply, Route
from dersim.pages.schema import described, unit
from dersim.plugin.services import ConversationService, CsipService, HttpExchange, RecordingService
from dersim.timestamps import rfc3339
from dersim.web.api import curl
from dersim.web.context import BOTH, Call, WebContext

if TYPE_CHECKING:
    from collections.abc import Sequence


PCAPNG = "application/x-pcapng"


class ExchangeLine(TypedDict):
    """One request and what came of it."""

    id: int
    time: Annotated[str, described("simulated time at which it was sent", format="date-time")]
    device: int
    method: str
    url: str
    status: Annotated[int, described("0: no answer")]
    elapsed_ms: Annotated[float, unit("ms")]
    request_bytes: int
    response_bytes: int
    outcome: Annotated[str, described("how it ended: ok, refused with 404, or what went wrong on the way")]
    cause: Annotated[str, described("why it was made, e.g. poll derc, 10 s")]


class ExchangeDetail(ExchangeLine):
    """With headers and bodies, and the previous exchange of the same method at the same address."""

    request_headers: list[list[str]]
    request_body: str
    response_headers: list[list[str]]
    response_body: str
    previous: int | None


class ExchangeWhole(ExchangeDetail):
    """With a command that repeats it."""

    curl: Annotated[str, described("a command for sh with this run's certificate files; PINs are masked")]


class ConversationDocument(TypedDict):
    """The newest exchanges, oldest first."""

    exchanges: list[ExchangeLine]
    held_bytes: int
    pcap: Annotated[bool, described("whether there is an export.pcapng: --pcap")]


def _conversation(context: WebContext) -> ConversationService | None:
    return context.engine.service(ConversationService)


def line(exchange: HttpExchange) -> dict[str, Any]:
    """One row of the list."""
    return {
        "id": exchange.id,
        "time": rfc3339(exchange.time_s),
        "device": exchange.device,
        "method": exchange.method,
        "url": exchange.url,
        "status": exchange.status,
        "elapsed_ms": round(exchange.elapsed_s * 1000, 2),
        "request_bytes": len(exchange.request_body),
        "response_bytes": len(exchange.response_body),
        "outcome": exchange.outcome,
        "cause": exchange.cause,
    }


def detail(exchange: HttpExchange, earlier: Sequence[HttpExchange] = ()) -> dict[str, Any]:
    """One exchange whole; `earlier` is where its predecessor is looked for."""
    same = [
        e.id
        for e in earlier
        if e.id < exchange.id
        and (e.method, e.url, e.device) == (exchange.method, exchange.url, exchange.device)
    ]
    return {
        **line(exchange),
        "request_headers": [list(each) for each in exchange.request_headers],
        "request_body": exchange.request_body.decode("utf-8", "replace"),
        "response_headers": [list(each) for each in exchange.response_headers],
        "response_body": exchange.response_body.decode("utf-8", "replace"),
        "previous": same[-1] if same else None,
    }


def _get(context: WebContext, call: Call) -> dict[str, Any]:
    held, query = _conversation(context), call.query
    pcap = context.engine.service(RecordingService) is not None
    if held is None:
        return {"exchanges": [], "held_bytes": 0, "pcap": pcap}
    found = held.entries(query["device"], query["after"], query["limit"])
    return {"exchanges": [line(each) for each in found], "held_bytes": held.held_bytes, "pcap": pcap}


def _one(context: WebContext, call: Call) -> dict[str, Any]:
    held, number = _conversation(context), call.query["id"]
    every = held.entries(None, 0, 1_000_000) if held is not None else []
    for exchange in every:
        if exchange.id == number:
            return {**detail(exchange, every), "curl": _curl(context, exchange)}
    raise Problem("not-found", f"exchange {number} is not held", hint="Old ones make room for new ones.")


def _curl(context: WebContext, exchange: HttpExchange) -> str:
    client = context.engine.service(CsipService, exchange.device)
    files = None if client is None else client.certificate_files()
    checks = getattr(context.engine.options, "csip_check_hostname", False)
    return curl.command(exchange, files, check_hostname=checks)


def _export(context: WebContext, call: Call) -> Reply:
    held = _conversation(context)
    every = held.entries(call.query["device"], 0, 1_000_000) if held is not None else []
    lines = (json.dumps(detail(each), ensure_ascii=False) for each in every)
    return Reply(200, "".join(f"{text}\n" for text in lines), "application/jsonl")


def har(exchange: HttpExchange) -> dict[str, Any]:
    """One exchange as an entry of the HTTP Archive format 1.2."""

    def headers(given: Any) -> list[dict[str, str]]:
        return [{"name": name, "value": value} for name, value in given]

    told = detail(exchange)
    kinds = {name.lower(): value for name, value in exchange.response_headers}
    sent_kinds = {name.lower(): value for name, value in exchange.request_headers}
    request: dict[str, Any] = {
        "method": exchange.method,
        "url": exchange.url,
        "httpVersion": "HTTP/1.1",
        "cookies": [],
        "headers": headers(exchange.request_headers),
        "queryString": [],
        "headersSize": -1,
        "bodySize": len(exchange.request_body),
    }
    if exchange.request_body:
        kind = sent_kinds.get("content-type", "application/sep+xml")
        request["postData"] = {"mimeType": kind, "text": told["request_body"]}
    return {
        "startedDateTime": told["time"],
        "time": told["elapsed_ms"],
        "request": request,
        "response": {
            "status": exchange.status,
            "statusText": "",
            "httpVersion": "HTTP/1.1",
            "cookies": [],
            "headers": headers(exchange.response_headers),
            "content": {
                "size": len(exchange.response_body),
                "mimeType": kinds.get("content-type", ""),
                "text": told["response_body"],
            },
            "redirectURL": kinds.get("location", ""),
            "headersSize": -1,
            "bodySize": len(exchange.response_body),
        },
        "cache": {},
        "timings": {"send": 0, "wait": told["elapsed_ms"], "receive": 0},
        "comment": exchange.outcome,
    }


def _export_har(context: WebContext, call: Call) -> dict[str, Any]:
    held = _conversation(context)
    every = held.entries(call.query["device"], 0, 1_000_000) if held is not None else []
    creator = {"name": "dersim", "version": __version__}
    return {"log": {"version": "1.2", "creator": creator, "entries": [har(each) for each in every]}}


async def _export_pcapng(context: WebContext, call: Call) -> Reply:
    recorder = context.engine.service(RecordingService)
    if recorder is None:
        hint = "Start dersim sim with --pcap: records and TLS secrets are kept from the start or not at all."
        raise Problem("conflict", "the records of the connections are not kept", hint=hint)
    make = recorder.pcapng(call.query["device"])
    return Reply(200, await trio.to_thread.run_sync(make), PCAPNG)


_DEVICE = Query("device", int, None, "Only the exchanges of this DER.", 1)

ROUTES = [
    Route(
        method="GET",
        path="/api/dersim/conversation",
        handler=_get,
        summary="The exchanges with the server, without their bodies.",
        response=ConversationDocument,
        per_device=False,
        query=(
            _DEVICE,
            Query("after", int, 0, "Only those with a higher id.", 0),
            Query("limit", int, 200, "At most so many, the newest.", 1, 10_000),
        ),
        tag="CSIP",
        etag=True,
        sites=BOTH,
    ),
    Route(
        method="GET",
        path="/api/dersim/conversation/exchange",
        handler=_one,
        summary="One exchange with headers and bodies; PINs are masked.",
        response=ExchangeWhole,
        per_device=False,
        query=(Query("id", int, 0, "Its id.", 0),),
        tag="CSIP",
        problems=("not-found",),
        sites=BOTH,
    ),
    Route(
        method="GET",
        path="/api/dersim/conversation/export.jsonl",
        handler=_export,
        summary="All exchanges that are held, one JSON document per line.",
        response=str,
        per_device=False,
        query=(_DEVICE,),
        tag="CSIP",
        content_type="application/jsonl",
        sites=BOTH,
    ),
    Route(
        method="GET",
        path="/api/dersim/conversation/export.har",
        handler=_export_har,
        summary="All exchanges that are held, as an HTTP Archive 1.2.",
        response=dict[str, Any],
        per_device=False,
        query=(_DEVICE,),
        tag="CSIP",
        sites=BOTH,
    ),
    Route(
        method="GET",
        path="/api/dersim/conversation/export.pcapng",
        handler=_export_pcapng,
        summary="The TLS records with their secrets, for Wireshark; PINs are readable in it. Needs --pcap.",
        response=str,
        per_device=False,
        query=(_DEVICE,),
        tag="CSIP",
        problems=("conflict",),
        content_type=PCAPNG,
        sites=BOTH,
    ),
]
