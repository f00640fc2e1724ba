"""Follows the controls of a server over time: looks at their EventStatus, and posts Responses when due."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from dersim.conformance.checks.finding import EDGE_S
from dersim.conformance.evidence import Exchange
from dersim.conformance.server import walk
from dersim.conformance.server.der import PAGE, Der, asked
from dersim.conformance.server.walk import Seen
from dersim.ieee2030_5 import resources as r

#: Lists are read so often, printed seconds; beside that just after each edge of a control.
POLL = 15
RECEIVED, STARTED, COMPLETED, CANCELLED, SUPERSEDED = 1, 2, 3, 6, 7
#: The status that a Response is answered with.
CREATED = 201
_ENDED = frozenset({1, 4, 5, None})

When = Literal["seen", "start", "end", "cancelled"]


class Duty(NamedTuple):
    """A Response that the DER posts. when: the moment of the control, or of the control named in `of`."""

    status: int
    when: When
    of: str | None = None


RUN = (Duty(RECEIVED, "seen"), Duty(STARTED, "start"), Duty(COMPLETED, "end"))
NOT_RUN = (Duty(RECEIVED, "seen"), Duty(SUPERSEDED, "seen"))


class Look(NamedTuple):
    """One look at a control. status: currentStatus, None where it is not listed any more."""

    time_s: float
    status: int | None
    exchange: Exchange


@dataclass(slots=True)
class Followed:
    """A control that is followed.

    cancelled_s: when the operator has cancelled it, the server's time. is_reachable: through the assignments.
    """

    name: str
    control: r.DERControl
    list_href: str
    duties: Sequence[Duty]
    looks: list[Look] = field(default_factory=list)
    answers: list[Exchange] = field(default_factory=list)
    posted: set[int] = field(default_factory=set)
    cancelled_s: float | None = None
    is_reachable: bool = True

    @property
    def earliest_s(self) -> int:
        """The earliest effective start."""
        return int(self.control.interval.start) + min(0, self.control.randomizeStart or 0)

    @property
    def end_s(self) -> int:
        """The end as printed, without randomization."""
        return int(self.control.interval.start + self.control.interval.duration)

    @property
    def latest_end_s(self) -> int:
        """The end that no DER is later than."""
        late = max(0, self.control.randomizeStart or 0) + max(0, self.control.randomizeDuration or 0)
        return self.end_s + late

    @property
    def is_superseded(self) -> bool:
        """Whether the server may say so."""
        return any(each.status == SUPERSEDED for each in self.duties)

    def moment_s(self, when: When) -> float | None:
        """When a moment of this control is, the server's time; None where it is not known to come."""
        if when == "cancelled":
            return self.cancelled_s
        if self.cancelled_s is not None and when != "seen":
            return float(self.earliest_s) if when == "start" and self.earliest_s < self.cancelled_s else None
        return {"seen": 0.0, "start": float(self.earliest_s), "end": float(self.end_s)}[when]

    def may_be(self, time_s: float) -> frozenset[int | None]:
        """The values of currentStatus that are right at that time, EDGE_S of tolerance."""
        allowed: set[int | None] = set()
        if self.cancelled_s is not None and time_s > self.cancelled_s - EDGE_S:
            allowed |= {2, 3, None}
            if time_s > self.cancelled_s + EDGE_S:
                return frozenset(allowed)
        if time_s < self.earliest_s + EDGE_S:
            allowed.add(0)
        if self.earliest_s - EDGE_S < time_s < self.latest_end_s + EDGE_S:
            allowed.add(1)
        if time_s > self.end_s - EDGE_S:
            allowed |= _ENDED
        return frozenset(allowed | {4}) if self.is_superseded else frozenset(allowed)


class Following:
    """The controls of one procedure. ahead_s: how far the server's clock is ahead of ours."""

    def __init__(self, der: Der, seen: Seen) -> None:
        self._der = der
        self._ahead_s = walk.offset_s(seen, der)
        self.controls: dict[str, Followed] = {}

    def now_s(self) -> float:
        """The server's time."""
        return self._der.clock.now_s() + self._ahead_s

    def add(self, name: str, control: r.DERControl, list_href: str, duties: Sequence[Duty]) -> None:
        """Follow a control from now on."""
        self.controls[name] = Followed(name, control, list_href, duties)

    async def until(self, end_s: float) -> None:
        """Follow until then, the server's time."""
        step_s = max(1.0, self._der.scale)
        next_poll_s = self.now_s()
        while self.now_s() < end_s:
            now_s = self.now_s()
            await self._do_duties(now_s)
            if now_s >= next_poll_s or self._at_edge(now_s, step_s):
                await self.look()
                next_poll_s = max(next_poll_s, now_s) + max(step_s, POLL * self._der.scale)
            await self._der.clock.sleep_until(self._der.clock.now_s() + step_s)

    def _at_edge(self, now_s: float, step_s: float) -> bool:
        """Whether a control has begun, ended or been cancelled just before, so that its status must show."""
        edges = [
            edge
            for each in self.controls.values()
            for edge in (each.earliest_s, each.end_s, each.cancelled_s)
            if edge is not None
        ]
        return any(edge + EDGE_S <= now_s < edge + EDGE_S + step_s for edge in edges)

    async def look(self) -> None:
        """Read all lists once, and note the status of each control."""
        for href in dict.fromkeys(each.list_href for each in self.controls.values() if each.is_reachable):
            page, exchange = await self._der.exchange(r.DERControlList, asked(href, f"l={PAGE}"))
            listed = {each.href: each for each in page.DERControl}
            for each in self.controls.values():
                if each.list_href == href and each.is_reachable:
                    served = listed.get(each.control.href)
                    status = None if served is None else served.EventStatus.currentStatus
                    each.looks.append(Look(self.now_s(), status, exchange))

    async def _do_duties(self, now_s: float) -> None:
        for each in list(self.controls.values()):
            for number, duty in enumerate(each.duties):
                moment_s = self.controls.get(duty.of or each.name, each).moment_s(duty.when)
                if number in each.posted or moment_s is None or now_s < moment_s:
                    continue
                each.posted.add(number)
                if duty.when == "start":
                    # The record asks for a look at the control itself before it is activated.
                    got = await self._der.get(str(each.control.href))
                    found = got.got(r.DERControl)
                    status = None if found is None else found.EventStatus.currentStatus
                    each.looks.append(Look(self.now_s(), status, got))
                await self._respond(each, duty.status)

    async def _respond(self, each: Followed, status: int) -> None:
        if not each.control.replyTo:
            return
        response = r.DERControlResponse(
            createdDateTime=int(self.now_s()),
            endDeviceLFDI=self._der.lfdi,
            status=status,
            subject=each.control.mRID,
        )
        each.answers.append(await self._der.post(each.control.replyTo, response))

    # ---- what must hold

    def judge(self) -> None:
        """EventStatus over time, and the answers to the Responses."""
        for each in self.controls.values():
            self._judge_status(each)
            self._judge_answers(each)

    def _judge_status(self, each: Followed) -> None:
        wrong = [
            (f"currentStatus {look.status} at {self._since(each, look)}", look.exchange)
            for look in each.looks
            if look.status not in each.may_be(look.time_s)
        ]
        told = _told(each, self._since)
        text = f"EventStatus of {each.name} follows its times"
        self._der.all_of(text, wrong, told, printed_only=True)
        if each.cancelled_s is not None:
            shown = [look for look in each.looks if look.status in (2, 3)]
            self._der.check(
                f"the cancellation of {each.name} is shown",
                bool(shown),
                told,
                *(look.exchange for look in shown[:1]),
            )

    def _since(self, each: Followed, look: Look) -> str:
        return f"{look.time_s - each.control.interval.start:+.0f} s from its start"

    def _judge_answers(self, each: Followed) -> None:
        if not each.duties:
            return
        due = len(each.posted)
        if not each.control.replyTo:
            self._der.check(f"{each.name} has a replyTo", False, "replyTo is left out")
            return
        wrong = [(f"POST {a.target} is answered {a.status}", a) for a in each.answers if a.status != CREATED]
        text = f"each Response to {each.name} is answered 201"
        self._der.all_of(text, wrong, f"{len(each.answers)} of {due}")
        bare = [(f"POST {a.target}", a) for a in each.answers if a.status == CREATED and not a.location]
        self._der.all_of(f"{text}: with its Location", bare, "all have it", printed_only=True)


def _told(each: Followed, since: Callable[[Followed, Look], str]) -> str:
    """The status whenever it was another one than before."""
    said: list[str] = []
    last: object = ""
    for look in each.looks:
        if look.status != last:
            last = look.status
            said.append(f"{'not listed' if last is None else last} at {since(each, look)}")
    return ", ".join(said) or "not looked at"


Timeline = Callable[[Following], Awaitable[None]]
Duties = Mapping[str, Sequence[Duty]]
