"""The owner of a server under test: is asked for nothing twice, and to clear up after a procedure."""

from __future__ import annotations

from collections.abc import Sequence

from dersim.conformance.operator import Instruction, Operator, Step
from dersim.conformance.server.steps import AddGroup, AddProgram, Register, Unregister


class Owner:
    """Asks an operator.

    EndDevices stay registered from procedure to procedure; groups, programs and what is in them do not.
    """

    def __init__(self, operator: Operator) -> None:
        self._operator = operator
        self._registered: list[Register] = []
        self._made: list[str] = []

    async def carry_out(self, steps: Sequence[Step]) -> bool:
        """What is not done yet."""
        new = [step for step in steps if step not in self._registered]
        if not await self._operator.carry_out(new):
            return False
        for step in new:
            if isinstance(step, Register):
                self._registered.append(step)
            elif isinstance(step, Unregister):
                self._registered = [each for each in self._registered if each.lfdi != step.lfdi]
            elif isinstance(step, AddGroup | AddProgram):
                what = "group" if isinstance(step, AddGroup) else "DERProgram"
                self._made.append(f"{what} {step.name}")
        return True

    async def clear_up(self) -> None:
        """Ask for what was made to be removed; the next procedure has a tree of its own."""
        made, self._made = self._made, []
        if made:
            await self._operator.carry_out(
                [Instruction(f"Remove what was made with all in it: {', '.join(made)}")]
            )
