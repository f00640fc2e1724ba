"""Ramps: how fast P and Q may follow a command.

setGradW (2030.5-2018 10.10.4.5: "percentage change in output capability limit per second", 0 for no limit)
bounds the rate of a command of active power. A control's rampTms, the time in which its new setting is to be
reached, takes the place of setGradW for the modes of that control only; rampTms 0 is at once. So every
command function has a ramp of its own, and reactive power has one. When a control ends, its modes move by the
rampTms of the setpoint that follows in the mode, else by setGradW.

Responses to voltage and frequency have open-loop response times instead, and trips have none.

What moves is the limit or the target, from the old to the new one: a power below both does not move. Where
the power is held down by a command or by the grid when a function is enabled, changed or disabled, the ramp
starts from that power, so P does not jump when a limit or Volt-Watt ends.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

from dersim.functions.base import INF, Function
from dersim.functions.contract import NOTHING, Demand, FunctionType, Parameter
from dersim.hardware.measured import Measured
from dersim.hardware.nameplate import Nameplate
from dersim.hardware.settings import Settings
from dersim.hardware.source import Source, beside_battery_w, combined
from dersim.modes import ModeValue

RAMP, GRAD = "rampTms", "setGradW"
#: Slack for sums of floating-point seconds, s.
_SLACK_S = 1e-9
#: A ramp is stepped in at least so many parts, and in at most so many times more to meet a power exactly.
_PARTS = 32
_MOST_TIMES = 128


class Track:
    """A value (W or var) on its way to a goal: in `left_s` seconds, or at a rate where that is 0.

    ramp_s: the whole time of a ramp in a given time. In that time the goal may move, in straight lines.
    """

    KEPT = ("value", "_goal", "left_s", "ramp_s")
    __slots__ = ("_goal", "left_s", "ramp_s", "value")

    def __init__(self, value: float) -> None:
        self.value = self._goal = value
        self.left_s = self.ramp_s = 0.0

    def start(self, value: float, goal: float, ramp_s: float | None) -> None:
        """Go from value to goal in ramp_s seconds; 0: at once; None: at a rate."""
        self.value, self._goal = goal if ramp_s == 0 else value, goal
        self.left_s = self.ramp_s = (ramp_s or 0.0) if self.value != goal else 0.0

    def shift(self, by: float) -> None:
        """Move value and goal together, for a change that does not ramp."""
        self.value += by
        self._goal += by

    def straight_s(self, goal: float, rate_per_s: float, full: float) -> float:
        """Seconds of the straight line that begins now, but at most a part of the whole ramp.

        Inside some part a limit that ramps meets a power that does not. full: the whole range of a ramp at a
        rate, W.
        """
        if self.left_s > 0:
            return min(self.left_s, self.ramp_s / _PARTS)
        if self.value == goal or rate_per_s == INF or rate_per_s <= 0:
            return INF
        return min(abs(goal - self.value), full / _PARTS) / rate_per_s

    def follow(self, dt_s: float, goal: float, rate_per_s: float) -> float:
        """The value after dt_s; rate_per_s applies where no ramp time is left."""
        value, left_s = self.value, self.left_s
        if left_s > 0:
            before, self._goal = self._goal, goal
            if dt_s <= 0:
                return value
            if dt_s < left_s - _SLACK_S:
                self.left_s = after_s = left_s - dt_s
                self.value = value = goal - (before - value) * after_s / left_s
                if goal != before:  # value' = (goal - value) / left_s, solved for a straight line
                    slope = (goal - before) / dt_s
                    self.value = value = value - slope * after_s * math.log(left_s / after_s)
                return value
            self.left_s = 0.0
            self.value = goal
            return goal
        step = rate_per_s * dt_s if rate_per_s != INF else INF
        if value < goal:
            value = goal if goal - value <= step else value + step
        else:
            value = goal if value - goal <= step else value - step
        self.value = value
        return value


def meets_s(straight_s: float, moving: Iterable[tuple[float, float]], *levels_w: float) -> float:
    """straight_s, or less where one of the ramps (W, W/s) that move meets one of these powers before."""
    seconds, least_s = straight_s, straight_s / _MOST_TIMES
    for value, rate_w_s in moving:
        for level in levels_w:
            ahead_s = (level - value) / rate_w_s
            if 0 < ahead_s < seconds:
                seconds = max(ahead_s, least_s)
    return seconds


class Bounds:
    """The ramped limit and floor (W) of one function.

    begin: its modes changed since the last step; ramp_s: their rampTms, None without one.
    had_target: whether it asked for a target in the last step. demand: its last one, as the chain noted it.
    releases: the function is of stage grid or frequency; the bounds then only release the power it held.
    """

    KEPT = ("limit", "floor", "begin", "goals", "had_target", "ramp_s")
    __slots__ = ("begin", "demand", "floor", "goals", "had_target", "limit", "ramp_s", "releases")

    def __init__(self, *, releases: bool) -> None:
        self.limit, self.floor = Track(INF), Track(-INF)
        self.begin, self.had_target = True, False
        self.ramp_s: float | None = None
        #: What limit and floor go to, of a function whose bounds follow the load.
        self.goals = (INF, -INF)
        self.demand = NOTHING
        self.releases = releases


class Ramp(Function):
    """The ramps of one DER.

    target: the target of active power, or the power without one. PV power in the latter, as of a hybrid, is
    no command: once the ramp from the last target has met the goal, its changes pass at once. follows: the
    target needs a call even where it is at its goal. asked_w: the power by command in the last step. ending:
    the bounds of functions that have no mode in force any more. q: reactive power, which ramps while
    `q.left_s` is above 0 and else moves with its function's open-loop response.
    """

    KEPT = (
        "settled",
        "target",
        "follows",
        "_begins",
        "asked_w",
        "_pv_w",
        "_with_pv",
        "_met",
        "_rising",
        "target_ramp_s",
        "q",
        "straight_s",
        "moving",
    )

    def __init__(self, nameplate: Nameplate, settings: Settings) -> None:
        super().__init__(nameplate, settings)
        self.target = Track(0.0)
        self.follows = self._begins = True
        self.asked_w = self._pv_w = 0.0
        self._with_pv = self._met = self._rising = False
        self.target_ramp_s: float | None = None
        self.ending: list[Bounds] = []
        self.q = Track(0.0)
        self._most_w = self._least_w = 0.0
        self._rate_w_s = INF
        #: Seconds for which the ramps go on in straight lines; those of active power that move, as (W, W/s).
        self.straight_s = INF
        self.moving: list[tuple[float, float]] = []

    def configure(self, modes: Mapping[str, ModeValue], seen: Measured) -> None:
        """Take over setGradW, a setting; rampTms comes with each setpoint."""
        s = self.settings
        if s.setMaxW > self._most_w <= self.target.value:
            self._met, self._rising = False, True
        self._most_w, self._least_w = s.setMaxW, 0.0 - s.charge_limit_w
        self._rate_w_s = s.setMaxW * s.setGradW / 100 or INF  # 0 of a DER that may give nothing: no ramp

    def changed(self, bounds: Bounds, ramp_s: float | None, *, active: bool) -> None:
        """The modes of a function changed; ramp_s: their rampTms; active: some are in force now."""
        bounds.begin, bounds.ramp_s = True, ramp_s
        ends = bounds.releases or not active
        if ends and bounds not in self.ending:
            self.ending.append(bounds)
        elif not ends and bounds in self.ending:
            self.ending.remove(bounds)

    def follow(self, bounds: Bounds, dt_s: float, seen: Measured, demand: Demand) -> None:
        """Move a function's limit and floor towards those of its demand."""
        most, least = self._most_w, self._least_w
        limit_w = min(most, demand.limit_w)
        floor_w = max(least, demand.floor_w)
        limit, floor = bounds.limit, bounds.floor
        if bounds.begin:
            self._begin(bounds, seen, limit_w, floor_w)
            if bounds.had_target or demand.target_w is not None:
                self.follows = self._begins = True
                self.target_ramp_s = bounds.ramp_s
            bounds.had_target = demand.target_w is not None
        elif demand.follows_load:
            old_limit_w, old_floor_w = bounds.goals
            limit.shift(limit_w - old_limit_w)
            floor.shift(floor_w - old_floor_w)
        if demand.follows_load:
            bounds.goals = limit_w, floor_w
        limit.follow(dt_s, limit_w, self._rate_w_s)
        floor.follow(dt_s, floor_w, self._rate_w_s)
        if limit.value != limit_w or floor.value != floor_w:
            self._moves(limit, limit_w)
            self._moves(floor, floor_w)

    def _begin(self, bounds: Bounds, seen: Measured, limit_w: float, floor_w: float) -> None:
        bounds.begin = False
        high, low = min(bounds.limit.value, self._most_w), max(bounds.floor.value, self._least_w)
        if not seen.running:
            high, low = limit_w, floor_w
        elif bounds.releases:
            p_w = seen.flowing_w
            high = p_w if _held_down(p_w, min(self.asked_w, seen.available_w)) else high
            low = p_w if p_w > self.target.value else low
        else:
            p_w = seen.flowing_w
            if limit_w < high and _held_down(p_w, seen.available_w):
                high = min(high, max(p_w, limit_w))
            if floor_w > low and _held_up(p_w, seen):
                low = max(low, min(p_w, floor_w))
        bounds.limit.start(high, limit_w, bounds.ramp_s)
        bounds.floor.start(low, floor_w, bounds.ramp_s)

    def end(self, dt_s: float, seen: Measured, floor_w: float, limit_w: float) -> tuple[float, float]:
        """Open the bounds of functions that have ended; the tightest of them and floor_w, limit_w."""
        for bounds in self.ending:
            self.follow(bounds, dt_s, seen, NOTHING)
            floor_w, limit_w = max(floor_w, bounds.floor.value), min(limit_w, bounds.limit.value)
        self.ending = [
            b for b in self.ending if b.limit.value < self._most_w or b.floor.value > self._least_w
        ]
        return floor_w, limit_w

    def follow_target(
        self, dt_s: float, seen: Measured, source: Source, goal_w: float, *, by_command: bool
    ) -> float:
        """The target after dt_s, W; by_command: goal_w is that of a command, not the power without one."""
        target = self.target
        if self._begins:
            self._begin_target(seen, source, goal_w)
        pv_w = beside_battery_w(source) if self._with_pv else 0.0
        before_w, self._pv_w = self._pv_w, pv_w
        if by_command:
            self._met = False
        else:
            self._meet(goal_w, self._within(source.rest_w - pv_w + before_w))
        value = target.follow(dt_s, goal_w, self._rate_w_s)
        if value != goal_w:
            self._moves(target, goal_w)
        self.follows = self._with_pv or target.left_s > 0
        return value

    def _meet(self, goal_w: float, still_w: float) -> None:
        """Pass on what a change of the PV power does to the goal; still_w: the goal without that change."""
        target = self.target
        self._met = self._met or self._beyond(still_w)
        if self._met:
            target.shift(goal_w - still_w)
        elif self._beyond(goal_w):
            self._met = True
            target.value, target.left_s = goal_w, 0.0

    def _beyond(self, goal_w: float) -> bool:
        value = self.target.value
        return goal_w <= value if self._rising else goal_w >= value

    def _within(self, p_w: float) -> float:
        return max(self._least_w, min(self._most_w, p_w))

    def _begin_target(self, seen: Measured, source: Source, goal_w: float) -> None:
        self._begins = False
        self._with_pv = combined(source) is not None
        target, start = self.target, goal_w
        if seen.running:
            p_w = seen.flowing_w
            held = _held_down(p_w, seen.available_w) or goal_w < 0
            start = p_w if held else max(min(target.value, self._most_w), p_w)
        target.start(start, goal_w, self.target_ramp_s)
        self.target_ramp_s = None
        self._met, self._rising = False, goal_w > target.value

    def begin_q(self, seen: Measured, start_var: float, goal_var: float, ramp_s: float | None) -> bool:
        """The reactive mode or its value changed; True if Q goes to the new value by rampTms."""
        if ramp_s is None or not seen.running:
            self.q.left_s = 0.0
            return False
        self.q.start(start_var, goal_var, ramp_s)
        return True

    def follow_q(self, dt_s: float, goal_var: float) -> float:
        """Reactive power after dt_s, var."""
        value = self.q.follow(dt_s, goal_var, INF)
        if value != goal_var:
            self._moves(self.q, goal_var)
        return value

    def _moves(self, track: Track, goal: float) -> None:
        self.settled = False
        if track.value != goal and track is not self.q:
            rate_w_s = self._rate_w_s if goal > track.value else -self._rate_w_s
            if track.left_s > 0:
                rate_w_s = (goal - track.value) / track.left_s
            self.moving.append((track.value, rate_w_s))
        seconds = track.straight_s(goal, self._rate_w_s, self._most_w)
        self.straight_s = min(self.straight_s, seconds)


def _held_down(p_w: float, most_w: float) -> bool:
    return p_w < most_w - abs(most_w) * 1e-9 - 1e-6


def _held_up(p_w: float, seen: Measured) -> bool:
    return 0 > p_w > -seen.charge_w * (1 - 1e-9) + 1e-6


TYPE = FunctionType(
    name="ramp",
    modes=(RAMP, GRAD),
    stage="command",
    make=Ramp,
    parameters={
        RAMP: (Parameter("", "s", 0, 655.35, "2030.5 rampTms"),),
        GRAD: (Parameter("", "% setMaxW/s", 0, 655.35, "2030.5 setGradW"),),
    },
    standing=True,
    sunspec_models=(704,),
    order=90,
    doc="how fast the power may follow a command",
)
