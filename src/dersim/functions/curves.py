"""Piecewise-linear curves with precomputed slopes, flat beyond both ends."""

from __future__ import annotations

import itertools
from bisect import bisect_right
from collections.abc import Iterable


class Line:
    """y(x) through points of rising x; at two points of the same x the curve jumps to the later y.

    In a piece y is offset + slope * x. pieces[bisect_right(xs, x)] is that of x, where a call costs too much.
    """

    __slots__ = ("first_y", "last_y", "pieces", "xs")

    def __init__(self, points: Iterable[tuple[float, float]]) -> None:
        pts = list(points)
        self.xs = [x for x, _ in pts]
        self.first_y, self.last_y = pts[0][1], pts[-1][1]
        pieces: list[tuple[float, float]] = [(self.first_y, 0.0)]
        for (x0, y0), (x1, y1) in itertools.pairwise(pts):
            slope = (y1 - y0) / (x1 - x0) if x1 > x0 else 0.0
            pieces.append((y0 - slope * x0, slope))
        pieces.append((self.last_y, 0.0))
        self.pieces = pieces

    @property
    def zeros(self) -> list[float]:
        """Where the curve leaves or crosses y = 0, but for where it jumps across."""
        found = {x for x in self.xs if not self.at(x)}
        for (x0, x1), (offset, slope) in zip(itertools.pairwise(self.xs), self.pieces[1:], strict=False):
            if slope and x0 < (zero := -offset / slope) < x1:
                found.add(zero)
        return sorted(found)

    def at(self, x: float) -> float:
        """The curve's y at x."""
        offset, slope = self.pieces[bisect_right(self.xs, x)]
        return offset + slope * x
