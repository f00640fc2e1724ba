"""Responses on the wire: one ResponseSet, one ResponseList, in which every client sees its own."""

from __future__ import annotations

from typing import Any

from dersim.ieee2030_5 import resources as r
from dersim.ieee2030_5.edition import Edition
from dersim.utility import shall_rules
from dersim.utility.listing import listing
from dersim.utility.program import make_mrid
from dersim.utility.refusal import not_found
from dersim.utility.request_context import Answer, Document, Visit
from dersim.utility.responses import LIST_HREF, SET_HREF, STATUS_TEXT, NumberedResponse, created_s

_SET_MRID = make_mrid("responses of all DERs")


def response_sets(visit: Visit) -> Document:
    """GET /rsps."""
    visit.need_registration()
    return listing(
        visit,
        r.ResponseSetList,
        lambda: [len(visit.head_end.responses.listed(visit.reader))],
        _response_set,
        version=visit.head_end.responses.version,
        own=True,
    )


def response_set(visit: Visit, number: int) -> Document:
    """GET /rsps/1."""
    visit.need_registration()
    _only_one(number)
    count = len(visit.head_end.responses.listed(visit.reader))
    return Document(count, lambda edition: _response_set(count, edition), own=True)


def _only_one(number: int) -> None:
    if number != 1:
        raise not_found("there is no such ResponseSet")


def _response_set(count: int, _: Edition) -> Any:
    return r.ResponseSet(
        href=SET_HREF,
        mRID=_SET_MRID,
        description="responses",
        ResponseListLink=r.ListLink(href=LIST_HREF, all=count),
    )


def responses(visit: Visit, number: int) -> Document:
    """GET /rsps/1/rsp."""
    visit.need_registration()
    _only_one(number)
    return listing(
        visit,
        r.ResponseList,
        lambda: visit.head_end.responses.listed(visit.reader),
        lambda item, _: _response(item),
        version=visit.head_end.responses.version,
        own=True,
        time_of=created_s,
    )


def response(visit: Visit, number: int, response_number: int) -> Document:
    """GET /rsps/1/rsp/n."""
    visit.need_registration()
    _only_one(number)
    mine = visit.head_end.responses.listed(visit.reader)
    item = next((each for each in mine if each.number == response_number), None)
    if item is None:
        raise not_found("there is no such Response, or it is not yours")
    return Document(0, lambda _: _response(item), own=True)


def _response(item: NumberedResponse) -> Any:
    item.response.href = item.href
    return item.response


def post_response(visit: Visit, number: int) -> Answer:
    """POST /rsps/1/rsp: a device's answer to an event. One to an event that is over is kept as well."""
    visit.need_registration()
    _only_one(number)
    posted, edition = visit.read_in(r.Response)
    device = visit.device or visit.head_end.registry.find(posted.endDeviceLFDI)
    visit.note(shall_rules.response(posted, edition, visit.lfdi), device)
    entry = visit.head_end.responses.post(posted, visit.lfdi, visit.now_s)
    text = STATUS_TEXT.get(posted.status or 0, "reserved")
    visit.head_end.info(f"{posted.endDeviceLFDI} answered {posted.subject}: {posted.status} ({text})")
    return Answer(201, entry.href)
