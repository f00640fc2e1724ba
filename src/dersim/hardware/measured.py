"""The measurements of a step, the input of every control function."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

from dersim.grid.conditions import Conditions


def _no_limit(_p_w: float) -> float:
    return math.inf


def _no_var(_p_w: float) -> tuple[float, float]:
    return 0.0, 0.0


class Undisturbed(NamedTuple):
    """A DER without its response to the frequency.

    p_w: its active power without limits by command, W. entering: on the ramp of entering service; ramping: on
    any ramp. dark: it delivers nothing because its PV has no power.
    """

    p_w: float
    entering: bool
    ramping: bool
    dark: bool


#: Before the first step.
UNKNOWN = Undisturbed(0.0, False, False, False)


def _unknown() -> Undisturbed:
    return UNKNOWN


@dataclass(slots=True)
class Measured:
    """What a control function may read; written by the device and the chain only.

    v_pu: the mean of the phases, corrected by setVRefOfs and setVRef, per unit; v_low_pu, v_high_pu: the
    lowest and highest of the phase-to-neutral and phase-to-phase voltages, per unit; terminal_v_pu: the mean
    of the phases as it is at the terminals, per unit of rtgVNom. frequency_hz, angle_deg, rocof_hz_s and
    grid_lost: as in `Conditions`; disturbed: the frequency moves or the grid is lost.
    load_w, load_var: what the load behind the DER's meter consumes, all phases; 0 without one. The site
    delivers p_w - load_w.
    available_w: available power on the AC side; charge_w: available charging power (>= 0).
    p_w, q_var: the output at the end of the last step. before_w: the same P, during a cessation that before
    it; None out of service and before the first step. command_w: the limit by command.
    wanted_w: P as decided so far in this step, for the later stages; undisturbed: for functions of stage
    ``frequency``, what the DER would deliver without them. in_service: whether in service.
    running: False until the first step, when filters start at their inputs. blocked: some function or the
    operator keeps the DER out of service. va_limit, var_available: the apparent power limit (VA) and
    the reactive power available (var, injecting and absorbing, both >= 0) at an active power (W).
    """

    KEPT: ClassVar[tuple[str, ...]] = (
        "v_pu",
        "v_low_pu",
        "v_high_pu",
        "terminal_v_pu",
        "frequency_hz",
        "angle_deg",
        "rocof_hz_s",
        "grid_lost",
        "disturbed",
        "load_w",
        "load_var",
        "available_w",
        "charge_w",
        "p_w",
        "q_var",
        "before_w",
        "command_w",
        "wanted_w",
        "in_service",
        "running",
        "blocked",
    )

    v_pu: float = 1.0
    v_low_pu: float = 1.0
    v_high_pu: float = 1.0
    terminal_v_pu: float = 1.0
    frequency_hz: float = 60.0
    angle_deg: tuple[float, float, float] = (0.0, 0.0, 0.0)
    rocof_hz_s: float = 0.0
    grid_lost: bool = False
    disturbed: bool = False
    load_w: float = 0.0
    load_var: float = 0.0
    available_w: float = 0.0
    charge_w: float = 0.0
    p_w: float = 0.0
    q_var: float = 0.0
    before_w: float | None = None
    command_w: float = math.inf
    wanted_w: float = 0.0
    in_service: bool = True
    running: bool = False
    blocked: bool = False
    va_limit: Callable[[float], float] = _no_limit
    var_available: Callable[[float], tuple[float, float]] = _no_var
    undisturbed: Callable[[], Undisturbed] = _unknown

    def disturb(self, now: Conditions) -> bool:
        """Take over angles, rate of the frequency and loss of the grid; whether they have changed."""
        before = self.angle_deg, self.rocof_hz_s, self.grid_lost
        self.angle_deg, self.rocof_hz_s, self.grid_lost = after = now[9:12]
        self.disturbed = self.grid_lost or self.rocof_hz_s != 0
        return after != before

    @property
    def flowing_w(self) -> float:
        """The output from which a ramp or lag starts, W: p_w, or before_w during a momentary cessation."""
        return self.p_w if self.before_w is None else self.before_w
