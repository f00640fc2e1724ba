"""Responses as the server took them: each in order, once, and none lost."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Collection, Hashable, Sequence
from typing import TYPE_CHECKING, Any

from dersim.ieee2030_5.event_types import EventView, Phase

if TYPE_CHECKING:
    from tests.chaos.machine import Machine

REFUSED = frozenset({251, 252, 253, 254})
FINAL = frozenset({3, 6, 7, 8, 9, 10, 13, 14}) | REFUSED
#: What must have been told of an event in its phase: one of these sets.
TOLD: dict[Phase, tuple[frozenset[int], ...]] = {
    Phase.COMPLETED: (frozenset({1, 2, 3}),),
    Phase.ACTIVE: (frozenset({1, 2}),),
    Phase.SCHEDULED: (frozenset({1}),),
    Phase.CANCELLED: (frozenset({1, 6}),),
    Phase.SUPERSEDED: (frozenset({7}), frozenset({14})),
}
#: What a Response is given to be told, from the first look at which it was due, s.
FRESH_S = 180.0
_STATUS = re.compile(rb"<(?:\w+:)?status>(\d+)<")


class Waits:
    """What is due, and since which look. Two looks may come in one instant, at the end of the days."""

    def __init__(self) -> None:
        self._due: dict[Hashable, tuple[Any, float]] = {}

    def too_long(self, key: Hashable, due: Any, now_s: float) -> bool:
        """Whether this, None for nothing, was due `FRESH_S` ago too."""
        before, since_s = self._due.get(key, (None, now_s))
        if due is None:
            self._due.pop(key, None)
        elif due != before:
            self._due[key] = due, now_s
        else:
            return now_s - since_s >= FRESH_S
        return False

    def keep(self, number: int, mrids: Collection[str]) -> None:
        """Forget the events of a DER that are not among these."""
        for key in [each for each in self._due if isinstance(each, tuple) and each[0] == number]:
            if key[1] not in mrids:
                del self._due[key]


class ResponseCheck:
    """All Responses of a run, by DER and mRID, whatever the server has forgotten."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self._version = 0
        self._told: defaultdict[tuple[str, str], list[int]] = defaultdict(list)
        #: What clients know to be taken, of earlier runs of their simulators.
        self._acknowledged: Counter[tuple[str, str, int]] = Counter()
        self._again: set[tuple[str, str, int]] = set()
        self._spare: defaultdict[str, int] = defaultdict(int)
        self._violations = 0
        self._waits = Waits()

    def hear(self) -> None:
        """Take the new ones."""
        responses = self._machine.world.utility.head_end.responses
        fresh = responses.version - self._version
        for entry in list(responses.all)[-fresh:] if fresh > 0 else ():
            self._take(
                str(entry.response.endDeviceLFDI), entry.response.subject, int(entry.response.status or 0)
            )
        self._version = responses.version

    def _take(self, lfdi: str, mrid: str, status: int) -> None:
        self._machine.responses += 1
        told = self._told[lfdi, mrid]
        if status in told:
            self._again.add((lfdi, mrid, status))
            return
        if told and told[-1] in FINAL and not self._is_doubtful(mrid):
            self._find(lfdi, f"no Response to {mrid} after {told}", str(status))
        elif told and status == 1:
            self._find(lfdi, f"Response 1 to {mrid} first", f"1 after {told}")
        told.append(status)

    def _doubled(self) -> None:
        """Of those that came again: a client that knew of the first success must not have sent the second."""
        for lfdi, mrid, status in sorted(self._again):
            number = self._number(lfdi)
            if number is None:
                continue
            known = self._acknowledged[lfdi, mrid, status] + self._taken(number).count((mrid, status))
            if known > 1:
                self._again.discard((lfdi, mrid, status))
                self._spare[lfdi] -= 1  # after a crash one may come again
                if self._spare[lfdi] < 0:
                    self._find(lfdi, f"Response {status} to {mrid} once", f"again, {known} times a success")

    def _number(self, lfdi: str) -> int | None:
        machine = self._machine
        return next((n for n in range(1, machine.drawn.ders + 1) if machine.lfdi(n) == lfdi), None)

    def _taken(self, number: int) -> list[tuple[str, int]]:
        """(mRID, status) of each Response that the client knows to be taken."""
        client = self._machine.client(number)
        found = []
        for each in client.conversation.entries(number, limit=100_000):
            if each.method == "POST" and 200 <= each.status < 300 and b"<subject>" in each.request_body:
                status = _STATUS.search(each.request_body)
                subject = each.request_body.partition(b"<subject>")[2].partition(b"<")[0].decode()
                found.append((subject, int(status[1]) if status else 0))
        return found

    # ---- in calm

    def look(self) -> None:
        """All that the clients hold has been told, and nothing waits."""
        machine = self._machine
        self._doubled()
        for number in range(1, machine.drawn.ders + 1):
            client = machine.client(number)
            lfdi = machine.lfdi(number)
            if client.lifecycle is None or lfdi is None:
                continue
            if not machine.is_settled():
                continue
            outbox = client.lifecycle.outbox
            if self._waits.too_long(number, next(iter(outbox._queue), None), machine.now_s):
                machine.find("Responses", number, "no Response waits in calm", f"{outbox.pending} wait")
            self._complete(number, lfdi)

    def _complete(self, number: int, lfdi: str) -> None:
        """Each event that the client holds was answered, but for what has only just become of it."""
        views = self._machine.views(number)
        self._waits.keep(number, {view.mrid for view in views})
        for view in views:
            told = self._told[lfdi, view.mrid]
            due = None if self._is_doubtful(view.mrid) or is_answered(view, told) else view.phase
            # What the server says of an event is read at a poll: its start and end do not tell since when.
            if self._waits.too_long((number, view.mrid), due, self._machine.now_s):
                expected = f"{_words(TOLD[view.phase])} told of {view.mrid}, which is {view.phase.value}"
                self._machine.find("Responses", number, expected, f"{sorted(told)} ({view.why})")

    def _is_doubtful(self, mrid: str) -> bool:
        return mrid in self._machine.acts.doubtful

    # ---- stops and starts

    def ends(self, number: int, *, crash: bool) -> None:
        """A simulator is about to stop."""
        lfdi = self._machine.lfdi(number)
        if lfdi is not None:
            self._acknowledged.update((lfdi, mrid, status) for mrid, status in self._taken(number))
            self._spare[lfdi] += crash

    def server_is_new(self) -> None:
        """The server has forgotten everything."""
        self._version = self._violations = 0

    def violations(self, listed: Sequence[Any]) -> None:
        """What the server found wrong with bodies; a Response to what it has forgotten is right."""
        for each in listed[self._violations :]:
            if "is no event of this server" not in str(each):
                self._machine.find("bodies", 0, "only valid bodies", str(each))
        self._violations = len(listed)

    def _find(self, lfdi: str, expected: str, seen: str) -> None:
        self._machine.find("Responses", self._number(lfdi) or 0, expected, seen)


def is_answered(view: EventView, told: Collection[int]) -> bool:
    """Whether the statuses that were told of an event are all that its phase asks for, or need not be."""
    wanted = TOLD.get(view.phase)
    if wanted is None or "already over" in view.why or REFUSED & set(told):
        return True
    return any(each <= set(told) for each in wanted)


def _words(wanted: tuple[frozenset[int], ...]) -> str:
    return " or ".join(str(sorted(each)) for each in wanted)
