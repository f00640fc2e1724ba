"""The switch of the DER (opModConnect), as 123.Conn and 802.SetOp of SunSpec, with its reversion timer."""

from __future__ import annotations

from dersim.local_control.reversion import Timers
from dersim.local_control.submitting import allow, release, submit
from dersim.local_control.view import View
from dersim.setpoint_sources import Rank, SetpointSource


class Switch:
    """The switch, one for all models."""

    def __init__(self, view: View, timers: Timers) -> None:
        self._view = view
        self._detail = ""
        self._timer = timers.add(self._revert)

    @property
    def works(self) -> bool:
        """Whether this DER can be told to open it."""
        return self._view.supports("opModConnect")

    @property
    def closed(self) -> bool:
        """Whether nothing in force opens it."""
        return self._view.setpoints.value("opModConnect") is not False

    def is_opened_by(self, detail: str) -> bool:
        """Whether this register asked for it to be open, and nobody locally asked for anything since."""
        held = self._view.requests("opModConnect", Rank.LOCAL)
        return bool(held) and held[0].detail == detail and held[0].value is False

    def move(self, source: SetpointSource, *, closed: bool, detail: str, revert_s: float = 0) -> None:
        """Close or open it; open for at most revert_s where that is above 0."""
        expires_s = self._view.now_s() + revert_s if revert_s and not closed else None
        view = self._view
        submit(view, allow(view, source, "opModConnect", detail, allowed=closed, expires_s=expires_s))
        self._detail = detail
        self._timer.start(0 if closed else revert_s)
        self._view.touched()

    def _revert(self) -> None:
        """The timer ran out: what others keep open stays open."""
        submit(self._view, release(self._view, ("opModConnect",), self._detail))
        self._view.touched()
