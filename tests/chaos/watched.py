"""The invariants of `dersim.invariants` that make sense in virtual time, each as often as it can find something."""

from __future__ import annotations

from collections.abc import Iterable

from dersim.invariants import Invariant, Look, Violation, all_invariants
from dersim.invariants.conflicts import Conflicts
from dersim.invariants.leaks import Leaks
from dersim.invariants.loop_lag import LoopLag
from dersim.invariants.memory import Memory

#: They measure the process by real time; several simulators are in one here, so tasks are counted elsewhere.
OF_THE_PROCESS = (Leaks, LoopLag, Memory)
#: How long nothing is looked at again that has not changed, s.
PATIENCE_S = 60.0


class WhereItMoved(Invariant):
    """Another invariant, looked at where setpoints have changed since, and after PATIENCE_S."""

    def __init__(self, inner: Invariant) -> None:
        self._inner = inner
        self._seen: tuple[int, int] = (-1, -1)
        self._next_s = 0.0

    def check(self, look: Look) -> Iterable[Violation]:
        """Look, if there may be news."""
        seen = (look.device.setpoints.changes, len(look.exchanges))
        if seen == self._seen and look.now_s < self._next_s:
            return ()
        self._seen, self._next_s = seen, look.now_s + PATIENCE_S
        return self._inner.check(look)


def watched() -> list[Invariant]:
    """A new one of each, for one run of one simulator."""
    kinds = [each for each in all_invariants() if not isinstance(each, OF_THE_PROCESS)]
    return [WhereItMoved(each) if isinstance(each, Conflicts) else each for each in kinds]
