"""opModStorageTargetW: the power of the storage behind one EndDevice, in W; negative charges.

Since 1.3 of CSIP-AUS. The limits of `limits.py` and the reserve (setMinWh) hold beside it.
"""

from __future__ import annotations

from collections.abc import Mapping

from dersim.plugin import NOTHING, Demand, Measured, ModeValue, Nameplate, Parameter, Settings

TARGET = "opModStorageTargetW"


class StorageTarget:
    """The target of one DER; called in each step while it is in force."""

    def __init__(self, nameplate: Nameplate, settings: Settings) -> None:
        del nameplate, settings
        self.settled = True
        self._demand = NOTHING

    def configure(self, modes: Mapping[str, ModeValue], seen: Measured) -> None:
        """Take over the W to hold."""
        del seen
        target_w = modes.get(TARGET)
        known = isinstance(target_w, int | float) and not isinstance(target_w, bool)
        self._demand = Demand(target_w=float(target_w)) if known else NOTHING  # type: ignore[arg-type]  # a number here

    def step(self, dt_s: float, seen: Measured) -> Demand:
        """Ask for the target."""
        del dt_s, seen
        return self._demand

    def horizon_s(self, seen: Measured) -> float:
        """No timer runs."""
        del seen
        return float("inf")


def has_storage(nameplate: Nameplate) -> bool:
    """Whether a DER has the mode."""
    return nameplate.rtgMaxWh > 0


def check(mode: str, value: ModeValue, nameplate: Nameplate, settings: Settings) -> str:
    """A target beyond the ratings is refused with a reason."""
    del mode, settings
    low, high = 0.0 - nameplate.rtgMaxChargeRateW, nameplate.rtgMaxDischargeRateW
    if isinstance(value, int | float) and not low <= value <= high:
        return f"{value:g} W is outside {low:g} to {high:g} W"
    return ""


PARAMETERS = (Parameter("", "W", -32767e9, 32767e9, "CSIP-AUS 1.3 opModStorageTargetW"),)
