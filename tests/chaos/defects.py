"""Defects planted in the simulator, to see that the scenario machine finds them.

`python -m tests.chaos.defects` plants each in turn and prints the table of docs/chaos.md.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest
import trio
from tests.chaos.machine import Outcome, run

from dersim.csip import joining
from dersim.csip.controls import Controls
from dersim.csip.joining import Retries
from dersim.csip.lifecycle import Lifecycle
from dersim.csip.reading_posts import ReadingPosts
from dersim.csip.responses import Outbox
from dersim.csip.session import Session
from dersim.csip.status import ClientStatus
from dersim.functions.max_w import MaxW
from dersim.hardware.registers import Registers
from dersim.http11.connection import Connection
from dersim.ieee2030_5 import event_rules
from dersim.ieee2030_5.event_types import Event
from dersim.utility.config import DEFAULT_PIN

#: The seeds that are tried for each, and the simulated days of one.
FIRST, SEEDS, DAYS = 501, 12, 0.5
Patch = pytest.MonkeyPatch


class Defect(NamedTuple):
    """A defect in words, and what plants it."""

    words: str
    plant: Callable[[Patch], None]


DEFECTS: dict[str, Defect] = {}


def _defect(words: str) -> Callable[[Callable[[Patch], None]], Callable[[Patch], None]]:
    def add(plant: Callable[[Patch], None]) -> Callable[[Patch], None]:
        DEFECTS[plant.__name__] = Defect(words, plant)
        return plant

    return add


def found(name: str, first: int = FIRST, seeds: int = SEEDS, days: float = DAYS) -> Outcome | None:
    """The first seed that finds a defect. One that no longer fits the code it is planted in is not found."""
    with pytest.MonkeyPatch.context() as patch:
        DEFECTS[name].plant(patch)
        outcomes = (run(seed, days, 1) for seed in range(first, first + seeds))
        outcome = next((each for each in outcomes if each.findings), None)
    if outcome is not None and (told := outcome.findings[0]).promise == "crash":
        raise AssertionError(f"{name} does not fit the code any more: {told}")
    return outcome


@_defect("every third Response is not queued")
def skipped_response(patch: Patch) -> None:
    put, counted = Outbox.put, [0]

    def skipping(self: Outbox, response: Any) -> None:
        counted[0] += 1
        if counted[0] % 3:
            put(self, response)

    patch.setattr(Outbox, "put", skipping)


@_defect("a Response that was taken is sent once more")
def response_twice(patch: Patch) -> None:
    done = Outbox._done

    def again(self: Outbox, response: Any, *, delivered: bool) -> None:
        twice = self.__dict__.setdefault("twice", set())
        if response in twice:
            done(self, response, delivered=delivered)
        twice.add(response)

    patch.setattr(Outbox, "_done", again)


@_defect("Response 2 before Response 1")
def wrong_order(patch: Patch) -> None:
    put = Outbox.put

    def swapped(self: Outbox, response: Any) -> None:
        held = self.__dict__.setdefault("held", {})
        if response.status == 1:
            held[response.mrid] = response
            return
        put(self, response)
        if response.mrid in held:
            put(self, held.pop(response.mrid))

    patch.setattr(Outbox, "put", swapped)


@_defect("a task stays for each loss of the server")
def leaked_task(patch: Patch) -> None:
    retry = Lifecycle._retry

    async def leaking(self: Lifecycle, *rest: Any) -> None:
        trio.lowlevel.spawn_system_task(trio.sleep_forever)
        await retry(self, *rest)

    patch.setattr(Lifecycle, "_retry", leaking)


@_defect("a connection that broke is not closed")
def leaked_connection(patch: Patch) -> None:
    kept: list[Any] = []
    close = Connection._close

    async def leaving(self: Connection) -> None:
        if self._has_answered:
            await close(self)
        else:
            kept.append(self._stream)
            self._stream = None

    patch.setattr(Connection, "_close", leaving)


@_defect("a restart forgets the energy registers")
def registers_reset(patch: Patch) -> None:
    patch.setattr(Registers, "KEPT", ("_shares",))


@_defect("registers count 2 % too much")
def registers_run_fast(patch: Patch) -> None:
    count = Registers.count
    patch.setattr(Registers, "count", lambda self, p, q, dt_s: count(self, p * 1.02, q, dt_s))


@_defect("a control that the server has cancelled goes on")
def cancel_ignored(patch: Patch) -> None:
    update, update_control = Controls.update, Controls.update_control

    def deaf(self: Controls, readings: Any, **how: bool) -> None:
        kept = (each.controls and tuple(filter(_goes_on, each.controls)) for each in readings)
        pairs = zip(readings, kept, strict=True)
        update(self, [each._replace(controls=controls) for each, controls in pairs], **how)

    def deaf_to_one(self: Controls, control: Any) -> None:
        if _goes_on(control):
            update_control(self, control)

    patch.setattr(Controls, "update", deaf)
    patch.setattr(Controls, "update_control", deaf_to_one)


def _goes_on(control: Any) -> bool:
    return control.EventStatus.currentStatus not in (2, 3)


@_defect("after a walk that follows a loss a control stays in force beyond its end")
def control_not_ended(patch: Patch) -> None:
    meet, retry, lost = event_rules.meet, Lifecycle._retry, [False]

    def late(events: Any) -> None:
        meet(events)
        for event in events if lost[0] else ():
            event.end_s += 900

    async def noting(self: Lifecycle, *rest: Any) -> None:
        lost[0] = True
        await retry(self, *rest)

    patch.setattr(event_rules, "meet", late)
    patch.setattr(Lifecycle, "_retry", noting)


@_defect("primacy does not count, only creationTime")
def primacy_ignored(patch: Patch) -> None:
    rank = Event.__dict__["rank"].fget
    patch.setattr(Event, "rank", property(lambda self: (0, *rank(self)[1:])))


@_defect("a limit below 50 % is not carried out at low frequency")
def limit_ignored(patch: Patch) -> None:
    step = MaxW.step

    def careless(self: MaxW, dt_s: float, seen: Any) -> Any:
        demand = step(self, dt_s, seen)
        is_tight = demand.limit_w is not None and demand.limit_w < self.settings.setMaxW / 2
        return type(self)._demand if is_tight and seen.frequency_hz < 59.95 else demand

    patch.setattr(MaxW, "step", careless)


@_defect("clients try again 20 times a second")
def retry_storm(patch: Patch) -> None:
    patch.setattr(Retries, "next_s", lambda self: 0.05)


@_defect("clients try again at the same instant")
def retries_in_step(patch: Patch) -> None:
    patch.setattr(Retries, "next_s", lambda self: joining.RETRY_S)


@_defect("bodies with words in place of a time")
def invalid_body(patch: Patch) -> None:
    encode = Session.encode

    def broken(self: Session, resource: Any) -> bytes:
        return re.sub(rb"<readingTime>\d+<", b"<readingTime>now<", encode(self, resource))

    patch.setattr(Session, "encode", broken)


@_defect("readings with the other sign")
def wrong_sign(patch: Patch) -> None:
    send = ReadingPosts.send

    async def turned(self: ReadingPosts, href: str, values: Any) -> Any:
        for value in values:
            if value.Reading is not None and value.Reading.value is not None:
                value.Reading.value = -value.Reading.value
        return await send(self, href, values)

    patch.setattr(ReadingPosts, "send", turned)


@_defect("the PIN is in the log")
def secret_in_log(patch: Patch) -> None:
    walk = Lifecycle._walk_and_work

    async def telling(self: Lifecycle) -> None:
        self._say("Debug", f"the PIN is {DEFAULT_PIN}")
        await walk(self)

    patch.setattr(Lifecycle, "_walk_and_work", telling)


@_defect("the status stays connected while the server is away")
def stays_connected(patch: Patch) -> None:
    patch.setattr(ClientStatus, "state", property(lambda self: "connected"))


def main() -> int:
    """Plant all; the table. Exit code 1 where one was not found."""
    missed = 0
    for name in sys.argv[1:] or DEFECTS:
        outcome = found(name)
        missed += outcome is None
        how = "not found" if outcome is None else _how(outcome)
        print(f"| {DEFECTS[name].words} | {how} |", flush=True)
    return 1 if missed else 0


def _how(outcome: Outcome) -> str:
    first = outcome.findings[0]
    return f"`{first.promise}`, seed {outcome.drawn.seed - FIRST + 1}, after {first.at_s / 3600:.1f} h"


if __name__ == "__main__":
    sys.exit(main())
