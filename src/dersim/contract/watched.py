"""A control function whose promises are tried on copies of it while its DER runs."""

from __future__ import annotations

import copy
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from dersim.functions.checked import checked
from dersim.functions.contract import ControlFunction, Demand, FunctionType
from dersim.hardware.measured import Measured
from dersim.hardware.nameplate import Nameplate
from dersim.hardware.settings import Settings
from dersim.modes import ModeValue

_TRIES = 200
_NUMBERS = ("limit_w", "floor_w", "target_w", "override_w", "q_var")
_FLAGS = ("cease", "off", "standby", "trip", "enter")


@dataclass(slots=True)
class Findings:
    """Of all instances of a function: the first broken promise of each kind, and how often each was tried."""

    settled: str = ""
    horizon: str = ""
    copied: str = ""
    settled_tried: int = 0
    horizon_tried: int = 0
    steps: int = 0
    modes: dict[str, ModeValue] = field(default_factory=dict)


def watched(kind: FunctionType, findings: Findings) -> FunctionType:
    """The same type, whose instances are watched."""
    return replace(
        kind,
        make=lambda plate, settings: Watched(kind, plate, settings, findings),
    )


class Watched:
    """One instance; it answers as the function does, with the chain's checks of its answers."""

    def __init__(self, kind: FunctionType, plate: Nameplate, settings: Settings, findings: Findings) -> None:
        self._inner = kind.make(plate, settings)
        self._answering = checked(kind.name, self._inner)
        self._shared = (plate, settings)
        self._findings = findings

    def __getattr__(self, name: str) -> Any:
        """`settled`, `cause` and what else the function has."""
        return getattr(self._inner, name)

    def configure(self, modes: Mapping[str, ModeValue], seen: Measured) -> None:
        """Pass it on."""
        self._findings.modes = dict(modes)
        self._inner.configure(modes, seen)

    def horizon_s(self, seen: Measured) -> float:
        """Pass it on."""
        return self._answering.horizon_s(seen)

    def step(self, dt_s: float, seen: Measured) -> Demand:
        """The function's step; then the promises of the state that it has reached."""
        demand: Any = self._answering.step(dt_s, seen)
        found = self._findings
        found.steps += 1
        if isinstance(demand, Demand) and not found.copied:
            if self._inner.settled and found.settled_tried < _TRIES and not found.settled:
                found.settled_tried += 1
                found.settled = self._unsettled(demand, seen)
            if found.horizon_tried < _TRIES and not found.horizon:
                found.horizon = self._at_horizon(seen)
        return demand  # type: ignore[no-any-return]  # what the function returned, checked by the chain

    def _copy(self) -> ControlFunction | None:
        memo: dict[int, Any] = {id(each): each for each in self._shared}
        try:
            return copy.deepcopy(self._inner, memo)
        except (TypeError, ValueError, RecursionError) as error:
            self._findings.copied = f"the function cannot be copied: {error}"
            return None

    def _unsettled(self, demand: Demand, seen: Measured) -> str:
        """What the same call again asks for instead, "" for the same."""
        before = _asked(demand)
        for dt_s in (1.0, 3600.0):
            twin = self._copy()
            again = before if twin is None else _asked(twin.step(dt_s, seen))
            for name, value in before.items():
                if not _same(value, again[name]):
                    return f"settled is True, but {dt_s:g} s later {name} is {again[name]} instead of {value}"
        return ""

    def _at_horizon(self, seen: Measured) -> str:
        horizon_s = self._inner.horizon_s(seen)
        if not math.isfinite(horizon_s):
            return ""
        self._findings.horizon_tried += 1
        twin = self._copy()
        if twin is None:
            return ""
        twin.step(horizon_s, seen)
        after_s = twin.horizon_s(seen)
        if after_s > 0:
            return ""
        return f"horizon_s is {horizon_s:g} s, and after a step of that length it is {after_s:g}"


def _asked(demand: Demand) -> dict[str, Any]:
    return {name: getattr(demand, name) for name in (*_NUMBERS, *_FLAGS)}


def _same(a: Any, b: Any) -> bool:
    if a is None or b is None or isinstance(a, bool):
        return a is b or a == b
    return a == b or math.isclose(a, b, rel_tol=1e-6, abs_tol=1e-3)
