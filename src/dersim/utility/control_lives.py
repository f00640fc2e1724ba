"""The life of a control on each device that it is for: read, received, started, and how it ended there.

Made when the operator looks, of the Responses and of what devices have read.
"""

from __future__ import annotations

import itertools
import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Literal, NamedTuple

from dersim.utility.end_devices import EndDeviceRecord
from dersim.utility.groups import Group
from dersim.utility.head_end import HeadEnd
from dersim.utility.program import Control
from dersim.utility.responses import STATUS_TEXT, NumberedResponse, created_s

Stage = Literal[
    "unread", "read", "received", "started", "completed", "cancelled", "superseded", "opted out", "refused"
]
STAGES: tuple[Stage, ...] = (
    "unread",
    "read",
    "received",
    "started",
    "completed",
    "cancelled",
    "superseded",
    "opted out",
    "refused",
)
_RECEIVED, _STARTED, _COMPLETED = 1, 2, 3
#: The stage that a Response means; others tell nothing of it (5: opted in, 11: acknowledged, ...).
_STAGE_OF: Mapping[int, Stage] = {
    _RECEIVED: "received",
    _STARTED: "started",
    _COMPLETED: "completed",
    4: "opted out",
    6: "cancelled",
    7: "superseded",
    8: "opted out",
    9: "completed",
    10: "completed",
    12: "refused",
    13: "refused",
    14: "refused",
    251: "refused",
    252: "refused",
    253: "refused",
    254: "refused",
}


class Life(NamedTuple):
    """A control on one device.

    read_s: when the device first read it. responses: in the order in which they came. started_late_s,
    ended_late_s: by how much the device was outside the time in which it may start or complete, by its own
    account, and no later than it had read the control; negative where it was too early, None where it has
    not said that it did.
    """

    lfdi: str
    device: EndDeviceRecord | None
    stage: Stage
    text: str
    read_s: float | None
    responses: tuple[NumberedResponse, ...]
    started_late_s: int | None
    ended_late_s: int | None


class Summary(NamedTuple):
    """A control on all its devices: how many, by stage and by why they refused it, and how many were late."""

    devices: int
    counts: dict[str, int]
    refusals: dict[str, int]
    late: int


class Lives:
    """The lives of controls as they are now. Make one for each question: it keeps what it has looked up."""

    def __init__(self, head_end: HeadEnd) -> None:
        self._head_end = head_end
        self._responses: dict[str, list[NumberedResponse]] = {}
        for each in head_end.responses.all:
            self._responses.setdefault(str(each.response.subject).upper(), []).append(each)
        self._devices: dict[Group, list[EndDeviceRecord]] | None = None

    def of(self, control: Control) -> list[Life]:
        """The life on every device that it is for, and on others that have answered it."""
        answers = self._answers(control)
        devices = {device.lfdi: device for device in self._devices_of(control)}
        strangers = (lfdi for lfdi in answers if lfdi not in devices)
        found = self._head_end.end_devices.find
        return [
            self._life(control, lfdi, device, answers.get(lfdi, []))
            for lfdi, device in [*devices.items(), *((lfdi, found(lfdi)) for lfdi in strangers)]
        ]

    def summary(self, control: Control) -> Summary:
        """The same in numbers; only devices that have answered are looked at one by one."""
        answers, devices = self._answers(control), self._devices_of(control)
        find = self._head_end.end_devices.find
        told = [self._life(control, lfdi, find(lfdi), own) for lfdi, own in answers.items()]
        silent = [each for each in devices if each.lfdi not in answers]
        seen = self._head_end.sightings.of(control.mrid)
        read = sum(each.lfdi in seen or each.aggregator_lfdi in seen for each in silent) if seen else 0
        found = Counter({"unread": len(silent) - read, "read": read})
        found.update(life.stage for life in told)
        return Summary(
            len(silent) + len(told),
            {stage: found[stage] for stage in STAGES if found[stage]},
            dict(Counter(life.text for life in told if life.stage == "refused")),
            sum(bool(life.started_late_s or life.ended_late_s) for life in told),
        )

    def _answers(self, control: Control) -> dict[str, list[NumberedResponse]]:
        answers: dict[str, list[NumberedResponse]] = {}
        for each in self._responses.get(control.mrid, ()):
            answers.setdefault(_sender(each), []).append(each)
        return answers

    def on(self, control: Control, device: EndDeviceRecord) -> Life | None:
        """The life on one device; None where the control is not for it."""
        own = [e for e in self._responses.get(control.mrid, ()) if _sender(e) == device.lfdi]
        if not own and not self.is_for(control, device):
            return None
        return self._life(control, device.lfdi, device, own)

    def is_for(self, control: Control, device: EndDeviceRecord) -> bool:
        """Whether the device is in a group of the control's program."""
        mine = self._head_end.groups.of(device.lfdi)
        return any(group in mine for group in control.program.groups)

    def _devices_of(self, control: Control) -> list[EndDeviceRecord]:
        if self._devices is None:
            self._devices = {}
            for device in self._head_end.end_devices:
                for group in self._head_end.groups.of(device.lfdi):
                    self._devices.setdefault(group, []).append(device)
        lists = [self._devices.get(group, []) for group in control.program.groups]
        return lists[0] if len(lists) == 1 else list(dict.fromkeys(itertools.chain(*lists)))

    def _life(
        self, control: Control, lfdi: str, device: EndDeviceRecord | None, own: list[NumberedResponse]
    ) -> Life:
        read = self._head_end.sightings.of(control.mrid)
        read_s = read.get(lfdi)
        if read_s is None and device is not None and device.aggregator_lfdi is not None:
            read_s = read.get(device.aggregator_lfdi)
        stage, text = _stage(own, read_s)
        known_s = max(control.creation_s, math.ceil(read_s or 0))
        return Life(
            lfdi,
            device,
            stage,
            text,
            read_s,
            tuple(own),
            _late(own, _STARTED, control.earliest_start_s, max(control.latest_start_s, known_s)),
            _late(own, _COMPLETED, _earliest_end_s(control), max(control.latest_end_s, known_s)),
        )


def newest_first(controls: Iterable[Control]) -> Iterator[Control]:
    """The controls by falling id."""
    return iter(sorted(controls, key=lambda control: -control.id))


def _sender(each: NumberedResponse) -> str:
    """The LFDI that a Response is of: its endDeviceLFDI, as an aggregator answers for others."""
    return (str(each.response.endDeviceLFDI or "") or each.lfdi or "").upper().zfill(40)


def _stage(own: list[NumberedResponse], read_s: float | None) -> tuple[Stage, str]:
    for each in reversed(own):
        status = each.response.status or 0
        if (stage := _STAGE_OF.get(status)) is not None:
            return stage, STATUS_TEXT.get(status, "reserved")
    return ("unread", "not read yet") if read_s is None else ("read", "read, not answered")


def _late(own: list[NumberedResponse], status: int, earliest_s: int, latest_s: int) -> int | None:
    """By how much the first Response of this status is outside a span; what is in it is 0."""
    at_s = next((created_s(each) for each in own if each.response.status == status), None)
    if at_s is None:
        return None
    return min(at_s - earliest_s, 0) or max(at_s - latest_s, 0)


def _earliest_end_s(control: Control) -> int:
    return control.earliest_start_s + control.duration_s + min(0, control.randomize_duration_s)
