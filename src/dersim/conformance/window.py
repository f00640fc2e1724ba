"""What is expected at the terminals in a part of a run."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from dersim.conformance.evidence import Sample


class Power(NamedTuple):
    """An active and a reactive power, exporting positive; None where none is asked for."""

    p_w: float | None = None
    q_var: float | None = None


def _nothing(_sample: Sample, _rating_w: float, _rating_var: float) -> Power:
    return Power()


class Expected(NamedTuple):
    """A named power. holds: of a sample, with the ratings in W and var; None where it cannot be told.

    ordered: what a device would have at that sample that does exactly what it is told.
    """

    name: str
    holds: Callable[[Sample, float, float], bool | None]
    ordered: Callable[[Sample, float, float], Power] = _nothing


class Window(NamedTuple):
    """What is expected from one time to another, printed seconds after t0. settling_s: at its beginning."""

    expected: Expected
    since: float
    until: float
    settling_s: float
