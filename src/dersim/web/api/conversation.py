"""`GET /api/dersim/conversation`: every exchange with the 2030.5 server, as it went over the wire.

PINs were masked before anything was kept. The list is short; the bodies come one exchange at a time, or all
together as JSON lines. The schema check of a body is made when it is shown, exported or filtered for.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Annotated, Any, TypedDict, get_args

import trio

from dersim import __version__
from dersim.exchanges.documents import ExchangeLine, ExchangeWhole, detail, export, har, line
from dersim.json_schema import described
from dersim.numeric import shown
from dersim.pages.problems import Problem
from dersim.pages.routes import Query, Reply, Route
from dersim.plugin.services import (
    ConversationService,
    CsipService,
    ExchangeFilter,
    ExchangeWord,
    HttpExchange,
    RecordingService,
)
from dersim.web.api import curl
from dersim.web.context import BOTH, Call, WebContext

PCAPNG = "application/x-pcapng"
WORDS: tuple[str, ...] = get_args(ExchangeWord)
#: The longest time that an export works without letting others run, s.
SLICE_S = 0.01
_EVERY = 1_000_000
_STATUS = re.compile(r"none|[1-5]xx|[1-5]\d\d")


class ConversationDocument(TypedDict):
    """The newest exchanges that match, oldest first."""

    exchanges: list[ExchangeLine]
    matches: Annotated[int, described("how many of all that are held match")]
    held: Annotated[int, described("how many are held")]
    older: Annotated[
        int | None,
        described("more match above `after`: ask again with this as `before`; null: these are all"),
    ]
    held_bytes: int
    pcap: Annotated[bool, described("whether there is an export.pcapng: --pcap")]


def _conversation(context: WebContext) -> ConversationService | None:
    return context.engine.service(ConversationService)


def wanted(query: Mapping[str, Any]) -> ExchangeFilter:
    """The filter of a query; Problem names a word that is not known."""
    return ExchangeFilter(
        query["device"],
        query["resource"].strip(),
        frozenset(_words(query["method"].upper())),
        frozenset(_checked("status", _words(query["status"].lower()), _STATUS.fullmatch, _STATUS_WORDS)),
        frozenset(_checked("verdict", _words(query["verdict"].lower()), WORDS.__contains__, _VERDICT_WORDS)),
        query["text"],
        query["cause"].strip(),
    )


def _words(text: str) -> list[str]:
    return [word for each in text.split(",") if (word := each.strip())]


def _checked(name: str, words: list[str], known: Callable[[str], Any], choices: str) -> Any:
    for word in words:
        if not known(word):
            raise Problem("bad-request", f"query parameter {name}={shown(word)} is not one of {choices}")
    return words


async def _get(context: WebContext, call: Call) -> dict[str, Any]:
    held, query = _conversation(context), call.query
    looked_for = wanted(query)
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


def _one(context: WebContext, call: Call) -> dict[str, Any]:
    held, number = _conversation(context), call.query["id"]
    if held is None or (number is None and not held.entries(limit=1)):
        raise Problem("conflict", "no exchange is held yet")
    exchange = held.entries(limit=1)[0] if number is None else held.exchange(number)
    if exchange is None:
        raise Problem("not-found", f"exchange {number} is not held", hint="Old ones make room for new ones.")
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
    looked_for = wanted(call.query)
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
    creator = {"name": "dersim", "version": __version__}
    entries = await _all_that_match(context, call, har)
    return {"log": {"version": "1.2", "creator": creator, "entries": entries}}


async def _export_pcapng(context: WebContext, call: Call) -> Reply:
    recorder = context.engine.service(RecordingService)
    if recorder is None:
        hint = "Start dersim sim with --pcap: records and TLS secrets are kept from the start or not at all."
        raise Problem("conflict", "the records of the connections are not kept", hint=hint)
    make = recorder.pcapng(call.query["device"])
    return Reply(200, await trio.to_thread.run_sync(make), PCAPNG)


_STATUS_WORDS = "2xx, 4xx, 404, ... or none"
_VERDICT_WORDS = ", ".join(WORDS)
_DEVICE = Query("device", int, None, "Only the exchanges of this DER.", 1)
_FILTERS = (
    _DEVICE,
    Query("resource", str, "", "Part of the path, or of the name of the document, e.g. DERControlList."),
    Query("method", str, "", "Only these methods, separated by commas, e.g. PUT,POST."),
    Query("status", str, "", f"Only these statuses, separated by commas: {_STATUS_WORDS} (no answer)."),
    Query("verdict", str, "", f"Only these verdicts, separated by commas: {_VERDICT_WORDS}."),
    Query("text", str, "", "Part of what was sent or received, in any case of letters."),
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
            Query("after", int, 0, "Only those with a higher id.", 0),
            Query("before", int, None, "Only those with a lower id: `older` of the answer before.", 0),
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
