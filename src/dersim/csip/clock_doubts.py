"""What an EventStatus says about a clock: the server has begun an event that we hold as future, or offers one
that we hold as over.

Either our clock or the status is wrong, and many servers leave a status as it was. So each such control asks
once for a sample of the Time resource. A control that seems to be over is also held back until the sample:
its rejection could not be taken back.
"""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Set as AbstractSet

from dersim.ieee2030_5.resources import DERControl

_SCHEDULED, _ACTIVE = 0, 1
#: A control is in the future, or over, for certain if it is so by this much, s.
_CERTAIN_S = 2.0
#: How long a control is held back at the most: Time may be sampled 15 s after the sample before, s.
HELD_S = 20.0


class ClockDoubts:
    """The controls of one DER that have cast doubt on a clock. most: how many are remembered.

    on_doubt: given the time_href of the clock.
    """

    def __init__(self, on_doubt: Callable[[str], None], most: int) -> None:
        self._on_doubt = on_doubt
        self._most = most
        self._doubted: set[str] = set()
        self._held: dict[str, float] = {}

    def hold_back(self, control: DERControl, time_href: str, server_now_s: float, now_s: float) -> bool:
        """Whether a control that is not held yet should wait for a sample. now_s: simulated time."""
        mrid = control.mRID
        is_over = _seems_over(control, server_now_s)
        if mrid not in self._doubted and (is_over or _begun_early(control, server_now_s)):
            if len(self._doubted) >= self._most:
                self._doubted.clear()
                self._held.clear()
            self._doubted.add(mrid)
            if is_over:
                self._held[mrid] = now_s + HELD_S
            self._on_doubt(time_href)
        return is_over and now_s < self._held.get(mrid, 0.0)

    def __len__(self) -> int:
        """How many controls are remembered."""
        return len(self._doubted)

    def keep(self, mrids: AbstractSet[str]) -> None:
        """Forget all but these: no list has the others."""
        self._doubted &= mrids
        self._held = {mrid: until_s for mrid, until_s in self._held.items() if mrid in mrids}

    def settle(self) -> None:
        """The clocks were sampled: nothing is held back any longer."""
        self._held.clear()


def _begun_early(control: DERControl, server_now_s: float) -> bool:
    earliest_s = control.interval.start + min(0, control.randomizeStart or 0)
    return control.EventStatus.currentStatus == _ACTIVE and earliest_s > server_now_s + _CERTAIN_S


def _seems_over(control: DERControl, server_now_s: float) -> bool:
    if control.EventStatus.currentStatus not in (_SCHEDULED, _ACTIVE):
        return False
    later_s = max(0, control.randomizeStart or 0) + max(0, control.randomizeDuration or 0)
    end_s = control.interval.start + control.interval.duration + later_s
    return end_s < server_now_s - _CERTAIN_S
