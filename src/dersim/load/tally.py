"""Everything that is counted of a run under load, as one value that can be added to another.

Each kind of request has two latencies: `latency` counts from when the request was due, `service` from when it
was sent. A slow answer makes a client send its next request late. Counted from the sending, a server that
stalls for ten seconds shows one slow request and none of those that it held up; counted from their due times,
all of them are slow (no coordinated omission). A request that nobody scheduled is due when it is sent.

Times are UTC seconds of real time, where no simulated time is named. No I/O and no clock here.
"""

from __future__ import annotations

import json
import zlib
from typing import Any, NamedTuple

from dersim.load.latencies import Latencies, merged
from dersim.load.reactions import Reactions
from dersim.load.series import Series, States
from dersim.timestamps import rfc3339_or_none

#: Written into the bytes; another one is refused.
FORMAT = 1
#: The p99 of the event loop's own lag above which the client is too busy to measure a server, s.
SATURATED_S = 0.05
MOST_KINDS = 100
MOST_ERRORS = 30
MOST_EXAMPLES = 3
MOST_EXAMPLE_CHARS = 300
#: The kind, or error, of what is beyond the limits.
OTHER = "other"
VIOLATION = "schema violation"


class Example(NamedTuple):
    """One error as it happened."""

    time_s: float
    device: int
    text: str


class RequestRecord(NamedTuple):
    """One request and how it ended.

    kind: method and resource, e.g. "GET Time". late_s: started - due. service_s: from the start to the whole
    answer, without the handshake of a new connection; None where nothing was measured. error: "" for a good
    answer, else the status or the phase that failed.
    """

    kind: str
    time_s: float
    device: int
    late_s: float
    service_s: float | None
    sent_bytes: int
    received_bytes: int
    error: str = ""
    text: str = ""


class KindTally:
    """The requests of one kind."""

    def __init__(self) -> None:
        self.count = 0
        self.sent_bytes = self.received_bytes = 0
        self.latency, self.service = Latencies(), Latencies()
        self.errors: dict[str, int] = {}
        self.examples: dict[str, list[Example]] = {}

    def fail(self, error: str, example: Example, count: int = 1) -> None:
        """Count errors of a name, and keep the first examples."""
        if error not in self.errors and len(self.errors) >= MOST_ERRORS:
            error = OTHER
        self.errors[error] = self.errors.get(error, 0) + count
        kept = self.examples.setdefault(error, [])
        if len(kept) < MOST_EXAMPLES or example.time_s < kept[-1].time_s:
            kept.append(example._replace(text=example.text[:MOST_EXAMPLE_CHARS]))
            self.examples[error] = sorted(kept)[:MOST_EXAMPLES]

    def add(self, other: KindTally) -> None:
        """Add those of another process."""
        self.count += other.count
        self.sent_bytes += other.sent_bytes
        self.received_bytes += other.received_bytes
        self.latency.add(other.latency)
        self.service.add(other.service)
        for error, count in other.errors.items():
            self.errors[error] = self.errors.get(error, 0) + count
        for error, examples in other.examples.items():
            self.examples[error] = sorted(self.examples.get(error, []) + examples)[:MOST_EXAMPLES]

    def to_json(self) -> list[Any]:
        """As JSON values."""
        return [
            self.count,
            self.sent_bytes,
            self.received_bytes,
            self.latency.to_text(),
            self.service.to_text(),
            self.errors,
            self.examples,
        ]

    @classmethod
    def from_json(cls, shape: list[Any]) -> KindTally:
        """The inverse of `to_json`."""
        made = cls.__new__(cls)
        made.count, made.sent_bytes, made.received_bytes = shape[:3]
        made.latency, made.service = Latencies.from_text(shape[3]), Latencies.from_text(shape[4])
        made.errors = shape[5]
        made.examples = {name: [Example(*each) for each in found] for name, found in shape[6].items()}
        return made


class LoadTally:
    """The counts of a run, or of a part of it: of one process, or of one second.

    source: the process, for the states of its DERs; "" where there is only one.
    """

    def __init__(self, source: str = "") -> None:
        self.source = source
        self.kinds: dict[str, KindTally] = {}
        self.handshakes: dict[str, Latencies] = {}
        self.late = Latencies()
        self.lags: dict[str, Latencies] = {}
        self.series = Series()
        self.reactions = Reactions()
        self.server_now_s = 0.0
        self.poll_rates_s: dict[str, float] = {}

    # ---- counting

    def _kind(self, name: str) -> KindTally:
        found = self.kinds.get(name)
        if found is None:
            if len(self.kinds) >= MOST_KINDS:
                name = OTHER
            found = self.kinds.setdefault(name, KindTally())
        return found

    def request(self, record: RequestRecord) -> None:
        """Count a request that has ended."""
        kind, slot = self._kind(record.kind), self.series.at(record.time_s)
        kind.count += 1
        kind.sent_bytes += record.sent_bytes
        kind.received_bytes += record.received_bytes
        slot.requests += 1
        if record.service_s is not None:
            latency_s = record.late_s + record.service_s
            kind.service.record(record.service_s)
            kind.latency.record(latency_s)
            slot.record(latency_s)
        if record.error:
            slot.errors += 1
            kind.fail(record.error, Example(record.time_s, record.device, record.text))

    def polled(self, time_s: float, late_s: float) -> None:
        """Count how late a poll was started."""
        self.late.record(late_s)
        slot = self.series.at(time_s)
        slot.late_s = max(slot.late_s, late_s)

    def violations(self, kind: str, count: int, example: Example) -> None:
        """Count schema violations in the last answer of a kind; one document is one error."""
        self._kind(kind).fail(VIOLATION, example._replace(text=f"{count} in one document: {example.text}"))
        self.series.at(example.time_s).errors += 1

    def handshake(self, time_s: float, seconds: float, *, resumed: bool) -> None:
        """Count a new connection: TCP and TLS together, s."""
        self.handshakes.setdefault("resumed" if resumed else "full", Latencies()).record(seconds)
        slot = self.series.at(time_s)
        slot.resumed += resumed
        slot.full += not resumed

    def loop_lag(self, time_s: float, lag_s: float) -> None:
        """Count by how much this process woke too late."""
        self.lags.setdefault(self.source, Latencies()).record(lag_s)
        slot = self.series.at(time_s)
        slot.lag_s = max(slot.lag_s, lag_s)

    def states(self, time_s: float, counts: States) -> None:
        """How many DERs of this process are in each of `series.STATES`."""
        self.series.at(time_s).states[self.source] = counts

    # ---- merging

    def add(self, other: LoadTally) -> None:
        """Add what another process, or another second, has counted."""
        for name, kind in other.kinds.items():
            self._kind(name).add(kind)
        for name, handshakes in other.handshakes.items():
            self.handshakes.setdefault(name, Latencies()).add(handshakes)
        self.late.add(other.late)
        for source, lag in other.lags.items():
            self.lags.setdefault(source, Latencies()).add(lag)
        self.series.add(other.series)
        self.reactions.add(other.reactions)
        self.server_now_s = max(self.server_now_s, other.server_now_s)
        self.poll_rates_s.update(other.poll_rates_s)

    def to_bytes(self) -> bytes:
        """All of it, compressed."""
        shape = {
            "format": FORMAT,
            "source": self.source,
            "kinds": {name: kind.to_json() for name, kind in self.kinds.items()},
            "handshakes": {name: each.to_text() for name, each in self.handshakes.items()},
            "late": self.late.to_text(),
            "lags": {source: lag.to_text() for source, lag in self.lags.items()},
            "series": self.series.to_json(),
            "reactions": self.reactions.to_json(),
            "server_now_s": self.server_now_s,
            "poll_rates_s": self.poll_rates_s,
        }
        return zlib.compress(json.dumps(shape, separators=(",", ":")).encode(), 1)

    @classmethod
    def from_bytes(cls, data: bytes) -> LoadTally:
        """The inverse of `to_bytes`; ValueError for bytes of another version of dersim."""
        shape = json.loads(zlib.decompress(data))
        if shape["format"] != FORMAT:
            raise ValueError(f"a load tally of format {shape['format']}, not {FORMAT}")
        made = cls(shape["source"])
        made.kinds = {name: KindTally.from_json(kind) for name, kind in shape["kinds"].items()}
        made.handshakes = {name: Latencies.from_text(each) for name, each in shape["handshakes"].items()}
        made.late = Latencies.from_text(shape["late"])
        made.lags = {source: Latencies.from_text(lag) for source, lag in shape["lags"].items()}
        made.series = Series.from_json(shape["series"])
        made.reactions = Reactions.from_json(shape["reactions"])
        made.server_now_s, made.poll_rates_s = shape["server_now_s"], shape["poll_rates_s"]
        return made

    # ---- reading

    @property
    def requests(self) -> int:
        """How many requests have ended."""
        return sum(kind.count for kind in self.kinds.values())

    @property
    def errors(self) -> int:
        """How many of them failed, or brought a document that breaks the schema."""
        return sum(sum(kind.errors.values()) for kind in self.kinds.values())

    @property
    def seconds(self) -> float:
        """From the first thing that was counted to the last, s."""
        return max(self.series.ended_s - self.series.began_s, 0.0)

    @property
    def busiest(self) -> str:
        """The process whose loop lag has the greatest p99; "" where there is only one, or none."""
        return max(self.lags, key=lambda source: self.lags[source].percentile_s(99), default="")

    @property
    def lag(self) -> Latencies:
        """The loop lag of the busiest process: the others must not hide it."""
        return self.lags.get(self.busiest) or Latencies()

    @property
    def saturated(self) -> bool:
        """Whether a process was too busy: then latencies are its own rather than the server's."""
        return self.lag.percentile_s(99) > SATURATED_S

    def all_latencies(self) -> Latencies:
        """The latencies of all kinds."""
        return merged(kind.latency for kind in self.kinds.values())

    def snapshot(self, last_s: int | None = None) -> dict[str, Any]:
        """Everything as JSON values. last_s: the series of so many last seconds only."""
        seconds = max(self.seconds, 1.0)
        return {
            "began": rfc3339_or_none(self.series.began_s),
            "ended": rfc3339_or_none(self.series.ended_s),
            "seconds": round(self.seconds, 3),
            "requests": self.requests,
            "errors": self.errors,
            "rate_per_s": round(self.requests / seconds, 3),
            "error_rate": round(self.errors / self.requests, 6) if self.requests else 0.0,
            "latency_ms": self.all_latencies().shown_ms(),
            "kinds": [self._shown(name, self.kinds[name], seconds) for name in sorted(self.kinds)],
            "poll_rates_s": dict(sorted(self.poll_rates_s.items())),
            "handshakes": {
                name: {"count": held.count, "latency_ms": held.shown_ms()}
                for name in ("full", "resumed")
                if (held := self.handshakes.get(name)) is not None
            },
            "late_ms": self.late.shown_ms(),
            "lag_ms": self.lag.shown_ms(),
            "busiest": self.busiest,
            "saturated": self.saturated,
            "never_seen": self.reactions.never_seen(self.server_now_s),
            "controls": self.reactions.shown(self.server_now_s),
            "controls_forgotten": self.reactions.forgotten,
            "series": self.series.shown(last_s),
        }

    @staticmethod
    def _shown(name: str, kind: KindTally, seconds: float) -> dict[str, Any]:
        return {
            "kind": name,
            "count": kind.count,
            "rate_per_s": round(kind.count / seconds, 3),
            "sent_bytes": kind.sent_bytes,
            "received_bytes": kind.received_bytes,
            "latency_ms": kind.latency.shown_ms(),
            "service_ms": kind.service.shown_ms(),
            "errors": [
                {
                    "error": error,
                    "count": count,
                    "examples": [
                        {"time": rfc3339_or_none(each.time_s), "device": each.device, "text": each.text}
                        for each in kind.examples.get(error, ())
                    ],
                }
                for error, count in sorted(kind.errors.items(), key=lambda item: -item[1])
            ],
        }
