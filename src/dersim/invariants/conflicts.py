"""I3: which control is in force on each mode, by comparing every event with every other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from dersim.ieee2030_5.event_types import EventView, Phase
from dersim.invariants.base import Invariant, Look, Violation
from dersim.invariants.published import asked_modes
from dersim.setpoint_sources import SetpointSource
from dersim.setpoints import Verdict

#: Each control has its own; which of several is shown means nothing.
RAMP = "rampTms"
#: EventStatus.currentStatus of a control that the server has superseded.
SUPERSEDED = 4


class Conflicts(Invariant):
    """One control a mode, the best one."""

    id = "I3"
    statement = "At most one control a mode; lowest primacy wins, then latest creationTime."

    def __init__(self) -> None:
        #: By DER: the events that were superseded at the last look.
        self._superseded: dict[int, frozenset[str]] = {}

    def check(self, look: Look) -> Iterator[Violation]:
        """Compare what is in force with the events that the client holds."""
        in_force = look.device.setpoints.in_force()
        for mode, count in Counter(each.mode for each in in_force).items():
            if count > 1:
                yield look.violation(Conflicts, f"one setpoint in force for {mode}", f"{count}")
        if look.client is None:
            return
        yield from self._one_ruler(look, look.views)
        yield from self._best_rules(look, look.views)
        yield from self._none_lost(look, look.views)
        yield from self._applied(look, look.views)

    @staticmethod
    def _one_ruler(look: Look, views: Sequence[EventView]) -> Iterator[Violation]:
        rulers: dict[str, str] = {}
        for view in views:
            for mode in view.modes if view.phase is Phase.ACTIVE else ():
                if mode in rulers:
                    both = f"{rulers[mode]} and {view.mrid}"
                    yield look.violation(Conflicts, f"one active control of {mode}", both)
                rulers[mode] = view.mrid

    @staticmethod
    def _best_rules(look: Look, views: Sequence[EventView]) -> Iterator[Violation]:
        """Nothing better that is due waits while something worse rules."""
        now_s = look.client.server_now_s() if look.client else look.now_s
        active = [view for view in views if view.phase is Phase.ACTIVE]
        for better in views:
            due = better.effective_start_s < now_s - look.late_s < better.effective_end_s
            if better.phase is not Phase.SCHEDULED or not due:
                continue
            for worse in active:
                shared = set(worse.modes) & set(better.modes)
                if shared and _rank(better) < _rank(worse):
                    wanted = f"{better.mrid} (primacy {better.primacy}) to rule {min(shared)}"
                    yield look.violation(Conflicts, wanted, f"{worse.mrid} (primacy {worse.primacy})")

    def _none_lost(self, look: Look, views: Sequence[EventView]) -> Iterator[Violation]:
        """Since the last look nothing better was superseded by something worse, unless the server says so."""
        number, lost = look.device.number, [each for each in views if each.phase is Phase.SUPERSEDED]
        before = self._superseded.get(number)
        self._superseded[number] = frozenset(each.mrid for each in lost)
        if before is None:
            return
        for better in (each for each in lost if each.mrid not in before):
            published = look.published.controls.get(better.mrid)
            if published is None or published.status == SUPERSEDED:
                continue
            modes = asked_modes(published.control)
            rivals = [each for each in views if each.mrid != better.mrid and modes & set(each.modes)]
            if any(_rank(each) <= _rank(better) for each in rivals):
                continue
            for worse in rivals:
                if worse.phase.live:
                    wanted = f"{better.mrid} (primacy {better.primacy}) to go before {worse.mrid}"
                    yield look.violation(Conflicts, wanted, f"superseded (primacy {worse.primacy})")

    @staticmethod
    def _applied(look: Look, views: Sequence[EventView]) -> Iterator[Violation]:
        """What the DER obeys from CSIP events is what rules."""
        setpoints = look.device.setpoints
        held = {
            each.mode: each.detail
            for each in (*setpoints.in_force(), *setpoints.overridden())
            if each.source is SetpointSource.CSIP and each.mode != RAMP
        }
        rulers = {
            mode: (view.mrid, value)
            for view in views
            if view.phase is Phase.ACTIVE
            for mode, value in view.modes.items()
            if mode != RAMP
        }
        for mode, (ruler, value) in rulers.items():
            detail = held.get(mode)
            if detail is None and setpoints.check(mode, value).verdict is not Verdict.ACCEPTED:
                continue  # refused since, by other settings
            if detail != ruler:
                yield look.violation(Conflicts, f"{mode} from {ruler}", detail or "no setpoint of a control")
        if look.client is not None and look.client.state == "connected":
            for mode in sorted(held.keys() - rulers.keys()):
                yield look.violation(Conflicts, f"no control of {mode}", held[mode])


def _rank(view: EventView) -> tuple[int, float]:
    return view.primacy, -view.creation_s
