"""The period of an event: interval, randomization and clock (IEEE 2030.5-2018 9.2.3, 10.2.4.2)."""

from __future__ import annotations

from dersim.ieee2030_5.event_types import JUMP_S, Event, Phase
from dersim.ieee2030_5.resources import DERControl
from dersim.timestamps import has_date

_MAX_RANDOM_S = 3600.0


def randomization(control: DERControl) -> tuple[float, float]:
    """(randomizeStart, randomizeDuration) in seconds, absent = 0, kept within +-3600 (OneHourRangeType)."""
    return _one_hour(control.randomizeStart), _one_hour(control.randomizeDuration)


def _one_hour(bound: int | None) -> float:
    return float(max(-_MAX_RANDOM_S, min(_MAX_RANDOM_S, bound or 0)))


def draw_window(event: Event, now_s: float, *, first: bool) -> None:
    """Set the specified and the drawn window of `event` from its control and its draws (10.2.4.2).

    The draws are fractions of the bounds with the sign kept: start + r, duration + r. A shortening never
    removes the whole duration. Where `first` and the drawn start is past, the event joins midway: it starts
    at now + |r|, keeps the specified end, and the remaining duration is randomized.
    """
    event.ahead_s = event.program.ahead_s
    interval = event.control.interval
    event.spec_start_s = float(interval.start) - event.ahead_s
    # Both ends straight from whole seconds: successive events then meet exactly, without rounding.
    event.spec_end_s = float(interval.start + interval.duration) - event.ahead_s
    bound_start, bound_duration = randomization(event.control)
    length = event.spec_end_s - event.spec_start_s
    start = event.spec_start_s + event.draw_start * bound_start
    if first and start < now_s < event.spec_end_s:
        event.joined_s = now_s
    if event.joined_s is not None:
        # The delay stays within what is left, and an event that was to start early need not start late.
        delay = event.draw_start * min(abs(bound_start), event.spec_end_s - event.joined_s)
        start = event.joined_s + delay
        if bound_start < 0:
            start = min(start, max(event.joined_s, event.spec_start_s))
        length = event.spec_end_s - start
    event.drawn_start_s = start
    event.drawn_end_s = start + length + event.draw_duration * max(bound_duration, -length)


def interval_objection(control: DERControl) -> str:
    """Why the interval cannot be run, "" where it can: no positive duration, or beyond any calendar date."""
    interval = control.interval
    if interval.duration <= 0:
        return "its interval has no positive duration"
    if not has_date(interval.start):
        return f"its start {interval.start} has no calendar date (seconds since 1970 are needed)"
    if not has_date(interval.start + interval.duration):
        return f"its duration {interval.duration} s reaches beyond the year 9999"
    return ""


def is_over(event: Event, now_s: float) -> bool:
    """Whether its end, specified or drawn, is past."""
    return min(event.spec_end_s, event.drawn_end_s) <= now_s


def follow_clock(event: Event, now_s: float) -> bool:
    """Move the event to the present clock of its program; True where it must be judged afresh: a jump.

    A correction of less than a minute moves what is to come: a running event keeps its start.
    """
    if event.ahead_s == event.program.ahead_s:
        return False
    jumped = abs(event.ahead_s - event.program.ahead_s) >= JUMP_S
    if jumped:
        return True
    draw_window(event, now_s, first=False)
    return False


def place_afresh(event: Event, now_s: float) -> None:
    """After a jump of the clock: the windows as if the event were read for the first time.

    A running event whose start is ahead again is scheduled again; any other running event goes on.
    """
    joined_s, event.joined_s = event.joined_s, None
    draw_window(event, now_s, first=event.phase is Phase.SCHEDULED)
    if event.phase is not Phase.ACTIVE:
        return
    if event.drawn_start_s > now_s:
        event.phase = Phase.SCHEDULED
        event.held.clear()
        event.reread_done, event.next_poll_s = False, None
    elif joined_s is not None and joined_s < event.spec_end_s:
        event.joined_s = joined_s
        draw_window(event, now_s, first=False)
