"""The control function: four limits on one power.

Power is positive when it is generated. Export and generation are limits from above; import and load are
limits from below, with the sign turned. A limit of 0 W is a limit: no export means P <= 0.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from dersim.plugin import NOTHING, Demand, Measured, ModeValue, Nameplate, Parameter, Settings

ABOVE = ("opModExpLimW", "opModGenLimW")
BELOW = ("opModImpLimW", "opModLoadLimW")
LIMITS = (*ABOVE, *BELOW)


class OperatingEnvelope:
    """The limits of one DER; called in each step while one of its modes is in force."""

    def __init__(self, nameplate: Nameplate, settings: Settings) -> None:
        del nameplate, settings  # the limits are in watts, not in percent of a rating
        #: The demand is the same in every step.
        self.settled = True
        self._demand = NOTHING

    def configure(self, modes: Mapping[str, ModeValue], seen: Measured) -> None:
        """Take over the modes that are in force now."""
        del seen
        highest = min(_watts(modes, ABOVE), default=NOTHING.limit_w)
        lowest = max((-watts for watts in _watts(modes, BELOW)), default=NOTHING.floor_w)
        self._demand = Demand(limit_w=highest, floor_w=lowest)

    def step(self, dt_s: float, seen: Measured) -> Demand:
        """The limits; they do not depend on time or grid."""
        del dt_s, seen
        return self._demand

    def horizon_s(self, seen: Measured) -> float:
        """No timer runs."""
        del seen
        return float("inf")


def parameters_of(mode: str) -> tuple[Parameter, ...]:
    """The range of the mode, which dersim checks before a value gets here."""
    return (Parameter("", "W", 0, 32767e9, f"CSIP-AUS 1.1 {mode}"),)


def _watts(modes: Mapping[str, ModeValue], names: Iterable[str]) -> list[float]:
    values = (modes.get(name) for name in names)
    return [
        float(value) for value in values if isinstance(value, int | float) and not isinstance(value, bool)
    ]
