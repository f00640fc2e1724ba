"""All programs of the server: adds programs, sets defaults, publishes and cancels controls."""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from dersim.errors import ConfigError
from dersim.modes import Curve, ModeValue
from dersim.numeric import shown
from dersim.utility.event_status import ENDED_LISTED_S, Change, Timeline
from dersim.utility.groups import Group, Groups
from dersim.utility.mrids import MridMaker
from dersim.utility.neighbours import Neighbours
from dersim.utility.program import CANCELLED, Control, CurveList, DefaultControl, ListedCurve, Program
from dersim.utility.responses import LIST_HREF
from dersim.utility.touching import adding_to
from dersim.utility.wire_modes import is_default_only

MAX_DURATION_S = 0xFFFFFFFF
MAX_RANDOMIZATION_S = 3600
MAX_DESCRIPTION_CHARS = 32
MAX_HREF_CHARS = 255
#: Of `Program.order`, either way.
MAX_ORDER = 1_000_000
#: mRIDs of published controls that are remembered, so that Responses to them are recognised.
MRIDS_KEPT = 20_000
#: The newest controls, which the operator can look back at after they have left their lists.
RECENT_KEPT = 2_000


class ControlOrder(NamedTuple):
    """A control to publish. Seconds throughout; `start_s` is UTC since 1970."""

    modes: Mapping[str, ModeValue]
    start_s: int
    duration_s: int
    randomize_start_s: int = 0
    randomize_duration_s: int = 0
    response_required: int = 7
    description: str = ""
    device_category: int | None = None
    reply_to: str | None = LIST_HREF


class Programs:
    """The programs and what is due in them; time passes only in `advance`.

    version: rises when a program is added or moved; each program has its own for what is under it. groups:
    the groups of devices that programs are for. ended_listed_s: how long a control stays listed after its
    end. mrids: makes the mRIDs of all that is served.
    """

    def __init__(self, ended_listed_s: int = ENDED_LISTED_S, mrids: MridMaker | None = None) -> None:
        self.version = 0
        self.mrids = MridMaker() if mrids is None else mrids
        self.groups = Groups(self.mrids)
        self._timeline = Timeline(self._near, ended_listed_s)
        self._by_mrid: dict[str, Control] = {}
        self._lists: dict[int, tuple[Program, ...]] = {}
        self._reviewed: dict[Program, tuple[Program, ...]] = {}
        self._cached_for = (0, 0)
        self._programs: dict[int, Program] = {}
        self._neighbours = Neighbours(self._programs, self.groups)
        self._numbers = itertools.count(1)
        self.last_id = self.last_creation_s = 0
        #: Those that may have changed since the state file was compared; news: since subscriptions were.
        self.touched, self.news = set[Program](), set[Program]()
        self._touch = adding_to(self.touched, self.news)
        self._published: dict[str, None] = {}
        self.recent: deque[Control] = deque(maxlen=RECENT_KEPT)

    def __iter__(self) -> Iterator[Program]:
        return iter(self._programs.values())

    def __len__(self) -> int:
        return len(self._programs)

    def get(self, number: int) -> Program | None:
        """The program of this number."""
        return self._programs.get(number)

    @property
    def next_due_s(self) -> float:
        """When the next control changes its status, UTC seconds since 1970."""
        return self._timeline.next_due_s

    def listed(self) -> list[Program]:
        """In the order of DERProgramList: primacy ascending, mRID descending; `order` comes before both."""
        return _in_order(self)

    def of_group(self, group: Group) -> tuple[Program, ...]:
        """The programs of a group, in the same order."""
        versions = (self.version, self.groups.version)
        if versions != self._cached_for:
            self._lists.clear()
            self._cached_for = versions
        known = self._lists.get(group.number)
        if known is None:
            known = self._lists[group.number] = tuple(_in_order(p for p in self if group in p.groups))
        return known

    def create(self, description: str, primacy: int, groups: Sequence[Group] = ()) -> Program:
        """Add a program without controls, for all devices if there are no `groups`.

        ConfigError for a bad primacy (0 to 255) or description.
        """
        check_program(description, primacy, 0)
        number = next(self._numbers)
        # The same mRID after a restart of the server: for clients it is the same program.
        program = Program(number, self.mrids(f"program {number} {description}"), description, primacy)
        program.groups = tuple(groups) or (self.groups.system,)
        program.curves, program.on_change = CurveList(self.mrids), self._touch
        self._touch(program)
        self._programs[number] = program
        self.version += 1
        return program

    def assign(self, program: Program, groups: Sequence[Group], now_s: float) -> None:
        """Give the program to the devices of these groups, and no others."""
        program.groups = tuple(groups)
        program.changed()
        self.version += 1
        self.review(now_s)

    def update(self, program: Program, description: str, primacy: int, order: int, now_s: float) -> None:
        """Change a program; its mRID stays. ConfigError for bad values."""
        check_program(description, primacy, order)
        again = primacy != program.primacy
        program.description, program.primacy, program.order = description, primacy, order
        program.changed()
        self.version += 1
        if again:
            self._timeline.plan(program.controls.values())
            self.review(now_s, self._neighbours.of(program, self.version))

    def remove(self, program: Program, now_s: float) -> None:
        """Remove a program with all that is in it."""
        del self._programs[program.number]
        for control in program.controls.values():
            self._by_mrid.pop(control.mrid, None)
        program.controls = {}
        program.changed()
        self.version += 1
        self.review(now_s)

    def review(self, now_s: float, touched: Iterable[Program] = ()) -> None:
        """Groups were changed, or a primacy among the `touched`: which controls compete now?

        Only the controls of programs whose neighbours are others than at the last review are looked at.
        """
        near = {program: self._neighbours.of(program, self.version) for program in self}
        changed = {program: None for program in near if self._reviewed.get(program) != near[program]}
        self._reviewed = near
        controls = [c for program in {**changed, **dict.fromkeys(touched)} for c in program.controls.values()]
        self._timeline.review(controls, int(now_s))

    def set_default(self, program: Program, modes: Mapping[str, ModeValue], now_s: float) -> None:
        """Replace the DefaultDERControl of a program; its mRID stays, its version rises."""
        program.curves.add(modes, int(now_s))
        mrid = self.mrids(f"default of {program.mrid}")
        program.default = DefaultControl(mrid, dict(modes), program.defaults_set)
        program.defaults_set += 1
        program.changed()

    def clear_default(self, program: Program) -> None:
        """Remove the DefaultDERControl of a program; the next one has its mRID and a higher version."""
        program.default = None
        program.changed()

    def add_curve(self, program: Program, mode: str, curve: Curve, now_s: float) -> ListedCurve:
        """List a curve that stays although nothing refers to it."""
        program.curves.add({mode: curve}, int(now_s))
        listed = program.curves.find(mode, curve)
        program.curves.hold(listed, kept=True)
        program.changed()
        return listed

    def change_curve(self, program: Program, listed: ListedCurve, curve: Curve, now_s: float) -> None:
        """Give a listed curve other points, in all controls and the default that refer to it."""
        mode, before = listed.mode, listed.curve
        for control in program.controls.values():
            if control.modes.get(mode) == before:
                control.modes, control.base = {**control.modes, mode: curve}, None
        if program.default is not None and program.default.modes.get(mode) == before:
            program.default = program.default._replace(modes={**program.default.modes, mode: curve})
        program.curves.replace(listed, curve, int(now_s))
        program.changed()

    def remove_curve(self, program: Program, listed: ListedCurve) -> None:
        """Keep a curve no longer than something refers to it."""
        program.curves.hold(listed, kept=False)
        program.changed()

    def publish(self, program: Program, order: ControlOrder, now_s: float) -> Control:
        """Add a control to a program; ConfigError for bad values in the order.

        creationTime is the whole second of `now_s`, but at least one second after the last one, so that of
        two controls published at once the second has priority.
        """
        return self.publish_to((program,), order, now_s)[0]

    def publish_to(self, programs: Iterable[Program], order: ControlOrder, now_s: float) -> list[Control]:
        """Add a control to each of several programs; all have one creationTime."""
        check_order(order)
        self.last_creation_s = max(int(now_s), self.last_creation_s + 1)
        controls = [self._add(program, order, now_s) for program in programs]
        self.advance(now_s)
        return controls

    def _add(self, program: Program, order: ControlOrder, now_s: float) -> Control:
        program.last_control += 1
        number, created_s = program.last_control, self.last_creation_s
        self.last_id += 1
        control = Control(program, self.last_id, number, self.mrids(), created_s, **order._asdict())
        control.status_since_s = created_s
        program.add_control(control)
        self._by_mrid[control.mrid] = control
        self.recent.append(control)
        self._published[control.mrid] = None
        if len(self._published) > MRIDS_KEPT:
            del self._published[next(iter(self._published))]
        self._timeline.added(control, int(now_s))
        return control

    def restore(
        self, programs: Mapping[int, Program], highest: int, last_id: int, last_creation_s: int
    ) -> None:
        """Take over the programs of an earlier run. highest, last_id: the last number and id in use."""
        self._programs.clear()
        self._programs.update(programs)
        for program in programs.values():
            program.on_change = self._touch
            self._by_mrid |= {control.mrid: control for control in program.controls.values()}
        self.touched.clear()
        self._numbers, self.last_id = itertools.count(highest + 1), last_id
        self.last_creation_s = last_creation_s
        self.version += 1
        self._timeline.plan(self._by_mrid.values())
        self.recent.extend(sorted(self._by_mrid.values(), key=lambda control: control.id))

    def remember_published(self, mrids: Iterable[str]) -> None:
        """These mRIDs were published in an earlier run."""
        self._published = dict.fromkeys(mrids) | self._published

    def has_published(self, mrid: str) -> bool:
        """Whether a control with this mRID was ever published, as far as it is remembered."""
        wanted = mrid.upper()
        return wanted in self._published or wanted in self._by_mrid

    def find_control(self, mrid: str) -> Control | None:
        """The listed control with this mRID, in upper or lower case."""
        return self._by_mrid.get(mrid.upper())

    def cancel(self, control: Control, now_s: float, status: int = CANCELLED) -> None:
        """End a control that is scheduled or active with a status; ConfigError if it is over."""
        if not control.live:
            raise ConfigError(f"control {control.mrid} is over: there is nothing left to cancel")
        control.move_to(status, int(now_s))
        control.program.changed()
        self._timeline.ended(control, int(now_s))
        self.advance(now_s)

    def withdraw(self, control: Control, now_s: float) -> None:
        """Take a control out of its list at once, whatever its status."""
        del control.program.controls[control.number]
        self._by_mrid.pop(control.mrid, None)
        control.program.changed()
        self._timeline.ended(control, int(now_s))

    def advance(self, now_s: float) -> list[Change]:
        """Carry out what is due until `now_s`; the changes in order of time."""
        if now_s < self.next_due_s:
            return []
        changes = self._timeline.advance(now_s)
        for control, status, _ in changes:
            if status is None:
                self._by_mrid.pop(control.mrid, None)
        for program in {change.control.program for change in changes}:
            program.changed()
        return changes

    def _near(self, control: Control) -> list[Control]:
        """The controls in programs that a device may have beside that of `control`.

        Not of programs where all are over by its start: most orders come after the earlier ones.
        """
        programs = self._neighbours.of(control.program, self.version)
        return [
            each
            for program in programs
            if program.last_end_s > control.start_s
            for each in program.controls.values()
        ]


def _in_order(programs: Iterable[Program]) -> list[Program]:
    by_mrid = sorted(programs, key=lambda item: item.mrid, reverse=True)
    return sorted(by_mrid, key=lambda item: (item.order, item.primacy))


def check_program(description: object, primacy: object, order: object) -> None:
    """ConfigError for what does not fit a DERProgram."""
    _check_whole("primacy", primacy, 0, 255)
    _check_whole("order", order, -MAX_ORDER, MAX_ORDER)
    _check_description(description)


def check_order(order: ControlOrder) -> None:
    """ConfigError for an order that has no modes or does not fit a DERControl."""
    if not order.modes:
        raise ConfigError("modes: at least one is needed")
    if misplaced := [name for name in order.modes if is_default_only(name)]:
        raise ConfigError(f"modes: {', '.join(misplaced)} are for default controls only")
    _check_whole("duration_s", order.duration_s, 1, MAX_DURATION_S)
    _check_whole("randomize_start_s", order.randomize_start_s, -MAX_RANDOMIZATION_S, MAX_RANDOMIZATION_S)
    _check_whole(
        "randomize_duration_s", order.randomize_duration_s, -MAX_RANDOMIZATION_S, MAX_RANDOMIZATION_S
    )
    _check_whole("response_required", order.response_required, 0, 255)
    _check_description(order.description)
    if order.device_category is not None:
        _check_whole("device_category", order.device_category, 0, 0xFFFFFFFF)
    if order.reply_to is not None:
        _check_href(order.reply_to)


def _check_whole(name: str, value: object, low: int, high: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise ConfigError(f"{name}: a whole number from {low} to {high} is needed, not {shown(value)}")


def _check_href(text: object) -> None:
    if not isinstance(text, str) or not 0 < len(text) <= MAX_HREF_CHARS or not text.isprintable():
        raise ConfigError(
            f"reply_to: a path of at most {MAX_HREF_CHARS} characters or null is needed, not {shown(text)}"
        )


def _check_description(text: object) -> None:
    if not isinstance(text, str) or len(text) > MAX_DESCRIPTION_CHARS or not text.isprintable():
        raise ConfigError(
            f"description: a line of at most {MAX_DESCRIPTION_CHARS} characters is needed, not {shown(text)}"
        )
