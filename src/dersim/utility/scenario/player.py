"""Carries a scenario out on a head-end; each control is published shortly before its start.

`advance` may be called at any interval. After a long pause, controls that would be over are left out, and
events that are late are carried out in their order. `progress` is what a server keeps to go on after a
restart: nothing is done twice, and no control is published again.
"""

from __future__ import annotations

import heapq
import itertools
import math
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any

from dersim.errors import ConfigError
from dersim.timestamps import rfc3339
from dersim.utility.head_end import HeadEnd
from dersim.utility.programs import ControlOrder
from dersim.utility.scenario.events import carry_out
from dersim.utility.scenario.objects import ScenarioObjects
from dersim.utility.scenario.plan import EventPlan, Scenario, Series

#: How many of the last events are kept for the page.
_TOLD = 50


class Player:
    """One scenario from its start, or from where an earlier run has left it, to its end."""

    def __init__(self, scenario: Scenario, head_end: HeadEnd) -> None:
        self.scenario = scenario
        self.published = 0
        self.told: deque[str] = deque(maxlen=_TOLD)
        self._head_end = head_end
        self._objects = ScenarioObjects(scenario, head_end)
        self._series = [_Publisher(self, series) for series in scenario.series]
        self._began_s = 0.0
        self._events_done = 0
        self._busy = False
        self._order = itertools.count()
        #: When, in which order, and what: it gives the time of its next turn, or None.
        self._due: list[tuple[float, int, Callable[[float], float | None]]] = []

    def start(self) -> None:
        """Make groups, devices, programs and faults, and whatever is due at once."""
        self._began_s = math.ceil(self._head_end.now_s())
        self._objects.make()
        self._head_end.info(f"scenario {self.scenario.name} begins: {self._counted()}")
        self._go()

    def resume(self, progress: Mapping[str, Any]) -> None:
        """Go on from `progress` of an earlier run, whose groups, programs and devices are here."""
        head_end = self._head_end
        self._began_s = progress["began_s"]
        self._events_done, self.published = progress["events"], progress["published"]
        for publisher, done in zip(self._series, progress["series"], strict=True):
            publisher.next = done
        elapsed_s = self.since_start_s(head_end.now_s())
        self._objects.find(progress, elapsed_s)
        head_end.info(f"scenario {self.scenario.name} goes on, {elapsed_s:.0f} s after its start")
        self._go()

    def _go(self) -> None:
        for publisher in self._series:
            if (first_s := publisher.next_s()) is not None:
                self._plan(first_s, publisher.turn)
        for event in self.scenario.events[self._events_done :]:
            self._plan(event.at_s, self._turn_of(event))
        self.advance(self._head_end.now_s())

    @property
    def progress(self) -> dict[str, Any]:
        """How far it is, as JSON, for `resume`."""
        return {
            "name": self.scenario.name,
            "began_s": self._began_s,
            "events": self._events_done,
            "published": self.published,
            "series": [publisher.next for publisher in self._series],
            **self._objects.numbers(),
        }

    def stop(self) -> None:
        """Take back programs, groups, faults and the edition of answers; devices stay registered."""
        self._due.clear()
        self._objects.remove()
        self._head_end.info(f"scenario {self.scenario.name} has ended")

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

    def _plan(self, at_s: float, turn: Callable[[float], float | None]) -> None:
        heapq.heappush(self._due, (self._began_s + at_s, next(self._order), turn))

    def _turn_of(self, event: EventPlan) -> Callable[[float], None]:
        def turn(_: float) -> None:
            self._events_done += 1
            self.told.append(f"{event.at_s:g} s: {event.kind}")
            carry_out(self._objects, event)

        return turn

    def publish(self, series: Series, index: int) -> None:
        """Publish one control of a series."""
        modes = series.steps[index % len(series.steps)]
        start_s = int(self._began_s + series.start_s + index * series.every_s)
        order = ControlOrder(modes, start_s, series.duration_s, **series.order)
        control = self._head_end.publish(self._objects.program(series.program), order)
        self.published += 1
        if order.description:
            self._objects.newest[order.description] = control

    def since_start_s(self, now_s: float) -> float:
        """Seconds since the start of the scenario."""
        return now_s - self._began_s

    def to_json(self) -> dict[str, Any]:
        """For the operator's REST."""
        now_s, numbers = self._head_end.now_s(), self._objects.numbers()
        return {
            "name": self.scenario.name,
            "description": self.scenario.description,
            "began": rfc3339(self._began_s),
            "elapsed_s": round(max(now_s - self._began_s, 0.0), 1),
            "next_in_s": round(self._due[0][0] - now_s, 1) if self._due else None,
            "published": self.published,
            "to_publish": sum(series.total for series in self.scenario.series),
            "programs": list(numbers["programs"].values()),
            "groups": list(numbers["groups"].values()),
            "faults": [fault.number for fault in self._objects.faults],
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


class _Publisher:
    """Publishes the controls of one series when they are due; those that are over by then are left out.

    next: the index of the next one.
    """

    def __init__(self, player: Player, series: Series) -> None:
        self._player = player
        self._series = series
        self.next = 0

    def turn(self, now_s: float) -> float | None:
        """Publish the next one; when the one after it is due, seconds from the start, None after the last."""
        series, since_s = self._series, self._player.since_start_s(now_s)
        first_live = math.floor((since_s - series.start_s - series.duration_s) / series.every_s) + 1
        self.next = max(self.next, first_live)
        if self.next < series.total:
            self.next += 1
            self._player.publish(series, self.next - 1)
        return self.next_s()

    def next_s(self) -> float | None:
        """When the next one is due, seconds from the start; None after the last."""
        series = self._series
        if self.next >= series.total:
            return None
        return series.start_s + self.next * series.every_s - series.lead_s


def fits(scenario: Scenario, progress: Mapping[str, Any]) -> bool:
    """Whether a run of this scenario has left `progress`: the name is the same, and so are the numbers."""
    return (
        progress["name"] == scenario.name
        and len(progress["series"]) == len(scenario.series)
        and progress["events"] <= len(scenario.events)
    )


def end(head_end: HeadEnd) -> None:
    """End the scenario that is played, if there is one."""
    if isinstance(head_end.player, Player):
        head_end.player.stop()
        head_end.player = None


def play(head_end: HeadEnd, scenario: Scenario, progress: Mapping[str, Any] | None = None) -> Player:
    """End the scenario that is played, and begin this one; with `progress` of an earlier run it goes on."""
    end(head_end)
    player = Player(scenario, head_end)
    if progress is None:
        player.start()
    else:
        player.resume(progress)
    head_end.player, head_end.kept_progress = player, None
    return player
