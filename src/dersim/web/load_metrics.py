"""The part of `/metrics` about load, where it is measured. The tally bounds kinds of requests and errors."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from dersim.load.tally import LoadTally

#: The upper ends of the latency's buckets, s.
BUCKETS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)

Sample = tuple[str, float]


class LoadFamily(NamedTuple):
    """A metric with its samples: labels, after a suffix of the name, and value."""

    name: str
    kind: str
    doc: str
    samples: list[Sample]


def families(tally: LoadTally) -> Iterator[LoadFamily]:
    """Every metric of a tally."""
    requests = [(f'{{kind="{name}"}}', float(kind.count)) for name, kind in sorted(tally.kinds.items())]
    yield LoadFamily("dersim_load_requests_total", "counter", "Requests by kind.", requests)
    errors = [
        (f'{{kind="{name}",error="{error}"}}', float(count))
        for name, kind in sorted(tally.kinds.items())
        for error, count in sorted(kind.errors.items())
    ]
    if errors:
        yield LoadFamily("dersim_load_errors_total", "counter", "Errors by kind of request.", errors)
    doc = "From the due time of a request to the whole answer."
    yield LoadFamily("dersim_load_latency_seconds", "histogram", doc, list(_latencies(tally)))
    handshakes = [
        (f'{{handshake="{name}"}}', float(held.count)) for name, held in sorted(tally.handshakes.items())
    ]
    if handshakes:
        yield LoadFamily("dersim_load_handshakes_total", "counter", "New connections.", handshakes)
    for name, held, doc in (
        ("dersim_load_loop_lag_seconds", tally.lag, "How much too late the event loop wakes."),
        ("dersim_load_poll_delay_seconds", tally.late, "From the due time of a poll to its start."),
    ):
        quantiles = [(f'{{quantile="{part}"}}', held.percentile_s(part * 100)) for part in (0.5, 0.95, 0.99)]
        yield LoadFamily(name, "summary", doc, [*quantiles, ("_count", float(held.count))])
    never = float(tally.reactions.never_seen(tally.server_now_s))
    yield LoadFamily("dersim_load_controls_never_seen", "gauge", "Sum of DERs over controls.", [("", never)])


def _latencies(tally: LoadTally) -> Iterator[Sample]:
    for name, kind in sorted(tally.kinds.items()):
        count = kind.latency.count
        below = kind.latency.counts_up_to(BUCKETS_S)
        for end_s, found in zip(BUCKETS_S, below, strict=True):
            yield f'_bucket{{kind="{name}",le="{end_s:g}"}}', float(found)
        yield f'_bucket{{kind="{name}",le="+Inf"}}', float(count)
        yield f'_sum{{kind="{name}"}}', kind.latency.sum_s
        yield f'_count{{kind="{name}"}}', float(count)
