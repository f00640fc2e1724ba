"""`/conversation`: the exchanges with devices and their verdicts, in the form of the dashboard's."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Annotated, Any

import trio

from dersim.errors import ConfigError
from dersim.exchanges.conversation import Conversation
from dersim.exchanges.documents import ExchangeDetail, ExchangeLine, detail, export, har, har_log, line
from dersim.exchanges.explaining import explainer_ready_here
from dersim.json_schema import described
from dersim.pages.exchange_query import FILTERS, PART, FoundDocument, wanted
from dersim.pages.routes import Query
from dersim.plugin.services import ExchangeFilter, HttpExchange
from dersim.utility.admin.context import AdminContext, AdminRoute, Call, Later, number_of
from dersim.utility.admin.problems import PREFIX, refusal

_PATH = f"{PREFIX}/conversation"
_EVERY = 1_000_000
#: The number of no EndDevice.
_NOBODY = -1
_Lfdi = Annotated[str | None, described("of the EndDevice; null: the client is none")]


class DeviceExchangeLine(ExchangeLine):
    """One request of a device and what came of it."""

    lfdi: _Lfdi


class DeviceExchange(ExchangeDetail):
    """The same with its bodies, and the one before of the same device, method and address."""

    lfdi: _Lfdi


class DeviceExchanges(FoundDocument):
    """The newest exchanges that match, oldest first."""

    exchanges: list[DeviceExchangeLine]  # type: ignore[misc]  # each with the LFDI of its device


Told = Callable[[HttpExchange, Conversation], dict[str, Any]]


class _Request:
    """One request of the operator: the log and the devices as they are now, for another thread."""

    def __init__(self, context: AdminContext, call: Call) -> None:
        head_end = context.head_end
        self._conversation = context.conversation
        self._logged = head_end.request_log.newest(head_end.request_log.count)
        self._numbers = {device.lfdi: device.number for device in head_end.end_devices}
        self._lfdis = {number: lfdi for lfdi, number in self._numbers.items()}
        self.query = call.query

    def use(self, work: Callable[[Conversation], Any]) -> Any:
        return self._conversation.use(self._logged, self._numbers, work)

    def wanted(self) -> ExchangeFilter:
        text = self.query["lfdi"].strip().upper()
        return wanted(self.query, self._device(text) if text else None)

    def _device(self, text: str) -> int:
        """The number of the EndDevice; ConfigError where several LFDIs begin so."""
        if number_of(text) in self._lfdis:
            return number_of(text)
        found = [number for lfdi, number in self._numbers.items() if lfdi.startswith(text)]
        if len(found) > 1:
            raise ConfigError(f"lfdi: {len(found)} LFDIs begin so; give more digits")
        return self._numbers.get(text.zfill(40), found[0] if found else _NOBODY)

    def with_lfdi(self, exchange: HttpExchange, told: Mapping[str, Any]) -> dict[str, Any]:
        return {**told, "lfdi": self._lfdis.get(exchange.device)}


def _find(context: AdminContext, call: Call) -> Later:
    asked, query = _Request(context, call), call.query
    looked_for = asked.wanted()

    def work(talk: Conversation) -> dict[str, Any]:
        found = trio.run(talk.find, looked_for, query["after"], query["before"], query["limit"])
        return {
            "exchanges": [asked.with_lfdi(each, line(each, talk)) for each in found.exchanges],
            "matches": found.matches,
            "held": found.held,
            "older": found.older,
            "held_bytes": talk.held_bytes,
        }

    return Later(lambda: _bytes(asked.use(work)), "application/json")


def _one(context: AdminContext, call: Call) -> Later:
    asked, number = _Request(context, call), call.query["id"]

    def work(talk: Conversation) -> dict[str, Any]:
        exchange = talk.exchange(number)
        if exchange is None:
            raise refusal("not-found", f"exchange {number} is not held", "Old ones make room for new ones.")
        explainer_ready_here()
        return asked.with_lfdi(exchange, detail(exchange, talk))

    return Later(lambda: _bytes(asked.use(work)), "application/json")


def _export(context: AdminContext, call: Call) -> Later:
    make = _all_that_match(context, call, export)

    def lines() -> bytes:
        return b"".join(_bytes(each) + b"\n" for each in make())

    return Later(lines, "application/jsonl", "conversation.jsonl")


def _export_har(context: AdminContext, call: Call) -> Later:
    base = context.about()["url"]

    def entry(exchange: HttpExchange, talk: Conversation) -> dict[str, Any]:
        return har(exchange._replace(url=f"{base}{exchange.url}"), talk)

    make = _all_that_match(context, call, entry)
    return Later(lambda: _bytes(har_log(make())), "application/json", "conversation.har")


def _all_that_match(context: AdminContext, call: Call, told: Told) -> Callable[[], list[dict[str, Any]]]:
    asked = _Request(context, call)
    looked_for = asked.wanted()

    def work(talk: Conversation) -> list[dict[str, Any]]:
        found = trio.run(talk.find, looked_for, 0, None, _EVERY)
        return [asked.with_lfdi(each, told(each, talk)) for each in found.exchanges]

    return lambda: asked.use(work)


def _bytes(document: Any) -> bytes:
    return json.dumps(document, ensure_ascii=False, allow_nan=False).encode("utf-8", "replace")


_FILTERS = (
    Query("lfdi", str, "", "Only those of one device: its LFDI, the first digits of it, or its id."),
    *FILTERS,
)

ROUTES = [
    AdminRoute(
        method="GET",
        path=_PATH,
        handler=_find,
        summary="The exchanges with devices and their verdicts, without their bodies.",
        response=DeviceExchanges,
        query=(*_FILTERS, *PART),
        tag="Reports",
    ),
    AdminRoute(
        method="GET",
        path=f"{_PATH}/exchange",
        handler=_one,
        summary="One exchange with both bodies and what is wrong with them; PINs are masked.",
        response=DeviceExchange,
        query=(Query("id", int, 1, "Its id.", 0),),
        tag="Reports",
        problems=("not-found",),
    ),
    AdminRoute(
        method="GET",
        path=f"{_PATH}/export.jsonl",
        handler=_export,
        summary="All exchanges that match, with verdicts, one JSON document a line.",
        response=str,
        query=_FILTERS,
        content_type="application/jsonl",
        tag="Reports",
    ),
    AdminRoute(
        method="GET",
        path=f"{_PATH}/export.har",
        handler=_export_har,
        summary="All exchanges that match, with verdicts, as an HTTP Archive 1.2.",
        response=dict[str, Any],
        query=_FILTERS,
        tag="Reports",
    ),
]
