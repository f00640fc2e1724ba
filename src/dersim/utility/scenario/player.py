"""Carries a scenario out on a head-end; each control is published shortly before its start.

`advance` may be called at any interval. After a long pause, controls that would be over are left out, and
events that are late are carried out in their order.
"""

from __future__ import annotations

import heapq
import itertools
import math
from collections import deque
from collections.abc import Callable
from typing import Any

from dersim.errors import ConfigError
from dersim.timestamps import rfc3339
from dersim.utility import grouping
from dersim.utility.groups import Group
from dersim.utility.head_end import HeadEnd
from dersim.utility.program import CANCELLED, CANCELLED_AT_RANDOM, SUPERSEDED, Control, Program
from dersim.utility.programs import ControlOrder
from dersim.utility.scenario.plan import DevicePlan, EventPlan, Scenario, Series
from dersim.utility.scenario.reader import ALL

_HOW = {"cancelled": CANCELLED, "cancelled_with_randomization": CANCELLED_AT_RANDOM, "superseded": SUPERSEDED}
#: How many of the last happenings are kept for the page.
_TOLD = 50


class Player:
    """One scenario from its start to its end. start: carries out what it begins with."""

    def __init__(self, scenario: Scenario, head_end: HeadEnd) -> None:
        self.scenario = scenario
        self.published = 0
        self.told: deque[str] = deque(maxlen=_TOLD)
        self._head_end = head_end
        self._began_s = 0.0
        self._before = head_end.config.personality, head_end.end_devices.mode, head_end.end_devices.pin
        self._groups: dict[str, Group] = {ALL: head_end.groups.system}
        self._programs: dict[str, Program] = {}
        self._newest: dict[str, Control] = {}
        self._faults: list[Any] = []
        self._busy = False
        self._order = itertools.count()
        #: When, in which order, and what: it gives the time of its next turn, or None.
        self._due: list[tuple[float, int, Callable[[float], float | None]]] = []

    def start(self) -> None:
        """Make groups, devices, programs and faults, and whatever is due at once."""
        head_end, scenario = self._head_end, self.scenario
        self._began_s = math.ceil(head_end.now_s())
        self._adopt()
        if scenario.poll_rates:
            head_end.set_poll_rates(dict(scenario.poll_rates))
        self._make_groups()
        for device in scenario.devices:
            self._register(device)
        for each in scenario.programs:
            groups = [self._groups[name] for name in each.groups]
            self._programs[each.name] = program = head_end.create_program(each.name, each.primacy, groups)
            if each.default is not None:
                head_end.set_default(program, each.default)
        for series in scenario.series:
            self._plan(series.start_s - series.lead_s, _Publisher(self, series).turn)
        for event in scenario.events:
            self._plan(event.at_s, self._turn_of(event))
        self._faults = [head_end.faults.plant(plan) for plan in scenario.faults]
        head_end.info(f"scenario {scenario.name} begins: {self._counted()}")
        self.advance(head_end.now_s())

    def _adopt(self) -> None:
        """Take over what the scenario says about the server itself."""
        scenario, devices, config = self.scenario, self._head_end.end_devices, self._head_end.config
        self._before = config.personality, devices.mode, devices.pin
        config.personality = scenario.personality
        devices.mode = scenario.registration or devices.mode
        devices.pin = devices.pin if scenario.pin is None else scenario.pin

    def stop(self) -> None:
        """Take back programs, groups, faults and the edition of answers; devices stay registered."""
        head_end = self._head_end
        devices = head_end.end_devices
        head_end.config.personality, devices.mode, devices.pin = self._before
        self._due.clear()
        for fault in self._faults:
            head_end.faults.remove(fault)
        for program in self._programs.values():
            if head_end.programs.get(program.number) is program:
                head_end.remove_program(program)
        for group in reversed(list(self._groups.values())):
            if group is not head_end.groups.system and head_end.groups.get(group.number) is group:
                try:
                    grouping.remove(head_end, group)
                except ConfigError as error:  # the operator has put other groups below it
                    head_end.warn(f"scenario {self.scenario.name}: {error}")
        head_end.info(f"scenario {self.scenario.name} has ended")

    def advance(self, now_s: float) -> None:
        """Carry out what is due by now. What it does may call it again, which has no effect."""
        if self._busy:
            return
        self._busy = True
        try:
            self._carry_out(now_s)
        finally:
            self._busy = False

    def _carry_out(self, now_s: float) -> None:
        while self._due and self._due[0][0] <= now_s:
            due_s, _, turn = heapq.heappop(self._due)
            try:
                next_s = turn(now_s)
            except ConfigError as error:
                next_s = None
                self._head_end.warn(f"scenario {self.scenario.name}: {error}")
            if next_s is not None:
                self._plan(max(next_s, due_s - self._began_s), turn)

    def to_json(self) -> dict[str, Any]:
        """For the operator's REST."""
        now_s = self._head_end.now_s()
        return {
            "name": self.scenario.name,
            "description": self.scenario.description,
            "began": rfc3339(self._began_s),
            "elapsed_s": round(max(now_s - self._began_s, 0.0), 1),
            "next_in_s": round(self._due[0][0] - now_s, 1) if self._due else None,
            "published": self.published,
            "to_publish": sum(series.total for series in self.scenario.series),
            "programs": [program.number for program in self._programs.values()],
            "groups": [group.number for name, group in self._groups.items() if name != ALL],
            "faults": [fault.number for fault in self._faults],
            "told": list(self.told),
        }

    def _counted(self) -> str:
        scenario = self.scenario
        numbers = {
            "group": len(scenario.groups),
            "device": len(scenario.devices),
            "program": len(scenario.programs),
            "control": sum(series.total for series in scenario.series),
            "event": len(scenario.events),
            "fault": len(scenario.faults),
        }
        return ", ".join(f"{n} {what}{'s' if n != 1 else ''}" for what, n in numbers.items() if n)

    def _plan(self, at_s: float, turn: Callable[[float], float | None]) -> None:
        heapq.heappush(self._due, (self._began_s + at_s, next(self._order), turn))

    def _make_groups(self) -> None:
        head_end = self._head_end
        for each in self.scenario.groups:
            parent = None if each.parent is None else self._groups[each.parent]
            self._groups[each.name] = group = grouping.create(head_end, each.name, each.level, parent)
            if each.devices or each.patterns:
                grouping.set_members(head_end, group, each.devices, each.patterns)
            if each.time is not None:
                grouping.set_time(head_end, group, each.time)

    def _register(self, plan: DevicePlan) -> None:
        head_end = self._head_end
        device, _ = head_end.provision(plan.lfdi, plan.pin, plan.aggregator)
        if not plan.enabled:
            head_end.update_device(device, device.pin, enabled=False, aggregator=plan.aggregator)
        if plan.group is not None:
            self._move(plan.lfdi, plan.group)

    def _move(self, lfdi: str, name: str | None) -> None:
        group = None if name is None else self._groups[name]
        if group is not None and group.level == "non_topology":
            grouping.set_members(self._head_end, group, {*group.lfdis, lfdi}, group.patterns)
        else:
            grouping.move(self._head_end, lfdi, group)

    def publish(self, series: Series, index: int) -> None:
        """Publish one control of a series."""
        modes = series.steps[index % len(series.steps)]
        start_s = int(self._began_s + series.start_s + index * series.every_s)
        order = ControlOrder(modes, start_s, series.duration_s, **series.order)
        control = self._head_end.publish(self._programs[series.program], order)
        self.published += 1
        if order.description:
            self._newest[order.description] = control

    def since_start_s(self, now_s: float) -> float:
        """Seconds since the start of the scenario."""
        return now_s - self._began_s

    def _turn_of(self, event: EventPlan) -> Callable[[float], None]:
        carry_out = getattr(self, f"_do_{event.kind}")

        def turn(_: float) -> None:
            carry_out(event.data)
            self.told.append(f"{event.at_s:g} s: {event.kind}")

        return turn

    def _do_default(self, data: dict[str, Any]) -> None:
        program = self._programs[data["program"]]
        if data["modes"] is None:
            self._head_end.clear_default(program)
        else:
            self._head_end.set_default(program, data["modes"])

    def _do_program(self, data: dict[str, Any]) -> None:
        head_end, program = self._head_end, self._programs[data["name"]]
        if "groups" in data:
            groups = [self._groups[name] for name in data["groups"]]
            head_end.programs.assign(program, groups, head_end.now_s())
        primacy = data.get("primacy", program.primacy)
        head_end.update_program(program, program.description, primacy, program.order)

    def _do_cancel(self, data: dict[str, Any]) -> None:
        name, how = data["control"], data.get("how", "cancelled")
        control = self._newest.get(name)
        if control is None or not control.live:
            raise ConfigError(f"control {name!r} is not there any more, or not yet; it is not {how}")
        if how == "withdrawn":
            self._head_end.withdraw(control)
        else:
            self._head_end.cancel(control, _HOW[how])

    def _do_register(self, plan: DevicePlan) -> None:
        self._register(plan)

    def _do_remove(self, lfdi: str) -> None:
        device = self._head_end.end_devices.find(lfdi)
        if device is None:
            raise ConfigError(f"there is no device {lfdi} to remove")
        self._head_end.remove_device(device)

    def _do_move(self, data: dict[str, Any]) -> None:
        self._move(data["lfdi"], data["group"])

    def _do_poll_rates(self, data: dict[str, int]) -> None:
        self._head_end.set_poll_rates(data)


class _Publisher:
    """Publishes the controls of one series when they are due; those that are over by then are left out."""

    def __init__(self, player: Player, series: Series) -> None:
        self._player = player
        self._series = series
        self._next = 0

    def turn(self, now_s: float) -> float | None:
        """Publish the next one; when the one after it is due, seconds from the start, None after the last."""
        series, since_s = self._series, self._player.since_start_s(now_s)
        first_live = math.floor((since_s - series.start_s - series.duration_s) / series.every_s) + 1
        self._next = max(self._next, first_live)
        if self._next < series.total:
            self._player.publish(series, self._next)
            self._next += 1
        if self._next >= series.total:
            return None
        return series.start_s + self._next * series.every_s - series.lead_s


def end(head_end: HeadEnd) -> None:
    """End the scenario that is played, if there is one."""
    if isinstance(head_end.player, Player):
        head_end.player.stop()
        head_end.player = None


def play(head_end: HeadEnd, scenario: Scenario) -> Player:
    """End the scenario that is played, and begin this one."""
    end(head_end)
    player = Player(scenario, head_end)
    player.start()
    head_end.player = player
    return player
