"""What a DERControl asks of this device, in plain values, and whether the device can do it.

`Setpoints.check` is called before Response 1 is sent: a mode that the device does not have is
answered 251, a value that it cannot take 253 (2030.5-2018 10.2.3.4); the rest of the control is run.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol

from dersim.errors import ProtocolError
from dersim.ieee2030_5 import controlbase, extensions
from dersim.ieee2030_5.declare import TYPES
from dersim.ieee2030_5.event_types import Judgement
from dersim.ieee2030_5.resources import (
    DefaultDERControl,
    DERControl,
    DERControlBase,
    DERCurve,
    Disabled,
)
from dersim.ieee2030_5.wiretext import shorten
from dersim.modes import MODES, ModeValue
from dersim.setpoints import InForce, Outcome, SetpointChange, Verdict

UNSUPPORTED, IMPOSSIBLE = 251, 253
#: Elements that nobody declares which are named of one control; more are counted.
_MOST_NAMED = 3

_CURVE_MODES = tuple(name for name, spec in MODES.items() if spec.kind == "curve")
_BASE_MEMBERS = tuple(member.name for member in TYPES[DERControlBase].members)

#: Not a mode but how fast one is reached: it belongs to its control, and no event competes for it.
RAMP = "rampTms"


class SetpointsProtocol(Protocol):
    """What the CSIP client needs of `Setpoints`."""

    def submit(self, *changes: SetpointChange) -> list[Outcome]:
        """Take the changes, all or none."""
        ...

    def check(self, mode: str, value: ModeValue) -> Outcome:
        """The verdict that `submit` would give."""
        ...

    def in_force(self) -> Sequence[InForce]:
        """What acts now."""
        ...

    def overridden(self) -> Sequence[InForce]:
        """What was asked for and does not act."""
        ...


class Wanted(NamedTuple):
    """The value of one mode of a control, and the control's rampTms in s."""

    value: ModeValue
    ramp_s: float | None


def curve_hrefs(base: DERControlBase) -> dict[str, str]:
    """{mode: href} of the curves that the base points at."""
    links = ((mode, getattr(base, mode)) for mode in _CURVE_MODES)
    return {mode: link.href for mode, link in links if link is not None and not link.disabled}


class Judge:
    """What the device makes of controls and defaults.

    curves: DERCurves by the href in their link; None for one that cannot be had. Filled by the owner.
    """

    def __init__(self, setpoints: SetpointsProtocol) -> None:
        self.curves: dict[str, DERCurve | None] = {}
        self._setpoints = setpoints

    def keep_curves(self, *users: DERControl | DefaultDERControl) -> None:
        """Forget the curves that none of these points at."""
        used = {href for each in users for href in curve_hrefs(each.DERControlBase).values()}
        self.curves = {href: curve for href, curve in self.curves.items() if href in used}

    def missing(self, base: DERControlBase) -> frozenset[str]:
        """The hrefs of curves that were neither read nor given up."""
        return frozenset(href for href in curve_hrefs(base).values() if href not in self.curves)

    def __call__(self, control: DERControl) -> Judgement:
        """The modes that can be run, and those refused with their Response status."""
        values, reasons = self._values(control.DERControlBase)
        rejected: dict[int, list[str]] = {}
        for mode in _present(control.DERControlBase):
            if mode not in values and mode != RAMP:
                status = IMPOSSIBLE if mode in reasons else UNSUPPORTED
                reasons.setdefault(mode, f"{mode}: this device has no such mode")
                rejected.setdefault(status, []).append(mode)
        ramp_s = values.pop(RAMP, None)
        usable: dict[str, Wanted] = {}
        for mode, value in values.items():
            verdict, reason = self._setpoints.check(mode, value)
            if verdict is Verdict.ACCEPTED:
                usable[mode] = Wanted(value, float(ramp_s) if isinstance(ramp_s, int | float) else None)
            else:
                rejected.setdefault(_STATUS[verdict], []).append(mode)
                reasons[mode] = reason
        if not usable and not rejected:
            rejected[IMPOSSIBLE] = []
            reasons[""] = "it sets no mode of this device"
        reasons |= _not_known(control.DERControlBase)
        refused = {status: tuple(modes) for status, modes in sorted(rejected.items())}
        return Judgement(usable, refused, "; ".join(reasons.values()))

    def default(self, default: DefaultDERControl | None) -> dict[str, ModeValue | None]:
        """The modes of a default that can be run; None for one whose curve is still being fetched."""
        if default is None:
            return {}
        base = default.DERControlBase
        waiting = {mode: None for mode, href in curve_hrefs(base).items() if href not in self.curves}
        default = copy.copy(default)
        default.DERControlBase = self._readable(base)
        try:
            values = controlbase.default_modes_of(default, self._known())
        except ProtocolError:
            default.DERControlBase = DERControlBase()
            values = controlbase.default_modes_of(default, {}) | self._values(base)[0]
        return waiting | {
            mode: value
            for mode, value in values.items()
            if self._setpoints.check(mode, value).verdict is Verdict.ACCEPTED
        }

    def _known(self) -> Mapping[str, DERCurve]:
        return {href: curve for href, curve in self.curves.items() if curve is not None}

    def _values(self, base: DERControlBase) -> tuple[dict[str, ModeValue], dict[str, str]]:
        """The modes in plain values, and by mode why one cannot be read."""
        reasons = {
            mode: f"{mode}: its curve {href} cannot be read"
            for mode, href in curve_hrefs(base).items()
            if self.curves.get(href) is None
        }
        readable = self._readable(base)
        try:
            return dict(controlbase.modes_of(readable, self._known())), reasons
        except ProtocolError:
            return self._one_by_one(readable, reasons)

    def _one_by_one(
        self, base: DERControlBase, reasons: dict[str, str]
    ) -> tuple[dict[str, ModeValue], dict[str, str]]:
        """Each mode by itself, to find the one that cannot be read; such controls are rare."""
        values: dict[str, ModeValue] = {}
        for mode in ("extra", *_present(base)):
            alone = DERControlBase(**{mode: getattr(base, mode)})
            try:
                values |= controlbase.modes_of(alone, self._known())
            except ProtocolError as error:
                reasons[mode] = str(error)  # it names the mode
        return values, reasons

    def _readable(self, base: DERControlBase) -> DERControlBase:
        """The base without the links whose curve is not at hand."""
        absent = [mode for mode, href in curve_hrefs(base).items() if self.curves.get(href) is None]
        if not absent:
            return base
        base = copy.copy(base)
        for mode in absent:
            setattr(base, mode, None)
        return base


_STATUS = {Verdict.UNSUPPORTED: UNSUPPORTED, Verdict.OUT_OF_RANGE: IMPOSSIBLE}


def _present(base: DERControlBase) -> list[str]:
    """The modes that the base sets; one that came with disabled="true" (2023) is not set."""
    values = ((name, getattr(base, name)) for name in _BASE_MEMBERS)
    return [
        name
        for name, value in values
        if value is not None and not isinstance(value, Disabled) and not getattr(value, "disabled", None)
    ]


def _not_known(base: DERControlBase) -> dict[str, str]:
    """What neither the standard nor a plug-in declares, in words. It is ignored, as the standard wants."""
    names = [
        f"{shorten(name)} of {shorten(namespace)}"
        for namespace, name, _ in base.extra
        if extensions.find(namespace, name) is None
    ]
    named = {name: f"{name} is not known here" for name in names[:_MOST_NAMED]}
    more = len(names) - _MOST_NAMED
    return named | ({"more": f"nor are {more} more elements"} if more > 0 else {})
