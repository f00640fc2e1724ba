"""Ramps: how fast the power may follow a command.

setGradW (2030.5-2018 10.10.4.5: "percentage change in output capability limit per second", 0 for no limit)
and rampTms of a control (the time in which the new setting is to be reached; it takes the place of setGradW)
bound how fast the *command* moves: the lowest of the limits by command, or the target. They do not slow the
answers to voltage and frequency, which have open-loop response times of their own, nor trips.

What moves is the limit, from the old to the new one: a power below both does not move. Where the power is
held down by a command or by the grid when a function is enabled, changed or disabled, the command sets out
from that power; so neither taking a limit away nor a Volt-Watt that ends lets it jump by more than the ramp
allows.
"""

from __future__ import annotations

from collections.abc import Mapping

from dersim.functions.base import INF, Function
from dersim.functions.contract import FunctionType, Parameter
from dersim.hardware.measured import Measured
from dersim.hardware.nameplate import Nameplate
from dersim.hardware.settings import Settings
from dersim.modes import ModeValue

RAMP, GRAD = "rampTms", "setGradW"


class Ramp(Function):
    """The command of active power and the change of reactive power, bounded in their rates.

    command_w: where the command is on its way. q_rate_var_s: while reactive power goes to a new setting in
    rampTms, the rate (var/s); else 0, and it moves with its function's open-loop response.
    """

    def __init__(self, nameplate: Nameplate, settings: Settings) -> None:
        super().__init__(nameplate, settings)
        self.ramp_s = 0.0
        self.command_w = 0.0
        self._rate_w_s = INF
        self.q_rate_var_s = 0.0

    def configure(self, modes: Mapping[str, ModeValue], seen: Measured) -> None:
        """Take over rampTms; setGradW is a setting."""
        ramp_s = modes.get(RAMP)
        self.ramp_s = float(ramp_s) if isinstance(ramp_s, float | int) else 0.0

    def begin(self, seen: Measured, goal_w: float) -> None:
        """The set of functions changed: set out from the power that flows, towards goal_w."""
        if not seen.running:
            self.command_w = goal_w
            return
        held_down = seen.p_w < seen.available_w * (1 - 1e-9) - 1e-6
        if held_down or goal_w < 0:
            self.command_w = seen.p_w
        else:
            self.command_w = max(self.command_w, seen.p_w)
        distance = abs(goal_w - self.command_w)
        grad = self.settings.setGradW
        if self.ramp_s > 0:
            self._rate_w_s = distance / self.ramp_s
        else:
            self._rate_w_s = self.settings.setMaxW * grad / 100 if grad > 0 else INF
        self.settled = False

    def follow(self, dt_s: float, goal_w: float) -> float:
        """The command after dt_s, W."""
        command = self.command_w
        if goal_w == command:
            self.settled = True
            return command
        step = self._rate_w_s * dt_s if self._rate_w_s != INF else INF
        if command < goal_w:
            command = goal_w if goal_w - command <= step else command + step
        else:
            command = goal_w if command - goal_w <= step else command - step
        self.command_w = command
        self.settled = command == goal_w
        return command

    def begin_q(self, seen: Measured, goal_var: float) -> None:
        """The reactive mode or its value changed: with rampTms, go to the new one in that time."""
        ramps = self.ramp_s > 0 and seen.running
        self.q_rate_var_s = abs(goal_var - seen.q_var) / self.ramp_s if ramps else 0.0

    def follow_q(self, dt_s: float, q_var: float, goal_var: float) -> float:
        """Reactive power after dt_s on the way from q_var; the ramp ends at the goal."""
        step = self.q_rate_var_s * dt_s
        if abs(goal_var - q_var) <= step:
            self.q_rate_var_s = 0.0
            return goal_var
        self.settled = False
        return q_var + step if goal_var > q_var else q_var - step


TYPE = FunctionType(
    name="ramp",
    modes=(RAMP, GRAD),
    stage="command",
    make=Ramp,
    parameters={
        RAMP: (Parameter("", "s", 0, 655.35, "2030.5 rampTms"),),
        GRAD: (Parameter("", "% setMaxW/s", 0, 655.35, "2030.5 setGradW"),),
    },
    standing=True,
    sunspec_models=(704,),
    order=90,
    doc="how fast the power may follow a command",
)
