"""An exchange with the server as JSON: a row of the list, whole with its verdicts, and as a HAR entry."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, TypedDict

from dersim import __version__
from dersim.http11 import PLANTED_FAULT
from dersim.json_schema import described, unit
from dersim.plugin.services import ConversationService, ExchangeWord, HttpExchange
from dersim.timestamps import rfc3339

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dersim.ieee2030_5.judging import Finding, Judgement
    from dersim.plugin.services import BodyVerdict


class ExchangeLine(TypedDict):
    """One request and what came of it."""

    id: int
    time: Annotated[str, described("simulated time at which it was sent", format="date-time")]
    device: int
    method: str
    url: str
    resource: Annotated[str, described("the name of the document that was read or sent, or empty")]
    status: Annotated[int, described("0: no answer")]
    elapsed_ms: Annotated[float, unit("ms")]
    request_bytes: int
    response_bytes: int
    outcome: Annotated[str, described("how it ended: ok, refused with 404, not used: ..., or what failed")]
    cause: Annotated[str, described("why it was made, e.g. poll derc, 10 s")]
    verdict: Annotated[ExchangeWord, described("the schema check of both bodies, in a word")]
    request_verdict: Annotated[ExchangeWord, described("that of what was sent")]
    response_verdict: Annotated[ExchangeWord, described("that of what was received")]
    request_editions: Annotated[list[str], described("the editions in which what was sent is valid")]
    response_editions: Annotated[list[str], described("the same of what was received")]


class FindingDocument(TypedDict):
    """One thing that is wrong with a body."""

    line: Annotated[int | None, described("of the indented text, from 1; null: the whole body")]
    text: Annotated[str, described("that line")]
    path: str
    message: str


class CheckDocument(TypedDict):
    """The schema check of one body."""

    verdict: ExchangeWord
    resource: str
    editions: Annotated[list[str], described("the editions in which it is valid")]
    edition: Annotated[str | None, described("one of them, or the one that it violates least")]
    violations: list[FindingDocument]
    reader: Annotated[
        list[FindingDocument],
        described("what our reader drops, takes by default, or keeps although not valid"),
    ]


class WholeCheckDocument(CheckDocument):
    """With the text that the lines are of."""

    indented: str


class ExchangeDetail(ExchangeLine):
    """With headers and bodies, and the one before of the same method and address that has a body."""

    request_headers: list[list[str]]
    request_body: str
    request_check: WholeCheckDocument
    response_headers: list[list[str]]
    response_body: str
    response_check: WholeCheckDocument
    previous: int | None


class ExchangeWhole(ExchangeDetail):
    """With a command that repeats it."""

    curl: Annotated[str, described("a command for sh with this run's certificate files; PINs are masked")]


def _outcome(exchange: HttpExchange) -> str:
    """How it ended, and which planted fault made it so."""
    planted = next((value for name, value in exchange.response_headers if name == PLANTED_FAULT), "")
    return f"{exchange.outcome}; planted fault {planted}" if planted else exchange.outcome


def line(exchange: HttpExchange, held: ConversationService) -> dict[str, Any]:
    """One row of the list."""
    verdict = held.verdict(exchange)
    return {
        "id": exchange.id,
        "time": rfc3339(exchange.time_s),
        "device": exchange.device,
        "method": exchange.method,
        "url": exchange.url,
        "resource": verdict.response.resource or verdict.request.resource,
        "status": exchange.status,
        "elapsed_ms": round(exchange.elapsed_s * 1000, 2),
        "request_bytes": len(exchange.request_body),
        "response_bytes": len(exchange.response_body),
        "outcome": _outcome(exchange),
        "cause": exchange.cause,
        "verdict": verdict.word,
        "request_verdict": verdict.request.word,
        "response_verdict": verdict.response.word,
        "request_editions": list(verdict.request.editions),
        "response_editions": list(verdict.response.editions),
    }


def detail(exchange: HttpExchange, held: ConversationService) -> dict[str, Any]:
    """One exchange whole, with its predecessor and the text that its violations are marked in."""
    before = held.previous(exchange)
    request, response = held.judgements(exchange)
    told = export(exchange, held)
    told["request_check"]["indented"] = request.text if request else told["request_body"]
    told["response_check"]["indented"] = response.text if response else told["response_body"]
    return {**told, "previous": None if before is None else before.id}


def export(exchange: HttpExchange, held: ConversationService) -> dict[str, Any]:
    """One exchange whole, as a line of the export."""
    verdict = held.verdict(exchange)
    bad = {"violations", "invalid"} & {verdict.request.word, verdict.response.word}
    request, response = held.judgements(exchange) if bad else (None, None)
    return {
        **line(exchange, held),
        "request_headers": [list(each) for each in exchange.request_headers],
        "request_body": exchange.request_body.decode("utf-8", "replace"),
        "request_check": _check(verdict.request, request),
        "response_headers": [list(each) for each in exchange.response_headers],
        "response_body": exchange.response_body.decode("utf-8", "replace"),
        "response_check": _check(verdict.response, response),
    }


def _check(verdict: BodyVerdict, judgement: Judgement | None) -> dict[str, Any]:
    nearest = verdict.editions[0] if verdict.editions else None
    if judgement is not None and judgement.nearest is not None:
        nearest = judgement.nearest.value
    lines = judgement.text.split("\n") if judgement is not None else []
    return {
        "verdict": verdict.word,
        "resource": verdict.resource,
        "editions": list(verdict.editions),
        "edition": nearest,
        "violations": _findings(judgement.violations if judgement else (), lines),
        "reader": _findings(judgement.reader if judgement else (), lines),
    }


def _findings(findings: Iterable[Finding], lines: list[str]) -> list[dict[str, Any]]:
    return [
        {
            "line": each.line,
            "text": lines[each.line - 1].strip() if each.line and each.line <= len(lines) else "",
            "path": each.path,
            "message": each.message,
        }
        for each in findings
    ]


def har(exchange: HttpExchange, held: ConversationService) -> dict[str, Any]:
    """One exchange as an entry of the HTTP Archive format 1.2; names with `_` are ours, as HAR allows."""
    told = export(exchange, held)
    kinds = {name.lower(): value for name, value in exchange.response_headers}
    return {
        "startedDateTime": told["time"],
        "time": told["elapsed_ms"],
        "request": _har_request(exchange, told),
        "response": {
            "status": exchange.status,
            "statusText": "",
            "httpVersion": "HTTP/1.1",
            "cookies": [],
            "headers": _har_headers(exchange.response_headers),
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
        "comment": f"{told['outcome']}; {told['verdict']}; {exchange.cause}",
        "_device": exchange.device,
        "_cause": exchange.cause,
        "_verdict": told["verdict"],
        "_request_check": told["request_check"],
        "_response_check": told["response_check"],
    }


def har_log(entries: list[dict[str, Any]]) -> dict[str, Any]:
    """An HTTP Archive 1.2 of these entries."""
    return {
        "log": {"version": "1.2", "creator": {"name": "dersim", "version": __version__}, "entries": entries}
    }


def _har_headers(given: Any) -> list[dict[str, str]]:
    return [{"name": name, "value": value} for name, value in given]


def _har_request(exchange: HttpExchange, told: dict[str, Any]) -> dict[str, Any]:
    kinds = {name.lower(): value for name, value in exchange.request_headers}
    request: dict[str, Any] = {
        "method": exchange.method,
        "url": exchange.url,
        "httpVersion": "HTTP/1.1",
        "cookies": [],
        "headers": _har_headers(exchange.request_headers),
        "queryString": [],
        "headersSize": -1,
        "bodySize": len(exchange.request_body),
    }
    if exchange.request_body:
        kind = kinds.get("content-type", "application/sep+xml")
        request["postData"] = {"mimeType": kind, "text": told["request_body"]}
    return request
