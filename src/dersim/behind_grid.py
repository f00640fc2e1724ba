"""A DER behind a grid: what it delivers to it, and the voltages and the frequency that come back."""

from __future__ import annotations

from typing import Any, NamedTuple

from dersim.functions.base import INF
from dersim.functions.chain import Chain
from dersim.grid.conditions import Conditions
from dersim.grid.inputs import Inputs
from dersim.hardware.measured import Measured
from dersim.hardware.nameplate import Nameplate
from dersim.hardware.state import Triple


class Output(NamedTuple):
    """P (W, generation positive) and Q (var, injecting positive) of phases A, B, C; 0 where there is none.

    Of a DER with a load behind its meter, DER less load.
    """

    p_w: Triple
    q_var: Triple


class BehindGrid:
    """The part of `Device` that faces a grid. shares: of each phase in P and Q."""

    nameplate: Nameplate
    inputs: Inputs
    chain: Chain
    seen: Measured
    shares: Triple
    moved_s: float
    _asked: object = None
    _response_s = INF
    _last_s: float
    _conditions: Conditions | None
    _state: Any

    def _look(self, conditions: Conditions) -> None:
        raise NotImplementedError

    @property
    def output(self) -> Output:
        """What it delivers at the end of the last step, without building a state."""
        seen, (a, b, c) = self.seen, self.shares
        p, q = seen.p_w, seen.q_var
        if self.inputs.site is None:
            return Output((p * a, p * b, p * c), (q * a, q * b, q * c))
        now = self._conditions or self.inputs.constants
        (w_a, w_b, w_c), (var_a, var_b, var_c) = now.load_w, now.load_var
        return Output((p * a - w_a, p * b - w_b, p * c - w_c), (q * a - var_a, q * b - var_b, q * c - var_c))

    @property
    def voltage_response_s(self) -> float:
        """The shortest open-loop time of its functions in force that respond to the voltage, s; inf: none."""
        enabled = self.chain.enabled
        if enabled is not self._asked:  # a new list after every change of modes or settings
            self._asked = enabled
            times_s = (getattr(each, "voltage_response_s", INF) for each in enabled)
            self._response_s = min(times_s, default=INF)
        return self._response_s

    def meet(
        self, voltage_pu: Triple | None, frequency_hz: float | None = None, rocof_hz_s: float = 0.0
    ) -> None:
        """Take over what a grid gives at the instant of the last step: the conditions of the next one.

        voltage_pu: of the phases that it has, per unit of rtgVNom; frequency_hz, rocof_hz_s: Hz, Hz/s. The
        state shows them at once. What is within a dead band (1e-6 pu, 6e-5 Hz) of before is left, and a DER
        at rest stays at rest. Inputs that are not held by a grid stay as they are.
        """
        if voltage_pu is not None and (phases := self.nameplate.phases) < 3:
            a, b, _ = voltage_pu
            voltage_pu = (a, b if phases == 2 else a, a)
        if not (moved := self.inputs.meet(voltage_pu, frequency_hz, rocof_hz_s)) or self._conditions is None:
            return
        constant = self.inputs.constant
        self._look(self.inputs.constants if constant else self._conditions._replace(**moved))
        self.chain.settled, self.moved_s, self._state = False, self._last_s, None
