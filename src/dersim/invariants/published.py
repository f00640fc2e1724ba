"""What the server has published for one DER, as it went over the wire: programs, controls, defaults.

Read anew from the bodies, with no memory of what the client made of them. Only the last reading of each
address counts.
"""

from __future__ import annotations

import dataclasses
import re
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import SplitResult, urlsplit

from dersim.errors import RemoteProtocolError
from dersim.ieee2030_5 import decode
from dersim.ieee2030_5.resources import (
    DefaultDERControl,
    DERControl,
    DERControlBase,
    DERControlList,
    DERProgram,
    DERProgramList,
    Disabled,
    FunctionSetAssignments,
    FunctionSetAssignmentsList,
)
from dersim.invariants.assigned import Assigned, path_of
from dersim.invariants.redirects import Redirects

if TYPE_CHECKING:
    from dersim.plugin.services import HttpExchange

#: Addresses and controls that are remembered of one DER; and how often a body is decoded: once while it is
#: among so many.
MOST_ADDRESSES, MOST_CONTROLS, MOST_BODIES = 400, 12_000, 64
_GONE = frozenset({404, 410})
_INTERESTING = re.compile(
    rb"<(?:\w+:)?((FunctionSetAssignments|DERProgram|DERControl)(List)?|DefaultDERControl)\b"
)
#: Modes whose values are compared, with what one unit on the wire is.
PERCENT_MODES = {"opModMaxLimW": 0.01, "opModFixedW": 0.01}


_MODES = tuple(name for name in dir(DERControlBase) if name.startswith("opMod"))


@dataclasses.dataclass(slots=True)
class PublishedControl:
    """A DERControl on the wire. first_s: when it was first read; changed_s: when it last came otherwise."""

    control: DERControl
    list_path: str
    first_s: float
    changed_s: float

    @property
    def mrid(self) -> str:
        """Its mRID."""
        return self.control.mRID

    def starts(self) -> tuple[float, float]:
        """The earliest and the latest start, server time."""
        start, bound = self.control.interval.start, self.control.randomizeStart or 0
        return start + min(0, bound), start + max(0, bound)

    def ends(self) -> tuple[float, float]:
        """The earliest and the latest end, server time."""
        interval = self.control.interval
        end = interval.start + interval.duration
        bounds = (self.control.randomizeStart or 0, self.control.randomizeDuration or 0)
        return end + sum(min(0, each) for each in bounds), end + sum(max(0, each) for each in bounds)

    @property
    def status(self) -> int:
        """EventStatus.currentStatus as last read; 0 without one."""
        return int(getattr(self.control.EventStatus, "currentStatus", 0))  # a peer may leave it out

    @property
    def values(self) -> Mapping[str, float]:
        """The plain percentages that it asks for."""
        return percentages(self.control.DERControlBase)


class PublishedProgram(NamedTuple):
    """A DERProgram on the wire: its primacy, the path of its default, of the list that names it, its mRID."""

    primacy: int
    default_path: str
    list_path: str
    mrid: str


class Published:
    """The last readings of one DER. A program, known by its mRID, is only where it was read last, and no more
    the DER's where its list is assigned no longer.
    """

    def __init__(self) -> None:
        self.controls: dict[str, PublishedControl] = {}
        self._programs: OrderedDict[str, PublishedProgram] = OrderedDict()
        #: When the programs last came otherwise, simulated s.
        self._programs_s = 0.0
        self._assigned = Assigned()
        self._redirects = Redirects()
        self._defaults: OrderedDict[str, tuple[DefaultDERControl, float]] = OrderedDict()

    def hear(self, exchanges: Iterable[HttpExchange]) -> None:
        """Take over what was read."""
        for exchange in exchanges:
            url = urlsplit(exchange.url)._replace(path=self._redirects.asked(exchange))
            if exchange.method != "GET":
                continue
            if exchange.status in _GONE:  # the server says that there is none
                self._defaults.pop(url.path, None)
            if exchange.status == 204 and self._assigned.is_at(url.path):
                self._take_assignments(None, url, exchange.time_s)
            if exchange.status != 200 or exchange.outcome != "ok":
                continue
            if _INTERESTING.search(exchange.response_body[:400]) is None:
                continue
            resource = _decoded(exchange.response_body)
            if resource is not None:
                self._take(resource, url, exchange.time_s)

    def primacy_of(self, control: PublishedControl) -> int | None:
        """The primacy of its program; None where that was not read, or is not assigned."""
        found = self._programs.get(control.list_path)
        return None if found is None or found.list_path in self._assigned.dropped else found.primacy

    def rank(self, control: PublishedControl) -> tuple[int, int]:
        """The better control sorts first: primacy, then newest."""
        return self.primacy_of(control) or 0, -(control.control.creationTime or 0)

    def default_percentages(self) -> dict[str, tuple[float, float]]:
        """By mode: the percentage of the best program's default that sets it, and since when that is so."""
        found: dict[str, tuple[float, float]] = {}
        for program in sorted(self._programs.values()):
            if program.default_path in self._defaults and program.list_path not in self._assigned.dropped:
                default, read_s = self._defaults[program.default_path]
                for mode, percent in percentages(default.DERControlBase).items():
                    found.setdefault(mode, (percent, max(read_s, self._programs_s)))
        return found

    def _take(self, resource: Any, url: SplitResult, time_s: float) -> None:
        match resource:
            case FunctionSetAssignmentsList():
                self._take_assignments(resource, url, time_s)
            case FunctionSetAssignments():
                if self._assigned.take_item(resource, url.geturl()):
                    self._programs_s = time_s
            case DERProgramList():
                # One that is not on this page is not judged until it is read again.
                self._take_programs(resource.DERProgram, url, time_s)
            case DERProgram():
                self._take_programs((resource,), url, time_s, listed=False)
            case DefaultDERControl():
                known_default = self._defaults.get(url.path)
                same = known_default is not None and known_default[0] == resource
                _remember(self._defaults, url.path, known_default if same else (resource, time_s))
            case DERControlList():
                self._list(resource, url, time_s)
            case DERControl():
                known = self.controls.get(resource.mRID)
                if known is not None:
                    self._put(resource, known.list_path, time_s)

    def _take_assignments(
        self, found: FunctionSetAssignmentsList | None, url: SplitResult, time_s: float
    ) -> None:
        if self._assigned.take(found, url.geturl()):
            self._programs_s = time_s

    def _take_programs(
        self, programs: Sequence[DERProgram], url: SplitResult, time_s: float, *, listed: bool = True
    ) -> None:
        before = dict(self._programs)
        named = {each.mRID for each in programs}
        self._drop(lambda row: (listed and row.list_path == url.path) or row.mrid in named)
        for each in programs:
            self._program(each, url, before, listed=listed)
        if before != self._programs:
            self._programs_s = time_s

    def _program(
        self, program: DERProgram, url: SplitResult, before: Mapping[str, PublishedProgram], *, listed: bool
    ) -> None:
        """One of those that were read together; a server that lies gives several of them one mRID."""
        controls, default = program.DERControlListLink, program.DefaultDERControlLink
        key = "" if controls is None or not controls.href else path_of(controls, url.geturl())
        if key and program.primacy is not None:
            default_path = "" if default is None else path_of(default, url.geturl())
            list_path = url.path if listed else before[key].list_path if key in before else ""
            row = PublishedProgram(int(program.primacy), default_path, list_path, program.mRID)
            _remember(self._programs, key, row)

    def _drop(self, unwanted: Callable[[PublishedProgram], object]) -> None:
        for path in [each for each, row in self._programs.items() if unwanted(row)]:
            del self._programs[path]

    def _list(self, found: DERControlList, url: SplitResult, time_s: float) -> None:
        whole = len(found.DERControl) == found.all
        if whole:
            named = {each.mRID for each in found.DERControl}
            for mrid in [m for m, c in self.controls.items() if c.list_path == url.path and m not in named]:
                del self.controls[mrid]
        for each in found.DERControl:
            self._put(each, url.path, time_s)

    def _put(self, control: DERControl, path: str, time_s: float) -> None:
        known = self.controls.get(control.mRID)
        if known is None or known.list_path != path:
            self.controls[control.mRID] = PublishedControl(control, path, time_s, time_s)
            if len(self.controls) > MOST_CONTROLS:
                del self.controls[next(iter(self.controls))]
        elif known.control != control:
            known.control, known.changed_s = control, time_s


def percentages(base: Any) -> dict[str, float]:
    """The plain percentages of a DERControlBase."""
    found: dict[str, float] = {}
    for mode, unit in PERCENT_MODES.items():
        value = getattr(base, mode, None)
        if value is not None and not isinstance(value, Disabled):
            found[mode] = int(value) * unit
    return found


def asked_modes(control: DERControl) -> frozenset[str]:
    """The names of all modes that a control asks for."""
    base = control.DERControlBase
    return frozenset(name for name in _MODES if getattr(base, name) is not None)


@lru_cache(maxsize=MOST_BODIES)
def _decoded(body: bytes) -> Any | None:
    try:
        return decode(body).resource
    except RemoteProtocolError:
        return None


def _remember(held: OrderedDict[str, Any], key: str, value: Any) -> None:
    held[key] = value
    held.move_to_end(key)
    while len(held) > MOST_ADDRESSES:
        held.popitem(last=False)
