"""What is kept of groups, programs, controls, EndDevices and the server itself, and how it is restored.

`forms` gives every object of a kind as JSON under its key; what differs from what is in the file is written.
`restore` makes the objects again, by the numbers and mRIDs that clients know.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from operator import attrgetter
from typing import Any

from dersim.ieee2030_5.edition import Edition
from dersim.kept import attributes, set_attributes
from dersim.modes import ModeValue, value_from_kept, value_to_kept
from dersim.utility.end_devices import EndDeviceRecord
from dersim.utility.groups import SYSTEM, Group, TimeOf
from dersim.utility.head_end import HeadEnd
from dersim.utility.program import Control, CurveList, DefaultControl, Program

#: The kinds that are compared as a whole when their version has changed.
GROUP, PROGRAM, CONTROL, DEVICE, SERVER = "group", "program", "control", "device", "server"

_CONTROL = (
    "id",
    "number",
    "mrid",
    "creation_s",
    "start_s",
    "duration_s",
    "randomize_start_s",
    "randomize_duration_s",
    "response_required",
    "description",
    "device_category",
    "reply_to",
    "status",
    "status_since_s",
    "potentially_superseded",
    "potentially_superseded_s",
    "begun",
)
_PROGRAM = ("number", "mrid", "description", "primacy", "last_control", "defaults_set", "order", "last_end_s")
_DEVICE = (
    "number",
    "lfdi",
    "sfdi",
    "pin",
    "registered_s",
    "changed_s",
    "log_events_seen",
    "violations",
    "aggregator_lfdi",
    "enabled",
    "shows_lfdi",
    "device_category",
    "resources",
    "registered_by",
)

Forms = Iterator[tuple[str, Any]]
Documents = Mapping[str, Any]


def groups(head_end: HeadEnd) -> Forms:
    """Every group by its number."""
    for group in head_end.groups:
        parent = None if group.parent is None else group.parent.number
        yield (
            str(group.number),
            {
                **attributes(group, ("number", "name", "level", "mrid", "patterns")),
                "parent": parent,
                "lfdis": sorted(group.lfdis),
                "time": group.time,
            },
        )


def program(found: Program) -> Any:
    """A program without its controls."""
    default = found.default
    return {
        **attributes(found, _PROGRAM),
        "groups": [group.number for group in found.groups],
        "default": None if default is None else [default.mrid, _kept(default.modes), default.version],
        "curves": found.curves.checkpoint(),
    }


def controls(found: Program) -> Forms:
    """The controls of a program by the numbers of both."""
    for control in found.controls.values():
        form = {"modes": _kept(control.modes), "lost": sorted(control.lost)}
        yield f"{found.number}/{control.number}", {**attributes(control, _CONTROL), **form}


#: What is kept of an EndDevice, quickly, to see whether it has changed.
device_values = attrgetter(*_DEVICE, "edition")


def device(found: EndDeviceRecord) -> Any:
    """An EndDevice without its documents and LogEvents."""
    return {**attributes(found, _DEVICE), "edition": found.edition.value}


def server(head_end: HeadEnd) -> Forms:
    """What belongs to no object: poll rates, how far cycle and scenario are, what was removed, last ids."""
    yield "rates", head_end.rates.as_dict()
    yield "cycle", head_end.cycle_state
    yield "scenario", head_end.scenario_progress
    yield "removed", sorted(head_end.end_devices.removed)
    yield "last", [head_end.programs.last_id, head_end.programs.last_creation_s]


def _kept(modes: Mapping[str, ModeValue]) -> dict[str, Any]:
    return {mode: value_to_kept(value) for mode, value in modes.items()}


def _modes(kept: Mapping[str, Any]) -> dict[str, ModeValue]:
    return {mode: value_from_kept(value) for mode, value in kept.items()}


def restore(head_end: HeadEnd, kept: Mapping[str, Documents], highest: Mapping[str, int]) -> None:
    """Take over what `groups`, `program` and the others gave, into a head-end that has not begun.

    kept: documents by kind and key. highest: the highest number that a kind ever had, so that none is used
    twice.
    """
    _restore_groups(head_end, kept.get(GROUP, {}), highest.get(GROUP, SYSTEM))
    _restore_programs(head_end, kept, highest)
    for document in kept.get(DEVICE, {}).values():
        record = EndDeviceRecord(0, document["lfdi"], 0, 0, 0, 0, Edition(document["edition"]))
        set_attributes(record, _DEVICE, document)
        head_end.end_devices.restore(record)
    own = kept.get(SERVER, {})
    head_end.end_devices.restored(own.get("removed", ()), highest.get(DEVICE, 0))
    head_end.rates.change(own["rates"])
    head_end.restored(own["cycle"])
    head_end.kept_progress = own.get("scenario")


def _restore_groups(head_end: HeadEnd, documents: Documents, highest: int) -> None:
    found: dict[int, Group] = {}
    for document in documents.values():
        time = document["time"]
        found[document["number"]] = Group(
            document["number"],
            document["name"],
            document["level"],
            None,
            document["mrid"],
            set(document["lfdis"]),
            tuple(document["patterns"]),
            None if time is None else TimeOf(*time),
        )
    for document in documents.values():
        if document["parent"] is not None:
            found[document["number"]].parent = found[document["parent"]]
    head_end.groups.restore(found, highest)


def _restore_programs(head_end: HeadEnd, kept: Mapping[str, Documents], highest: Mapping[str, int]) -> None:
    programs: dict[int, Program] = {}
    for document in kept.get(PROGRAM, {}).values():
        found = Program(document["number"], document["mrid"], document["description"], document["primacy"])
        set_attributes(found, _PROGRAM, document)
        groups_of = (head_end.groups.get(number) for number in document["groups"])
        found.groups = tuple(group for group in groups_of if group is not None)
        if (default := document["default"]) is not None:
            found.default = DefaultControl(default[0], _modes(default[1]), default[2])
        found.curves = CurveList(head_end.mrids)
        found.curves.restore(document["curves"])
        programs[found.number] = found
    for key, document in kept.get(CONTROL, {}).items():
        found = programs[int(key.partition("/")[0])]
        control = Control(found, 0, 0, document["mrid"], 0, 0, 0, _modes(document["modes"]))
        set_attributes(control, _CONTROL, document)
        control.end_s = control.start_s + control.duration_s
        control.lost = set(document["lost"])
        found.controls[control.number] = control
    head_end.programs.restore(programs, highest.get(PROGRAM, 0), *kept[SERVER]["last"])


def number_of(document: Any) -> int:
    """The number by which an object of this kind counts up."""
    return int(document["number"])
