"""All programs of the server: adds programs, sets defaults, publishes and cancels controls."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from dersim.errors import ConfigError
from dersim.modes import MODES, ModeValue
from dersim.numeric import shown
from dersim.utility import event_status
from dersim.utility.event_status import ENDED_LISTED_S, Change
from dersim.utility.program import CANCELLED, Control, DefaultControl, Program, make_mrid

MAX_DURATION_S = 0xFFFFFFFF
MAX_RANDOMIZATION_S = 3600
MAX_DESCRIPTION_CHARS = 32
#: mRIDs of published controls that are remembered, so that Responses to them are recognised.
MRIDS_KEPT = 20_000


class ControlOrder(NamedTuple):
    """A control to publish. Seconds throughout; `start_s` is UTC since 1970."""

    modes: Mapping[str, ModeValue]
    start_s: int
    duration_s: int
    randomize_start_s: int = 0
    randomize_duration_s: int = 0
    response_required: int = 7
    description: str = ""


class Programs:
    """The programs and what is due in them; time passes only in `advance`.

    version: rises when a program is added; each program has its own for what is under it. next_due_s: when
    the next control changes its status, UTC seconds since 1970. ended_listed_s: how long a control stays
    listed after its end.
    """

    def __init__(self, ended_listed_s: int = ENDED_LISTED_S) -> None:
        self.version = 0
        self._listed_s = ended_listed_s
        self.next_due_s = math.inf
        self._programs: dict[int, Program] = {}
        self._numbers = itertools.count(1)
        self._last_creation_s = 0
        self._published: dict[str, None] = {}

    def __iter__(self) -> Iterator[Program]:
        return iter(self._programs.values())

    def __len__(self) -> int:
        return len(self._programs)

    def get(self, number: int) -> Program | None:
        """The program of this number."""
        return self._programs.get(number)

    def listed(self) -> list[Program]:
        """In the order of DERProgramList: primacy ascending, mRID descending."""
        by_mrid = sorted(self._programs.values(), key=lambda item: item.mrid, reverse=True)
        return sorted(by_mrid, key=lambda item: item.primacy)

    def create(self, description: str, primacy: int) -> Program:
        """Add a program without controls; ConfigError for a bad primacy (0 to 255) or description."""
        _check_whole("primacy", primacy, 0, 255)
        _check_description(description)
        number = next(self._numbers)
        # The same mRID after a restart of the server: for clients it is the same program.
        program = Program(number, make_mrid(f"program {number} {description}"), description, primacy)
        self._programs[number] = program
        self.version += 1
        return program

    def set_default(self, program: Program, modes: Mapping[str, ModeValue], now_s: float) -> None:
        """Replace the DefaultDERControl of a program; its mRID stays, its version rises."""
        before = program.default
        version = before.version + 1 if before else 0
        mrid = before.mrid if before else make_mrid(f"default of {program.mrid}")
        program.curves.add(modes, int(now_s))
        program.default = DefaultControl(mrid, dict(modes), version)
        program.changed()

    def publish(self, program: Program, order: ControlOrder, now_s: float) -> Control:
        """Add a control to a program; ConfigError for bad values in the order.

        creationTime is the whole second of `now_s`, but at least one second after the last one, so that of
        two controls published at once the second has priority.
        """
        check_order(order)
        self._last_creation_s = max(int(now_s), self._last_creation_s + 1)
        program.last_control += 1
        number = program.last_control
        control = Control(program, number, make_mrid(), self._last_creation_s, **order._asdict())
        control.status_since_s = self._last_creation_s
        program.curves.add(control.modes, self._last_creation_s)
        program.controls[number] = control
        self._published[control.mrid] = None
        if len(self._published) > MRIDS_KEPT:
            del self._published[next(iter(self._published))]
        program.changed()
        self._settle(now_s)
        return control

    def has_published(self, mrid: str) -> bool:
        """Whether a control with this mRID was ever published, as far as it is remembered."""
        return mrid.upper() in self._published

    def find_control(self, mrid: str) -> Control | None:
        """The listed control with this mRID, in upper or lower case."""
        wanted = mrid.upper()
        return next((c for c in self._controls() if c.mrid == wanted), None)

    def cancel(self, control: Control, now_s: float) -> None:
        """Cancel a control that is scheduled or active; ConfigError if it is over."""
        if not control.live:
            raise ConfigError(f"control {control.mrid} is over: there is nothing left to cancel")
        control.move_to(CANCELLED, int(now_s))
        control.program.changed()
        self._settle(now_s)

    def advance(self, now_s: float) -> list[Change]:
        """Carry out what is due until `now_s`; the changes in order of time."""
        if now_s < self.next_due_s:
            return []
        changes = event_status.advance(self._controls(), now_s, self._listed_s)
        for control, status, _ in changes:
            if status is None:
                del control.program.controls[control.number]
        for program in {change.control.program for change in changes}:
            program.changed()
        self.next_due_s = event_status.next_due(self._controls(), self._listed_s)
        return changes

    def _settle(self, now_s: float) -> None:
        controls = self._controls()
        flags = [control.potentially_superseded for control in controls]
        lost = event_status.review(controls, int(now_s))
        for control, flag in zip(controls, flags, strict=True):
            if control.potentially_superseded != flag:
                control.program.changed()
        for change in lost:
            change.control.program.changed()
        self.next_due_s = event_status.next_due(controls, self._listed_s)
        self.advance(now_s)

    def _controls(self) -> list[Control]:
        return [control for program in self._programs.values() for control in program.controls.values()]


def check_order(order: ControlOrder) -> None:
    """ConfigError for an order that has no modes or does not fit a DERControl."""
    if not order.modes:
        raise ConfigError("modes: at least one is needed")
    if misplaced := [name for name in order.modes if MODES[name].default_only]:
        raise ConfigError(f"modes: {', '.join(misplaced)} are for default controls only")
    _check_whole("duration_s", order.duration_s, 1, MAX_DURATION_S)
    _check_whole("randomize_start_s", order.randomize_start_s, -MAX_RANDOMIZATION_S, MAX_RANDOMIZATION_S)
    _check_whole(
        "randomize_duration_s", order.randomize_duration_s, -MAX_RANDOMIZATION_S, MAX_RANDOMIZATION_S
    )
    _check_whole("response_required", order.response_required, 0, 255)
    _check_description(order.description)


def _check_whole(name: str, value: object, low: int, high: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise ConfigError(f"{name}: a whole number from {low} to {high} is needed, not {shown(value)}")


def _check_description(text: object) -> None:
    if not isinstance(text, str) or len(text) > MAX_DESCRIPTION_CHARS or not text.isprintable():
        raise ConfigError(
            f"description: a line of at most {MAX_DESCRIPTION_CHARS} characters is needed, not {shown(text)}"
        )
