"""Stored sets: curves and droop parameters that are written point by point and adopted at once (705 to 712).

Set 1 (``Crv[0]`` here) is read-only and shows the settings in force; the others may be inconsistent while a
client writes them. A write of n to AdptCrvReq copies set n to set 1. Only then is it checked: if the device
cannot take it, the result is FAILED and set 1 stays. Ena puts set 1 in force; while Ena reads 1, whoever
enabled the function, an adopted set is in force as Modbus's own. While an event overrides it, the result is
IN_PROGRESS. RvrtCrv names the set to adopt when the reversion timer expires; with 0 the function is then
disabled.

A `Form` translates between sets and modes; there is one per model, in `curve_forms.py` and `trips.py`.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from typing import Any

from dersim.local_control.refused import Refused
from dersim.local_control.reversion import Timers
from dersim.local_control.submitting import check, submit
from dersim.local_control.switched import Modes, Switched
from dersim.local_control.view import View
from dersim.modes import ModeValue
from dersim.setpoint_sources import SetpointSource
from dersim.sunspec.block import Meaning, Model, Values
from dersim.sunspec.exceptions import ILLEGAL_VALUE, ModbusRefusal
from dersim.sunspec.points import Value

#: Points of one set by their names inside it, e.g. ``Pt[0].V``, in plain units.
PointSet = Mapping[str, Any]
SETS, POINTS = 3, 10
IN_PROGRESS, COMPLETED, FAILED = range(3)


class Form:
    """Translates the sets of one model to modes and back.

    modes: those of the model. group, request, result, revert: names of points. off: the modes that mean
    "disabled" where something is always in force; None: the modes are withdrawn. none_active: request 0
    means that no set is active.
    """

    model_id = 0
    modes: Sequence[str] = ()
    group, request, result, revert = "Crv", "AdptCrvReq", "AdptCrvRslt", "RvrtCrv"
    counts: Mapping[str, int] = {}
    scales: Mapping[str, int] = {}
    off: Modes | None = None
    none_active = False

    def read(self, points: PointSet) -> dict[str, ModeValue | None]:
        """The modes of a set; ModbusRefusal says what is wrong with it."""
        raise NotImplementedError

    def without_missing(self, points: PointSet) -> PointSet:
        """A set of another machine without the curves that this DER does not have."""
        return points

    def show(self, modes: Modes) -> dict[str, Value]:
        """The set for these modes; without any mode, the DER's default."""
        raise NotImplementedError


class StoredSets(Model):
    """The registers of a model with stored sets."""

    KEPT = ("_sets", "_request", "_result", "_revert_s", "_revert_to")

    def __init__(self, view: View, form: Form, timers: Timers) -> None:
        self.view = view
        self.form = form
        self.model_id = form.model_id
        self.counts = form.counts
        self.scales = form.scales
        self.detail = f"{form.model_id}"
        self._switched = Switched(view, form.modes, self.detail, form.off)
        first = form.show({})
        #: What was adopted last, then the writable sets.
        #: Shared until the first write, which copies.
        self._sets: list[dict[str, Any]] = [first] * SETS
        self._request, self._result = 1, COMPLETED
        self._revert_s, self._revert_to = 0, 0
        self._has_reversion = form.revert != ""
        self._timer = timers.add(self._revert)

    def stamp(self) -> object:
        """Changes with setpoints, settings and registers, and with every second of the timer."""
        return (self.view.rules_stamp(), self._timer.remaining_s)

    def values(self) -> Values:
        """Enable, adoption and reversion, and the sets."""
        form = self.form
        out: dict[str, Value] = {
            "Ena": int(self._switched.acts),
            form.request: 0 if form.none_active and not self._switched.acts else self._request,
            form.result: IN_PROGRESS if self._result == COMPLETED and self._switched.waits else self._result,
        }
        if self._has_reversion:
            out |= {
                "RvrtTms": self._revert_s,
                "RvrtRem": self._timer.remaining_s,
                form.revert: self._revert_to,
            }
        for index, points in enumerate((self._in_force(), *self._sets[1:])):
            prefix = f"{form.group}[{index}]."
            out |= {prefix + name: value for name, value in points.items()}
            out[f"{prefix}ReadOnly"] = int(index == 0)
        return out

    def _in_force(self) -> Mapping[str, Any]:
        """Set 1: what is in force if it was not set here, else what was adopted here."""
        held = self._switched.held
        modes = {item.mode: item.value for item in held}
        own = all(self.view.is_of(item, self.detail) for item in held)
        if not self._switched.acts or (own and modes == self._adopted()):
            return self._sets[0]
        return self.form.show(modes)

    def _adopted(self) -> Modes:
        """The modes of what was adopted here."""
        return {mode: value for mode, value in self.form.read(self._sets[0]).items() if value is not None}

    def meaning(self, values: Values) -> Meaning:
        """Set 1 as modes where Ena says that it acts; all sets, adoption and reversion as registers."""
        form, kept = self.form, set(self.values())
        registers = {path: value for path, value in values.items() if value is not None and path in kept}
        for name in ("Ena", "RvrtRem", *(path for path in kept if path.endswith("ReadOnly"))):
            registers.pop(name, None)
        for name in (form.request, form.result):
            if not registers.get(name):  # no set is active, or a change waits: so it does not in a twin
                registers.pop(name, None)
        prefix = f"{form.group}[0]."
        first = {p.removeprefix(prefix): registers.pop(p) for p in list(registers) if p.startswith(prefix)}
        first = dict(form.without_missing({**self._sets[0], **first}))
        acts = bool(values.get("Ena"))
        try:
            modes = form.read(first)
            registers |= {prefix + name: value for name, value in first.items()}
        except (Refused, LookupError):
            if acts:
                raise
        wanted: Modes = modes if acts else self.form.off or {}
        return Meaning({}, {mode: value for mode, value in wanted.items() if value is not None}, registers)

    def restore(self, registers: Mapping[str, Any]) -> None:
        """The sets, adoption and reversion."""
        form, sets, rest = self.form, [dict(points) for points in self._sets], dict(registers)
        for path in registers:
            index, name = _place(form.group, path)
            if index < len(sets) and name in sets[index]:
                sets[index][name] = rest.pop(path)
        self._request = rest.pop(form.request, self._request)
        self._result = rest.pop(form.result, self._result)
        if self._has_reversion:
            self._revert_s = rest.pop("RvrtTms", self._revert_s)
            self._revert_to = rest.pop(form.revert, self._revert_to)
        super().restore(rest)
        form.read(sets[0])  # refuses a set 1 that could not have been adopted
        self._sets = sets
        self.view.touched()

    def writable(self, path: str) -> bool:
        """All but set 1."""
        return not path.startswith(f"{self.form.group}[0]")

    def write(self, changes: Mapping[str, Any], source: SetpointSource) -> None:
        """Write the sets, then adopt, then enable, as if they were written in this order."""
        form = self.form
        sets = self._sets[:1] + [dict(points) for points in self._sets[1:]]
        for path, value in changes.items():
            if path.startswith(f"{form.group}["):
                index, name = _place(form.group, path)
                sets[index][name] = value
        request = changes.get(form.request)
        least = 0 if form.none_active else 1
        if request is not None and not least <= request <= SETS:
            raise ModbusRefusal(
                ILLEGAL_VALUE, f"{self.detail}.{form.request}: {request} is not {least} to {SETS}"
            )
        revert_to = changes.get(form.revert, self._revert_to) if form.revert else 0
        if not 0 <= revert_to <= SETS:
            raise ModbusRefusal(ILLEGAL_VALUE, f"{self.detail}.{form.revert}: {revert_to} is not 0 to {SETS}")
        self._switch(changes, sets, request, source)
        self._sets = sets
        self._revert_s, self._revert_to = changes.get("RvrtTms", self._revert_s), revert_to
        self._set_timer(changes)
        self.view.touched()

    def _switch(
        self,
        changes: Mapping[str, Any],
        sets: list[dict[str, Any]],
        request: int | None,
        source: SetpointSource,
    ) -> None:
        """Adopt and enable; raises before anything is changed."""
        on = self._switched.acts
        wanted = bool(changes.get("Ena", on)) and request != 0
        if request == 1:  # the set in force, which is what it shows
            sets[0] = dict(self._in_force())
            self._request, self._result = 1, COMPLETED
        elif request:
            adopted = self._usable(sets[request - 1], request)
            self._request, self._result = request, FAILED if adopted is None else COMPLETED
            if adopted is not None:
                sets[0] = dict(sets[request - 1])
                if wanted:
                    self._put(adopted, source)
                    return
        if ("Ena" in changes or request == 0) and not wanted:
            self._disable(source)
        elif "Ena" in changes and not self._switched.is_on:
            if not self._switched.is_below_event:
                sets[0] = dict(self._in_force())
            self._put(self.form.read(sets[0]), source)

    def _usable(self, points: PointSet, number: int) -> dict[str, ModeValue | None] | None:
        """The modes of a set; None if the device cannot take it, with the reason in the log."""
        try:
            modes = self.form.read(points)
            check(self.view, modes)
        except Refused as why:
            self.view.say("Warning", f"{self.detail}: set {number} cannot be adopted: {why}")
            return None
        return modes

    def _put(self, modes: Modes, source: SetpointSource) -> None:
        submit(self.view, self._switched.on(source, modes))

    def _disable(self, source: SetpointSource) -> None:
        submit(self.view, self._switched.off(source))

    def _set_timer(self, changes: Mapping[str, Any]) -> None:
        if not self._switched.own:
            self._timer.stop()
        elif {"Ena", "RvrtTms", self.form.request} & changes.keys():
            self._timer.start(self._revert_s)

    def _revert(self) -> None:
        """The timer expired: adopt the set that RvrtCrv names, or disable."""
        modes = self._usable(self._sets[self._revert_to - 1], self._revert_to) if self._revert_to else None
        if modes is None or self._switched.is_taken:
            submit(self.view, self._switched.released())
        else:
            self._sets[0] = dict(self._sets[self._revert_to - 1])
            self._put(modes, SetpointSource.MODBUS)
        self.view.say("Info", f"{self.detail}: reversion timer ran out")
        self.view.touched()


def _place(group: str, path: str) -> tuple[int, str]:
    """The set, from 0, and the name inside it of a path such as ``Crv[1].Pt[0].V``; (0, "") of others."""
    if not path.startswith(f"{group}["):
        return 0, ""
    head, _, name = path.partition("].")
    return int(head[len(group) + 1 :]), name


def curve_points(
    points: PointSet, names: tuple[str, str], count: int, where: str = ""
) -> tuple[tuple[float, float], ...]:
    """The first `count` points of a set as pairs; ModbusRefusal if there are fewer."""
    if not 1 <= count <= POINTS:
        raise ModbusRefusal(ILLEGAL_VALUE, f"{where}ActPt: {count} is not 1 to {POINTS}")
    x, y = names
    return tuple((points[f"{where}Pt[{i}].{x}"], points[f"{where}Pt[{i}].{y}"]) for i in range(count))


def shown_curve(
    pairs: Sequence[tuple[float, float]], names: tuple[str, str], where: str = ""
) -> dict[str, Value]:
    """ActPt and points of a set; unused places hold 0."""
    out: dict[str, Value] = {f"{where}ActPt": min(len(pairs), POINTS)}
    for index, (x_name, y_name) in enumerate(_point_names(names, where)):
        out[x_name], out[y_name] = pairs[index] if index < len(pairs) else (0.0, 0.0)
    return out


@functools.cache
def _point_names(names: tuple[str, str], where: str) -> tuple[tuple[str, str], ...]:
    """The names of a set's points, the same strings for all devices."""
    x, y = names
    return tuple((f"{where}Pt[{i}].{x}", f"{where}Pt[{i}].{y}") for i in range(POINTS))
