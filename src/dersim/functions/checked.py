"""A control function of a plug-in, with its answers checked in every step.

A NaN or a None would make the whole step wrong. A horizon of 0 at every call would split it without end.
PluginError names the function and the answer.
"""

from __future__ import annotations

import math
from typing import Any, cast

from dersim.errors import PluginError
from dersim.functions.contract import NOTHING, ControlFunction, Demand
from dersim.hardware.measured import Measured
from dersim.numeric import finite, returned, shown

_NUMBERS = ("limit_w", "floor_w", "q_response_s")
_OPTIONAL = ("target_w", "override_w", "q_var")


class Checked:
    """Calls one control function; its other attributes are read from the function itself.

    demand: its last one, for what asks which function holds the DER back.
    """

    def __init__(self, name: str, function: ControlFunction) -> None:
        self._name = name
        self.function = function
        self._zero = False
        self.demand = NOTHING
        self.configure = function.configure

    def __getattr__(self, name: str) -> Any:
        """What is not checked, such as `settled` and `quiet_window`."""
        return getattr(self.function, name)

    def step(self, dt_s: float, seen: Measured) -> Demand:
        """The function's demand; PluginError if it is no Demand or holds a NaN."""
        demand = self.function.step(dt_s, seen)
        if not isinstance(demand, Demand):
            raise PluginError(
                f"control function {self._name}: step returned {returned(demand)}; return a Demand"
            )
        for field in _NUMBERS:
            self._check(field, getattr(demand, field))
        for field in _OPTIONAL:
            value = getattr(demand, field)
            if value is not None and finite(value) is None:
                self._refuse(field, value)
        if not 0 <= demand.q_response_s < math.inf:
            self._refuse("q_response_s", demand.q_response_s)
        self.demand = demand
        return demand

    def _check(self, field: str, value: object) -> None:
        if not _is_number(value):
            self._refuse(field, value)

    def _refuse(self, field: str, value: object) -> None:
        raise PluginError(
            f"control function {self._name}: {field} of its Demand is {shown(value)}; set a number"
        )

    def horizon_s(self, seen: Measured) -> float:
        """Seconds until its timer ends; PluginError if it is no number, or 0 again and again."""
        left_s = self.function.horizon_s(seen)
        stuck = self._zero and left_s == 0
        if not _is_number(left_s) or left_s < 0 or stuck:
            again = " again and again" if stuck else ""
            raise PluginError(
                f"control function {self._name}: horizon_s returned {returned(left_s)}{again}; "
                f"return seconds above 0, math.inf without a timer"
            )
        self._zero = left_s == 0
        return left_s


def checked(name: str, function: ControlFunction) -> ControlFunction:
    """The function itself if it comes with dersim, else with its answers checked."""
    own = type(function).__module__.startswith("dersim.")
    return function if own else cast("ControlFunction", Checked(name, function))


def _is_number(value: object) -> bool:
    return finite(value) is not None or (isinstance(value, float) and math.isinf(value))
