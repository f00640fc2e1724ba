"""The steps that make a server's tree what a model is: a companion server in memory that nobody connects to.

A procedure sets its tree up on the model, as for a client under test. What has changed on it since the last
look are the steps for the operator of the server under test.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from dersim.conformance.operator import Step
from dersim.conformance.server.steps import (
    AddGroup,
    AddProgram,
    Assign,
    Cancel,
    Publish,
    Register,
    SetPrimacy,
)
from dersim.conformance.stage import Stage
from dersim.modes import modes_to_json
from dersim.utility.groups import SYSTEM, Group
from dersim.utility.program import CANCELLED, CANCELLED_AT_RANDOM


class Plan:
    """What of a model the operator has been told of."""

    def __init__(self, model: Stage) -> None:
        self._model = model
        self._devices: set[str] = set()
        self._groups: set[str] = set()
        self._placed: set[tuple[str, str]] = set()
        self._primacies: dict[str, int] = {}
        self._controls: set[str] = set()
        self._cancelled: set[str] = set()

    def steps(self) -> list[Step]:
        """The steps since the last call."""
        return [*self._new_devices(), *self._new_groups(), *self._new_programs(), *self._new_controls()]

    def _new_devices(self) -> Iterator[Step]:
        for device in list(self._model.head_end.end_devices):
            if device.lfdi not in self._devices:
                self._devices.add(device.lfdi)
                yield Register(device.lfdi, device.pin, device.aggregator_lfdi)

    def _new_groups(self) -> Iterator[Step]:
        for group in list(self._model.head_end.groups):
            if group.number != SYSTEM and group.name not in self._groups:
                self._groups.add(group.name)
                yield AddGroup(group.name, group.level, _name(group.parent), group.time is not None)
            for lfdi in sorted(group.lfdis):
                if (lfdi, group.name) not in self._placed:
                    self._placed.add((lfdi, group.name))
                    yield Assign(lfdi, group.name)

    def _new_programs(self) -> Iterator[Step]:
        for name, program in self._model.programs.items():
            known = self._primacies.get(name)
            self._primacies[name] = program.primacy
            if known is None:
                groups = tuple(each.name for each in program.groups if each.number != SYSTEM)
                default = program.default and modes_to_json(program.default.modes)
                yield AddProgram(name, program.primacy, groups, default)
            elif known != program.primacy:
                yield SetPrimacy(name, program.primacy)

    def _new_controls(self) -> Iterator[Step]:
        for name, control in self._model.controls.items():
            if name not in self._controls:
                self._controls.add(name)
                program = next(key for key, each in self._model.programs.items() if each is control.program)
                yield Publish(
                    name,
                    program,
                    control.start_s,
                    math.ceil(control.start_s - self._model.clock.now_s()),
                    control.duration_s,
                    modes_to_json(control.modes),
                    control.randomize_start_s,
                    control.randomize_duration_s,
                )
            elif control.status in (CANCELLED, CANCELLED_AT_RANDOM) and name not in self._cancelled:
                self._cancelled.add(name)
                yield Cancel(name)


def _name(group: Group | None) -> str | None:
    return None if group is None or group.number == SYSTEM else group.name
