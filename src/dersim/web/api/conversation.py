"""`GET /api/dersim/conversation`: every exchange with the 2030.5 server, as it went over the wire.

PINs were masked before anything was kept. The list is short; the bodies come one exchange at a time, or all
together as JSON lines. The schema check of a body is made when it is shown, exported or filtered for.
"""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator, Callable
from typing import Annotated, Any

import trio

from dersim.exchanges.documents import ExchangeWhole, detail, export, har, har_log, line
from dersim.exchanges.explaining import explainer_ready
from dersim.json_schema import described
from dersim.pages.exchange_query import FILTERS, PART, FoundDocument, wanted
from dersim.pages.problems import Problem
from dersim.pages.routes import Query, Reply, Route
from dersim.plugin.services import ConversationService, CsipService, HttpExchange, RecordingService
from dersim.web.api import curl
from dersim.web.context import BOTH, Call, WebContext

PCAPNG = "application/x-pcapng"
#: The longest time that an export works without letting others run, s.
SLICE_S = 0.01
_EVERY = 1_000_000


class ConversationDocument(FoundDocument):
    """The newest exchanges that match, oldest first."""

    pcap: Annotated[bool, described("whether there is an export.pcapng: --pcap")]


def _conversation(context: WebContext) -> ConversationService | None:
    return context.engine.service(ConversationService)


async def _get(context: WebContext, call: Call) -> dict[str, Any]:
    held, query = _conversation(context), call.query
    looked_for = wanted(query, query["device"])
    pcap = context.engine.service(RecordingService) is not None
    if held is None:
        none = {"exchanges": [], "matches": 0, "held": 0, "older": None}
        return {**none, "held_bytes": 0, "pcap": pcap}
    found = await held.find(looked_for, query["after"], query["before"], query["limit"])
    return {
        "exchanges": [each async for each in _in_slices(found.exchanges, held, line)],
        "matches": found.matches,
        "held": found.held,
        "older": found.older,
        "held_bytes": held.held_bytes,
        "pcap": pcap,
    }


async def _one(context: WebContext, call: Call) -> dict[str, Any]:
    held, number = _conversation(context), call.query["id"]
    if held is None or (number is None and not held.entries(limit=1)):
        raise Problem("conflict", "no exchange is held yet")
    exchange = held.entries(limit=1)[0] if number is None else held.exchange(number)
    if exchange is None:
        raise Problem("not-found", f"exchange {number} is not held", hint="Old ones make room for new ones.")
    await explainer_ready()
    return {**detail(exchange, held), "curl": _curl(context, exchange)}


def _curl(context: WebContext, exchange: HttpExchange) -> str:
    client = context.engine.service(CsipService, exchange.device)
    files = None if client is None else client.certificate_files()
    checks = getattr(context.engine.options, "csip_check_hostname", False)
    return curl.command(exchange, files, check_hostname=checks)


async def _in_slices(
    exchanges: list[HttpExchange],
    held: ConversationService,
    told: Callable[[HttpExchange, ConversationService], dict[str, Any]],
) -> AsyncIterator[dict[str, Any]]:
    """Each exchange as JSON; judging thousands of bodies must not hold up the simulation."""
    started = time.perf_counter()
    for exchange in exchanges:
        yield told(exchange, held)
        if time.perf_counter() - started > SLICE_S:
            await trio.lowlevel.checkpoint()
            started = time.perf_counter()


async def _all_that_match(
    context: WebContext,
    call: Call,
    told: Callable[[HttpExchange, ConversationService], dict[str, Any]],
) -> list[dict[str, Any]]:
    held = _conversation(context)
    looked_for = wanted(call.query, call.query["device"])
    if held is None:
        return []
    found = await held.find(looked_for, limit=_EVERY)
    return [each async for each in _in_slices(found.exchanges, held, told)]


async def _export(context: WebContext, call: Call) -> Reply:
    every = await _all_that_match(context, call, export)
    return Reply(
        200, "".join(f"{json.dumps(each, ensure_ascii=False)}\n" for each in every), "application/jsonl"
    )


async def _export_har(context: WebContext, call: Call) -> dict[str, Any]:
    return har_log(await _all_that_match(context, call, har))


async def _export_pcapng(context: WebContext, call: Call) -> Reply:
    recorder = context.engine.service(RecordingService)
    if recorder is None:
        hint = "Start dersim sim with --pcap: records and TLS secrets are kept from the start or not at all."
        raise Problem("conflict", "the records of the connections are not kept", hint=hint)
    make = recorder.pcapng(call.query["device"])
    return Reply(200, await trio.to_thread.run_sync(make), PCAPNG)


_DEVICE = Query("device", int, None, "Only the exchanges of this DER.", 1)
_FILTERS = (
    _DEVICE,
    *FILTERS,
    Query("cause", str, "", "Part of the cause, e.g. poll derc or Response 2."),
)

ROUTES = [
    Route(
        method="GET",
        path="/api/dersim/conversation",
        handler=_get,
        summary="The exchanges with the server and their verdicts, without their bodies.",
        response=ConversationDocument,
        per_device=False,
        query=(
            *_FILTERS,
            *PART,
        ),
        tag="CSIP",
        etag=True,
        sites=BOTH,
    ),
    Route(
        method="GET",
        path="/api/dersim/conversation/exchange",
        handler=_one,
        summary="One exchange with headers, bodies and what is wrong with them; PINs are masked.",
        response=ExchangeWhole,
        per_device=False,
        query=(Query("id", int, None, "Its id; without it, the newest.", 0),),
        tag="CSIP",
        problems=("not-found", "conflict"),
        sites=BOTH,
    ),
    Route(
        method="GET",
        path="/api/dersim/conversation/export.jsonl",
        handler=_export,
        summary="All exchanges that match, with verdicts, one JSON document per line.",
        response=str,
        per_device=False,
        query=_FILTERS,
        tag="CSIP",
        content_type="application/jsonl",
        sites=BOTH,
    ),
    Route(
        method="GET",
        path="/api/dersim/conversation/export.har",
        handler=_export_har,
        summary="All exchanges that match, with verdicts, as an HTTP Archive 1.2.",
        response=dict[str, Any],
        per_device=False,
        query=_FILTERS,
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
