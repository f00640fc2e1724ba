"""What one front-end offers another, as protocols, and where an offer is found.

A front-end offers itself while it is made: ``context.offer(CsipService, self)``. Others ask when they need
it: ``context.service(CsipService, 2)`` is the CSIP client of DER 2, or None where this run has none. A
plug-in may define its own protocols.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Protocol, TypeVar, cast

from dersim.errors import PluginError

if TYPE_CHECKING:
    import trio

    from dersim.device import Device
    from dersim.http11 import Request, Requests, Response
    from dersim.ieee2030_5 import Edition
    from dersim.ieee2030_5.event_types import EventView
    from dersim.ieee2030_5.judging import Judgement
    from dersim.ieee2030_5.resources import EndDevice, FunctionSetAssignments

T = TypeVar("T")

DerResource = Literal["DERCapability", "DERSettings", "DERStatus", "DERAvailability"]


class Services:
    """The offers of all front-ends, by protocol and device number (0: of the fleet)."""

    def __init__(self) -> None:
        self._offers: dict[tuple[type, int], object] = {}

    def offer(self, kind: type[T], service: T, number: int = 0) -> None:
        """Add an offer; PluginError where DER `number` has one of this kind already."""
        if (kind, number) in self._offers:
            whose = f"DER {number}" if number else "the fleet"
            raise PluginError(
                f"{type(service).__name__}: {whose} has a {kind.__name__} already; leave out one of the two"
            )
        self._offers[kind, number] = service

    def find(self, kind: type[T], number: int = 0) -> T | None:
        """What was offered, or None."""
        return cast("T | None", self._offers.get((kind, number)))

    def shared(self, kind: type[T], make: Callable[[], T]) -> T:
        """The one of this kind that all front-ends share; made when it is first asked for."""
        found = self.find(kind)
        if found is None:
            found = make()
            self.offer(kind, found)
        return found


class CertificateFiles(NamedTuple):
    """The PEM files of a client: its certificate with its chain, its key, and the roots that it trusts."""

    cert: Path
    key: Path
    root: Path


class CsipService(Protocol):
    """The IEEE 2030.5 client of one DER."""

    @property
    def edition(self) -> Edition:
        """The edition of what it sends."""
        ...

    @property
    def state(self) -> str:
        """discovering, connected, retrying, failed or away."""
        ...

    @property
    def bursting(self) -> bool:
        """Whether a burst of LogEvents is under way."""
        ...

    def counts(self) -> Mapping[str, int]:
        """Requests, errors, PUTs ... since the start, by the names of `csip-client`."""
        ...

    @property
    def last_reaction_s(self) -> float | None:
        """From the effective start of the last control that was waiting until its setpoint, simulated s."""
        ...

    def snapshot(self) -> dict[str, Any]:
        """The REST document `csip-client`, without `devices`."""
        ...

    def found(self) -> FoundResources | None:
        """What discovery found, last good state; None before there is an identity."""
        ...

    def explain(self) -> Sequence[EventView]:
        """Every event that is held, with its phase and why; times are the server's, UTC seconds."""
        ...

    def server_now_s(self) -> float:
        """The server's time now, UTC seconds, as far as it is known."""
        ...

    def sent(self, name: DerResource) -> Any | None:
        """The resource as the server last took it; None before the first PUT."""
        ...

    def body(self, name: DerResource) -> Any | None:
        """The resource as it would be PUT now; None before there is an identity."""
        ...

    def certificate_files(self) -> CertificateFiles | None:
        """The files that a TLS connection of this client uses; None where they cannot be had."""
        ...

    def rediscover(self) -> None:
        """Read the certificate files again and start discovery over."""
        ...

    def opt_out(self, mrid: str) -> None:
        """Opt out of a control (Response 4); ConfigError for one that is not held."""
        ...

    def opt_in(self, mrid: str) -> None:
        """Opt in again (Response 5); ConfigError for one that is not held."""
        ...

    def log_event_burst(
        self,
        alarm_status: Literal["Abnormal", "Normal"] | int = ...,
        interval_s: float = ...,
        count: int = ...,
    ) -> None:
        """Begin a burst of LogEvents (BASIC-027).

        ConfigError for a bad argument; another DersimError without a LogEventList or during a burst.
        """
        ...

    def stop_log_event_burst(self) -> None:
        """Stop the burst, if one runs."""
        ...


class TransportService(Protocol):
    """How CSIP clients reach their servers, instead of the network alone: a shard of a fleet has one."""

    async def open_tcp(self, host: str, port: int) -> trio.abc.Stream:
        """A TCP connection; OSError where there is none."""
        ...


class NotifyTransportService(Protocol):
    """Where notifications of servers are taken, instead of on a port: memory streams of a test."""

    def listen(self) -> tuple[Sequence[trio.abc.Listener[Any]], str]:
        """The listeners, and the URL that servers are told, such as https://127.0.0.1:9443."""
        ...


class PeersService(Protocol):
    """Between the CSIP clients and their servers: it records what is said, or answers from a record."""

    def connection(self, number: int, url: str, make: Callable[[], Requests]) -> Requests:
        """What DER `number` talks to the server at `url` by. make: makes a connection over the network."""
        ...

    def lfdi(self, number: int) -> str | None:
        """The LFDI that DER `number` takes; None: that of its certificate. CertificateError: it has none."""
        ...

    def identified(self, number: int, lfdi: str) -> None:
        """DER `number` goes by this LFDI from now on."""
        ...

    def acted(self, number: int, action: str, args: Sequence[Any], named: Mapping[str, Any]) -> None:
        """A user has called this method of the CSIP client of DER `number`."""
        ...

    def inbox(self, number: int, receive: Callable[[Request], Response]) -> Callable[[Request], Response]:
        """What takes the notifications of DER `number` in place of `receive`."""
        ...


class PresenceService(Protocol):
    """Lets the CSIP client of one DER leave and join, and cuts its connection: what a fleet plan asks for."""

    def leave(self, why: str, for_s: float) -> None:
        """Close the connection cleanly and ask nothing more. for_s: how long, real seconds, for the pages."""
        ...

    def join(self) -> None:
        """End `leave`."""
        ...

    def can_be_cut(self) -> None:
        """Prepare for `cut`; called before the client connects."""
        ...

    def cut(self, why: str) -> None:
        """Break the connection, and let none be made."""
        ...

    def restore(self) -> None:
        """End `cut`."""
        ...


class FoundResources(NamedTuple):
    """What a CSIP client found on its server for its DER.

    der: href, capability, settings, status and availability, each an href or None.
    unreadable: branches that could not be read, and why.
    """

    end_device: EndDevice | None
    function_set_assignments: Sequence[FunctionSetAssignments]
    der: Mapping[str, str | None] | None
    log_event_list: str | None
    mirror_usage_point_list: str | None
    unreadable: Mapping[str, str]


class SunspecService(Protocol):
    """The SunSpec registers of one DER, there even where nothing listens for Modbus."""

    @property
    def unit_id(self) -> int:
        """The device address of 1.DA."""
        ...

    def answer(self, pdu: bytes) -> bytes:
        """The answer to a Modbus PDU, of someone with all rights."""
        ...

    def apply_points(self, model: int, points: Mapping[str, Any]) -> dict[str, Any]:
        """Write points by name, in plain units; what the registers show then. ConfigError says why not."""
        ...

    def shown_points(self, model: int | None = None) -> dict[str, Any]:
        """The points of a model in plain units, or the list of the models."""
        ...


class OverviewService(Protocol):
    """The dashboard's own view of a DER."""

    def measured(self, device: Device) -> Mapping[str, Any]:
        """The measurements and the status in `GET /api/dersim/overview` and in the telemetry stream."""
        ...


class CompanionService(Protocol):
    """The companion server of `--demo`."""

    @property
    def url(self) -> str:
        """Where it listens, e.g. https://127.0.0.1:8443."""
        ...

    @property
    def port(self) -> int:
        """The port of that address."""
        ...

    @property
    def pin(self) -> int:
        """The PIN of the Registrations that it gives."""
        ...


Headers = tuple[tuple[str, str], ...]


class HttpExchange(NamedTuple):
    """One request and what came of it. time_s: simulated UTC at which it was sent; status 0: no answer.

    outcome: how the request ended, in words: "ok", "refused with 404", what went wrong on the way, or why the
    answer was not used.
    elapsed_s: real seconds. cause: why it was made, e.g. "poll derc, 10 s". PINs are masked.
    """

    id: int
    time_s: float
    device: int
    method: str
    url: str
    request_headers: Headers
    request_body: bytes
    status: int
    response_headers: Headers
    response_body: bytes
    outcome: str
    elapsed_s: float
    cause: str


#: The verdict on a body or on a whole exchange. violations: can be read, but is valid in no edition. invalid:
#: cannot be read. not judged: a body that is no document, or that is too long to be kept whole.
ExchangeWord = Literal["valid", "violations", "invalid", "not judged", "no body", "error status", "no answer"]


class BodyVerdict(NamedTuple):
    """The verdict on one body. editions: those in which it is valid. resource: the name of the document."""

    word: ExchangeWord
    editions: tuple[str, ...] = ()
    resource: str = ""


class ExchangeVerdict(NamedTuple):
    """The verdict on an exchange, and on what was sent and received."""

    word: ExchangeWord
    request: BodyVerdict
    response: BodyVerdict


class ExchangeFilter(NamedTuple):
    """Which exchanges are wanted; what is empty does not matter. Texts match in any case of letters.

    resource: part of the path or of the document's name. statuses: "2xx", "404", or "none" for no answer.
    verdicts: words of the exchange; "violations" and "invalid" of one of its bodies too. text: in a body.
    """

    device: int | None = None
    resource: str = ""
    methods: frozenset[str] = frozenset()
    statuses: frozenset[str] = frozenset()
    verdicts: frozenset[ExchangeWord] = frozenset()
    text: str = ""
    cause: str = ""


class FoundExchanges(NamedTuple):
    """One page of a search, oldest first.

    matches, held: how many exchanges match, and how many there are. older: the id below which more of what
    was asked for match; None where this is all.
    """

    exchanges: list[HttpExchange]
    matches: int
    held: int
    older: int | None


class RecordingService(Protocol):
    """The TLS records of all CSIP clients with their secrets: offered with `--pcap` alone."""

    def pcapng(self, device: int | None = None) -> Callable[[], bytes]:
        """What makes a pcapng file of all that is held now, of one DER or of all; for another thread."""
        ...


class ConversationService(Protocol):
    """The exchanges of all CSIP clients with their servers: a bounded buffer of the newest."""

    @property
    def listeners(self) -> list[Callable[[HttpExchange], None]]:
        """Called with each exchange as it ends, synchronously; they must be quick."""
        ...

    @property
    def held_bytes(self) -> int:
        """What the buffer takes, bytes."""
        ...

    def entries(self, device: int | None = None, after: int = 0, limit: int = 200) -> list[HttpExchange]:
        """The newest `limit` exchanges above id `after`, oldest first; of one DER, or of all (None)."""
        ...

    async def find(
        self, wanted: ExchangeFilter, after: int = 0, before: int | None = None, limit: int = 200
    ) -> FoundExchanges:
        """The newest `limit` exchanges that match, with ids above `after` and below `before`."""
        ...

    def exchange(self, number: int) -> HttpExchange | None:
        """The exchange of this id, None where it is not held (any more)."""
        ...

    def previous(self, exchange: HttpExchange) -> HttpExchange | None:
        """The one before of the same DER, method and URL that has a body to compare with."""
        ...

    def verdict(self, exchange: HttpExchange) -> ExchangeVerdict:
        """The verdict of the schema check, without reasons."""
        ...

    def judgements(self, exchange: HttpExchange) -> tuple[Judgement | None, Judgement | None]:
        """The reasons, of what was sent and of what was received; None for a body that is not judged."""
        ...
