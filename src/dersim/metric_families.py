"""Metrics that a part of a run adds to `/metrics`, in the Prometheus text format."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Literal, NamedTuple


class MetricFamily(NamedTuple):
    """One metric: its name, e.g. dersim_feeder_losses_watts, and a value for each set of labels."""

    name: str
    kind: Literal["gauge", "counter"]
    help: str
    samples: Sequence[tuple[Mapping[str, str], float]]


#: What makes the metrics of a part when someone asks, by the part's name.
Metrics = dict[str, Callable[[], Iterable[MetricFamily]]]
