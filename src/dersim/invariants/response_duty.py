"""The other half of I2: no Response is left out.

A Response is owed when the client itself says that an event has come to a phase, and the published control
asks for it. It must have been taken, or refused for good, once the client was connected long enough.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

from dersim.ieee2030_5.event_types import Phase
from dersim.invariants.base import Invariant, Look, Violation
from dersim.invariants.calm import Calm
from dersim.invariants.remembering import ENTRY_BYTES, forget_over
from dersim.invariants.response_order import response_of

#: How long the client must have been connected, real s.
GRACE_S = 120.0
#: The longest that a client waits for a Retry-After, real s.
RETRY_AFTER_S = 300.0
#: Statuses of which one is owed by phase, and the bit of responseRequired that asks for it.
OWED = {
    Phase.SCHEDULED: (frozenset({1}), 1),
    Phase.ACTIVE: (frozenset({2}), 2),
    Phase.COMPLETED: (frozenset({3, 8, 9, 10}), 2),
    Phase.SUPERSEDED: (frozenset({7, 14}), 2),
}
#: EventStatus.currentStatus of an event that runs; higher ones are over.
ACTIVE = 1
_TRY_AGAIN = frozenset({408, 425, 429})


class _Debt(NamedTuple):
    mrid: str
    statuses: frozenset[int]
    since_s: float


class ResponseDuty(Invariant):
    """Responses that are owed."""

    id = "I2"
    statement = "Each Response that a control asks for is sent until the server takes it."

    def __init__(self) -> None:
        self._calm = Calm()
        self._phases: dict[int, dict[str, Phase]] = {}
        self._asked: dict[int, dict[str, int]] = {}
        self._debts: dict[int, list[_Debt]] = {}
        self._told: dict[int, dict[str, frozenset[int]]] = {}
        self._failed_s: dict[int, float] = {}

    def check(self, look: Look) -> Iterator[Violation]:
        """Note what is owed and what was told; what is owed for too long is a violation."""
        number = look.device.number
        told = self._told.setdefault(number, {})
        self._hear(look, told)
        _, calm_s = self._calm.lasts_s(look)
        self._note(look)
        debts = self._debts.setdefault(number, [])
        debts[:] = [each for each in debts if not each.statuses & told.get(each.mrid, frozenset())]
        quiet_since_s = max(self._failed_s.get(number, 0.0), look.real_s - calm_s)
        forget_over(told, look, (each.mrid for each in debts))
        due = [each for each in debts if look.real_s - max(each.since_s, quiet_since_s) > GRACE_S]
        for debt in due:
            debts.remove(debt)
            words = " or ".join(map(str, sorted(debt.statuses)))
            yield look.violation(ResponseDuty, f"a Response {words} for {debt.mrid}", "none that was taken")

    def held_bytes(self) -> int:
        """What is remembered of the events that the clients hold, and of their Responses."""
        held = self._phases, self._asked, self._told
        return ENTRY_BYTES * sum(len(events) for by_device in held for events in by_device.values())

    def _hear(self, look: Look, told: dict[str, frozenset[int]]) -> None:
        for exchange in look.exchanges:
            if exchange.status >= 400 and any(name == "retry-after" for name, _ in exchange.response_headers):
                self._failed_s[look.device.number] = look.real_s + RETRY_AFTER_S
            if (found := response_of(exchange)) is None:
                continue
            if _is_unsettled(exchange.status):
                last_s = self._failed_s.get(look.device.number, look.real_s)
                self._failed_s[look.device.number] = max(last_s, look.real_s)
            else:
                mrid, status = found
                told[mrid] = _shared(told.get(mrid, frozenset()) | {status})

    def _note(self, look: Look) -> None:
        """What became of each event since the last look. The first look knows nothing of before."""
        number = look.device.number
        before = self._phases.get(number)
        asked = self._asked.setdefault(number, {})
        for mrid, control in look.published.controls.items():
            if mrid not in asked and control.status > ACTIVE:
                asked[mrid] = 0  # over when it was first read: later, when it is in no list, nothing tells
            elif control.control.replyTo and asked.get(mrid) != 0:
                asked[mrid] = int(control.control.responseRequired or 0)
        now = {view.mrid: view.phase for view in look.views}
        if look.client is not None and look.client.state == "connected":
            self._phases[number] = now
        if before is None:
            return
        for mrid, phase in now.items():
            statuses, bit = OWED.get(phase, (frozenset(), 0))
            if mrid not in before and _is_over(look, mrid):
                continue  # nobody has told it anything, and it cannot take part any more
            new = mrid not in before if phase is Phase.SCHEDULED else before.get(mrid) is not phase
            if new and asked.get(mrid, 0) & bit:
                self._debts.setdefault(number, []).append(_Debt(mrid, statuses, look.real_s))
        live = {mrid for mrid, phase in now.items() if phase.live}
        for mrid in asked.keys() - live - look.published.controls.keys():
            del asked[mrid]


def _is_unsettled(status: int) -> bool:
    """Whether a Response is to be sent again, or elsewhere: it was neither taken nor refused for good."""
    return not 200 <= status < 300 and (not 400 <= status < 500 or status in _TRY_AGAIN)


@lru_cache(maxsize=512)
def _shared(statuses: frozenset[int]) -> frozenset[int]:
    """One object for equal statuses: those of most events are."""
    return statuses


def _is_over(look: Look, mrid: str) -> bool:
    """Whether the server itself says that a control is cancelled, superseded or completed."""
    found = look.published.controls.get(mrid)
    status = None if found is None else found.control.EventStatus
    return status is not None and (status.currentStatus or 0) > ACTIVE
