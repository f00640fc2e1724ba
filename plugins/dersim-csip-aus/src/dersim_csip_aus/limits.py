"""The control function: four limits on one power.

Power is positive when it is generated. Export and generation are limits from above; import and load are
limits from below, with the sign turned. Export and import are those of the site: the load behind the DER's
meter comes on top. A limit of 0 W is a limit: no export means P <= load.
"""

from __future__ import annotations

from collections.abc import Mapping

from dersim.plugin import Demand, Measured, ModeValue, Nameplate, Parameter, Settings

EXPORT, GENERATION, IMPORT, LOAD = "opModExpLimW", "opModGenLimW", "opModImpLimW", "opModLoadLimW"
#: In the order of the XSD.
LIMITS = (IMPORT, EXPORT, GENERATION, LOAD)
_NO_LIMIT = float("inf")


class OperatingEnvelope:
    """The limits of one DER; called in each step while one of its modes is in force."""

    def __init__(self, nameplate: Nameplate, settings: Settings) -> None:
        del nameplate, settings  # the limits are in watts, not in percent of a rating
        #: The demand is the same in every step with the same load.
        self.settled = True
        self._limits_w = dict.fromkeys(LIMITS, _NO_LIMIT)
        self._demand = Demand(follows_load=True)

    def configure(self, modes: Mapping[str, ModeValue], seen: Measured) -> None:
        """Take over the modes that are in force now."""
        del seen
        self._limits_w = {mode: _watts(modes.get(mode)) for mode in LIMITS}

    def step(self, dt_s: float, seen: Measured) -> Demand:
        """The limits; they depend on the load, not on time or grid."""
        del dt_s
        limits_w, load_w, demand = self._limits_w, seen.load_w, self._demand
        demand.limit_w = min(limits_w[EXPORT] + load_w, limits_w[GENERATION])
        demand.floor_w = max(load_w - limits_w[IMPORT], -limits_w[LOAD])
        return demand

    def horizon_s(self, seen: Measured) -> float:
        """No timer runs."""
        del seen
        return float("inf")


def parameters_of(mode: str) -> tuple[Parameter, ...]:
    """The range of the mode, which dersim checks before a value gets here."""
    return (Parameter("", "W", 0, 32767e9, f"CSIP-AUS 1.1 {mode}"),)


def _watts(value: ModeValue | None) -> float:
    known = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if known else _NO_LIMIT  # type: ignore[arg-type]  # a number where it is known
