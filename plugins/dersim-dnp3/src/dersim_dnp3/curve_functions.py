"""The functions that follow one curve: Volt-Var (BO 29), Volt-Watt (BO 25) and Watt-Var (BO 30).

A function names its curve by number. Number 0 means the function's own few points (AO 484 to 507), which are
those of IEEE 1547-2018 at first. While what acts is neither, the number shown is that of the curve at which
the store shows it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import ClassVar

from py1815.control import CommandStatus
from py1815.profile.model import Address

from dersim.plugin import (
    Curve,
    ModeValue,
    Nameplate,
    Refused,
    default_volt_var,
    default_volt_watt,
    default_watt_var,
)
from dersim_dnp3.curve_forms import VOLT_VAR, VOLT_WATT, WATT_VAR, Form
from dersim_dnp3.curve_store import WRITTEN, Use
from dersim_dnp3.measured_points import line_voltage, of_volts, of_watts
from dersim_dnp3.mode_function import ModeFunction, Values, common
from dersim_dnp3.points import AI, AO, BO, HIGHEST, Function, Input, Output
from dersim_dnp3.refusal import RefusalError
from dersim_dnp3.see import See

_PAIRS = 4
_AUTO_S = 300.0


class CurveFunction(ModeFunction):
    """The base. own: the first of its own points. own_unit: DERUnitRefType of their y."""

    form: Form
    first_back = 0
    #: The outputs that name the curve and the meter, and give the response times; with their inputs.
    names: ClassVar[tuple[int, int]]
    meter: ClassVar[tuple[int, int]]
    up: ClassVar[tuple[int, int]]
    down: ClassVar[tuple[int, int]]
    own: ClassVar[tuple[int, int]]
    own_unit = 8
    #: The longest response time that the mode takes, s.
    slowest_s = 90
    #: Of x, in the profile: tenths of a percent, or percents.
    own_scale = 0.1
    own_units = ("% of the reference voltage", "% of setMaxVA")
    default: Callable[[Nameplate], Curve]

    def __init__(self, see: See, more: Sequence[Output] = ()) -> None:
        block = self.function.block
        self._index = (AO, self.names[0])
        self._up, self._down = (AO, self.up[0]), (AO, self.down[0])
        self._own = [(AO, self.own[0] + place) for place in range(2 * _PAIRS)]

        def output(place: tuple[int, int], name: str, unit: str = "", high: int = HIGHEST) -> Output:
            return Output(AO, place[0], f"{block}: {name}", unit, 1, 0, high, place[1], block)

        outputs = (
            *common(self.function, self.first, self.first_back),
            output(self.meter, "meter that it follows, the DER's own (0)", high=0),
            output(self.names, "its curve, 0 its own points"),
            output(self.up, "response time", "s", self.slowest_s),
            output(self.down, "response time, the same", "s", self.slowest_s),
            *self._own_points(),
            *more,
        )
        default = type(self).default(see.plate)
        response_s = default.open_loop_s or 0.0
        values = {self._up: response_s, self._down: response_s, **self._as_own(default)}
        super().__init__(see, outputs, values)
        self._last = see.curves.add(Use(self.form, self._named, self._locks, self._foreign))

    def _own_points(self) -> list[Output]:
        block, (first, back) = self.function.block, self.own
        rows = []
        for place in range(2 * _PAIRS):
            axis, scale = place % 2, 1.0 if place % 2 else self.own_scale
            name = f"{block}: {'xy'[axis]} of its own point {place // 2 + 1}"
            low, high = (round(-100 / scale) if axis or scale == 1 else 0), round((200 - 100 * axis) / scale)
            rows.append(
                Output(
                    AO, first + place, name, self.own_units[axis], scale, low, high, back + place, block, 0
                )
            )
        return rows

    def _as_own(self, curve: Curve) -> dict[Address, float]:
        """The points of a curve as its own: what is left over repeats the last one."""
        points = [*curve.points, *[curve.points[-1]] * _PAIRS][:_PAIRS]
        return dict(zip(self._own, (value for point in points for value in point), strict=True))

    def _named(self) -> int:
        return int(self.stored[self._index])

    def _locks(self) -> bool:
        return self.in_force

    def _acting(self) -> Curve | None:
        held = next((each.value for each in self._switched.held), None)
        return held if isinstance(held, Curve) else None

    def _foreign(self) -> Curve | None:
        acting = self._acting()
        return acting if acting is not None and acting != self._wanted() else None

    def _wanted(self) -> Curve | None:
        """What the stored values ask for; None where they cannot be."""
        try:
            return self._curve(self.stored)
        except RefusalError:
            return None

    def demand(self, values: Values) -> dict[str, ModeValue | None]:
        """The curve."""
        return {self.form.mode: self._curve(values)}

    def _curve(self, values: Values) -> Curve:
        number = int(values[self._index])
        if number:
            curve = self.see.curves.curve(number, self.form)
        else:
            own = [values[each] for each in self._own]
            curve = Curve(_without_repeats(list(zip(own[::2], own[1::2], strict=True))), self.own_unit)
        return curve._replace(open_loop_s=values[self._up])

    def show(self, mode: str, value: ModeValue) -> dict[Address, float]:
        """The number and the times of what acts."""
        del mode
        if not isinstance(value, Curve) or value == self._wanted():
            return {}
        seconds = value.open_loop_s or 0.0
        return {self._index: float(self._last), self._up: seconds, self._down: seconds}

    def check(self, address: Address, value: float) -> None:
        """A curve that is named must be there; it must be whole once the function is on."""
        if address == self._index:
            if value != int(value):
                raise RefusalError(CommandStatus.OUT_OF_RANGE, f"there is no curve {value:g}")
            if value:
                self.see.curves.check_named(int(value), self.form)
        if (self.in_force and address not in self._own) or address == self._enable:
            super().check(address, value)

    def write(self, address: Address, value: float) -> None:
        """Carry it out; one response time for both directions."""
        self.check(address, value)
        named = self.stored[self._index]
        if address in self._own:
            self._write_own(address, value)
        elif self.in_force or address == self._enable:
            super().write(self._up if address == self._down else address, value)
        else:
            self.stored[address] = value
        if self.stored[self._index] > WRITTEN:  # what acts by others is shown, and not named
            self.stored[self._index] = named
        if address in (self._up, self._down):
            self.stored[self._up] = self.stored[self._down] = value
        self.see.touched()

    def _write_own(self, address: Address, value: float) -> None:
        """Keep it; while the function is on, its own points act as soon as together they are a curve."""
        self.stored[address] = value
        if self._is_ours and not self.stored[self._index]:
            with suppress(Refused):
                self._ask(self.stored)


def _without_repeats(points: list[tuple[float, float]]) -> tuple[tuple[float, float], ...]:
    """The points without those at the end that repeat the one before."""
    while len(points) > 1 and points[-1] == points[-2]:
        points.pop()
    return tuple(points)


class VoltVar(CurveFunction):
    """opModVoltVar; its reference voltage is AO 0, or follows the voltage (BO 41)."""

    function = Function("Volt-Var", 29, 81, 48)
    form, modes, first, first_back = VOLT_VAR, ("opModVoltVar",), 212, 290
    meter, names, up, down, own = (216, 294), (217, 297), (218, 298), (219, 299), (484, 594)
    default = staticmethod(default_volt_var)
    _AUTO, _AUTO_S = (BO, 41), (AO, 220)

    def __init__(self, see: See) -> None:
        block = self.function.block
        more = (
            Output(AO, 220, f"{block}: time in which the reference follows", "s", 1, 0, 5000, 300, block),
            Output(BO, 41, f"{block}: the reference voltage follows the voltage", back=93, block=block),
        )
        super().__init__(see, more)
        self.stored[self._AUTO_S] = _AUTO_S
        self.inputs = (
            Input(AI, 295, "voltage of Volt-Var", line_voltage, "V", 0.1, 2, rating=of_volts, block=block),
        )

    def _curve(self, values: Values) -> Curve:
        curve = super()._curve(values)
        auto = bool(values[self._AUTO])
        return curve._replace(
            autonomous_v_ref=auto, autonomous_v_ref_s=values[self._AUTO_S] if auto else None
        )

    def show(self, mode: str, value: ModeValue) -> dict[Address, float]:
        """With the reference voltage."""
        shown = super().show(mode, value)
        if shown and isinstance(value, Curve):
            shown[self._AUTO] = float(value.autonomous_v_ref)
            if value.autonomous_v_ref_s is not None:
                shown[self._AUTO_S] = value.autonomous_v_ref_s
        return shown


class VoltWatt(CurveFunction):
    """opModVoltWatt."""

    function = Function("Volt-Watt", 25, 77, 44)
    form, modes, first, first_back = VOLT_WATT, ("opModVoltWatt",), 168, 242
    meter, names, up, down, own = (172, 246), (173, 248), (175, 251), (176, 252), (500, 610)
    slowest_s, own_unit, own_units = 60, 1, ("% of the reference voltage", "% of setMaxW")
    default = staticmethod(default_volt_watt)

    def __init__(self, see: See) -> None:
        super().__init__(see)
        self.inputs = (
            Input(
                AI,
                247,
                "voltage of Volt-Watt",
                line_voltage,
                "V",
                0.1,
                2,
                rating=of_volts,
                block=self.function.block,
            ),
        )


class WattVar(CurveFunction):
    """opModWattVar."""

    function = Function("Watt-Var", 30, 82, 49)
    form, modes, first, first_back = WATT_VAR, ("opModWattVar",), 221, 302
    meter, names, up, down, own = (225, 306), (226, 308), (227, 309), (228, 310), (492, 602)
    own_scale, own_units = 1.0, ("% of setMaxW", "% of setMaxVA")
    default = staticmethod(default_watt_var)

    def __init__(self, see: See) -> None:
        super().__init__(see)
        self.inputs = (
            Input(
                AI,
                307,
                "active power of Watt-Var",
                lambda now: now.state.p_w,
                "W",
                1,
                2,
                rating=of_watts,
                block=self.function.block,
            ),
        )
