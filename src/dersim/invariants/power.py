"""I4: P, Q and S within the ratings, and P below a limit once its ramp is over."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

from dersim.invariants.base import Invariant, Look, Violation

if TYPE_CHECKING:
    from dersim.device import Device
    from dersim.setpoint_sources import SetpointSource
    from dersim.setpoints import InForce

#: Rounding, of a rating.
SLACK = 1e-3
#: After the end of a ramp, ticks.
GRACE_TICKS = 2
LIMIT = "opModMaxLimW"


class Power(Invariant):
    """Ratings at every tick, limits after their ramp."""

    id = "I4"
    statement = "P, Q and S are within the ratings; P keeps a limit one tick after its ramp."

    def __init__(self) -> None:
        self._seen: dict[int, tuple[tuple[SetpointSource, object, int], float]] = {}

    def check(self, look: Look) -> Iterator[Violation]:
        """Compare the state with the nameplate and with the limit in force."""
        state, plate = look.device.state, look.device.nameplate
        most_va = max(plate.rtgMaxVA, plate.rtgMaxChargeRateVA)
        lowest_w = -max(plate.rtgMaxChargeRateW, plate.night_draw_w)
        for name, unit, value, low, high in (
            ("P", "W", state.p_w, lowest_w, plate.rtgMaxW),
            ("Q", "var", state.q_var, plate.rtgMaxVarNeg, plate.rtgMaxVar),
            ("S", "VA", math.hypot(state.p_w, state.q_var), 0.0, most_va),
        ):
            if not low - SLACK * most_va <= value <= high + SLACK * most_va:
                yield look.violation(Power, f"{name} from {low:g} to {high:g} {unit}", f"{value:.1f} {unit}")
        yield from self._limit(look, state.p_w)

    def _limit(self, look: Look, p_w: float) -> Iterator[Violation]:
        device = look.device
        limit = next((each for each in device.setpoints.in_force() if each.mode == LIMIT), None)
        if limit is None or not isinstance(limit.value, float | int):
            return
        most_w = limit.value / 100 * device.settings.setMaxW
        since_s = max(limit.since_s, device.settings.changed_s, self._in_force_s(device, limit))
        due_s = since_s + _ramp_s(device) + GRACE_TICKS * look.tick_s
        if device.state.time_s > due_s and p_w > most_w + SLACK * device.nameplate.rtgMaxW:
            wanted = f"P at most {most_w:.1f} W ({limit.source.label} {limit.detail})"
            yield look.violation(Power, wanted, f"{p_w:.1f} W, {device.state.time_s - since_s:.1f} s after")

    def _in_force_s(self, device: Device, limit: InForce) -> float:
        """When this limit was first seen in force: one below an event is older than its turn.

        After any change it may have been below an event for less than a tick.
        """
        now = limit.source, limit.value, device.setpoints.changes
        seen = self._seen.get(device.number)
        if seen is None or seen[0] != now:
            seen = self._seen[device.number] = now, device.state.time_s
        return seen[1]


def _ramp_s(device: Device) -> float:
    """How long the way to a new limit may take."""
    ramp = device.setpoints.ramps.get(LIMIT)
    gradient_pct_s = device.settings.setGradW
    whole_s = 100 / gradient_pct_s if gradient_pct_s > 0 else 0.0
    own_s = whole_s if ramp is None else ramp[0]
    return own_s + device.nameplate.battery_ramp_s
