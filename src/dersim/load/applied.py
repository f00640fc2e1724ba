"""Whether a DER does what a control asks of its active power."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dersim.modes import ModeValue

if TYPE_CHECKING:
    from dersim.device import Device

#: P may differ by this part of the limit, and by this part of setMaxW where the limit is near 0.
_OF_LIMIT, _OF_MAX = 0.02, 0.002


def is_applied(device: Device, mrid: str) -> bool | None:
    """Whether P is within 2 % of what the control's modes ask for; None where it rules none any more.

    A DER whose source gives less than a target is at its target once it gives all of it. Modes that say
    nothing of P (Volt-Var, power factor) are applied as soon as they are in force.
    """
    modes = {line.mode: line.value for line in device.setpoints.in_force() if line.detail == mrid}
    return all(_holds(device, mode, value) for mode, value in modes.items()) if modes else None


def _holds(device: Device, mode: str, value: ModeValue) -> bool:
    settings, state = device.settings, device.state
    if mode in ("opModConnect", "opModEnergize"):
        return bool(value) or _is_near(state.p_w, 0.0, settings.setMaxW)
    if not isinstance(value, int | float):
        return True
    if mode == "opModMaxLimW":
        limit_w = value / 100 * settings.setMaxW
        return state.p_w <= limit_w or _is_near(state.p_w, limit_w, settings.setMaxW)
    if mode in ("opModFixedW", "opModTargetW"):
        base_w = settings.setMaxW if value >= 0 else settings.setMaxChargeRateW
        target_w = value / 100 * base_w if mode == "opModFixedW" else value
        possible_w = min(max(target_w, -state.charge_available_w), state.available_w)
        return _is_near(state.p_w, possible_w, settings.setMaxW)
    return True


def _is_near(p_w: float, wanted_w: float, most_w: float) -> bool:
    return abs(p_w - wanted_w) <= max(_OF_LIMIT * abs(wanted_w), _OF_MAX * most_w)
