"""Control functions and device types of plug-ins, made and called once before any DER exists.

What is found here would otherwise fail in the constructor of the first DER, or at its first step.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import TYPE_CHECKING

from dersim.errors import PluginError
from dersim.fences import at_start
from dersim.functions.contract import Demand, FunctionType
from dersim.hardware.measured import Measured
from dersim.hardware.settings import Settings
from dersim.modes import modes_to_json

if TYPE_CHECKING:
    from dersim.hardware.device_type import DeviceType
    from dersim.hardware.nameplate import Nameplate

_SOURCE = (
    "available_w",
    "charge_w",
    "rest_w",
    "settled",
    "soc_pct",
    "cell_temperature_c",
    "see",
    "drew",
    "dc",
)
_FUNCTION = ("settled", "configure", "step", "horizon_s")


def try_function(plugin: str, kind: FunctionType, nameplate: Nameplate) -> None:
    """Make one control function and call it as the chain does before a mode is in force; PluginError."""
    what = f"control function {kind.name!r}"
    with at_start(plugin, f"suits of {what}"):
        if not kind.suits(nameplate):
            return
    with at_start(plugin, f"suits_mode of {what}"):
        kind = kind.of(nameplate)
    with at_start(plugin, f"acts_without of {what}"):
        modes_to_json(kind.acts_without(nameplate))
    with at_start(plugin, f"make of {what}"):
        function = kind.make(nameplate, Settings(nameplate))
    _need(plugin, what, function, _FUNCTION)
    seen = Measured(frequency_hz=nameplate.frequency_hz)
    with at_start(plugin, f"configure of {what}"):
        function.configure({}, seen)
    with at_start(plugin, f"horizon_s of {what}"):
        horizon_s = function.horizon_s(seen)
    if not _is_number(horizon_s) or not horizon_s > 0:
        raise PluginError(
            f"plug-in {plugin}: horizon_s of {what} returned {horizon_s!r}; "
            f"return seconds above 0, math.inf without a timer"
        )
    if kind.standing:
        with at_start(plugin, f"step of {what}"):
            demand = function.step(0.0, seen)
        if not isinstance(demand, Demand):
            raise PluginError(
                f"plug-in {plugin}: step of {what} returned {demand!r}; return a Demand, or NOTHING"
            )


def try_device_type(plugin: str, kind: DeviceType, nameplate: Nameplate) -> None:
    """Make one DC side; PluginError."""
    what = f"device type {kind.name!r}"
    with at_start(plugin, f"make_source of {what}"):
        source = kind.make_source(nameplate)
    _need(plugin, what, source, _SOURCE)


def _need(plugin: str, what: str, made: object, names: Iterable[str]) -> None:
    with at_start(plugin, what):  # a property may raise
        missing = [name for name in names if not hasattr(made, name)]
    if missing:
        raise PluginError(f"plug-in {plugin}: {what} made {made!r}, which has no {', '.join(missing)}")


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and not math.isnan(value)
