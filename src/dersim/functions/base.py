"""A base class with defaults for the parts of `ControlFunction` that a function does not need."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import ClassVar

from dersim.functions.contract import NOTHING, Demand
from dersim.hardware.measured import Measured
from dersim.hardware.nameplate import Nameplate
from dersim.hardware.settings import Settings
from dersim.modes import ModeValue

INF = math.inf


class Function:
    """A control function with no timer and no state; subclasses override what differs.

    `settled` is read after each step; a subclass with a filter or timer under way sets it False.
    voltage_response_s: the open-loop time of its response to the voltage, s; inf for one that has none.
    follows_power: whether its reactive power depends on active power, so that a step needs short pieces while
    that moves. bends_w: active powers (W, charging negative) where the line between them bends.
    """

    #: The attributes that a checkpoint keeps (`kept.py`).
    KEPT: ClassVar[tuple[str, ...]] = ("settled",)
    voltage_response_s = INF
    follows_power = False
    bends_w: tuple[float, ...] = ()

    def __init__(self, nameplate: Nameplate, settings: Settings) -> None:
        self.nameplate = nameplate
        self.settings = settings
        self.settled = True

    def configure(self, modes: Mapping[str, ModeValue], seen: Measured) -> None:
        """Take over the modes in force; the base class has none."""

    def step(self, dt_s: float, seen: Measured) -> Demand:
        """Advance by dt_s; the base class asks for nothing."""
        return NOTHING

    def horizon_s(self, seen: Measured) -> float:
        """Seconds until a timer ends; the base class has no timer, so inf."""
        return INF
