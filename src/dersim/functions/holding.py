"""What holds P and Q of a DER where they are, worked out from its last step when somebody asks.

The stages of `chain.py` are walked again with what the functions asked for in that step. Whatever changed the
power last holds it. A power that only the source or the goal bounds is held by nothing.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from dersim.functions.base import INF
from dersim.functions.chain import Chain
from dersim.functions.ramp import Bounds
from dersim.hardware.measured import Measured
from dersim.hardware.settings import Settings
from dersim.hardware.source import Source, limiting, steered_by

#: Powers that differ by less, relative to setMaxVA, are equal.
_SAME = 1e-9


class Held(NamedTuple):
    """What holds P or Q.

    function: a control function's name; "" for a setting or a state. mode: the setting or state; "" for a
    function, whose modes are known elsewhere. limit: what it holds the output at now, W or var.
    goal: what the function asked for, from which `limit` differs while `moving`, on a ramp or a lag.
    why: what else is to be said. out: it keeps the DER out of service or lets it cease.
    """

    function: str
    mode: str
    limit: float
    goal: float
    moving: bool = False
    why: str = ""
    out: bool = False


def _by(function: str, limit: float, goal: float | None = None) -> Held:
    goal = limit if goal is None else goal
    return Held(function, "", limit, goal, moving=goal != limit)


def _setting(name: str, limit: float, why: str = "") -> Held:
    return Held("", name, limit, limit, why=why)


class Holding:
    """Of one DER. `p` and `q`: what holds them now, None for nothing."""

    def __init__(self, chain: Chain, settings: Settings, seen: Measured, source: Source) -> None:
        self._chain, self._settings, self._seen, self._source = chain, settings, seen, source
        self._names = {id(function): name for name, function in chain.called.items()}
        self._bounds = {id(bounds): name for name, bounds in chain.bounds.items()}
        self._least = _SAME * (settings.setMaxVA or 1.0)

    @property
    def p(self) -> Held | None:
        """What holds the active power."""
        if not self._seen.running:
            return None
        out = self._out()
        if out is not None:
            return out
        chain = self._chain
        asked, held = self._active()
        by, most = chain.reactive.by, chain.reactive.demand.limit_w
        if most < abs(asked) - self._least and by is not None:
            asked = math.copysign(most, asked)
            held = _by(self._names[id(by)], asked)
        p = chain.p_w
        if abs(p) < abs(asked) - self._least:
            why = "the power factor is kept" if chain.reactive.demand.power_factor_first else ""
            why = why or ("reactive power goes first" if abs(chain.q_var) > self._least else "")
            held = _setting(chain.inverter.apparent_limit(asked), p, why)
        return held

    @property
    def q(self) -> Held | None:
        """What holds the reactive power."""
        if not self._seen.running:
            return None
        out = self._out()
        if out is not None:
            return out
        chain, reactive = self._chain, self._chain.reactive
        asked, goal, q = reactive.lag.y or 0.0, reactive.demand.q_var, chain.q_var
        if abs(q) < abs(asked) - self._least:
            name, why = chain.inverter.reactive_limit(chain.p_w, q or asked * _SAME)
            return _setting(name, q, why)
        if goal is None or reactive.by is None:
            return _by("ramp", q, 0.0) if abs(q) > self._least else None
        return _by(self._names[id(reactive.by)], q, goal if asked != goal else q)

    def _out(self) -> Held | None:
        """What keeps the DER out of service, or lets it cease."""
        service = self._chain.service
        if service.in_service and not service.ceased:
            return None
        function = service.tripper if service.tripped else service.holder
        name = "" if function is None else self._names[id(function)]
        mode = ""
        if service.failed:
            name, mode = "", "failed"
        elif service.tripped:
            mode = "trip"
        elif not service.permitted:
            name, mode = "", "stop"
        elif function is None:
            name = "enter-service"
        return Held(name, mode, 0.0, 0.0, out=True)

    def _active(self) -> tuple[float, Held | None]:
        """The active power before the inverter's limits, and what holds it."""
        chain, seen = self._chain, self._seen
        p, held = self._commanded()
        high, low = seen.available_w, 0.0 - seen.charge_w
        if p > high:
            p, held = high, self._by_source(gives=True, at=high)
        elif p < low:
            p, held = low, self._by_source(gives=False, at=low)
        limit, by = self._settings.setMaxW, _setting("setMaxW", self._settings.setMaxW)
        for function, bounds in chain.grid:
            if bounds.demand.limit_w < limit:
                limit = bounds.demand.limit_w
                by = _by(self._names[id(function)], limit)
        if p > limit:
            p, held = limit, by
        for function, bounds in chain.frequency:
            override = bounds.demand.override_w
            if override is not None:
                p, held = override, _by(self._names[id(function)], override)
                if p > high:
                    p, held = high, self._by_source(gives=True, at=high)
                if p > limit:
                    p, held = limit, by
        return self._at_last(p, low, held)

    def _at_last(self, p: float, low: float, held: Held | None) -> tuple[float, Held | None]:
        """The ramp of entering service, and what can be charged at most."""
        service, over_w = self._chain.service, self._chain.over_w
        if service.entering and over_w > 0 and service.limiter is not None:
            p = math.copysign(max(0.0, abs(p) - over_w), p)
            held = _by(self._names[id(service.limiter)], p)
        least = 0.0 - self._settings.charge_limit_w
        if p < least and low < least:
            return least, self._charge(least)
        if p < low:  # a function that asks for less than there is holds it nevertheless
            p, held = low, self._by_source(gives=False, at=low) or (held and held._replace(limit=low))
        return p, held

    def _commanded(self) -> tuple[float, Held | None]:
        """The power by command, and what holds it; None where it is the power without a command."""
        chain, ramp = self._chain, self._chain.ramp
        most, least = self._settings.setMaxW, 0.0 - self._settings.charge_limit_w
        p, held = self._source.rest_w, self._at_rest()
        for function, bounds in chain.command:
            if bounds.demand.target_w is not None:
                p = bounds.demand.target_w
                held = _by(self._names[id(function)], p)
        if p > most:
            p, held = most, _setting("setMaxW", most)
        elif p < least:
            p, held = least, self._charge(least)
        if ramp is not None and ramp.target.value != p:
            p, held = ramp.target.value, _on_ramp("ramp", ramp.target.value, held)
        floor, cap = self._limits(least, most)
        unlimited = chain.without.unlimited_w
        if chain.battery_ramp is not None and abs(max(p, floor.limit) - unlimited) > self._least:
            p, held = unlimited, _on_ramp("battery-ramp", unlimited, held)
        if p < floor.limit:
            p, held = floor.limit, floor
        if p > cap.limit:
            p, held = cap.limit, cap
        return p, held

    def _limits(self, least: float, most: float) -> tuple[Held, Held]:
        """The floor and the limit by command that act, ramps included."""
        ramp = self._chain.ramp
        floor, cap = self._charge(least), _setting("setMaxW", most)
        for bounds in ramp.ending if ramp is not None else ():
            if bounds.limit.value < cap.limit:
                cap = _by("ramp", bounds.limit.value, most)
            if bounds.floor.value > floor.limit:
                floor = _by("ramp", bounds.floor.value, least)
        for function, bounds in self._chain.command:
            name, low, high = self._names[id(function)], *self._levels(bounds)
            if high < cap.limit:
                cap = _by(name, high, bounds.demand.limit_w)
            if low > floor.limit:
                floor = _by(name, low, bounds.demand.floor_w)
        return floor, cap

    def _levels(self, bounds: Bounds) -> tuple[float, float]:
        if self._chain.ramp is None:
            return bounds.demand.floor_w, bounds.demand.limit_w
        return bounds.floor.value, bounds.limit.value

    def _charge(self, limit: float) -> Held:
        s = self._settings
        by_power = s.setMaxChargeRateW <= s.setMaxChargeRateVA
        return _setting("setMaxChargeRateW" if by_power else "setMaxChargeRateVA", limit)

    def _by_source(self, *, gives: bool, at: float) -> Held | None:
        """The setting or command that the source is at, None for its own power."""
        name = limiting(self._source, gives=gives)
        return _setting(name, at) if name else None

    def _at_rest(self) -> Held | None:
        """What makes the source give or take another power than without a command."""
        name = steered_by(self._source)
        return _setting(name, self._source.rest_w) if name else None


def _on_ramp(name: str, value: float, held: Held | None) -> Held:
    """A power on its way: held by the function whose goal it has, else by the ramp."""
    if held is not None and held.function:
        return held._replace(limit=value, moving=True)
    return Held(name, "", value, INF if held is None else held.goal, moving=True)
