"""opModConnect and opModEnergize: whether the DER may be in service (2030.5-2018 10.10.4).

opModConnect false opens the switch (galvanic isolation); opModEnergize false stops the current and leaves the
switch closed. Both take the DER out of service; it returns by the rules of enter service (1547-2018 4.6.1,
4.10). A switch that was opened closes when service is entered; one that was closed stays so.
"""

from __future__ import annotations

from collections.abc import Mapping

from dersim.functions.base import Function
from dersim.functions.contract import NOTHING, Demand, FunctionType
from dersim.hardware.measured import Measured
from dersim.modes import ModeValue

CONNECT, ENERGIZE = "opModConnect", "opModEnergize"
_OFF, _STANDBY = Demand(off=True), Demand(standby=True)


class Connect(Function):
    """Permission to be in service."""

    _demand = NOTHING

    def configure(self, modes: Mapping[str, ModeValue], seen: Measured) -> None:
        """Take over both modes; service needs both to be true or absent."""
        if not modes.get(CONNECT, True):
            self._demand = _OFF
        else:
            self._demand = NOTHING if modes.get(ENERGIZE, True) else _STANDBY

    def step(self, dt_s: float, seen: Measured) -> Demand:
        """Ask for `off` or `standby` while service is not allowed."""
        return self._demand


TYPE = FunctionType(
    name="connect",
    modes=(CONNECT, ENERGIZE),
    stage="protect",
    make=Connect,
    sunspec_models=(703,),
    order=40,
    doc="connect and energize",
    acts_without=lambda _plate: {CONNECT: True, ENERGIZE: True},
)
