"""I1: each control by a reference of its own: the published documents, the times in them, and nothing else.

The draws of randomizeStart and randomizeDuration are the client's; the reference knows the windows that they
may fall into. It judges a control only where the answer is certain: the client is connected, has had the time
to read what was published, and no other control of the mode may have moved its start or end.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator

from dersim.ieee2030_5.event_types import EventView, Phase
from dersim.invariants.base import Invariant, Look, Violation
from dersim.invariants.calm import Calm
from dersim.invariants.published import PublishedControl, asked_modes
from dersim.invariants.remembering import forget_over
from dersim.invariants.response_order import response_of
from dersim.setpoint_sources import SetpointSource
from dersim.setpoints import Verdict

#: After news, and after a loss of the connection, simulated s: the client reads and decides meanwhile, for
#: which it needs so long in real time, s.
NEWS_S, READ_S = 20.0, 5.0
#: Beside what is always allowed, s.
SLACK_S = 1.5
#: How many findings are remembered, so that each is told once.
MOST_TOLD = 10_000
_OPT_OUT = 4
_CANCELLED = frozenset({2, 3})
_SUPERSEDED = 4
_REFUSED = (Phase.REJECTED, Phase.IGNORED, Phase.MISSED)


class Events(Invariant):
    """Every control against the reference."""

    id = "I1"
    statement = "Every control starts, ends and has its value as published, within a tick and a poll."

    def __init__(self) -> None:
        self._calm = Calm()
        self._told: OrderedDict[tuple[int, str, str], None] = OrderedDict()
        self._opted_out: dict[int, dict[str, None]] = {}
        #: The events that were not over at the last look.
        self._live: dict[int, frozenset[str]] = {}

    def check(self, look: Look) -> Iterator[Violation]:
        """Judge every control that is on the wire, and the defaults."""
        number = look.device.number
        for exchange in look.exchanges:
            found = response_of(exchange)
            if found is not None and found[1] == _OPT_OUT:
                self._opted_out.setdefault(number, {})[found[0]] = None
        if number in self._opted_out:
            forget_over(self._opted_out[number], look)
        news_s = _news_s(look)
        if look.client is None or self._calm.lasts_s(look)[0] < news_s:
            self._live.pop(number, None)
            return
        live_before = self._live.get(number, frozenset())
        self._live[number] = frozenset(view.mrid for view in look.views if view.phase.live)
        now_s = look.client.server_now_s()
        views = {view.mrid: view for view in look.views}
        for control in list(look.published.controls.values()):
            if look.now_s - control.changed_s < news_s or look.published.primacy_of(control) is None:
                continue
            if control.mrid in self._opted_out.get(number, ()):
                continue
            ended = control.mrid in views and control.mrid not in self._live[number]
            if ended and control.mrid not in live_before:
                continue  # it ended while the answer was not certain
            for wanted, seen in _judged(look, control, views, now_s):
                if self._is_new(number, control.mrid, wanted):
                    yield look.violation(Events, wanted, seen)
        yield from self._defaults(look)

    def _is_new(self, number: int, mrid: str, wanted: str) -> bool:
        key = number, mrid, wanted
        if key in self._told:
            return False
        self._told[key] = None
        while len(self._told) > MOST_TOLD:
            self._told.popitem(last=False)
        return True

    def _defaults(self, look: Look) -> Iterator[Violation]:
        """A mode that no control rules has the value of the best default."""
        setpoints = look.device.setpoints
        ruled = {mode for view in look.views if view.phase is Phase.ACTIVE for mode in view.modes}
        lines = {
            (each.mode, each.source): each.value for each in (*setpoints.in_force(), *setpoints.overridden())
        }
        for mode, (percent, read_s) in look.published.default_percentages().items():
            if mode in ruled or look.now_s - read_s < _news_s(look):
                continue
            if setpoints.check(mode, percent).verdict is not Verdict.ACCEPTED:
                continue
            value = lines.get((mode, SetpointSource.CSIP_DEFAULT))
            wanted = f"{mode} {percent:g} % by default"
            key = f"{wanted}, not {value}"
            if not _equal(value, percent) and self._is_new(look.device.number, "", key):
                yield look.violation(Events, wanted, f"{value}")


def _news_s(look: Look) -> float:
    return NEWS_S + (READ_S + look.starved_s) * (look.rate - 1) + look.starved_s


def _judged(
    look: Look, control: PublishedControl, views: dict[str, EventView], now_s: float
) -> Iterator[tuple[str, str]]:
    """What is wrong with a control: what was expected, and what is seen."""
    view, mrid = views.get(control.mrid), control.mrid
    slack_s = look.late_s + SLACK_S
    (first_start_s, last_start_s), (first_end_s, last_end_s) = control.starts(), control.ends()
    ahead_s = now_s - look.now_s
    bound_s = abs(control.control.randomizeStart or 0)
    last_start_s = max(last_start_s, control.first_s + ahead_s + bound_s)
    over = now_s > last_end_s + slack_s
    running = last_start_s + slack_s < now_s < first_end_s - slack_s
    off = control.status in _CANCELLED or control.status == _SUPERSEDED
    if view is None:
        if now_s < first_end_s - slack_s and not off:
            yield f"{mrid} to be known", "it is not held"
        return
    phase, rivals = view.phase, _rivals(control, view, views)
    seen = f"{phase.value} at {now_s:.1f} ({view.why})"
    if phase is Phase.ACTIVE:
        if now_s < first_start_s - slack_s:
            yield f"{mrid} not to run before {first_start_s:.0f}", seen
        elif over and not any(each.phase is Phase.SCHEDULED for each in rivals):
            yield f"{mrid} to end by {last_end_s:.0f}", seen
        elif control.status == 2:
            yield f"{mrid} not to run: cancelled", seen
        yield from _values(look, control, view)
    elif phase is Phase.SCHEDULED:
        if over:
            yield f"{mrid} to be over since {last_end_s:.0f}", seen
        elif running and not off and not any(each.phase is Phase.ACTIVE for each in rivals):
            yield f"{mrid} to run since {last_start_s:.0f}", seen
    elif now_s < first_end_s - slack_s and not off:
        yield from _ended_early(control, view, rivals, seen)


def _ended_early(
    control: PublishedControl, view: EventView, rivals: list[EventView], seen: str
) -> Iterator[tuple[str, str]]:
    """A control that is over before its time has a reason."""
    mrid, phase = control.mrid, view.phase
    if phase in _REFUSED:
        if not view.why:
            yield f"a reason why {mrid} does not run", seen
    elif phase is not Phase.SUPERSEDED:
        yield f"{mrid} not to be over before {control.ends()[0]:.0f}", seen
    elif not any(_rank(each) <= _rank(view) for each in rivals):
        yield f"a better control where {mrid} is superseded", seen


def _values(look: Look, control: PublishedControl, view: EventView) -> Iterator[tuple[str, str]]:
    """The percentages in force are those on the wire."""
    lines = (*look.device.setpoints.in_force(), *look.device.setpoints.overridden())
    for mode, percent in control.values.items():
        line = next((each for each in lines if each.mode == mode and each.detail == control.mrid), None)
        if mode in view.modes and line is not None and not _equal(line.value, percent):
            yield f"{mode} {percent:g} % of {control.mrid}", f"{line.value}"


def _rivals(control: PublishedControl, view: EventView, views: dict[str, EventView]) -> list[EventView]:
    """The other controls that want one of its modes."""
    modes = asked_modes(control.control) | set(view.modes)
    return [each for each in views.values() if each.mrid != control.mrid and modes & set(each.modes)]


def _rank(view: EventView) -> tuple[int, float]:
    return view.primacy, -view.creation_s


def _equal(value: object, percent: float) -> bool:
    return isinstance(value, float | int) and abs(value - percent) < 0.005
