"""What a scenario has made on a head-end: its groups, programs and faults by their names in the file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dersim.errors import ConfigError
from dersim.utility import device_resources, grouping
from dersim.utility.faults.plans import FaultPlan
from dersim.utility.faults.planted import PlantedFault
from dersim.utility.groups import Group
from dersim.utility.head_end import HeadEnd
from dersim.utility.program import Control, Program
from dersim.utility.scenario.plan import DevicePlan, Scenario
from dersim.utility.scenario.reader import ALL


class ScenarioObjects:
    """Made by `make` when a scenario begins, or found by `find` when it goes on after a restart."""

    def __init__(self, scenario: Scenario, head_end: HeadEnd) -> None:
        self.scenario = scenario
        self.head_end = head_end
        self.groups: dict[str, Group] = {ALL: head_end.groups.system}
        self.programs: dict[str, Program] = {}
        self.newest: dict[str, Control] = {}
        self.faults: list[PlantedFault] = []
        devices, config = head_end.end_devices, head_end.config
        self._before = config.personality, devices.mode, devices.pin
        config.personality = scenario.personality
        devices.mode = scenario.registration or devices.mode
        devices.pin = devices.pin if scenario.pin is None else scenario.pin

    def make(self) -> None:
        """Set the poll rates, make groups and programs, register devices, plant faults."""
        head_end, scenario = self.head_end, self.scenario
        if scenario.poll_rates:
            head_end.set_poll_rates(dict(scenario.poll_rates))
        self._make_groups()
        for device in scenario.devices:
            self.register(device)
        for each in scenario.programs:
            groups = [self.groups[name] for name in each.groups]
            self.programs[each.name] = program = head_end.create_program(each.name, each.primacy, groups)
            if each.default is not None:
                head_end.set_default(program, each.default)
        self.faults = [head_end.faults.plant(plan) for plan in scenario.faults]

    def _make_groups(self) -> None:
        head_end = self.head_end
        for each in self.scenario.groups:
            parent = None if each.parent is None else self.groups[each.parent]
            self.groups[each.name] = group = grouping.create(head_end, each.name, each.level, parent)
            if each.devices or each.patterns:
                grouping.set_members(head_end, group, each.devices, each.patterns)
            if each.time is not None:
                grouping.set_time(head_end, group, each.time)

    def numbers(self) -> dict[str, dict[str, int]]:
        """The numbers of groups and programs by their names, for `find`."""
        return {
            "groups": {name: group.number for name, group in self.groups.items() if name != ALL},
            "programs": {name: program.number for name, program in self.programs.items()},
        }

    def find(self, numbers: Mapping[str, Mapping[str, int]], elapsed_s: float) -> None:
        """Find what `make` has made in an earlier run, and plant the faults that are not over."""
        head_end = self.head_end
        for name, number in numbers["groups"].items():
            if (group := head_end.groups.get(number)) is not None:
                self.groups[name] = group
        for name, number in numbers["programs"].items():
            if (program := head_end.programs.get(number)) is not None:
                self.programs[name] = program
                for control in sorted(program.controls.values(), key=lambda control: control.id):
                    self.newest[control.description] = control
        left = (_rest_of(plan, elapsed_s) for plan in self.scenario.faults)
        self.faults = [head_end.faults.plant(plan) for plan in left if plan is not None]

    def remove(self) -> None:
        """Remove programs, groups and faults; devices stay registered."""
        head_end, devices = self.head_end, self.head_end.end_devices
        head_end.config.personality, devices.mode, devices.pin = self._before
        for fault in self.faults:
            head_end.faults.remove(fault)
        for program in self.programs.values():
            if head_end.programs.get(program.number) is program:
                head_end.remove_program(program)
        for group in reversed(list(self.groups.values())):
            if group is not head_end.groups.system and head_end.groups.get(group.number) is group:
                try:
                    grouping.remove(head_end, group)
                except ConfigError as error:  # the operator has put other groups below it
                    head_end.warn(f"scenario {self.scenario.name}: {error}")

    def program(self, name: str) -> Program:
        """The program of this name; ConfigError where the operator has removed it."""
        found = self.programs.get(name)
        if found is None or self.head_end.programs.get(found.number) is not found:
            raise ConfigError(f"program {name!r} is not there any more")
        return found

    def group(self, name: str) -> Group:
        """The group of this name; ConfigError where the operator has removed it."""
        found = self.groups.get(name)
        if found is None or self.head_end.groups.get(found.number) is not found:
            raise ConfigError(f"group {name!r} is not there any more")
        return found

    def register(self, plan: DevicePlan) -> None:
        """Register a device, or change one that is known."""
        device, _ = self.head_end.provision(plan.lfdi, plan.pin, plan.aggregator)
        if not plan.enabled:
            self.head_end.update_device(device, device.pin, enabled=False, aggregator=plan.aggregator)
        for name, values in plan.resources.items():
            device_resources.set_by_operator(self.head_end, device, name, values)
        if plan.group is not None:
            self.move(plan.lfdi, plan.group)

    def move(self, lfdi: str, name: str | None) -> None:
        """Assign a device to a group; None takes it out of all of the topology."""
        group = None if name is None else self.group(name)
        if group is not None and group.level == "non_topology":
            grouping.set_members(self.head_end, group, {*group.lfdis, lfdi}, group.patterns)
        else:
            grouping.move(self.head_end, lfdi, group)


def _rest_of(plan: FaultPlan, elapsed_s: float) -> FaultPlan | None:
    """What is left of a fault so long after the start; None: it is over."""
    data: dict[str, Any] = dict(plan.data)
    start_s = data.get("start_in_s", 0.0) - elapsed_s
    if "duration_s" in data:
        data["duration_s"] += min(start_s, 0.0)
        if data["duration_s"] <= 0:
            return None
    return plan._replace(data=data | {"start_in_s": max(start_s, 0.0)})
