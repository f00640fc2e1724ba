"""The energy of a piece of a step in which a power changes its sign.

Registers count each direction by itself, and a battery has an efficiency for each. So such a piece is counted
in two parts.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from dersim.hardware.source import Source


class Course(NamedTuple):
    """A power (W or var) over a piece of a step: at its start, at its end, and its mean."""

    before: float
    after: float
    mean: float

    def less(self, before: float, after: float) -> Course:
        """This power less another one that goes from before to after in a straight line."""
        return Course(self.before - before, self.after - after, self.mean - (before + after) / 2)

    def by_sign(self, dt_s: float) -> list[tuple[float, float]]:
        """The parts of one sign, as (mean, seconds), of the parabola of this start, end and mean."""
        before, after, mean = self
        if before * after >= 0:
            return [(mean, dt_s)]
        # before + b x + a x^2, x from 0 to 1, has one zero; here without a difference of like numbers.
        a = 3 * (before + after) - 6 * mean
        b = after - before - a
        root = math.copysign(math.sqrt(max(0.0, b * b - 4 * a * before)), after)
        share = min(1.0, -2 * before / (b + root)) if abs(b + root) > abs(b - root) else (root - b) / (2 * a)
        if share <= 0:  # it began so near to 0 that its first part has no length
            return [(mean, dt_s)]
        first = ((a / 3 * share + b / 2) * share + before) * share
        return [
            (first / share, share * dt_s),
            ((mean - first) / (1 - share) if share < 1 else 0.0, (1 - share) * dt_s),
        ]


def changes_sign(p_before: float, rest_before: float, p_w: float, rest_w: float) -> bool:
    """Whether P, or the power of a battery behind it, changes its sign; `rest_w` as in `source.Source`."""
    return p_before * p_w < 0 or (p_before - rest_before) * (p_w - rest_w) < 0


def draw_by_sign(source: Source, p: Course, rest_before: float, dt_s: float) -> None:
    """Draw P from the source, each direction by itself."""
    if math.isinf(source.rest_w):
        source.drew(p.mean, dt_s)
        return
    rest = (rest_before + source.rest_w) / 2
    for mean, part_s in p.less(rest_before, source.rest_w).by_sign(dt_s):
        source.drew(mean + rest, part_s)
