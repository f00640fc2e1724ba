"""The control function: what the DER generates beyond the site's load is exported, up to a limit.

The load is that of the mode siteLoadW and what dersim has behind the DER's meter (--site_load).
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from dersim.plugin import Demand, Measured, ModeValue, Nameplate, Settings

LIMIT = "siteExportLimitW"
LOAD = "siteLoadW"
HIGHEST_W = 1e6


class ExportLimit:
    """One for each DER; without delay."""

    def __init__(self, nameplate: Nameplate, settings: Settings) -> None:
        del nameplate, settings
        self.settled = True
        self._limit_w = math.inf
        self._demand = Demand()

    def configure(self, modes: Mapping[str, ModeValue], seen: Measured) -> None:
        """Take over the limit and the load; a load that is not known is 0."""
        del seen
        limit, load = modes.get(LIMIT), modes.get(LOAD, 0.0)
        known = isinstance(limit, int | float) and isinstance(load, int | float)
        self._limit_w = limit + load if known else math.inf  # type: ignore[operator]  # of numbers

    def step(self, dt_s: float, seen: Measured) -> Demand:
        """The same in every step with the same load."""
        del dt_s
        self._demand.limit_w = self._limit_w + seen.load_w
        return self._demand

    def horizon_s(self, seen: Measured) -> float:
        """No timer."""
        del seen
        return math.inf
