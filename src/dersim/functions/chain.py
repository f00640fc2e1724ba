"""The control functions of one DER, called in priority order.

    protect    trip, momentary cessation, connect, enter service: decide whether the DER is in service
    command    limits and targets by command; the ramp bounds their rate of change
    (source)   available power of PV and battery
    grid       Volt-Watt, Freq-Watt: limits by grid voltage and frequency, with their own response times
    frequency  droop: replaces the command, stays below the limits of `grid`
    (ramp of entering service)
    reactive   the one reactive mode that acts, followed by one open-loop lag
    (inverter) apparent power, reactive power and current limits

The open-loop lag of Q is here and not in the functions, so that a change from one reactive mode to another
does not jump (1547-2018 4.6.3: smooth transition between modes).

A function is called only while one of its modes is in force, or if its type is `standing`.
"""

# ruff: noqa: FURB136 - min() and max() cost as much as a whole function here

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping

from dersim.functions.base import INF
from dersim.functions.contract import NOTHING, ControlFunction, Demand, FunctionType, Stage
from dersim.functions.filters import Lag
from dersim.functions.ramp import Ramp
from dersim.functions.service import Service
from dersim.hardware.inverter import Inverter
from dersim.hardware.measured import Measured
from dersim.hardware.nameplate import Nameplate
from dersim.hardware.settings import Settings
from dersim.hardware.source import Source
from dersim.modes import ModeValue

#: Above this voltage (per unit) the current rating, 1.2 of VA by default, cannot be the limit.
_FULL_POWER_V_PU = 0.9
_STAGES: tuple[Stage, ...] = ("protect", "command", "grid", "frequency", "reactive")
_COMMANDING = ("command", "grid", "frequency")


class Chain:
    """All functions of one DER and the result of the last step.

    p_w, q_var: the output, W and var. service: in or out of service. settled: another step under the same
    conditions would change nothing.
    """

    def __init__(
        self, types: Iterable[FunctionType], nameplate: Nameplate, settings: Settings, rng: random.Random
    ) -> None:
        self._settings = settings
        self.types = sorted((t for t in types if t.suits(nameplate)), key=lambda t: t.order)
        self.functions: dict[str, ControlFunction] = {}
        for kind in self.types:
            self.functions[kind.name] = function = kind.make(nameplate, settings)
            if hasattr(function, "rng"):
                function.rng = rng
        ramp = self.functions.get("ramp")
        self.ramp = ramp if isinstance(ramp, Ramp) else None
        self.inverter = Inverter(nameplate, settings)
        self.service = Service()
        self.p_w = self.q_var = 0.0
        self._most_w = self._least_w = 0.0
        self.settled = False
        self._command: list[ControlFunction] = []
        self._grid: list[ControlFunction] = []
        self._frequency: list[ControlFunction] = []
        self._reactive: list[ControlFunction] = []
        self._enabled: list[ControlFunction] = []
        self._q_lag = Lag()
        self._q_response_s = 0.0
        self._q_begin = False
        self._in_force: dict[str, Mapping[str, ModeValue]] = {}
        self._settings_seen = -1
        self._begin = True

    @property
    def modes(self) -> frozenset[str]:
        """All modes that the functions implement."""
        return frozenset(mode for kind in self.types for mode in kind.modes)

    def trip_window(self) -> tuple[float, float, float, float]:
        """Lowest and highest voltage (per unit) and frequency (Hz) that no trip counts against."""
        trip = self.functions.get("trip")
        window: tuple[float, float, float, float] = getattr(trip, "quiet_window", (0.0, INF, 0.0, INF))
        return window

    def configure(self, values: Mapping[str, ModeValue], seen: Measured) -> None:
        """Give each function its modes in force; called when setpoints or settings change."""
        resettled = self._settings.changes != self._settings_seen
        self._settings_seen = self._settings.changes
        self._begin = self._begin or resettled
        self._most_w, self._least_w = self._settings.setMaxW, -self._settings.setMaxChargeRateW
        self.inverter.configure()
        enabled: dict[Stage, list[ControlFunction]] = {stage: [] for stage in _STAGES}
        for kind in self.types:
            function = self.functions[kind.name]
            own = {mode: values[mode] for mode in kind.modes if mode in values}
            before = self._in_force.get(kind.name)
            if own != before or resettled:
                function.configure(own, seen)
                commands = kind.stage in _COMMANDING and function is not self.ramp
                self._begin = self._begin or (commands and own != (before or {}))
                self._q_begin = self._q_begin or (kind.stage == "reactive" and own != (before or {}))
                self._in_force[kind.name] = own
            if (own or kind.standing) and function is not self.ramp:
                enabled[kind.stage].append(function)
        self._command, self._grid = enabled["command"], enabled["grid"]
        self._frequency, self._reactive = enabled["frequency"], enabled["reactive"]
        self._enabled = [function for functions in enabled.values() for function in functions]
        self.service.configure(enabled["protect"], returns_by_function="enter-service" in self.functions)
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

    def step(self, dt_s: float, seen: Measured, source: Source, *, quiet: bool) -> None:
        """Advance by dt_s and compute `p_w` and `q_var`. quiet: skip the stage `protect`."""
        service = self.service
        ceiling = INF if quiet else service.step(dt_s, seen)
        seen.wanted_w = self._active(dt_s, seen, source, ceiling)
        q, factor_first = self._reactive_power(dt_s, seen)
        p = seen.wanted_w
        if service.in_service and not service.ceased:
            p, q = self.inverter.fit(p, q, power_factor_first=factor_first)
            if seen.v_low_pu < _FULL_POWER_V_PU:
                p, q = self.inverter.fit_current(p, q, seen.v_pu)
        else:
            p = q = 0.0
        self.settled = (
            p == self.p_w
            and q == self.q_var
            and not self._q_lag.moving
            and (self.ramp is None or self.ramp.settled)
            and all(function.settled for function in self._enabled)
        )
        self.p_w = seen.p_w = p
        self.q_var = seen.q_var = q

    def _active(self, dt_s: float, seen: Measured, source: Source, ceiling: float) -> float:
        p = source.rest_w
        cap, floor = self._most_w, self._least_w
        limit, high, low = cap, seen.available_w, -seen.charge_w
        for function in self._command:
            demand = function.step(dt_s, seen)
            if demand.target_w is not None:
                p = demand.target_w
            cap = demand.limit_w if demand.limit_w < cap else cap
            floor = demand.floor_w if demand.floor_w > floor else floor
        p = floor if p < floor else p
        p = cap if p > cap else p
        ramp = self.ramp
        if ramp is not None and (p != ramp.command_w or self._begin):
            p = self._ramped(ramp, dt_s, seen, p)
        seen.command_w = p if cap < self._most_w else INF
        p = high if p > high else p
        p = low if p < low else p
        for function in self._grid:
            demand = function.step(dt_s, seen)
            limit = demand.limit_w if demand.limit_w < limit else limit
        p = limit if p > limit else p
        for function in self._frequency:
            seen.wanted_w = p
            demand = function.step(dt_s, seen)
            if demand.override_w is not None:
                p = min(demand.override_w, high, limit)
        if ceiling < INF:
            p = max(-ceiling, min(ceiling, p))
        return low if p < low else p

    def _ramped(self, ramp: Ramp, dt_s: float, seen: Measured, goal_w: float) -> float:
        if self._begin:
            ramp.begin(seen, goal_w)
            self._begin = False
        return ramp.follow(dt_s, goal_w)

    def _reactive_power(self, dt_s: float, seen: Measured) -> tuple[float, bool]:
        demand: Demand = NOTHING
        for function in self._reactive:
            asked = function.step(dt_s, seen)
            if asked.q_var is not None:
                demand = asked
        lag = self._q_lag
        ramp = self.ramp
        if not self.service.in_service:
            lag.start(0.0)
            if ramp is not None:
                ramp.q_rate_var_s = 0.0
            return 0.0, False
        wanted = demand.q_var
        if wanted is None:
            if not lag.y and not lag.moving:
                # At rest at 0; before the first step the lag stays free to start at its first input.
                lag.y = 0.0 if seen.running else None
                return 0.0, False
            wanted = 0.0
        else:
            self._q_response_s = demand.q_response_s
            if demand.limit_w < INF:
                seen.wanted_w = max(-demand.limit_w, min(demand.limit_w, seen.wanted_w))
        if self._q_begin:
            self._q_begin = False
            if ramp is not None:
                ramp.begin_q(seen, wanted)
        if ramp is not None and ramp.q_rate_var_s > 0:
            q = ramp.follow_q(dt_s, seen.q_var, wanted)
            lag.start(q, wanted)
            return q, demand.power_factor_first
        return lag.step(dt_s, wanted, self._q_response_s), demand.power_factor_first
