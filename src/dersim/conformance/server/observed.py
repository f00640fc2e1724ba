"""What must hold for every answer of a server, whatever is asked: judged on all exchanges of a run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from lxml import etree

from dersim.conformance.evidence import Exchange
from dersim.conformance.server.der import Der
from dersim.conformance.server.orders import items_of, wrong_order
from dersim.errors import DersimError
from dersim.http11.messages import first
from dersim.ieee2030_5 import MEDIA_TYPE, Edition, decode, judging
from dersim.ieee2030_5 import resources as r
from dersim.utility.paging import parse_page

MAX_HREF = 255
#: The path at which the DER is notified.
NOTIFIED_AT = "/ntfy"
_LINKING = ("href", "replyTo")
#: What keeps its mRID and creationTime as long as it has its href.
_LISTS = (r.List, r.SubscribableList)
_LASTING = (r.DERProgram, r.DERControl, r.DERCurve, r.FunctionSetAssignments, r.DefaultDERControl)

Wrong = list[tuple[str, Exchange]]


def judge_all(der: Der) -> None:
    """Note the criteria that every procedure has."""
    documents = list(_documents(der.evidence.exchanges))
    if not documents:
        return
    der.all_of("every document is valid", list(_invalid(documents)), f"{len(documents)} documents")
    der.all_of("Content-Type and Content-Length are right", list(_headers(documents)), MEDIA_TYPE)
    der.all_of("hrefs can be followed", list(_hrefs(documents)), "all begin with a slash or https")
    der.all_of("a resource says where it is", list(_elsewhere(der, documents)), "each href is its own")
    dateless = [
        (f"{each.method} {each.target}", each) for each in der.evidence.exchanges if _has_no_date(each)
    ]
    der.all_of("every answer has a Date", dateless, "all have", printed_only=True)
    read = [(each, _resource(each)) for each in documents]
    lists = [(each, found) for each, found in read if isinstance(found, _LISTS)]
    if lists:
        der.all_of(
            "lists count their items, and keep to s and l", list(_counts(lists)), f"{len(lists)} lists"
        )
        der.all_of("lists are in their order", list(_orders(lists)), f"{len(lists)} lists")
    der.all_of("mRID and creationTime do not change", list(_changes(read)), "none changes")


def _documents(exchanges: Iterable[Exchange]) -> Iterator[Exchange]:
    return (each for each in exchanges if each.method == "GET" and each.status == 200)


def _resource(exchange: Exchange) -> Any:
    try:
        return decode(exchange.answer, validation="off").resource
    except DersimError:
        return None


def _invalid(documents: Iterable[Exchange]) -> Iterator[tuple[str, Exchange]]:
    known: dict[bytes, str | None] = {}
    for each in documents:
        if each.answer not in known:
            known[each.answer] = _violation(each.answer)
        if (said := known[each.answer]) is not None:
            yield f"GET {each.target}: {said}", each


def _violation(body: bytes) -> str | None:
    """Why a document is not valid in the edition that it names; None if it is."""
    brief = judging.brief(body)
    if brief.word == "valid":
        named = Edition.E2023 if b"schemaVer" in body[:2000] else Edition.E2018
        if named in brief.editions:
            return None
        return f"valid in {brief.editions[0].value} only, and without its schemaVer"
    judgement = judging.judge(body)
    found = (*judgement.violations, *judgement.reader)
    return f"{found[0].path}: {found[0].message}" if found else brief.word


def _headers(documents: Iterable[Exchange]) -> Iterator[tuple[str, Exchange]]:
    for each in documents:
        kind = first(each.answer_headers, "content-type") or "none"
        length = first(each.answer_headers, "content-length")
        if kind.partition(";")[0].strip().lower() != MEDIA_TYPE:
            yield f"GET {each.target}: Content-Type {kind}", each
        if length != str(len(each.answer)) and first(each.answer_headers, "transfer-encoding") is None:
            yield f"GET {each.target}: Content-Length {length} for {len(each.answer)} bytes", each


def _hrefs(documents: Iterable[Exchange]) -> Iterator[tuple[str, Exchange]]:
    for each in documents:
        for href in _links(each.answer):
            if not href.startswith(("/", "https://")) or len(href) > MAX_HREF:
                yield f"GET {each.target}: href {href[:80]!r}", each
                break


def _elsewhere(der: Der, documents: Iterable[Exchange]) -> Iterator[tuple[str, Exchange]]:
    for each in documents:
        href = _root_href(each.answer)
        if href is not None and der.target_of(href).partition("?")[0] != der.target_of(each.path):
            yield f"GET {each.target}: href {href[:80]}", each


def _root_href(body: bytes) -> str | None:
    try:
        return etree.fromstring(body).get("href")
    except etree.XMLSyntaxError:
        return None


def _has_no_date(exchange: Exchange) -> bool:
    """Whether a server's answer has no Date; what it sends itself is no answer."""
    return exchange.path != NOTIFIED_AT and not first(exchange.answer_headers, "date")


def _links(body: bytes) -> Iterator[str]:
    try:
        root = etree.fromstring(body)
    except etree.XMLSyntaxError:
        return
    for node in root.iter():
        for name in _LINKING:
            if (value := node.get(name)) is not None:
                yield value


def _counts(lists: Iterable[tuple[Exchange, Any]]) -> Iterator[tuple[str, Exchange]]:
    """results is the number of items; that is what `all`, s and l leave. With a, at most that."""
    for each, listed in lists:
        items, total = len(items_of(listed)), listed.all or 0
        page = parse_page(each.query)
        due = max(0, min(page.limit, total - page.start))
        if listed.results != items:
            yield f"GET {each.target}: results {listed.results} with {items} items", each
        elif items > due or (items < due and page.after_s is None):
            yield f"GET {each.target}: {items} items where all={total} leaves {due}", each


def _orders(lists: Iterable[tuple[Exchange, Any]]) -> Iterator[tuple[str, Exchange]]:
    for each, listed in lists:
        if (said := wrong_order(listed)) is not None:
            yield f"GET {each.target}: {said}", each


def _changes(read: Iterable[tuple[Exchange, Any]]) -> Iterator[tuple[str, Exchange]]:
    known: dict[str, tuple[Any, Any]] = {}
    for each, resource in read:
        for item in (resource, *(items_of(resource) if isinstance(resource, _LISTS) else ())):
            if not isinstance(item, _LASTING) or item.href is None:
                continue
            now = (str(item.mRID).upper(), getattr(item, "creationTime", None))
            before = known.setdefault(item.href, now)
            if before != now:
                yield (
                    f"GET {each.target}: {item.href} was {before[0]} of {before[1]}, is {now[0]} of {now[1]}",
                    each,
                )
                known[item.href] = now
