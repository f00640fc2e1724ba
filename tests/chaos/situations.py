"""Situations that take several acts in a row, and that chance alone seldom makes.

They are drawn from a stream of their own, and only from a certain seed on: what the seeds before it find is
found again as it was.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

#: As `drawing.Act`: when, the kind, and its arguments.
Parts = tuple[float, str, dict[str, Any]]

#: The first seed in which they are drawn.
FIRST_SEED = 101
#: From one to the next on average, s.
BETWEEN_S = 10_800.0
#: Numbers of their controls, beyond those of the utility's days.
_FIRST_NUMBER = 10_000


def situations(seed: int, poll_s: int, end_s: float) -> Iterator[Parts]:
    """All of them until the end, in the order in which they begin."""
    if seed < FIRST_SEED:
        return
    rng = random.Random(f"situations {seed}")
    number, at_s = _FIRST_NUMBER, rng.uniform(600, BETWEEN_S)
    while at_s < end_s:
        yield from rng.choice((_rivals, _dip))(rng, number, at_s, poll_s)
        number += 2
        at_s += rng.expovariate(1 / BETWEEN_S) + 2 * poll_s


def _rivals(rng: random.Random, number: int, at_s: float, poll_s: int) -> Iterator[Parts]:
    """Two programs want the limit, and all DERs know it before either begins: they decide by themselves."""
    first, second = rng.sample((1, 2, 3), 2)
    start_in_s, later_s = 2 * poll_s + 300, rng.choice((0, 60, 300))
    yield _limit(number, at_s, first, rng.randrange(10, 90), 1800, start_in_s)
    yield _limit(number + 1, at_s + 5, second, rng.randrange(10, 90), 1800, start_in_s + later_s)


def _dip(rng: random.Random, number: int, at_s: float, poll_s: int) -> Iterator[Parts]:
    """The frequency dips, not so far that a DER reacts to it, in full sun under a tight limit."""
    yield _limit(number, at_s, rng.randrange(1, 4), rng.randrange(5, 45), 2 * poll_s + 1800)
    # All DERs have read it by then.
    begin_s = at_s + poll_s + rng.uniform(60, 600)
    yield begin_s, "grid", {"irradiance_w_m2": 1000.0, "voltage_pu": 1.0, "frequency_hz": 59.9}
    yield begin_s + rng.choice((120, 600)), "grid", {"frequency_hz": 60.0}


def _limit(number: int, at_s: float, program: int, percent: int, lasts_s: int, in_s: int = 0) -> Parts:
    order: dict[str, Any] = {"number": number, "program": program, "modes": {"opModMaxLimW": percent}}
    return at_s, "publish", {**order, "start_in_s": in_s, "duration_s": lasts_s}
