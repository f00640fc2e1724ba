"""`/api/dnp3/...`: the points with their last commands, the conversation, the masters; and the metrics."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypedDict

from py1815.profile.binding import Quality, Reading

from dersim.plugin import Call, ConfigError, FrontendContext, MetricFamily, Query, Route, rfc3339
from dersim_dnp3.conversation import Conversation
from dersim_dnp3.decoding import Line, lines_of
from dersim_dnp3.points import BI, BO, CTR, Input, Output, shown_address
from dersim_dnp3.services import Dnp3Service
from dersim_dnp3.station import Command, Station


class CommandDocument(TypedDict):
    """The last command of a point."""

    time: str
    master: int
    value: float
    status: str
    reason: str


class PointDocument(TypedDict):
    """A point now. value: in the unit; null where the machine has none, and for one that is offline too."""

    point: str
    name: str
    unit: str
    value: float | bool | None
    multiplier: float | None
    event_class: int
    function: str
    command: CommandDocument | None


class MasterDocument(TypedDict):
    """A master that has spoken."""

    master: int
    connected: bool
    events: int


class MastersDocument(TypedDict):
    """The masters of a DER, and how often something was dropped, by the reason."""

    masters: list[MasterDocument]
    dropped: dict[str, int]


class Api:
    """The addresses of one run."""

    def __init__(self, context: FrontendContext) -> None:
        self._context = context
        context.add_routes(
            _get(
                "points",
                list[PointDocument],
                "All points of a DER, outputs with their last command.",
                self._points,
            ),
            _get("masters", MastersDocument, "The masters of a DER.", self._masters),
            _get(
                "conversation",
                list[Line],
                "What was said with a DER, decoded, oldest first.",
                self._conversation,
                Query("limit", int, 200, "The newest so many.", 1, 2000),
                Query("after", int, 0, "Only what has a higher id.", 0),
            ),
        )
        context.metrics["dnp3"] = self._metrics

    def _service(self, call: Call) -> Dnp3Service:
        found = self._context.service(Dnp3Service, call.device.number)
        if found is None:
            raise ConfigError(f"DER {call.device.number} has no DNP3 outstation; is it in another process?")
        return found

    def _points(self, call: Call) -> list[PointDocument]:
        station = self._service(call).station
        station.look()
        return [_document(station, each) for each in (*station.outputs, *station.inputs)]

    def _masters(self, call: Call) -> MastersDocument:
        service = self._service(call)
        masters: list[MasterDocument] = [
            {"master": each.master, "connected": each.connected, "events": each.events}
            for each in service.masters.all()
        ]
        return {"masters": masters, "dropped": dict(service.anomalies)}

    def _conversation(self, call: Call) -> list[Line]:
        said = self._context.services.shared(Conversation, Conversation).of(call.device.number)
        lines = [line for line in lines_of(said) if line["id"] > call.query["after"]]
        return lines[-call.query["limit"] :]

    def _metrics(self) -> Iterable[MetricFamily]:
        rows: list[tuple[Mapping[str, str], float]] = []
        dropped: list[tuple[Mapping[str, str], float]] = []
        for device in self._context.fleet.devices:
            service = self._context.service(Dnp3Service, device.number)
            if service is not None and len(service.masters):
                label = {"device": str(device.number)}
                rows.append((label, float(sum(each.connected for each in service.masters.all()))))
                dropped += [
                    ({**label, "reason": reason}, float(n)) for reason, n in service.anomalies.items()
                ]
        yield MetricFamily("dersim_dnp3_masters", "gauge", "Masters that are connected.", rows)
        yield MetricFamily(
            "dersim_dnp3_dropped_total", "counter", "Frames and requests that were dropped.", dropped
        )


def _get(name: str, response: Any, summary: str, handler: Any, *query: Query) -> Route:
    return Route(
        method="GET",
        path=f"/api/dnp3/{name}",
        handler=handler,
        summary=summary,
        response=response,
        query=query,
        tag="DNP3",
    )


def _document(station: Station, row: Input | Output) -> PointDocument:
    command = station.last.get(row.address)
    return {
        "point": shown_address(row.address),
        "name": row.name,
        "unit": row.unit,
        "value": _value(station, row),
        "multiplier": None if row.kind in (BI, BO, CTR) else row.multiplier,
        "event_class": 0 if isinstance(row, Output) else row.event_class,
        "function": row.block,
        "command": None if command is None else _command(command),
    }


def _value(station: Station, row: Input | Output) -> float | bool | None:
    binding = station.binding
    if isinstance(row, Output):
        status = binding.outputs[row.address].status
        found = None if status is None else status()
    else:
        found = binding.readers[row.address]()
    if isinstance(found, Reading):
        found = found.value if found.quality is Quality.GOOD else None
    if found is None:
        return None
    return bool(found) if row.kind in (BI, BO) else float(found)


def _command(command: Command) -> CommandDocument:
    return {
        "time": rfc3339(command.time_s),
        "master": command.master,
        "value": command.value,
        "status": command.status.name,
        "reason": command.reason,
    }
