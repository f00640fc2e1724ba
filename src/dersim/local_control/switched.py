"""Modes that one enable of a protocol switches together: a limit, a curve, the curves of a trip model.

Nothing is submitted here: `on`, `off` and `released` give the changes, for `submitting.submit`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from dersim.local_control.submitting import changes_of, release
from dersim.local_control.view import View
from dersim.modes import ModeValue
from dersim.setpoint_sources import Rank, SetpointSource
from dersim.setpoints import InForce, SetpointChange

Modes = Mapping[str, ModeValue | None]


class Switched:
    """One enable of one protocol.

    modes: what it switches. detail: its name in the journal, by which it knows its own setpoints. off: the
    modes that mean "disabled" where something is always in force, as trip curves are; None: the modes are
    withdrawn.
    """

    def __init__(self, view: View, modes: Sequence[str], detail: str, off: Modes | None = None) -> None:
        self.view = view
        self.modes = tuple(modes)
        self.detail = detail
        self._off = off

    @property
    def acts(self) -> bool:
        """Whether something is in force or waits, whoever asked for it: then the enable reads 1."""
        if self._off is not None:
            values = self._off.items()
            return any(self.view.setpoints.value(m) != off for m, off in values if off is not None)
        return any(self.view.in_force_or_waiting(mode) for mode in self.modes)

    @property
    def held(self) -> list[InForce]:
        """What is in force of each mode, else what waits there for its turn: what the points show."""
        return [item for mode in self.modes if (item := self.view.in_force_or_waiting(mode))]

    @property
    def own(self) -> list[InForce]:
        """What was asked for here, in force or overridden."""
        held = (item for mode in self.modes for item in self.view.requests(mode, Rank.LOCAL))
        return [item for item in held if item.detail == self.detail]

    @property
    def is_on(self) -> bool:
        """Whether this enable switched it on, or it acts always and was not switched off here."""
        if self._off is None:
            return bool(self.own)
        off = {mode: value for mode, value in self._off.items() if value is not None}
        return {item.mode: item.value for item in self.own} != off and self.acts

    @property
    def waits(self) -> bool:
        """Whether something that was asked for here is overridden."""
        return any(item.overridden_by for item in self.own)

    @property
    def is_below_event(self) -> bool:
        """Whether a DERControl is in force, below which what is asked for here waits."""
        return any(item.source.rank is Rank.EVENT for item in self.held)

    @property
    def is_taken(self) -> bool:
        """Whether another local source, or another enable, rules: it asked later than this one."""
        return any(item.source.is_local and item.detail != self.detail for item in self.held)

    def on(
        self, source: SetpointSource, modes: Modes, expires_s: float | None = None
    ) -> list[SetpointChange]:
        """The changes that put these values in force; None withdraws. expires_s: simulated UTC."""
        return changes_of(self.view, source, modes, self.detail, expires_s)

    def off(self, source: SetpointSource) -> list[SetpointChange]:
        """The changes that switch it off for every local source and the nameplate; events stay."""
        modes = dict.fromkeys(self.modes) if self._off is None else self._off
        return changes_of(self.view, source, modes, self.detail)

    def released(self) -> list[SetpointChange]:
        """The changes that withdraw what was asked for here, and nothing else: its time is over."""
        return release(self.view, self.modes, self.detail)
