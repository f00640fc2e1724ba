"""What each DER obeys, compared with what the server says is active, by mode."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dersim.ieee2030_5.event_types import Phase
from dersim.utility.program import (
    ACTIVE,
    CANCELLED,
    CANCELLED_AT_RANDOM,
    SCHEDULED,
    SUPERSEDED,
    Control,
)

if TYPE_CHECKING:
    from collections.abc import Set

    from tests.chaos.machine import Machine

    from dersim.ieee2030_5.event_types import EventView

#: EventStatus of a control that has not begun, or has ended before its time.
_MAY_NOT_BEGIN = (SCHEDULED, CANCELLED, CANCELLED_AT_RANDOM, SUPERSEDED)


class InForceCheck:
    """Compares in calm, where nothing has changed for two polls."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        #: The mRIDs of controls that ended before their time, as every client has had the time to read.
        self._shown: set[str] = set()

    def look(self) -> None:
        """Compare."""
        machine = self._machine
        now_s = machine.world.utility.now_s()
        programs = machine.world.utility.head_end.programs
        controls = [control for program in programs for control in program.controls.values()]
        read_s = now_s - machine.reading_s
        self._shown |= {c.mrid for c in controls if not c.live and c.status_since_s < read_s}
        if not machine.is_settled():
            return
        active = [control for control in controls if self._is_active(control, now_s)]
        certain = {mode: c.mrid for c in active for mode in c.competing_modes - c.lost}
        open_modes = {mode for c in controls if self._is_open(c, now_s) for mode in c.modes}
        # A DER that has never seen the winner carries out what the loser has lost.
        open_modes |= {mode for c in active for mode in c.lost}
        # One that lost to another before primacies changed does not come back.
        open_modes |= {mode for c in active if c.mrid in machine.acts.reordered for mode in c.modes}
        # One that was told to be superseded never comes back, even if its winner never begins.
        recent = [control for control in programs.recent if control.status in _MAY_NOT_BEGIN]
        open_modes |= {mode for c in active for each in recent if _takes_from(each, c) for mode in c.modes}
        listed = {control.mrid for control in controls}
        for number in range(1, machine.drawn.ders + 1):
            views = machine.views(number)
            gone = {mode for view in views if self._goes_on(view, listed, now_s) for mode in view.modes}
            self._compare(number, certain, open_modes | gone)

    def _goes_on(self, view: EventView, listed: Set[str], now_s: float) -> bool:
        """Whether one that left its list early is carried out: by 2018 that is no cancellation.

        Only where nobody has had the time to read how it ended, and not beyond its interval.
        """
        if view.phase is not Phase.ACTIVE or view.mrid in listed or view.mrid in self._shown:
            return False
        return now_s < view.start_s + view.duration_s

    def _compare(self, number: int, certain: dict[str, str], open_modes: set[str]) -> None:
        machine = self._machine
        views = machine.views(number)
        doubtful = {mode for view in views if view.mrid in machine.acts.doubtful for mode in view.modes}
        ruling = {mode: view.mrid for view in views if view.phase is Phase.ACTIVE for mode in view.modes}
        supported = machine.world.device(number).setpoints.supported_modes
        for mode in sorted(((certain.keys() | ruling.keys()) & supported) - open_modes - doubtful):
            wanted, seen = certain.get(mode), ruling.get(mode)
            if wanted != seen:
                why = next((view.why for view in views if view.mrid == wanted), "not held")
                machine.find("in force", number, f"{mode} from {wanted or 'no control'}", f"{seen} ({why})")

    def _is_active(self, control: Control, now_s: float) -> bool:
        return control.status == ACTIVE and not self._is_open(control, now_s)

    def _is_open(self, control: Control, now_s: float) -> bool:
        """Whether it may be in force or not: near its ends, drawn by the DER, or doubtful."""
        if control.mrid in self._machine.acts.doubtful:
            return True
        slack_s = 2 * self._machine.drawn.tick_s + 5
        least = min(0, control.randomize_start_s) + min(0, control.randomize_duration_s)
        begins = control.earliest_start_s - slack_s <= now_s <= control.latest_start_s + slack_s
        ends = control.end_s + least - slack_s <= now_s <= control.latest_end_s + slack_s
        is_random = control.randomize_start_s or control.randomize_duration_s
        return (
            begins or ends or (bool(is_random) and control.status != ACTIVE and now_s <= control.latest_end_s)
        )


def _takes_from(winner: Control, loser: Control) -> bool:
    """Whether one that has not begun takes modes from another: a DER that read both at once runs it never."""
    goes_first = (winner.program.primacy, -winner.creation_s) < (loser.program.primacy, -loser.creation_s)
    meets = winner.earliest_start_s < loser.latest_end_s and bool(winner.competing_modes & set(loser.modes))
    return goes_first and meets
