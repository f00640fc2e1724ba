"""The control functions of one DER, called in priority order.

    protect    trip, momentary cessation, connect, enter service: decide whether the DER is in service
    command    limits and targets by command; each has a ramp
    (source)   available power of PV and battery
    grid       Volt-Watt, Freq-Watt: limits by grid voltage and frequency, with their own response times
    frequency  droop: replaces the command, stays below the limits of `grid`
    (ramp of entering service)
    reactive   the one reactive mode that acts, followed by one open-loop lag
    (inverter) apparent power, reactive power and current limits

A function is called only while one of its modes is in force, or if its type is `standing`.
"""

# ruff: noqa: FURB136, PLR1730 - min() and max() cost as much as a whole function here

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping

from dersim.functions.base import INF
from dersim.functions.battery_ramp import BatteryRamp
from dersim.functions.checked import checked
from dersim.functions.contract import NOTHING, ControlFunction, FunctionType, Stage
from dersim.functions.filters import Lag
from dersim.functions.ramp import Bounds, Ramp
from dersim.functions.reactive import Reactive
from dersim.functions.service import Service
from dersim.functions.without_event import WithoutEvent
from dersim.hardware.course import Course
from dersim.hardware.inverter import Inverter
from dersim.hardware.measured import Measured
from dersim.hardware.nameplate import Nameplate
from dersim.hardware.settings import Settings
from dersim.hardware.source import Source, tell_service
from dersim.modes import ModeValue

_STAGES: tuple[Stage, ...] = ("protect", "command", "grid", "frequency", "reactive")
_COMMANDING: tuple[Stage, ...] = ("command", "grid", "frequency")
#: By mode, the rampTms (s) of the setpoint in force and since when (s): an equal one that follows ramps anew.
Ramps = Mapping[str, tuple[float, float]]
NO_RAMPS: Ramps = {}


class Chain:
    """All functions of one DER and the result of the last step.

    p_w, q_var: the output, W and var; mean_p_w, mean_q_var: its mean over the last step. service: in or out
    of service. settled: another step under the same conditions would change nothing. ramps: a ramp runs, or P
    moves while Q depends on it (`q_follows`), in a line with `q_bends_w`.
    over_w: how far |P| would be above the ramp of entering service, W.
    command, grid, frequency: the functions of those stages that are called, each with its bounds.
    called: all functions by name, as they are called; enabled: those called now, without the ramp.
    """

    # One of so many attributes would have a dict of 1.5 kB.
    __slots__ = (
        *("_by_power", "_in_force", "_least_w", "_most_w", "_night_w", "_p_lag", "_q_lag", "_served"),
        *("_settings", "_settings_seen", "battery_ramp", "bounds", "called", "command", "enabled"),
        *("frequency", "functions", "grid", "inverter", "lags", "mean_p_w", "mean_q_var", "over_w", "p_w"),
        *("q_bends_w", "q_follows", "q_var", "ramp", "ramps", "reactive", "service", "settled", "types"),
        "without",
    )

    def __init__(
        self, types: Iterable[FunctionType], nameplate: Nameplate, settings: Settings, rng: random.Random
    ) -> None:
        self._settings = settings
        self.types = sorted((t.of(nameplate) for t in types if t.suits(nameplate)), key=lambda t: t.order)
        self.functions: dict[str, ControlFunction] = {}
        for kind in self.types:
            self.functions[kind.name] = function = kind.make(nameplate, settings)
            if hasattr(function, "rng"):
                function.rng = rng
        called = {name: checked(name, function) for name, function in self.functions.items()}
        is_own = all(each is self.functions[name] for name, each in called.items())
        self.called = self.functions if is_own else called
        ramp = self.functions.get("ramp")
        self.ramp = ramp if isinstance(ramp, Ramp) else None
        battery_ramp = BatteryRamp(nameplate)
        self.battery_ramp = battery_ramp if battery_ramp.acts else None
        self.inverter = Inverter(nameplate, settings)
        self._night_w = nameplate.night_draw_w
        self.service = Service()
        self.without = WithoutEvent(settings, self.ramp, self.battery_ramp)
        self.p_w = self.q_var = self.mean_p_w = self.mean_q_var = 0.0
        self._p_lag: Lag | None = None
        self._most_w = self._least_w = self.over_w = 0.0
        self.settled = self.ramps = self.q_follows = self._by_power = False
        self._served = True
        #: By function of `_COMMANDING`: its ramped limit and floor, and its last demand.
        self.bounds = {
            kind.name: Bounds(releases=kind.stage != "command")
            for kind in self.types
            if kind.stage in _COMMANDING
        }
        self.command: list[tuple[ControlFunction, Bounds]] = []
        self.grid: list[tuple[ControlFunction, Bounds]] = []
        self.frequency: list[tuple[ControlFunction, Bounds]] = []
        self.reactive = Reactive(self.ramp, self.service)
        self.enabled: list[ControlFunction] = []
        self._q_lag = self.reactive.lag
        self.lags = [self._q_lag]
        self.q_bends_w: list[float] = []
        self._in_force: dict[str, Mapping[str, object]] = {}
        self._settings_seen = -1

    def configure(self, values: Mapping[str, ModeValue], seen: Measured, ramps: Ramps = NO_RAMPS) -> None:
        """Give each function its modes in force; called when setpoints or settings change.

        ramps: the rampTms of those setpoints that have one, by mode.
        """
        resettled = self._settings.changes != self._settings_seen
        self._settings_seen = self._settings.changes
        self._most_w, self._least_w = self._settings.setMaxW, 0.0 - self._settings.charge_limit_w
        self.inverter.configure()
        enabled: dict[Stage, list[ControlFunction]] = {stage: [] for stage in _STAGES}
        for kind in self.types:
            function = self.functions[kind.name]
            own = {mode: values[mode] for mode in kind.modes if mode in values}
            now = {mode: (value, ramps.get(mode)) for mode, value in own.items()}
            before = self._in_force.get(kind.name, {})
            changed = now != before or kind.name not in self._in_force
            self._in_force[kind.name] = now or NO_RAMPS
            if changed or resettled:
                function.configure(own, seen)
            if now != before:
                self._start_ramps(kind, _ramp_s(kind, now, before, ramps), own=bool(own), before=bool(before))
            if (own or kind.standing) and function is not self.ramp:
                enabled[kind.stage].append(self.called[kind.name])
        self._enable(enabled)

    def _start_ramps(self, kind: FunctionType, ramp_s: float | None, *, own: bool, before: bool) -> None:
        """The modes of a function changed: start its ramps. own, before: whether it has and had modes."""
        if kind.stage == "reactive":
            self.reactive.changed(ramp_s, own=own)
        bounds = self.bounds.get(kind.name)
        if self.ramp is None or bounds is None or kind.name == "ramp":
            return
        if before or not bounds.releases:
            self.ramp.changed(bounds, ramp_s, active=own or kind.standing)

    def _enable(self, enabled: Mapping[Stage, list[ControlFunction]]) -> None:
        names = {id(function): name for name, function in self.called.items()}
        for bounds in self.bounds.values():
            bounds.demand = NOTHING
        self.command, self.grid, self.frequency = (
            [(each, self.bounds[names[id(each)]]) for each in enabled[stage]] for stage in _COMMANDING
        )
        self.reactive.enable(enabled["reactive"])
        following = [each for each in enabled["reactive"] if getattr(each, "follows_power", False)]
        self._by_power = self.q_follows = bool(following)
        self.q_bends_w = [power_w for each in following for power_w in getattr(each, "bends_w", ())]
        self.enabled = [function for functions in enabled.values() for function in functions]
        self.lags = [
            self.reactive.lag,
            *(lag for each in self.enabled for lag in getattr(each, "lags", ())),
        ]
        self.service.configure(
            enabled["protect"],
            returns_by_function="enter-service" in self.functions,
            alarm_window_pu=self._settings.alarm_window_pu,
        )
        self.settled = False

    def start_out_of_service(self, seen: Measured) -> None:
        """Leave service without a trip; the enter-service delay starts from zero."""
        self.service.leave(seen, tripped=False)
        self.settled = False
        enter = self.functions.get("enter-service")
        if enter is not None:
            enter.settled = False

    def reset(self, seen: Measured) -> None:
        """Clear a trip; if out of service, the enter-service delay starts from zero."""
        self.service.tripped = False
        if not self.service.in_service:
            self.start_out_of_service(seen)

    def step(self, dt_s: float, seen: Measured, source: Source, quiet: bool) -> None:
        """Advance by dt_s and compute `p_w` and `q_var`. quiet: skip the stage `protect`."""
        service, ceiling = self.service, INF
        if not quiet:  # which it is not either in the first step after service began or ended
            if service.in_service is not self._served:
                self._served = service.in_service
                tell_service(source, in_service=self._served)
            ceiling = service.step(dt_s, seen)
        seen.wanted_w = self._active(dt_s, seen, source, ceiling)
        asked_var, factor_first = self.reactive.step(dt_s, seen)
        p = seen.wanted_w
        if service.in_service and not service.ceased:
            p, q = self.inverter.fit(p, asked_var, factor_first)
            if self._night_w and not p and not seen.available_w:
                p = -self._night_w
            seen.before_w = p
        else:
            p = q = 0.0
            if not service.in_service:
                seen.before_w = None
        before, q_lag, follows = self.p_w, self._q_lag, False
        if p == before:
            settled, self.mean_p_w = True, p
        else:
            settled, lag = False, self._p_lag
            follows = q != asked_var or self._by_power or (q != 0.0 and p < self.inverter.near_wedge_w)
            self.q_follows = follows
            if lag is None:
                self.mean_p_w = (p + before) * 0.5
            else:
                at_lag = lag.y == p and lag.before == before
                self.mean_p_w = lag.mean if at_lag else _mean(before, p, lag)
            self.p_w = seen.p_w = p
        before = self.q_var
        if q == before:
            self.mean_q_var = q
        else:
            settled = False
            at_lag = q_lag.y == q and q_lag.before == before
            self.mean_q_var = q_lag.mean if at_lag else _mean(before, q, q_lag)
            self.q_var = seen.q_var = q
        ramp, battery = self.ramp, self.battery_ramp
        self.ramps = ramps = (
            follows
            or (ramp is not None and not ramp.settled)
            or (battery is not None and not battery.settled)
        )
        self.settled = (
            settled and not q_lag.moving and not ramps and all(function.settled for function in self.enabled)
        )

    def _active(self, dt_s: float, seen: Measured, source: Source, ceiling: float) -> float:
        p = self._commanded(dt_s, seen, source)
        limit, high, low = self._most_w, seen.available_w, 0.0 - seen.charge_w
        if p > high:
            p = high
        elif p < low:
            p = low
        limit_lag = None
        for function, bounds in self.grid:
            bounds.demand = demand = function.step(dt_s, seen)
            if demand.limit_w < limit:
                limit, limit_lag = demand.limit_w, demand.lag
        self._p_lag = limit_lag
        if p > limit:
            p = limit
        for function, bounds in self.frequency:
            self.without.limits = (source, p, limit, ceiling)
            seen.wanted_w = p if ceiling == INF else max(-ceiling, min(ceiling, p))
            bounds.demand = demand = function.step(dt_s, seen)
            override = demand.override_w
            if override is not None:
                p, self._p_lag = override, demand.lag
                if p > high:
                    p = high
                if p > limit:
                    p, self._p_lag = limit, limit_lag
        if ceiling < INF:
            self.over_w = abs(p) - ceiling
            p = max(-ceiling, min(ceiling, p))
        return max(low, self._least_w) if p < low or p < self._least_w else p

    def _commanded(self, dt_s: float, seen: Measured, source: Source) -> float:
        """The power by command, ramped."""
        p, by_command = source.rest_w, False
        most, least, ramp = self._most_w, self._least_w, self.ramp
        cap, floor = most, least
        if ramp is not None:
            if not ramp.settled:
                ramp.settled, ramp.straight_s, ramp.moving = True, INF, []
            if ramp.ending:
                floor, cap = ramp.end(dt_s, seen, floor, cap)
        for function, bounds in self.command:
            bounds.demand = demand = function.step(dt_s, seen)
            if demand.target_w is not None:
                p, by_command = demand.target_w, True
            limit, bottom = demand.limit_w, demand.floor_w
            if ramp is not None:
                ramp.follow(bounds, dt_s, seen, demand)
                limit, bottom = bounds.limit.value, bounds.floor.value
            cap = limit if limit < cap else cap
            floor = bottom if bottom > floor else floor
        if not least <= p <= most:
            p = least if p < least else most
        if ramp is not None and (p != ramp.target.value or ramp.follows):
            p = ramp.follow_target(dt_s, seen, source, p, by_command=by_command)
        if self.battery_ramp is not None:
            p = self.battery_ramp.follow(dt_s, seen, source, p)
        p = floor if p < floor else p
        self.without.unlimited_w = p
        p = cap if p > cap else p
        seen.command_w = cap
        if ramp is not None:
            ramp.asked_w = p
        return p


def _mean(before: float, after: float, lag: Lag) -> float:
    """The mean over the last step of a power that follows a lag, as far as a limit that rests lets it."""
    y = lag.y
    if y == after:
        level, follows = before, 1
    elif lag.before == before and y is not None:
        level, follows = after, 0
    else:
        return (before + after) * 0.5
    course = Course(lag.before - level, y - level, lag.mean - level)
    if course.before * course.after < 0:
        mean, share = course.by_sign(1.0)[follows]
        return level + mean * share
    return (before + after) * 0.5


def _ramp_s(
    kind: FunctionType, now: Mapping[str, object], before: Mapping[str, object], ramps: Ramps
) -> float | None:
    """The rampTms of the modes that changed; None without one, and for modes that ended."""
    changed = (mode for mode in kind.modes if now.get(mode) != before.get(mode))
    return next((ramps[mode][0] for mode in changed if mode in ramps), None)
