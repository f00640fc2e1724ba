"""The SubscriptionList of an EndDevice: clients subscribe, renew and end."""

from __future__ import annotations

from typing import Any

from dersim.ieee2030_5 import Edition
from dersim.ieee2030_5 import resources as r
from dersim.utility.listing import listing
from dersim.utility.refusal import RequestRefused, not_found
from dersim.utility.request_context import Answer, Document, RequestContext
from dersim.utility.subscriptions.address import check_address
from dersim.utility.subscriptions.record import SubscriptionRecord, Wanted
from dersim.utility.subscriptions.subscribable import see

XML_ENCODING = 0
MAX_PATH = 255


def _need_offered(context: RequestContext) -> None:
    if not context.head_end.config.subscriptions:
        raise not_found("this server offers no Subscriptions (--subscriptions no)")


def subscriptions(context: RequestContext, number: int) -> Document:
    """GET /edev/k/sub."""
    _need_offered(context)
    device = context.end_device(number)
    held = context.head_end.subscriptions
    return listing(
        context,
        r.SubscriptionList,
        lambda: held.of_device(device.number),
        _subscription,
        version=held.version,
        poll_rate=context.head_end.rates.edev,
    )


def _find(context: RequestContext, number: int, subscription_number: int) -> SubscriptionRecord:
    _need_offered(context)
    device = context.end_device(number)
    record = context.head_end.subscriptions.get(subscription_number)
    if record is None or record.wanted.device != device.number or record.ending is not None:
        raise not_found("there is no such Subscription, or it has ended")
    return record


def subscription(context: RequestContext, number: int, subscription_number: int) -> Document:
    """GET /edev/k/sub/n."""
    record = _find(context, number, subscription_number)
    return Document(context.head_end.subscriptions.version, lambda edition: _subscription(record, edition))


def _subscription(record: SubscriptionRecord, _: Edition) -> Any:
    return r.Subscription(
        href=record.href,
        subscribedResource=record.wanted.resource,
        encoding=XML_ENCODING,
        level=record.level,
        limit=record.limit,
        notificationURI=record.wanted.uri,
    )


def unsubscribe(context: RequestContext, number: int, subscription_number: int) -> Answer:
    """DELETE /edev/k/sub/n; 204."""
    record = _find(context, number, subscription_number)
    context.head_end.subscriptions.remove(record)
    context.head_end.info(f"{record} is ended by the client")
    return Answer(204)


def subscribe(context: RequestContext, number: int) -> Answer:
    """POST /edev/k/sub: 201 with the path; the same again renews, with the same path."""
    _need_offered(context)
    device = context.end_device(number)
    context.need_registration()
    posted, edition = context.read_in(r.Subscription)
    path = posted.subscribedResource
    _check(posted)
    check_address(posted.notificationURI, context.peer, context.head_end.config)
    edition = context.head_end.config.personality or edition
    seen = see(context.head_end, context.lfdi, path, edition, context.now_s)
    held, now_s = context.head_end.subscriptions, context.now_s
    wanted = Wanted(device.number, context.lfdi, path, posted.notificationURI)
    if (known := held.find(wanted)) is not None:
        if known.edition is not edition:
            known.edition, known.told = edition, seen.digest
        held.renew(known, posted.limit, posted.level, now_s)
        return Answer(201, known.href)
    held.check_room(device.number, len(context.head_end.end_devices.of_aggregator(device.lfdi)))
    record = SubscriptionRecord(
        held.next_number(), wanted, posted.limit, posted.level, edition, now_s, now_s, seen.digest
    )
    held.add(record)
    context.head_end.info(f"{record} by {context.lfdi or context.peer}")
    return Answer(201, record.href)


def _check(posted: r.Subscription) -> None:
    path = posted.subscribedResource
    if posted.encoding != XML_ENCODING:
        raise RequestRefused(400, f"Subscription/encoding {posted.encoding}: only 0, XML, is supported")
    if posted.Condition is not None:
        raise RequestRefused(400, "Subscription/Condition: no resource of this server is conditional")
    if not path.startswith("/") or len(path) > MAX_PATH or "?" in path or "#" in path:
        raise RequestRefused(
            400, f"Subscription/subscribedResource {path[:100]}: a path without a query is needed"
        )
