"""The control functions of one DER, called in the order in which they have their say.

    protect    trip, momentary cessation, connect, enter service: may the machine be in service at all?
    command    limits and targets by command; the ramp bounds how fast they move
    (source)   what sun and battery can give
    grid       Volt-Watt, Freq-Watt: limits by the state of the grid, with their own response times
    frequency  the droop: takes the place of the command, never of the limits of `grid`
    (ramp of entering service)
    reactive   the one reactive mode, with one open-loop lag behind it
    (inverter) what of P and Q fits into the machine

The lag of reactive power stands here and not in the functions: it is the machine's reactive power that moves,
and so a change from one reactive mode to another cannot jump, whatever the two want (1547-2018 4.6.3: smooth
transition between modes).

Only functions that have something to do are called: those with a mode in force and the standing ones, and the
standing protection only when the grid leaves the window inside which it has nothing to say.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping

from dersim.device.inverter import Inverter
from dersim.device.nameplate import Nameplate
from dersim.device.settings import Settings
from dersim.device.source import Source
from dersim.extension import NOTHING, ControlFunction, Demand, FunctionType, Measured
from dersim.functions.base import INF
from dersim.functions.filters import Lag
from dersim.functions.ramp import Ramp
from dersim.modes import ModeValue

_NO_WINDOW = (INF, -INF, INF, -INF)
#: Above this voltage the current rating cannot be the limit of a machine with 15 % to spare.
_FULL_POWER_V_PU = 0.9
_COMMANDING = ("command", "grid", "frequency")


class Chain:
    """All functions of one DER, and what came out of the last step.

    p_w, q_var: the output. in_service, tripped, ceased: the state of service. limited: the VA limit acts.
    settled: another step under the same conditions would change nothing.
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
        self.p_w = self.q_var = 0.0
        self.in_service, self.tripped, self.ceased, self.settled = True, False, False, False
        self.permitted = True
        self.entering = False
        self._stages: dict[str, list[ControlFunction]] = {}
        self._enabled: list[ControlFunction] = []
        self._window = _NO_WINDOW
        self._q_lag = Lag()
        self._q_response_s = 0.0
        self._in_force: dict[str, Mapping[str, ModeValue]] = {}
        self._settings_seen = -1
        self._begin = True

    @property
    def modes(self) -> frozenset[str]:
        """All modes that some function obeys."""
        return frozenset(mode for kind in self.types for mode in kind.modes)

    def configure(self, values: Mapping[str, ModeValue], seen: Measured) -> None:
        """Hand every function the modes that are in force now."""
        changed_settings = self._settings.changes != self._settings_seen
        self._settings_seen = self._settings.changes
        self.inverter.configure()
        stages: dict[str, list[ControlFunction]] = {s: [] for s in ("protect", *_COMMANDING, "reactive")}
        for kind in self.types:
            function = self.functions[kind.name]
            own = {mode: values[mode] for mode in kind.modes if mode in values}
            if own != self._in_force.get(kind.name) or changed_settings:
                function.configure(own, seen)
                if (
                    kind.stage in _COMMANDING
                    and kind.name != "ramp"
                    and own != self._in_force.get(kind.name, {})
                ):
                    self._begin = True
                self._in_force[kind.name] = own
            if (own or kind.standing) and function is not self.ramp:
                stages[kind.stage].append(function)
        self._begin = self._begin or changed_settings
        self._stages = stages
        self._enabled = [function for functions in stages.values() for function in functions]
        self._window = self._common_window(stages["protect"])
        self.settled = False

    @staticmethod
    def _common_window(protect: list[ControlFunction]) -> tuple[float, float, float, float]:
        windows = [getattr(function, "quiet_window", _NO_WINDOW) for function in protect]
        if not windows:
            return (0.0, INF, 0.0, INF)
        return (
            max(w[0] for w in windows),
            min(w[1] for w in windows),
            max(w[2] for w in windows),
            min(w[3] for w in windows),
        )

    def quiet(self, seen: Measured) -> bool:
        """Whether protection has nothing to do: in service, no timer, the grid inside its windows."""
        low, high, slow, fast = self._window
        return (
            self.in_service
            and self.permitted
            and low <= seen.v_low_pu
            and seen.v_high_pu <= high
            and slow <= seen.frequency_hz <= fast
            and all([function.settled for function in self._stages["protect"]])  # noqa: C419 - half the time
        )

    def horizon_s(self, seen: Measured) -> float:
        """Seconds until the first timer of a protecting function runs out; inf when none runs."""
        return min((function.horizon_s(seen) for function in self._stages["protect"]), default=INF)

    def step(self, dt_s: float, seen: Measured, source: Source, *, quiet: bool) -> None:
        """Advance by dt_s and work out `p_w` and `q_var`."""
        ceiling = INF if quiet else self._protect(dt_s, seen)
        p = self._active(dt_s, seen, source, ceiling)
        seen.wanted_w = p
        q, factor_first = self._reactive(dt_s, seen)
        if self.in_service and not self.ceased:
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
            and all([function.settled for function in self._enabled])  # noqa: C419 - half the time
        )
        self.p_w = seen.p_w = p
        self.q_var = seen.q_var = q

    def _protect(self, dt_s: float, seen: Measured) -> float:
        trip = cease = enter = False
        off = seen.blocked = not self.permitted
        ceiling = INF
        for function in self._stages["protect"]:
            demand = function.step(dt_s, seen)
            if demand is NOTHING:
                continue
            trip, off = trip or demand.trip, off or demand.off
            cease, enter = cease or demand.cease, enter or demand.enter
            ceiling = min(ceiling, demand.limit_w)
            seen.blocked = trip or off or cease
        self.ceased = cease
        if self.in_service and (trip or off):
            self._leave(seen, tripped=trip)
        elif not self.in_service:
            self.tripped = self.tripped or trip
            alone = "enter-service" not in self.functions
            if (enter or alone) and not seen.blocked:
                return self._enter(seen)
        self.entering = self.in_service and ceiling < INF
        return ceiling

    def _leave(self, seen: Measured, *, tripped: bool) -> None:
        self.in_service = seen.in_service = False
        self.tripped, self.entering = tripped, False
        self._q_lag.start(0.0)

    def _enter(self, seen: Measured) -> float:
        self.in_service = seen.in_service = True
        self.tripped = False
        # Ask the ramp of entering service at once, so that the first instant is bounded too.
        ceilings = [function.step(0.0, seen).limit_w for function in self._stages["protect"]]
        self.entering = min(ceilings) < INF
        return min(ceilings)

    @property
    def trip_window(self) -> tuple[float, float, float, float]:
        """Lowest and highest voltage (per unit) and frequency (Hz) that no trip counts against."""
        trip = self.functions.get("trip")
        window: tuple[float, float, float, float] = getattr(trip, "quiet_window", (0.0, INF, 0.0, INF))
        return window

    def reset(self, seen: Measured) -> None:
        """Forget a trip; out of service, the delay of entering it begins afresh."""
        self.tripped = False
        if not self.in_service:
            self.take_out_of_service(seen)

    def take_out_of_service(self, seen: Measured) -> None:
        """Start out of service: enter service decides when it begins."""
        self._leave(seen, tripped=False)
        self.settled = False
        enter = self.functions.get("enter-service")
        if enter is not None:
            enter.settled = False

    def _active(self, dt_s: float, seen: Measured, source: Source, ceiling: float) -> float:
        s = self._settings
        goal = source.rest_w
        cap, floor = s.setMaxW, -s.setMaxChargeRateW
        for function in self._stages["command"]:
            demand = function.step(dt_s, seen)
            if demand.target_w is not None:
                goal = demand.target_w
            cap = min(cap, demand.limit_w)
            floor = max(floor, demand.floor_w)
        p = cap if goal > cap else (max(goal, floor))
        ramp = self.ramp
        if ramp is not None:
            if self._begin:
                ramp.begin(seen, p)
                self._begin = False
            p = ramp.follow(dt_s, p)
        high, low = seen.available_w, -seen.charge_w
        p = high if p > high else (max(p, low))
        limit = s.setMaxW
        for function in self._stages["grid"]:
            demand = function.step(dt_s, seen)
            limit = min(limit, demand.limit_w)
        p = min(p, limit)
        for function in self._stages["frequency"]:
            seen.wanted_w = p
            demand = function.step(dt_s, seen)
            if demand.override_w is not None:
                p = min(demand.override_w, high, limit)
        if ceiling < INF:
            p = max(-ceiling, min(ceiling, p))
        return max(p, low)

    def _reactive(self, dt_s: float, seen: Measured) -> tuple[float, bool]:
        demand: Demand = NOTHING
        for function in self._stages["reactive"]:
            asked = function.step(dt_s, seen)
            if asked.q_var is not None:
                demand = asked
        lag = self._q_lag
        wanted = demand.q_var
        if wanted is None:
            if lag.y is None or (not lag.y and not lag.moving):
                lag.y = 0.0 if seen.running else None
                return 0.0, False
            wanted = 0.0
        else:
            self._q_response_s = demand.q_response_s
        if not self.in_service:
            lag.start(0.0)
            return 0.0, False
        q = lag.step(dt_s, wanted, self._q_response_s)
        return q, demand.power_factor_first
