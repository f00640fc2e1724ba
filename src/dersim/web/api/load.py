"""`GET /api/dersim/load`: what is measured of this process under load, so far."""

from __future__ import annotations

from typing import Any, TypedDict

from dersim.load.recorder import LoadRecorder
from dersim.pages.routes import Route
from dersim.web.context import Call, WebContext

#: How much of the series over time is given, s.
LAST_S = 300

#: Quantiles in ms, of latencies, lags and delays.
Times = TypedDict(
    "Times",
    {"p50": float, "p90": float, "p95": float, "p99": float, "p99.9": float, "max": float, "mean": float},
)
Times.__doc__ = "Percentiles, greatest value and mean, ms."


class LoadExample(TypedDict):
    """One error as it happened."""

    time: str | None
    device: int
    text: str


class LoadError(TypedDict):
    """Errors of a name: a status, the phase that failed, or a violation of the schema."""

    error: str
    count: int
    examples: list[LoadExample]


class LoadKind(TypedDict):
    """One kind of request, by method and resource. latency: from the due time; service: from sending."""

    kind: str
    count: int
    rate_per_s: float
    sent_bytes: int
    received_bytes: int
    latency_ms: Times | None
    service_ms: Times | None
    errors: list[LoadError]


class Handshakes(TypedDict):
    """New connections, TCP and TLS together."""

    count: int
    latency_ms: Times | None


class ReactionStep(TypedDict):
    """A step of a control: how many DERs took it and how fast, s."""

    count: int
    p50: float
    p95: float
    p99: float
    max: float


class LoadControl(TypedDict):
    """A control on its way through the fleet. never_seen: null while it is too early to tell."""

    mrid: str
    program: str
    published: str | None
    start: str | None
    end: str | None
    modes: str
    devices: int
    seen_by: int
    never_seen: int | None
    steps: dict[str, ReactionStep | None]


class LoadSeries(TypedDict):
    """What happened over time, one value for each `width_s`. first_s: of the first value, UTC seconds."""

    first_s: int
    width_s: int
    states: dict[str, list[int]]
    requests_per_s: list[float]
    errors_per_s: list[float]
    p95_ms: list[float | None]
    handshakes_full_per_s: list[float]
    handshakes_resumed_per_s: list[float]
    lag_ms: list[float]
    late_ms: list[float]


class LoadMeasured(TypedDict):
    """Everything that was counted since the start; the series of the last five minutes."""

    began: str | None
    ended: str | None
    seconds: float
    requests: int
    errors: int
    rate_per_s: float
    error_rate: float
    latency_ms: Times | None
    kinds: list[LoadKind]
    poll_rates_s: dict[str, float]
    handshakes: dict[str, Handshakes]
    late_ms: Times | None
    lag_ms: Times | None
    busiest: str
    saturated: bool
    never_seen: int
    controls: list[LoadControl]
    controls_forgotten: int
    series: LoadSeries


class Load(TypedDict):
    """measured: null where load is not measured (`dersim sim --load`)."""

    measured: LoadMeasured | None


def _get(context: WebContext, call: Call) -> dict[str, Any]:
    del call
    recorder = context.engine.service(LoadRecorder)
    if recorder is None:
        return {"measured": None}
    return {"measured": context.of_fleet("load", lambda: recorder.tally.snapshot(LAST_S))}


ROUTES = [
    Route(
        method="GET",
        path="/api/dersim/load",
        handler=_get,
        summary="Latencies, errors and reactions to controls of this process.",
        response=Load,
        per_device=False,
        tag="Fleet",
    )
]
