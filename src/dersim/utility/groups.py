"""Groups of devices: each is one FunctionSetAssignments for every device in it.

Groups of the topology form a tree, from the system down to service points (CSIP 5.2.3). A device that is
assigned to a group is also in all groups above it. Groups of level `non_topology` are outside the tree. Group
1, the system, has every device unless the operator says otherwise, so a server without groups has one
assignment for all.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any, NamedTuple

from dersim.errors import ConfigError
from dersim.numeric import shown
from dersim.suggestions import hint
from dersim.utility.mrids import MridMaker

#: Level: primacy of a program that is created in a group of this level without one (CSIP test figures).
LEVELS = {
    "system": 10,
    "subtransmission": 9,
    "substation": 8,
    "feeder": 7,
    "segment": 6,
    "transformer": 5,
    "service_point": 4,
    "non_topology": 3,
}
SYSTEM = 1
#: CSIP asks a client for up to 15 assignments and 15 programs.
MAX_ASSIGNMENTS = 15
MAX_NAME_CHARS = 32
MAX_OFFSET_S = 10 * 366 * 86_400
MAX_ZONE_S = 50_400


class TimeOf(NamedTuple):
    """A Time resource of a group. offset_s: how far its currentTime is off; tz_offset_s: of local time."""

    offset_s: int = 0
    tz_offset_s: int = 0
    quality: int = 7


@dataclass(slots=True, eq=False)
class Group:
    """One group.

    parent: the group above; None for the system and groups outside the topology. lfdis, patterns: the devices
    assigned to it itself; a pattern is matched with the LFDI, `*` and `?` as in a shell. time: its own Time
    resource; None takes that of the server.
    """

    number: int
    name: str
    level: str
    parent: Group | None
    mrid: str
    lfdis: set[str] = field(default_factory=set)
    patterns: tuple[str, ...] = ()
    time: TimeOf | None = None

    @property
    def list_href(self) -> str:
        """The path of its DERProgramList."""
        return "/derp" if self.number == SYSTEM else f"/fsa/{self.number}/derp"

    @property
    def time_href(self) -> str:
        """The path of the Time that its programs go by."""
        return "/tm" if self.time is None else f"/tm/{self.number}"

    def above(self) -> Iterator[Group]:
        """The group itself and all groups above it."""
        group: Group | None = self
        while group is not None:
            yield group
            group = group.parent

    def covers(self, other: Group) -> bool:
        """Whether every device of `other` is in this group, too, by the tree."""
        return any(group is self for group in other.above())

    def has_assigned(self, lfdi: str) -> bool:
        """Whether the device is assigned to this group itself."""
        return lfdi in self.lfdis or any(fnmatchcase(lfdi, pattern) for pattern in self.patterns)


class _Index(NamedTuple):
    """Where a device is looked for: a server may have a group for each device."""

    with_patterns: list[Group]
    by_lfdi: dict[str, list[Group]]

    @staticmethod
    def of(groups: Iterable[Group]) -> _Index:
        """Of groups as they are now."""
        index = _Index([], {})
        for group in groups:
            if group.patterns:
                index.with_patterns.append(group)
            for lfdi in group.lfdis:
                index.by_lfdi.setdefault(lfdi, []).append(group)
        return index


class Groups:
    """All groups. `version` rises with every change of a group or its devices."""

    def __init__(self, mrids: MridMaker) -> None:
        self.version = 0
        self._mrids = mrids
        self._numbers = itertools.count(SYSTEM + 1)
        system = Group(SYSTEM, "all DERs", "system", None, mrids("assignment of all DERs"), patterns=("*",))
        self._groups = {SYSTEM: system}
        self._of_device: dict[str, tuple[Group, ...]] = {}
        self._index: _Index | None = None

    def __iter__(self) -> Iterator[Group]:
        return iter(self._groups.values())

    def __len__(self) -> int:
        return len(self._groups)

    @property
    def system(self) -> Group:
        """The root of the topology."""
        return self._groups[SYSTEM]

    def get(self, number: int) -> Group | None:
        """The group of this number."""
        return self._groups.get(number)

    def find(self, name: str) -> Group | None:
        """The group of this name."""
        return next((group for group in self if group.name == name), None)

    def of(self, lfdi: str) -> tuple[Group, ...]:
        """The groups of a device in the order of FunctionSetAssignmentsList: mRID descending."""
        known = self._of_device.get(lfdi)
        if known is None:
            if self._index is None:
                self._index = _Index.of(self)
            assigned = [each for each in self._index.with_patterns if each.has_assigned(lfdi)]
            assigned += self._index.by_lfdi.get(lfdi, ())
            found = {group.number: group for each in assigned for group in each.above()}
            known = tuple(sorted(found.values(), key=lambda group: group.mrid, reverse=True))
            self._of_device[lfdi] = known
        return known

    def create(self, name: str, level: str, parent: Group | None = None) -> Group:
        """Add a group; ConfigError for a name that is taken, an unknown level or a parent that does not fit.

        A topology group without a parent is below the system.
        """
        self._check_name(name, None)
        _check_level(level)
        if level == "non_topology":
            if parent is not None:
                raise ConfigError("parent: a group of level non_topology has none")
        else:
            parent = self.system if parent is None else parent
            _check_parent(level, parent)
        number = next(self._numbers)
        # The same mRID after a restart of the server: for clients it is the same assignment.
        group = Group(number, name, level, parent, self._mrids(f"group {number} {name}"))
        self._groups[number] = group
        self._changed()
        return group

    def rename(self, group: Group, name: str) -> None:
        """Change the name; the mRID stays."""
        self._check_name(name, group)
        group.name = name
        self._changed()

    def set_time(self, group: Group, time: TimeOf | None) -> None:
        """Give the group a Time resource of its own, or that of the server."""
        group.time = time
        self._changed()

    def set_members(self, group: Group, lfdis: Iterable[str], patterns: Iterable[str]) -> None:
        """Replace the devices assigned to the group itself. lfdis: 40 upper-case digits each."""
        group.lfdis, group.patterns = set(lfdis), tuple(patterns)
        self._changed()

    def move(self, lfdi: str, group: Group | None) -> None:
        """Assign the device to this topology group and no other; None takes it out of all.

        Patterns still count: one that matches the device keeps it in its group.
        """
        for each in self:
            if each.level != "non_topology":
                each.lfdis.discard(lfdi)
        if group is not None:
            group.lfdis.add(lfdi)
        self._changed()

    def remove(self, group: Group) -> None:
        """Remove a group; ConfigError for the system and where others are below it."""
        if group.number == SYSTEM:
            raise ConfigError("the system group cannot be removed; set its patterns to [] to leave it empty")
        below = [each.name for each in self if each.parent is group]
        if below:
            raise ConfigError(f"group {group.name!r} has groups below it: remove {', '.join(below)} first")
        del self._groups[group.number]
        self._changed()

    def restore(self, groups: dict[int, Group], highest: int) -> None:
        """Take over the groups of an earlier run. highest: the highest number that was ever used."""
        self._groups = groups
        self._numbers = itertools.count(highest + 1)
        self._changed()

    def _changed(self) -> None:
        self.version += 1
        self._of_device.clear()
        self._index = None

    def _check_name(self, name: Any, known: Group | None) -> None:
        if not isinstance(name, str) or not name.isprintable() or not 0 < len(name) <= MAX_NAME_CHARS:
            raise ConfigError(
                f"name: 1 to {MAX_NAME_CHARS} printable characters are needed, not {shown(name)}"
            )
        taken = self.find(name)
        if taken is not None and taken is not known:
            raise ConfigError(f"name: group {taken.number} is named {name!r} already")


def _check_level(level: object) -> None:
    if not isinstance(level, str) or level not in LEVELS:
        raise ConfigError(f"level: there is no {shown(level)}; {hint(level, LEVELS)}")
    if level == "system":
        raise ConfigError("level: there is one system, group 1; rename it instead")


def _check_parent(level: str, parent: Group) -> None:
    if LEVELS[parent.level] <= LEVELS[level]:
        raise ConfigError(f"parent: a {level} cannot be below {parent.name!r}, a {parent.level}")
