"""What devices sent, the requests that they sent it with, and the poll rates that they are told."""

from __future__ import annotations

from heapq import nlargest
from typing import Annotated, Any, NotRequired, TypedDict

from dersim.ieee2030_5 import report_words
from dersim.json_schema import unit
from dersim.pages.routes import Query
from dersim.utility.admin import views
from dersim.utility.admin.context import AdminContext, AdminRoute, Call
from dersim.utility.admin.paging import AFTER, LIMIT, NEWEST, matches, newest, page, wanted_lfdi
from dersim.utility.admin.problems import PREFIX
from dersim.utility.config import MAX_POLL_RATE_S
from dersim.utility.end_devices import EndDeviceRecord, NumberedLogEvent

DEFAULT_LIMIT = 100

_Rate = Annotated[int, unit("s", minimum=1, maximum=MAX_POLL_RATE_S)]
_PostRate = Annotated[
    int, unit("s", "postRate of mirrors; left out: that of mup", minimum=1, maximum=MAX_POLL_RATE_S)
]


class PollRates(TypedDict):
    """The poll rates that devices are told."""

    dcap: _Rate
    edev: _Rate
    fsa: _Rate
    derp: _Rate
    der: _Rate
    mup: _Rate
    post: NotRequired[_PostRate]


class PollRatesChange(TypedDict):
    """Some of the poll rates."""

    dcap: NotRequired[_Rate]
    edev: NotRequired[_Rate]
    fsa: NotRequired[_Rate]
    derp: NotRequired[_Rate]
    der: NotRequired[_Rate]
    mup: NotRequired[_Rate]
    post: NotRequired[_PostRate]


def _responses(context: AdminContext, call: Call) -> list[dict[str, Any]]:
    query, lfdi = call.query, wanted_lfdi(call.query)
    found = (
        item
        for item in context.head_end.responses.all
        if matches((item.response.endDeviceLFDI or "").zfill(40), lfdi)
        and matches(item.response.subject, query["subject"])
        and matches(item.response.status, query["status"])
    )
    return [views.response(item) for item in newest(found, query, lambda item: item.number)]


def _mirrors(context: AdminContext, call: Call) -> list[dict[str, Any]]:
    found = (item for item in context.head_end.mirrors if matches(item.lfdi, wanted_lfdi(call.query)))
    return [views.mirror(item) for item in page(found, call.query, lambda item: item.number)]


def _log_events(context: AdminContext, call: Call) -> list[dict[str, Any]]:
    query, lfdi = call.query, wanted_lfdi(call.query)
    text = query["text"].strip().lower()
    found = [
        (device, item)
        for device in context.head_end.end_devices
        if matches(device.lfdi, lfdi)
        for item in device.log_events
        if matches(item.event.functionSet, query["function_set"]) and _says(item.event, text)
    ]
    if query["after"] is None and query["limit"] is not None:
        found = nlargest(query["limit"], found, key=_created)
    found.sort(key=_created)
    return [views.log_event(*pair) for pair in newest(found, query, lambda pair: pair[1].id)]


def _created(pair: tuple[EndDeviceRecord, NumberedLogEvent]) -> tuple[int, int]:
    return pair[1].event.createdDateTime, pair[1].id


def _says(event: Any, text: str) -> bool:
    return not text or text in f"{report_words.log_event(event)} {event.details or ''}".lower()


def _requests(context: AdminContext, call: Call) -> list[dict[str, Any]]:
    query, lfdi = call.query, wanted_lfdi(call.query)
    wanted = (query["method"], query["status"], query["path"])
    log = context.head_end.request_log
    if query["after"] is None and lfdi is None and wanted == (None, None, None):
        return [item.to_json() for item in log.newest(query["limit"])]
    found = (
        item
        for item in log.newest(log.count)
        if matches(item.lfdi, lfdi)
        and matches(item.method, query["method"])
        and matches(item.status, query["status"])
        and item.path.startswith(query["path"] or "")
    )
    return [item.to_json() for item in newest(found, query, lambda item: item.number)]


def _set_poll_rates(context: AdminContext, call: Call) -> dict[str, int]:
    context.head_end.set_poll_rates(call.body)
    return context.head_end.rates.as_dict()


_LFDI = Query("lfdi", str, None, "Only those of the device with this LFDI.")

ROUTES = [
    AdminRoute(
        method="GET",
        path=f"{PREFIX}/responses",
        handler=_responses,
        summary="The Responses to controls, in the order of their arrival.",
        response=list[views.ResponseView],
        query=(
            _LFDI,
            Query("subject", str, None, "Only those to the control with this mRID."),
            Query("status", int, None, "Only those of this status.", 0, 255),
            NEWEST,
            AFTER,
        ),
        tag="Reports",
    ),
    AdminRoute(
        method="GET",
        path=f"{PREFIX}/mirror-usage-points",
        handler=_mirrors,
        summary="The meter readings: the newest value of each quantity.",
        response=list[views.MirrorView],
        query=(_LFDI, LIMIT, AFTER),
        tag="Reports",
    ),
    AdminRoute(
        method="GET",
        path=f"{PREFIX}/log-events",
        handler=_log_events,
        summary="The LogEvents, oldest first.",
        response=list[views.LogEventView],
        query=(
            _LFDI,
            Query("function_set", int, None, "Only those of this function set, e.g. 11, DER.", 0, 255),
            Query("text", str, "", "Part of its words or of its details, e.g. over voltage."),
            NEWEST,
            AFTER,
        ),
        tag="Reports",
    ),
    AdminRoute(
        method="GET",
        path=f"{PREFIX}/requests",
        handler=_requests,
        summary="The newest requests with their responses, PINs masked.",
        response=list[views.RequestView],
        query=(
            NEWEST._replace(default=DEFAULT_LIMIT),
            AFTER,
            _LFDI,
            Query("method", str, None, "Only those with this method."),
            Query("status", int, None, "Only those answered with this status.", 100, 599),
            Query("path", str, None, "Only those whose path begins so."),
        ),
        tag="Reports",
    ),
    AdminRoute(
        method="GET",
        path=f"{PREFIX}/violations",
        handler=lambda context, _: dict(context.head_end.violations),
        summary="What devices sent against the standard, counted by its text.",
        response=dict[str, int],
        tag="Reports",
    ),
    AdminRoute(
        method="GET",
        path=f"{PREFIX}/unexpected-errors",
        handler=lambda context, _: dict(context.fences.counts),
        summary="Errors of this server that ended a request or a connection, counted.",
        response=dict[str, int],
        tag="Server",
    ),
    AdminRoute(
        method="GET",
        path=f"{PREFIX}/poll-rates",
        handler=lambda context, _: context.head_end.rates.as_dict(),
        summary="The poll rates that devices are told.",
        response=PollRates,
        tag="Server",
    ),
    AdminRoute(
        method="PUT",
        path=f"{PREFIX}/poll-rates",
        handler=_set_poll_rates,
        summary="Change some poll rates.",
        response=PollRates,
        request=PollRatesChange,
        example={"derp": 5},
        tag="Server",
    ),
]
