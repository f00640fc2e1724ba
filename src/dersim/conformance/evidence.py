"""What was seen in one run: exchanges, handshakes and power. Verdicts come from nothing else."""

from __future__ import annotations

import bisect
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeVar
from urllib.parse import urlsplit

from dersim.errors import DersimError
from dersim.http11.messages import Headers, first
from dersim.ieee2030_5 import decode
from dersim.ieee2030_5 import resources as r
from dersim.utility.program import Control, Program

T = TypeVar("T")

#: A sample at the terminals is of a moment that is no further off than this, s.
NEAR_S = 3.0
#: What our own simulator takes to reach a new power, s; a device that is not ours does not run faster for us.
LEAST_SETTLING_S, LEAST_SETTLING_OF_OTHERS_S = 0.8, 2.5


class Exchange(NamedTuple):
    """One request and its answer. time_s: the server's, UTC seconds; lfdi: of the client's certificate.

    to_device: a Notification of the server; the target is then its whole address.
    """

    number: int
    time_s: float
    method: str
    target: str
    lfdi: str | None
    headers: Headers
    body: bytes
    status: int
    answer_headers: Headers
    answer: bytes
    to_device: bool = False

    @property
    def path(self) -> str:
        """The target without its query."""
        return self.target.partition("?")[0]

    @property
    def query(self) -> str:
        """The query of the target."""
        return self.target.partition("?")[2]

    @property
    def location(self) -> str | None:
        """The Location of the answer."""
        return first(self.answer_headers, "location")

    def header(self, name: str) -> str | None:
        """The first value of a header of the request."""
        return first(self.headers, name)

    def sent(self, cls: type[T]) -> T | None:
        """The body of the request as a resource; None where it is another one, or no resource."""
        return _resource(self.body, cls)

    def got(self, cls: type[T]) -> T | None:
        """The body of the answer as a resource, in the same way."""
        return _resource(self.answer, cls)


class Handshake(NamedTuple):
    """One TLS handshake with the device under test, or one line about a connection that ended early.

    error: why it failed, None if it did not. resumed: a session was. chain: what the device sent and the root
    that it leads to, DER, its own certificate first.
    """

    time_s: float
    version: str | None
    cipher: str | None
    error: str | None
    resumed: bool = False
    chain: tuple[bytes, ...] = ()


class Notified(NamedTuple):
    """One Notification and its answer. uri: where it went; resource: the path that it is about.

    number: of its exchange, -1 where it has none.
    """

    time_s: float
    uri: str
    resource: str
    body: bytes
    status: int
    number: int = -1


class Sample(NamedTuple):
    """The power of the device at one moment, exporting positive; None is not known."""

    time_s: float
    p_w: float | None
    q_var: float | None
    voltage_v: float | None = None
    frequency_hz: float | None = None


class Answered(NamedTuple):
    """One Response of the device: subject is the control's mRID; accepted: the server answered 201."""

    exchange: Exchange
    subject: str
    status: int
    created_s: int | None
    accepted: bool


@dataclass(slots=True)
class Evidence:
    """All that a run has shown.

    t0_s: when the server's tree was set up, UTC seconds; times in procedures count from here. scale: real
    seconds per printed second. rating_w, rating_var: of the device, as it has told (DERSettings, else
    DERCapability). programs, controls: what the server had, by the names of the procedure. facts: what a
    stimulus has noted for the checks. server_chain: of the server, DER, its own certificate first.
    least_settling_s: how long the DER may take to reach a new power, real seconds, however short the run.
    """

    t0_s: float
    scale: float = 1.0
    exchanges: list[Exchange] = field(default_factory=list)
    handshakes: list[Handshake] = field(default_factory=list)
    samples: list[Sample] = field(default_factory=list)
    notified: list[Notified] = field(default_factory=list)
    programs: Mapping[str, Program] = field(default_factory=dict)
    controls: Mapping[str, Control] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)
    device_href: str = ""
    lfdi: str = ""
    ended_s: float = 0.0
    server_chain: tuple[bytes, ...] = ()
    least_settling_s: float = LEAST_SETTLING_S

    def since_start(self, time_s: float) -> float:
        """A moment in the procedure's own seconds."""
        return (time_s - self.t0_s) / self.scale

    def note_notified(self, time_s: float, uri: str, resource: str, body: bytes, status: int) -> None:
        """Keep a Notification, and its exchange for reports."""
        number = len(self.exchanges)
        self.notified.append(Notified(time_s, uri, resource, body, status, number))
        kept = Exchange(number, time_s, "POST", uri, None, (), body, status, (), b"", to_device=True)
        self.exchanges.append(kept)

    def of(self, method: str, path: str, statuses: Iterable[int] = (200,)) -> list[Exchange]:
        """The exchanges with this method and path that were answered so; no statuses: whatever the answer."""
        wanted = frozenset(statuses)
        return [
            each
            for each in self.exchanges
            if each.method == method and each.path == path and (not wanted or each.status in wanted)
        ]

    def gets(self, path: str) -> list[Exchange]:
        """The GETs of a path that were answered 200."""
        return self.of("GET", path)

    def posted(self, cls: type[T]) -> Iterator[tuple[Exchange, T]]:
        """The bodies of this class that were sent, with their exchanges."""
        for each in self.exchanges:
            if each.method in ("POST", "PUT"):
                resource = each.sent(cls)
                if resource is not None:
                    yield each, resource

    def mirrors(self) -> Iterator[tuple[Exchange, r.MirrorUsagePoint]]:
        """The MirrorUsagePoints of the DER; that of a premises, which has a load in it, is left out."""
        return (pair for pair in self.posted(r.MirrorUsagePoint) if not _is_of_site(pair[1]))

    def meter_readings(self) -> Iterator[tuple[Exchange, r.MirrorMeterReading]]:
        """The MirrorMeterReadings of the DER that were sent, alone, in lists and in MirrorUsagePoints."""
        for each, point in self.mirrors():
            yield from ((each, reading) for reading in point.MirrorMeterReading)
        of_site = {
            urlsplit(each.location or "").path
            for each, point in self.posted(r.MirrorUsagePoint)
            if _is_of_site(point)
        }
        for each, listed in self.posted(r.MirrorMeterReadingList):
            if each.path not in of_site:
                yield from ((each, reading) for reading in listed.MirrorMeterReading)
        yield from (pair for pair in self.posted(r.MirrorMeterReading) if pair[0].path not in of_site)

    def responses(self, control: str | None = None) -> list[Answered]:
        """The Responses to one control of the procedure, or all, in order of arrival."""
        mrid = None if control is None else self.controls[control].mrid
        found = []
        for each, response in self.posted(r.Response):
            subject = str(response.subject or "").upper()
            if mrid is None or subject == mrid:
                status = response.status or 0
                created = response.createdDateTime
                found.append(Answered(each, subject, status, created, each.status == 201))
        return found

    def power(self) -> list[Sample]:
        """The samples of the terminals; without them what the device has metered in W and var.

        So it is as well for a time in which the meter at the terminals was lost.
        """
        if self.samples and not self.facts.get("meter_lost"):
            return self.samples
        times = [each.time_s for each in self.samples]
        gaps = [each for each in self.metered() if not _is_near(each.time_s, times)]
        return sorted([*self.samples, *gaps], key=lambda sample: sample.time_s)

    def metered(self) -> list[Sample]:
        """What the device has metered in W and var, exporting positive."""
        return _metered(self)

    @property
    def rating_w(self) -> float | None:
        """setMaxW of the device, else rtgMaxW, W."""
        return self._rating("setMaxW", "rtgMaxW")

    @property
    def rating_var(self) -> float | None:
        """setMaxVar of the device, else rtgMaxVar, var."""
        return self._rating("setMaxVar", "rtgMaxVar")

    def _rating(self, setting: str, rating: str) -> float | None:
        for cls, name in ((r.DERSettings, setting), (r.DERCapability, rating)):
            values = [getattr(body, name) for _, body in self.posted(cls) if getattr(body, name) is not None]
            if values:
                return float(values[-1].value * 10.0 ** (values[-1].multiplier or 0))
        return None


def _is_near(time_s: float, times: Sequence[float]) -> bool:
    """Whether one of the times, which rise, is within NEAR_S."""
    place = bisect.bisect_left(times, time_s - NEAR_S)
    return place < len(times) and times[place] <= time_s + NEAR_S


_UNITS = {38: "p_w", 63: "q_var"}
#: Bits of roleFlags.
_PREMISES, _DER = 1 << 1, 1 << 3


def _is_of_site(point: r.MirrorUsagePoint) -> bool:
    flags = point.roleFlags or 0
    return bool(flags & _PREMISES and not flags & _DER)


def _metered(evidence: Evidence) -> list[Sample]:
    """The readings that were posted, as samples; the sign of 2030.5's flowDirection is turned to export."""
    kinds: dict[str, r.ReadingType] = {}
    by_time: dict[float, dict[str, float]] = {}
    for exchange, reading in evidence.meter_readings():
        if reading.ReadingType is not None:
            kinds[str(reading.mRID)] = reading.ReadingType
        kind = kinds.get(str(reading.mRID))
        name = None if kind is None or kind.phase else _UNITS.get(kind.uom or 0)
        if kind is None or name is None or reading.Reading is None or reading.Reading.value is None:
            continue
        value = reading.Reading.value * 10.0 ** (kind.powerOfTenMultiplier or 0)
        # CSIP meters a DER with flow direction 1, forward, for what it delivers; 19 is the reverse.
        exported = -value if kind.flowDirection == 19 else value
        by_time.setdefault(exchange.time_s, {})[name] = exported
    return [Sample(at, each.get("p_w"), each.get("q_var")) for at, each in sorted(by_time.items())]


def _resource(body: bytes, cls: type[T]) -> T | None:
    if not body:
        return None
    try:
        found = decode(body).resource
    except DersimError:
        return None
    return found if isinstance(found, cls) else None
