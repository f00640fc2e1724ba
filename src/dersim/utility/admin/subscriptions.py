"""`/subscriptions`: what clients have subscribed to, and how their Notifications are."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypedDict, get_args

from dersim.errors import ConfigError
from dersim.json_schema import described
from dersim.pages.routes import Query
from dersim.timestamps import rfc3339, rfc3339_or_none
from dersim.utility.admin.context import AdminContext, AdminRoute, Call, number_of
from dersim.utility.admin.paging import AFTER, LIMIT, matches, page, wanted_lfdi
from dersim.utility.admin.problems import PREFIX, refusal
from dersim.utility.head_end import HeadEnd
from dersim.utility.subscriptions.book import LIFETIME_S
from dersim.utility.subscriptions.documents import MAX_PATH
from dersim.utility.subscriptions.record import (
    CANCELLED,
    DELETED,
    MOVED,
    STATUS_TEXT,
    Ending,
    SubscriptionRecord,
)

PATH = f"{PREFIX}/subscriptions"
State = Literal["up to date", "waiting", "sending", "failing", "ending"]


class SubscriptionView(TypedDict):
    """A Subscription."""

    id: int
    href: str
    lFDI: Annotated[str | None, described("of the client that subscribed; null without TLS")]
    endDeviceLFDI: Annotated[str | None, described("of the EndDevice whose list it is in")]
    subscribedResource: str
    notificationURI: str
    limit: int
    level: str
    edition: str
    created: str
    renewed: str
    expires: Annotated[str, described("when it ends if it is not renewed")]
    state: State
    words: Annotated[str, described("the state in a few words")]
    queued: Annotated[bool, described("a Notification is to be sent, or is under way")]
    sent: int
    failed: int
    failures: Annotated[int, described("in a row")]
    last_sent: str | None
    last_answer: Annotated[str | None, described("status of the last answer, or why there was none")]
    next_try: Annotated[str | None, described("when the next Notification is sent")]


def _state(record: SubscriptionRecord) -> State:
    if record.ending is not None:
        return "ending"
    if record.failures:
        return "failing"
    if record.sending:
        return "sending"
    return "up to date" if record.due_s is None else "waiting"


def _words(record: SubscriptionRecord) -> str:
    match _state(record):
        case "ending":
            return f"ending: {STATUS_TEXT[record.ending.status]}" if record.ending else "ending"
        case "failing":
            times = "once" if record.failures == 1 else f"{record.failures} times in a row"
            return f"failed {times}: {record.last_answer}"
        case "waiting":
            return "a change may have to be told"
        case state:
            return state


def _view(head_end: HeadEnd, record: SubscriptionRecord) -> dict[str, Any]:
    wanted = record.wanted
    device = head_end.end_devices.get(wanted.device)
    return {
        "id": record.number,
        "href": record.href,
        "lFDI": wanted.lfdi,
        "endDeviceLFDI": None if device is None else device.lfdi,
        "subscribedResource": wanted.resource,
        "notificationURI": wanted.uri,
        "limit": record.limit,
        "level": record.level,
        "edition": record.edition.value,
        "created": rfc3339(record.created_s),
        "renewed": rfc3339(record.renewed_s),
        "expires": rfc3339(record.renewed_s + LIFETIME_S),
        "state": _state(record),
        "words": _words(record),
        "queued": record.sending or record.due_s is not None,
        "sent": record.sent,
        "failed": record.failed,
        "failures": record.failures,
        "last_sent": rfc3339_or_none(record.last_sent_s),
        "last_answer": record.last_answer,
        "next_try": rfc3339_or_none(record.due_s),
    }


def _all(context: AdminContext, call: Call) -> list[dict[str, Any]]:
    query, head_end = call.query, context.head_end
    lfdi = wanted_lfdi(query)
    found = (
        record
        for record in head_end.subscriptions
        if matches(record.wanted.lfdi, lfdi)
        and (query["resource"] is None or record.wanted.resource == query["resource"])
        and matches(_state(record), query["state"])
    )
    return [_view(head_end, record) for record in page(found, query, lambda record: record.number)]


def _find(context: AdminContext, text: str) -> SubscriptionRecord:
    record = context.head_end.subscriptions.get(number_of(text))
    if record is None:
        raise refusal("not-found", f"there is no subscription {text[:80]}", f"GET {PATH} lists them")
    return record


def _get(context: AdminContext, call: Call) -> dict[str, Any]:
    return _view(context.head_end, _find(context, call.ids[0]))


def _end(context: AdminContext, call: Call) -> dict[str, Any]:
    record = _find(context, call.ids[0])
    ending = Ending(call.query["status"] or CANCELLED, call.query["new_resource"])
    _check(ending)
    if record.ending is not None:
        detail = f"{record} is ended already: {STATUS_TEXT[record.ending.status]}"
        raise refusal("conflict", detail, f"GET {PATH} shows it until its last Notification is answered")
    context.head_end.subscriptions.end(record, ending)
    context.head_end.info(f"{record} is ended by the operator: {STATUS_TEXT[ending.status]}")
    return _view(context.head_end, record)


def _check(ending: Ending) -> None:
    path = ending.new_resource
    if (path is not None) != (ending.status == MOVED):
        raise ConfigError(f"new_resource: is needed with status {MOVED}, moved, and with no other")
    if path is not None and not (path.startswith("/") and path.isprintable() and len(path) <= MAX_PATH):
        raise ConfigError(f"new_resource: a path of at most {MAX_PATH} characters is needed")


_ID = (Query("id", int, None, "The subscription's id.", 1),)

ROUTES = [
    AdminRoute(
        method="GET",
        path=PATH,
        handler=_all,
        summary="The Subscriptions of all clients, and how their Notifications are.",
        response=list[SubscriptionView],
        query=(
            Query("lfdi", str, None, "Only those of the client with this LFDI."),
            Query("resource", str, None, "Only those to this path."),
            Query("state", str, None, "Only those in this state.", choices=get_args(State)),
            LIMIT,
            AFTER,
        ),
        tag="Subscriptions",
    ),
    AdminRoute(
        method="GET",
        path=f"{PATH}/{{id}}",
        handler=_get,
        summary="One Subscription.",
        response=SubscriptionView,
        path_parameters=_ID,
        tag="Subscriptions",
        problems=("not-found",),
    ),
    AdminRoute(
        method="DELETE",
        path=f"{PATH}/{{id}}",
        handler=_end,
        summary="End a Subscription; its client is told by a last Notification.",
        response=SubscriptionView,
        path_parameters=_ID,
        query=(
            Query(
                "status",
                int,
                None,
                "Of the Notification: 1 cancelled (default), 2 moved, 3 definition changed, 4 deleted.",
                CANCELLED,
                DELETED,
            ),
            Query("new_resource", str, None, "With status 2: the path that the resource has moved to."),
        ),
        tag="Subscriptions",
        problems=("conflict", "not-found"),
    ),
]
