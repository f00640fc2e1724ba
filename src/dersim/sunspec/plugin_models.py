"""Models of plug-ins (`register_sunspec_models`): those that keep what is written, and those with an object.

Points begin with the ``value`` of their definition. Repeating groups appear as often as their count point's
value says, or once if it gives none. An error of the object ends the request that met it (exception 4).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

from dersim.errors import ConfigError
from dersim.fences import Fences
from dersim.local_control.refused import Refused
from dersim.local_control.submitting import changes_of, submit
from dersim.local_control.view import View
from dersim.modes import ModeValue
from dersim.numeric import returned, shown
from dersim.plugin.sunspec_model import SunspecModel, SunspecPoints
from dersim.setpoint_sources import SetpointSource
from dersim.setpoints import SetpointChange
from dersim.sunspec.block import Model, Values
from dersim.sunspec.definitions import lay_out
from dersim.sunspec.exceptions import DEVICE_FAILURE, ILLEGAL_VALUE, ModbusRefusal
from dersim.sunspec.points import Point, Value

_PLACE = "plugin_sunspec_model"


def plugin_model(view: View, plugin: str, kind: SunspecModel, fences: Fences) -> PluginModel:
    """The model of one DER. Raises what `make` raises, or what is wrong with the definition."""
    if kind.make is None:
        return PluginModel(view, kind.definition)
    return LiveModel(view, kind.definition, kind.make(view.device, view.now_s), Guard(plugin, fences, view))


class PluginModel(Model):
    """One model whose registers keep what is written to them."""

    KEPT = ("_values",)

    def __init__(
        self,
        view: View,
        model: Mapping[str, Any],
        counts: Mapping[str, int] | None = None,
        scales: Mapping[str, int] | None = None,
    ) -> None:
        self.view = view
        self._model = model
        self.model_id = int(model["id"])
        given = {p["name"]: p["value"] for p in model["group"]["points"] if "value" in p}
        self.counts = {k: int(v) for k, v in given.items() if k not in ("ID", "L") and _whole(v)}
        self.counts |= counts or {}
        given |= scales or {}
        points = lay_out(model, self.counts).points
        self.scales = {p.path: int(given[p.path]) for p in points if p.kind == "sunssf" and p.path in given}
        self._points = {p.path: p for p in points}
        kept = {p.path for p in points if p.path not in ("ID", "L") and p.kind != "sunssf"}
        self._values: dict[str, Any] = {k: v for k, v in given.items() if k in kept}

    def definition(self) -> Mapping[str, Any]:
        """The definition that the plug-in gave."""
        return self._model

    def stamp(self) -> object:
        """Changes with every write."""
        return self.view.version

    def values(self) -> Values:
        """The values of the definition, or what was written since."""
        return self._values

    def writable(self, path: str) -> bool:
        """RW points."""
        return self._points[path].writable

    def write(self, changes: Mapping[str, Any], source: SetpointSource) -> None:  # noqa: ARG002 - as in Model
        """Keep the values."""
        self._values = {**self._values, **changes}
        self.view.touched()


class Guard:
    """The fence around the calls of one plug-in's model: logged, counted, and a refusal to the peer."""

    def __init__(self, plugin: str, fences: Fences, view: View) -> None:
        self._plugin, self._fences, self._number = plugin, fences, view.device.number

    def call(self, what: str, function: Any, *arguments: Any) -> Any:
        """The result of a call; Refused passes, any other error becomes one."""
        refusal: Refused | None = None
        result: Any = None
        unit = f"plug-in {self._plugin}: {what}"
        with self._fences.around(_PLACE, "Modbus", unit, self._number) as ended:
            try:
                result = function(*arguments)
            except Refused as why:
                refusal = why
        if ended.error is not None:
            refusal = ModbusRefusal(DEVICE_FAILURE, f"{unit} failed: {ended}")
        if refusal is not None:
            raise refusal
        return result


class LiveModel(PluginModel):
    """One model with an object of the plug-in behind its registers."""

    def __init__(self, view: View, model: Mapping[str, Any], made: SunspecPoints, guard: Guard) -> None:
        missing = [name for name in ("read", "write") if not callable(getattr(made, name, None))]
        if missing:
            raise ConfigError(f"make of SunSpec model {model['id']} returned {made!r}: no {missing[0]}()")
        super().__init__(view, model, getattr(made, "counts", None), getattr(made, "scales", None))
        self._made = made
        self._stamp = getattr(made, "stamp", None)
        self._writable = getattr(made, "writable", None)
        self._guard = guard
        self._name = f"SunSpec model {self.model_id}"

    def stamp(self) -> object:
        """The object's, or what most models show: the state, the setpoints and the settings."""
        if self._stamp is None:
            return self.view.state_stamp(), self.view.rules_stamp()
        return self.view.version, self._guard.call(f"stamp of {self._name}", self._stamp)

    def values(self) -> Values:
        """What the object's `read` returns."""
        values: Values = self._guard.call(f"read of {self._name}", self._read)
        return values

    def try_out(self) -> None:
        """Call what a request calls, without the fence."""
        self._read()
        if self._stamp is not None:
            self._stamp()
        if self._writable is not None:
            for point in self._points.values():
                if point.writable:
                    self._writable(point.path)

    def writable(self, path: str) -> bool:
        """RW points, without those that the object excepts."""
        if not super().writable(path) or self._writable is None:
            return super().writable(path)
        return bool(self._guard.call(f"writable of {self._name}", self._writable, path))

    def write(self, changes: Mapping[str, Any], source: SetpointSource) -> None:
        """Pass the values to the object, and submit what it asks of the DER."""
        wanted = self._guard.call(f"write of {self._name}", self._ask, dict(changes), source)
        submit(self.view, wanted)
        self.view.touched()

    def _ask(self, changes: dict[str, Any], source: SetpointSource) -> list[SetpointChange]:
        try:
            wanted = self._made.write(changes, source)
        except ConfigError as why:
            raise ModbusRefusal(ILLEGAL_VALUE, f"model {self.model_id}: {why}") from None
        if wanted is None:
            return []
        if isinstance(wanted, Mapping):
            modes: Mapping[str, ModeValue | None] = wanted
            return changes_of(self.view, source, modes, f"{self.model_id}.{next(iter(changes))}")
        return [_change(each) for each in _listed(wanted)]

    def _read(self) -> Values:
        values = self._made.read()
        if not isinstance(values, Mapping):
            raise TypeError(f"it returned {returned(values)}; return a mapping of points")
        return {**self._values, **{path: self._value(path, value) for path, value in values.items()}}

    def _value(self, path: str, value: Any) -> Value:
        point = self._points.get(path)
        if point is None or path in ("ID", "L") or point.kind == "sunssf":
            raise KeyError(f"{shown(path)} is no point with a value")
        return _fitting(point, value)


def _fitting(point: Point, value: Any) -> Value:
    """A value that the registers can hold; TypeError says why not. NaN and None show "not implemented"."""
    if value is None or (isinstance(value, str) and point.is_text):
        return value
    if isinstance(value, bool):
        value = int(value)
    if not isinstance(value, int | float) or point.is_text or math.isinf(value):
        raise TypeError(f"{point.path} is {shown(value)}; give {'a text' if point.is_text else 'a number'}")
    return None if math.isnan(value) else value


def _listed(wanted: Iterable[Any]) -> list[Any]:
    if isinstance(wanted, str) or not isinstance(wanted, Iterable):
        raise TypeError(f"it returned {returned(wanted)}; return a mapping of modes, changes or None")
    return list(wanted)


def _change(item: Any) -> SetpointChange:
    if not isinstance(item, SetpointChange):
        raise TypeError(f"it returned {returned(item)}; return SetpointChange objects")
    return item


def _whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
