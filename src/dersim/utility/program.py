"""A DER program as the server keeps it: its controls, its default control and their curves.

Times are whole seconds since 1970 UTC, as in 2030.5. Modes are plain values (`dersim.modes`);
`program_documents` and `wire_modes` turn them into resources.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, cast

from dersim.modes import Curve, ModeValue, value_from_kept, value_to_kept
from dersim.utility import modes_2023
from dersim.utility.groups import Group
from dersim.utility.mrids import MridMaker
from dersim.utility.responses import LIST_HREF

SCHEDULED, ACTIVE, CANCELLED, CANCELLED_AT_RANDOM, SUPERSEDED, COMPLETED = 0, 1, 2, 3, 4, 5
STATUS_TEXT = {
    SCHEDULED: "scheduled",
    ACTIVE: "active",
    CANCELLED: "cancelled",
    CANCELLED_AT_RANDOM: "cancelled with randomization",
    SUPERSEDED: "superseded",
    COMPLETED: "completed",
}


@dataclass(slots=True, eq=False)
class Control:
    """One DERControl.

    id: rises with each control of the server. device_category: bits, None for every device. reply_to: the
    path for Responses, None to leave it out. lost: the modes that it has lost to other controls (see
    event_status). base: its DERControlBase, made when it is first needed. end_s: the end without
    randomization.
    """

    program: Program
    id: int
    number: int
    mrid: str
    creation_s: int
    start_s: int
    duration_s: int
    modes: Mapping[str, ModeValue]
    randomize_start_s: int = 0
    randomize_duration_s: int = 0
    response_required: int = 7
    description: str = ""
    device_category: int | None = None
    reply_to: str | None = LIST_HREF
    status: int = SCHEDULED
    status_since_s: int = 0
    potentially_superseded: bool = False
    potentially_superseded_s: int | None = None
    begun: bool = False
    lost: set[str] = field(default_factory=set)
    base: Any = None
    end_s: int = field(init=False)

    def __post_init__(self) -> None:
        self.end_s = self.start_s + self.duration_s

    @property
    def href(self) -> str:
        """The path of the resource."""
        return f"{self.program.href}/derc/{self.number}"

    @property
    def earliest_start_s(self) -> int:
        """The earliest time at which a device may start it: the change to Active."""
        return self.start_s + min(0, self.randomize_start_s)

    @property
    def latest_start_s(self) -> int:
        """The time by which every device has started it."""
        return self.start_s + max(0, self.randomize_start_s)

    @property
    def latest_end_s(self) -> int:
        """The time by which every device has ended it."""
        return self.latest_start_s + self.duration_s + max(0, self.randomize_duration_s)

    @property
    def live(self) -> bool:
        """Scheduled or active."""
        return self.status in (SCHEDULED, ACTIVE)

    @property
    def listed(self) -> bool:
        """Whether devices can read it: it has not left its list, and its program is there."""
        return self.program.controls.get(self.number) is self

    @property
    def competing_modes(self) -> set[str]:
        """The modes that controls compete for: all but rampTms, which belongs to its control."""
        return set(self.modes) - {"rampTms"}

    def move_to(self, status: int, at_s: int) -> None:
        """Change EventStatus.currentStatus at `at_s`."""
        self.status, self.status_since_s = status, at_s


class DefaultControl(NamedTuple):
    """A DefaultDERControl: its modes, and a version that rises with each replacement."""

    mrid: str
    modes: Mapping[str, ModeValue]
    version: int


@dataclass(slots=True, eq=False)
class ListedCurve:
    """A curve and its number in the DERCurveList."""

    number: int
    mrid: str
    mode: str
    curve: Curve
    creation_s: int


class CurveList:
    """The DERCurveList of a program. Equal curves are kept once, as long as something refers to them.

    One that the operator has added itself is kept until the operator removes it. mrids: makes their mRIDs.
    """

    def __init__(self, mrids: MridMaker | None = None) -> None:
        self._mrids = MridMaker() if mrids is None else mrids
        self._curves: dict[tuple[str, Curve], ListedCurve] = {}
        self._kept: set[int] = set()
        self._last_number = 0

    def add(self, modes: Mapping[str, ModeValue], now_s: int) -> None:
        """Add the curves of `modes` that are not in the list yet."""
        for key in _curves_of(modes):
            if key not in self._curves:
                self._last_number += 1
                self._curves[key] = ListedCurve(self._last_number, self._mrids(), *key, now_s)

    def keep(self, used: Iterable[Mapping[str, ModeValue]]) -> None:
        """Drop the curves that none of `used` refers to."""
        if not self._curves:
            return
        wanted = {key for modes in used for key in _curves_of(modes)}
        self._curves = {
            key: curve for key, curve in self._curves.items() if key in wanted or curve.number in self._kept
        }

    def checkpoint(self) -> dict[str, Any]:
        """The curves as JSON, with their numbers and mRIDs."""
        rows = [
            [c.number, c.mrid, c.mode, value_to_kept(c.curve), c.creation_s] for c in self._curves.values()
        ]
        return {"listed": rows, "kept": sorted(self._kept), "last_number": self._last_number}

    def restore(self, document: Mapping[str, Any]) -> None:
        """Take over what `checkpoint` gave."""
        for number, mrid, mode, kept, creation_s in document["listed"]:
            curve = cast("Curve", value_from_kept(kept))
            self._curves[mode, curve] = ListedCurve(number, mrid, mode, curve, creation_s)
        self._kept, self._last_number = set(document["kept"]), document["last_number"]

    def hold(self, curve: ListedCurve, *, kept: bool) -> None:
        """Keep a curve though nothing refers to it, or no longer."""
        (self._kept.add if kept else self._kept.discard)(curve.number)

    def replace(self, listed: ListedCurve, curve: Curve, now_s: int) -> None:
        """Give a listed curve other points; its number and mRID stay."""
        del self._curves[listed.mode, listed.curve]
        listed.curve, listed.creation_s = curve, now_s
        self._curves[listed.mode, curve] = listed

    def has(self, mode: str, curve: Curve) -> bool:
        """Whether an equal curve is listed."""
        return (mode, curve) in self._curves

    def get(self, number: int) -> ListedCurve | None:
        """The curve of this number."""
        return next((each for each in self._curves.values() if each.number == number), None)

    def find(self, mode: str, curve: Curve) -> ListedCurve:
        """The listed curve that equals `curve`; KeyError if there is none."""
        return self._curves[mode, curve]

    def listed(self) -> list[ListedCurve]:
        """In the order of DERCurveList: creationTime, then mRID, both descending."""
        return sorted(self._curves.values(), key=lambda item: (item.creation_s, item.mrid), reverse=True)


def _curves_of(modes: Mapping[str, ModeValue]) -> list[tuple[str, Curve]]:
    return [(mode, value) for mode, value in modes.items() if isinstance(value, Curve)]


def _ignore(_: object) -> None:
    return None


@dataclass(slots=True, eq=False)
class Program:
    """One DERProgram. `version` rises with every change of anything under it.

    groups: whose devices it is for. order: of two programs in a list that with the lower one comes first,
    whatever the standard says. last_end_s: no control that was ever in it ends later. on_change: called at
    each change of anything under it.
    """

    number: int
    mrid: str
    description: str
    primacy: int
    default: DefaultControl | None = None
    controls: dict[int, Control] = field(default_factory=dict)
    curves: CurveList = field(default_factory=CurveList)
    version: int = 0
    last_control: int = 0
    last_end_s: int = 0
    defaults_set: int = 0
    groups: tuple[Group, ...] = ()
    order: int = 0
    on_change: Callable[[Program], object] = _ignore
    _judged: tuple[int, bool] = (-1, False)

    @property
    def href(self) -> str:
        """The path of the resource."""
        return f"/derp/{self.number}"

    def covers(self, other: Program) -> bool:
        """Whether every device of `other` has this program, too."""
        return all(any(mine.covers(its) for mine in self.groups) for its in other.groups)

    def uses(self, curve: ListedCurve) -> bool:
        """Whether a control or the default refers to the curve."""
        return any(modes.get(curve.mode) == curve.curve for modes in self.used_modes())

    def listed_controls(self) -> list[Control]:
        """In the order of DERControlList: start ascending, creationTime descending, mRID descending."""
        controls = sorted(self.controls.values(), key=lambda item: item.mrid, reverse=True)
        return sorted(controls, key=lambda item: (item.start_s, -item.creation_s))

    def active_controls(self) -> list[Control]:
        """Those of the ActiveDERControlList, in the same order."""
        return [control for control in self.listed_controls() if control.status == ACTIVE]

    def add_control(self, control: Control) -> None:
        """List a new control with its curves."""
        self.curves.add(control.modes, control.creation_s)
        self.controls[control.number] = control
        self.last_end_s = max(self.last_end_s, control.end_s)
        self.version += 1
        self.on_change(self)

    def changed(self) -> None:
        """Note a change: raise the version, drop curves that nothing refers to."""
        self.version += 1
        self.on_change(self)
        self.curves.keep(self.used_modes())

    @property
    def needs_2023(self) -> bool:
        """Whether something in it has a mode of the 2023 edition; found out when a document is made."""
        if self._judged[0] != self.version:
            self._judged = (self.version, any(map(modes_2023.any_of, self.used_modes())))
        return self._judged[1]

    def used_modes(self) -> list[Mapping[str, ModeValue]]:
        """The modes of every control, and of the default."""
        used = [control.modes for control in self.controls.values()]
        return [*used, self.default.modes] if self.default else used
