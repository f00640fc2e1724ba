"""When and how a DER returns to service, from the timers of its functions: as a document and in words."""

from __future__ import annotations

from typing import Any, NamedTuple

from dersim.device import Device
from dersim.functions.base import INF
from dersim.functions.enter_service import EnterService, Missing


class Returning(NamedTuple):
    """The way back of a DER that is out of service, ceased or on the ramp of entering service.

    state: "counting" (the delay runs), "waiting" (for `missing`), "ceased", "entering" (on the ramp),
    "stopped", "not permitted", "blocked" (by `by`) or "failed".
    left_s: simulated seconds until service is entered, or until the ramp is at setMaxW; None: not known.
    progress_pct: of setMaxW, allowed by the ramp.
    """

    state: str
    left_s: float | None = None
    missing: tuple[Missing, ...] = ()
    by: str = ""
    progress_pct: float | None = None


def returning(device: Device) -> Returning | None:
    """The way back; None in service and before the first step."""
    service = device.chain.service
    if not device.seen.running:
        return None
    if not service.in_service:
        return _out(device)
    if service.ceased:
        return Returning("ceased", missing=_ceased(device))
    enter = device.functions.get("enter-service")
    return _ramp(enter, device.settings.setMaxW) if isinstance(enter, EnterService) else None


def _out(device: Device) -> Returning:
    """The way back of a DER that is out of service."""
    service, enter, by = device.chain.service, device.functions.get("enter-service"), _name(device)
    missing = tuple(enter.missing(device.seen)) if isinstance(enter, EnterService) else ()
    if service.failed:
        found = Returning("failed")
    elif not service.permitted:
        found = Returning("stopped")
    elif by == "connect":
        found = Returning("not permitted", by=by)
    elif missing:
        found = Returning("waiting", missing=missing)
    elif by:
        found = Returning("blocked", by=by)
    else:
        found = Returning("counting", left_s=service.enter_service_s)
    return found


def _ramp(enter: EnterService, most_w: float) -> Returning | None:
    if enter.ramp_w == INF:
        return None
    return Returning("entering", enter.ramp_left_s, progress_pct=100 * enter.ramp_w / most_w)


def _name(device: Device) -> str:
    """The function that keeps the DER out of service."""
    holder = device.chain.service.holder
    return next((name for name, function in device.chain.called.items() if function is holder), "")


def _ceased(device: Device) -> tuple[Missing, ...]:
    """The voltage to which momentary cessation waits to return."""
    seen = device.seen
    low, high = getattr(device.functions.get("momentary-cessation"), "quiet_window", (0.0, INF))[:2]
    found = (Missing("voltage", 100 * v, 100 * low, 100 * high, "%") for v in (seen.v_low_pu, seen.v_high_pu))
    return tuple(each for each in found if not each.low <= each.value <= each.high)[:1]


def document(device: Device, rate: float = 1.0) -> dict[str, Any] | None:
    """`return` of the setpoints and overview documents. rate: simulated seconds per second."""
    found = returning(device)
    if found is None:
        return None
    return {
        "state": found.state,
        "left_s": None if found.left_s is None else round(found.left_s, 1),
        "progress_pct": None if found.progress_pct is None else round(found.progress_pct, 2),
        "waits_for": [_missing(each) for each in found.missing],
        "by": found.by or None,
        "text": words(found, "s" if rate == 1 else "simulated seconds"),
    }


def _missing(each: Missing) -> dict[str, Any]:
    bounds = {"low": each.low, "high": None if each.high == INF else each.high}
    return {"quantity": each.quantity, "value": round(each.value, 3), **bounds, "unit": each.unit}


def words(found: Returning, unit: str = "s") -> str:
    """In words: "returns in 187 s if the grid stays good"; unit: that of the seconds."""
    left = f"{found.left_s or 0.0:.0f} {unit}"
    progress = f"{found.progress_pct or 0.0:.0f} % of setMaxW allowed"
    return {
        "counting": f"returns in {left} if the grid stays good",
        "entering": f"entering service: {progress}, {left} left",
        "waiting": f"waits for {' and '.join(_waits(each) for each in found.missing)}",
        "ceased": f"returns at once with {''.join(_within(each) for each in found.missing) or 'the grid'}",
        "stopped": "stopped by command",
        "not permitted": "not permitted: permit service is off",
        "blocked": f"kept out of service by {found.by}",
        "failed": "does not return: the DER failed",
    }[found.state]


def _waits(each: Missing) -> str:
    return f"{each.quantity} to come within {each.low:g} to {each.high:g} {each.unit} (now {each.value:.4g})"


def _within(each: Missing) -> str:
    return f"{each.quantity} within {each.low:.4g} to {each.high:.4g} {each.unit} (now {each.value:.4g})"
