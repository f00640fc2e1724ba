"""What has changed of groups, programs, controls, EndDevices and the server itself, written into the journal.

Each object is compared with what is in the file. Which ones may have changed is known by
`Programs.touched`, `EndDevices.touched` and `Groups.version`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from dersim.utility.end_devices import EndDeviceRecord
from dersim.utility.head_end import HeadEnd
from dersim.utility.program import Program
from dersim.utility.programs import MRIDS_KEPT
from dersim.utility.state import kinds, posted
from dersim.utility.state.kinds import CONTROL, DEVICE, GROUP, PROGRAM, SERVER
from dersim.utility.state.posted import HIGHEST
from dersim.utility.state.store import Row

#: Every mRID that was published.
PUBLISHED = "published"

_JSON = json.JSONEncoder(separators=(",", ":")).encode
_COUNTED = frozenset({GROUP, PROGRAM, DEVICE})
_DIFFED = frozenset({GROUP, PROGRAM, CONTROL, DEVICE, SERVER})


class Collector:
    """Compares one head-end with its file."""

    def __init__(self, head_end: HeadEnd) -> None:
        self._head_end = head_end
        self._journal = head_end.journal
        self._texts: dict[tuple[str, str], str] = {}
        self._controls: dict[int, set[str]] = {}
        self._devices: dict[int, Any] = {}
        self._highest: dict[str, int] = {}
        self._published: dict[str, None] = {}
        self._groups_version = -1

    def restore(self, rows: Iterable[Row]) -> None:
        """Make the objects again that are in the file."""
        kept: dict[str, dict[str, Any]] = {}
        for kind, key, document, _ in rows:
            if kind in _DIFFED:
                kept.setdefault(kind, {})[key] = json.loads(document)
                self._texts[kind, key] = document
            elif kind == HIGHEST:
                self._highest[key] = int(document)
            elif kind == PUBLISHED:
                self._published[key] = None
        for key in kept.get(CONTROL, ()):
            self._controls.setdefault(int(key.partition("/")[0]), set()).add(key)
        kinds.restore(self._head_end, kept, self._highest)
        self._head_end.programs.remember_published(self._published)
        self._head_end.mirrors.highest = self._highest.get(posted.MIRROR, 0)

    def collect(self, *, everything: bool) -> None:
        """Write what has changed since the last call. everything: what only operator or time change, too."""
        head_end = self._head_end
        programs, devices = head_end.programs, head_end.end_devices
        everything = everything or bool(programs.touched)
        if head_end.groups.version != self._groups_version:
            self._groups_version = head_end.groups.version
            self._compare_all(GROUP, kinds.groups(head_end))
        if programs.touched or devices.touched:
            for program in programs.touched:
                self._collect_program(program, here=programs.get(program.number) is program)
            programs.touched.clear()
            for device in devices.touched:
                self._collect_device(device, here=devices.get(device.number) is device)
            devices.touched.clear()
        if everything:
            for key, form in kinds.server(head_end):
                self._compare(SERVER, key, form)

    def _collect_program(self, program: Program, *, here: bool) -> None:
        number = program.number
        known = self._controls.get(number, set())
        now: set[str] = set()
        if here:
            self._compare(PROGRAM, str(number), kinds.program(program))
            for key, form in kinds.controls(program):
                now.add(key)
                self._compare(CONTROL, key, form)
                self._publish(form["mrid"])
        else:
            self._drop(PROGRAM, str(number))
        for key in known - now:
            self._drop(CONTROL, key)
        self._controls[number] = now

    def _collect_device(self, device: EndDeviceRecord, *, here: bool) -> None:
        number = device.number
        if not here:
            self._devices.pop(number, None)
            self._drop(DEVICE, str(number))
            posted.drop_device(self._journal, number)
        elif (values := kinds.device_values(device)) != self._devices.get(number):
            self._devices[number] = values
            self._compare(DEVICE, str(number), kinds.device(device))

    def _publish(self, mrid: str) -> None:
        if mrid not in self._published:
            self._published[mrid] = None
            self._journal.put(PUBLISHED, mrid, "")
            if len(self._published) > MRIDS_KEPT:
                oldest = next(iter(self._published))
                del self._published[oldest]
                self._journal.drop(PUBLISHED, oldest)

    def _compare_all(self, kind: str, forms: Iterable[tuple[str, Any]]) -> None:
        """All objects of a kind: those that are missing are gone."""
        here = set()
        for key, form in forms:
            here.add(key)
            self._compare(kind, key, form)
        for each, key in [known for known in self._texts if known[0] == kind]:
            if key not in here:
                self._drop(each, key)

    def _compare(self, kind: str, key: str, form: Any) -> None:
        text = _JSON(form)
        if self._texts.get((kind, key)) == text:
            return
        self._texts[kind, key] = text
        self._journal.put(kind, key, text, told=True)
        if kind in _COUNTED:
            number = kinds.number_of(form)
            if number > self._highest.get(kind, 0):
                self._highest[kind] = number
                self._journal.put(HIGHEST, kind, str(number))

    def _drop(self, kind: str, key: str) -> None:
        self._texts.pop((kind, key), None)
        self._journal.drop(kind, key, told=True)
