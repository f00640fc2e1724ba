"""Which programs a device may have beside one another, however many groups and programs there are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from dersim.utility.groups import Group, Groups
from dersim.utility.program import Program


class Neighbours:
    """The neighbours of each program: itself, and the programs that a device with it may have, too.

    Two groups of the topology share devices where one is above the other; one outside the topology shares
    them with the groups of its devices, and with all if it has patterns. What was found is kept until a
    program or a group changes: `version` is that of the programs.
    """

    def __init__(self, programs: Mapping[int, Program], groups: Groups) -> None:
        self._programs = programs
        self._groups = groups
        self._found: dict[int, tuple[Program, ...]] = {}
        self._of_group: dict[int, list[Program]] = {}
        self._below: dict[int, list[Group]] = {}
        self._outside: dict[int, set[int]] = {}
        self._anywhere: set[int] = set()
        self._known_for = (-1, -1)

    def of(self, program: Program, version: int) -> tuple[Program, ...]:
        """The neighbours of a program."""
        versions = (version, self._groups.version)
        if versions != self._known_for:
            self._index()
            self._known_for = versions
        found = self._found.get(program.number)
        if found is None:
            found = self._found[program.number] = self._find(program)
        return found

    def _index(self) -> None:
        self._found, self._of_group, self._below, self._outside = {}, {}, {}, {}
        for program in self._programs.values():
            for group in program.groups:
                self._of_group.setdefault(group.number, []).append(program)
        for group in self._groups:
            if group.parent is not None:
                self._below.setdefault(group.parent.number, []).append(group)
        outside = [group for group in self._groups if group.level == "non_topology"]
        self._anywhere = {group.number for group in outside if group.patterns}
        for group in outside:
            for number in self._of_devices(group):
                self._outside.setdefault(number, set()).add(group.number)

    def _of_devices(self, group: Group) -> set[int]:
        return {each.number for lfdi in group.lfdis for each in self._groups.of(lfdi)}

    def _find(self, program: Program) -> tuple[Program, ...]:
        numbers: set[int] = set(self._anywhere)
        for group in program.groups:
            if group.number in self._anywhere:
                return tuple(self._programs.values())
            numbers.add(group.number)
            numbers |= self._outside.get(group.number, set())
            numbers |= self._of_devices(group) if group.level == "non_topology" else self._in_tree(group)
        return tuple(self._programs_of(numbers))

    def _in_tree(self, group: Group) -> set[int]:
        numbers = {each.number for each in group.above()}
        todo = list(self._below.get(group.number, ()))
        while todo:
            each = todo.pop()
            numbers.add(each.number)
            todo += self._below.get(each.number, ())
        return numbers

    def _programs_of(self, numbers: Iterable[int]) -> Iterable[Program]:
        found = {program.number: program for n in numbers for program in self._of_group.get(n, ())}
        return (found[number] for number in sorted(found))
