"""The cycle of controls of `--cycle yes` and the demo: one mode after the other, until the server ends.

The first control, a limit of 40 %, starts five seconds after the server and is published at once, so that
clients find it in their first discovery. Later ones are published `LEAD_S` before their start. The curves are
shifted so that each has a visible effect at 1.00 pu and 60.00 Hz.
"""

from __future__ import annotations

import math

from dersim.modes import ModeValue, modes_from_json
from dersim.utility.program import Program
from dersim.utility.programs import ControlOrder, Programs

FIRST_START_S = 5
DURATION_S = 20
PAUSE_S = 10
LEAD_S = 40
RESPONSE_REQUIRED = 7

_DROOP = {"db_of_hz": 0.036, "db_uf_hz": 0.036, "k_of": 0.03, "k_uf": 0.03, "open_loop_s": 5}

_STEPS: tuple[tuple[str, dict[str, object]], ...] = (
    ("limit", {"opModMaxLimW": 40}),
    ("Volt-Var", {"opModVoltVar": {"curve": [[92, 60], [98, 40], [104, 0], [108, -60]], "open_loop_s": 1}}),
    ("fixed PF, injecting", {"opModFixedPFInjectW": {"pf": 0.9, "excitation": "inject"}}),
    ("Volt-Watt", {"opModVoltWatt": {"curve": [[96, 100], [104, 20]], "open_loop_s": 1}}),
    ("Watt-Var", {"opModWattVar": {"curve": [[0, 0], [40, 0], [100, -100]], "open_loop_s": 1}}),
    ("fixed VAR", {"opModFixedVar": {"percent": 50, "ref": "setMaxVar"}}),
    ("frequency droop", {"opModFreqDroop": _DROOP}),
    ("fixed W", {"opModFixedW": 55}),
    ("target W", {"opModTargetW": 3000}),
    ("target VAR", {"opModTargetVar": -2000}),
    ("fixed PF, absorbing", {"opModFixedPFInjectW": {"pf": 0.85, "excitation": "absorb"}}),
    ("limit with a ramp", {"opModMaxLimW": 25, "rampTms": 10}),
)


class Cycle:
    """Publishes the steps into one program. `advance` may be called at any interval."""

    def __init__(self, programs: Programs, program: Program) -> None:
        self._programs = programs
        self.program = program
        self._steps: list[tuple[str, dict[str, ModeValue]]] = [
            (name, modes_from_json(modes)) for name, modes in _STEPS
        ]
        self._next = 0
        self._first_start_s = 0
        self.running = False

    @property
    def progress(self) -> tuple[int, int, bool]:
        """The next step, the start of the first one, and whether it runs."""
        return self._next, self._first_start_s, self.running

    def go_on(self, step: int, first_start_s: int, ran: bool, *, running: bool, now_s: float) -> None:
        """Go on where an earlier run was, or begin anew where it did not. running: whether it is to run."""
        self._next, self._first_start_s = step, first_start_s
        self.running = ran and running
        if running and not ran:
            self._next = 0
            self.start(now_s)

    def start(self, now_s: float) -> None:
        """Publish the first step and whatever else is due."""
        self._first_start_s = math.ceil(now_s) + FIRST_START_S
        self.running = True
        self.advance(now_s)

    def advance(self, now_s: float) -> None:
        """Publish every step that is due; steps that are already over are skipped."""
        if not self.running:
            return
        period_s = DURATION_S + PAUSE_S
        while (start_s := self._first_start_s + self._next * period_s) - LEAD_S <= now_s:
            if start_s + DURATION_S > now_s:
                name, modes = self._steps[self._next % len(self._steps)]
                order = ControlOrder(
                    modes, start_s, DURATION_S, response_required=RESPONSE_REQUIRED, description=name
                )
                self._programs.publish(self.program, order, now_s)
                self._next += 1
            else:
                # After a long pause, go straight to the current step.
                self._next = max(self._next + 1, int(now_s - self._first_start_s - DURATION_S) // period_s)
