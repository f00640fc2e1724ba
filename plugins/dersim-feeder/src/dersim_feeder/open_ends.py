"""Nodes without a voltage: those that nothing feeds, as some public feeders have them, and a collapse.

What has no voltage without DERs either is an open end, from the first solution on or since a switch opened.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from dersim_feeder.results import DEAD_PU


class OpenEnds:
    """The open ends of a circuit. without_ders: the voltages at the same instant with all DERs at 0, pu."""

    def __init__(self, without_ders: Callable[[], NDArray[np.float64]]) -> None:
        self._without_ders = without_ders
        self._known: NDArray[np.bool_] | None = None

    def among(self, pu: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Which of these nodes are open ends; without DERs is solved for only where there are new ones."""
        dead = pu < DEAD_PU
        if self._known is None:
            self._known = np.zeros_like(dead)
        if (dead & ~self._known).any():
            self._known = dead & (self._without_ders() < DEAD_PU)
        else:
            self._known = dead
        return self._known
