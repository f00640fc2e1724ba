"""The ResponseSet and its ResponseList, in which a client sees its own Responses."""

from __future__ import annotations

from typing import Any

from dersim.ieee2030_5 import resources as r
from dersim.utility import standard_rules
from dersim.utility.listing import listing
from dersim.utility.refusal import RequestRefused, not_found
from dersim.utility.request_context import Answer, Document, RequestContext
from dersim.utility.responses import LIST_HREF, SET_HREF, STATUS_TEXT, NumberedResponse, created_s
from dersim.utility.state.posted import keep_response


def response_sets(context: RequestContext) -> Document:
    """GET /rsps: one ResponseSet; none for a client that is not registered yet."""
    return listing(
        context,
        r.ResponseSetList,
        lambda: [_count(context)] if context.is_registered else [],
        lambda count, _: _response_set(context, count),
        version=(context.is_registered, context.head_end.responses.version),
        own=True,
    )


def response_set(context: RequestContext, number: int) -> Document:
    """GET /rsps/1."""
    context.need_registration()
    _only_one(number)
    count = _count(context)
    return Document(count, lambda _: _response_set(context, count), own=True)


def _count(context: RequestContext) -> int:
    return len(context.head_end.responses.listed(context.visible_lfdi))


def _only_one(number: int) -> None:
    if number != 1:
        raise not_found("there is no such ResponseSet")


def _response_set(context: RequestContext, count: int) -> Any:
    return r.ResponseSet(
        href=SET_HREF,
        mRID=context.head_end.mrids("responses of all DERs"),
        description="responses",
        ResponseListLink=r.ListLink(href=LIST_HREF, all=count),
    )


def responses(context: RequestContext, number: int) -> Document:
    """GET /rsps/1/rsp."""
    context.need_registration()
    _only_one(number)
    return listing(
        context,
        r.ResponseList,
        lambda: context.head_end.responses.listed(context.visible_lfdi),
        lambda item, _: _response(item),
        version=context.head_end.responses.version,
        own=True,
        time_of=created_s,
    )


def response(context: RequestContext, number: int, response_number: int) -> Document:
    """GET /rsps/1/rsp/n."""
    context.need_registration()
    _only_one(number)
    mine = context.head_end.responses.listed(context.visible_lfdi)
    item = next((each for each in mine if each.number == response_number), None)
    if item is None:
        raise not_found("there is no such Response, or it is not yours")
    return Document(0, lambda _: _response(item), own=True)


def _response(item: NumberedResponse) -> Any:
    item.response.href = item.href
    return item.response


def post_response(context: RequestContext, number: int) -> Answer:
    """POST /rsps/1/rsp: a device's answer to an event, also to one that is over.

    403 for the LFDI of another device, unless the client is its aggregator.
    """
    context.need_registration()
    _only_one(number)
    posted, edition = context.read_in(r.Response)
    if not context.may_act_for(posted.endDeviceLFDI):
        raise RequestRefused(
            403, f"Response: endDeviceLFDI {posted.endDeviceLFDI} is not that of your certificate"
        )
    device = context.device or context.head_end.end_devices.find(posted.endDeviceLFDI)
    violations = standard_rules.response(posted, edition)
    if not context.head_end.programs.has_published(posted.subject):
        violations.append(f"Response/subject {posted.subject[:40]} is no event of this server")
    context.note(violations, device, rule="response")
    entry = context.head_end.responses.post(posted, context.lfdi, context.now_s)
    keep_response(context.head_end.journal, entry, context.body)
    text = STATUS_TEXT.get(posted.status or 0, "reserved")
    context.head_end.info(f"{posted.endDeviceLFDI} answered {posted.subject}: {posted.status} ({text})")
    return Answer(201, entry.href)
