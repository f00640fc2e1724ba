"""What is looked for beside the invariants: what is right is not found, and what is wrong is."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

from tests.chaos.drawing import Act, draw
from tests.chaos.machine import Machine
from tests.chaos.promises import ENDLESS, MOST_A_MINUTE, most_a_minute
from tests.chaos.responses import FRESH_S, ResponseCheck, Waits

from dersim.ieee2030_5.event_types import EventView, Phase


def test_a_response_at_two_looks_in_one_instant_does_not_wait_too_long():
    waits = Waits()
    assert not waits.too_long(1, "started", 1000.0)
    assert not waits.too_long(1, "started", 1000.0)
    assert not waits.too_long(1, None, 1240.0)
    assert not waits.too_long(1, "completed", 1480.0)
    assert not waits.too_long(1, "another", 1720.0)


def test_a_response_that_stays_the_oldest_waits_too_long():
    waits = Waits()
    assert not waits.too_long(1, "started", 1000.0)
    assert not waits.too_long(2, "started", 1000.0 + FRESH_S)
    assert waits.too_long(1, "started", 1000.0 + FRESH_S)


def test_only_lists_without_an_end_allow_more_requests():
    def most(lie: str, now_s: float) -> int:
        act = Act(1000.0, "plant", {"kind": "list", "duration_s": 300, "lie": lie})
        return most_a_minute(draw(1, 0.1)._replace(acts=(act,)), now_s)

    assert most("endless", 990.0) == most("endless", 1500.0) == most("repeats", 1100.0) == MOST_A_MINUTE
    assert most("endless", 1000.0) == most("endless", 1340.0) == ENDLESS * MOST_A_MINUTE


class OneClient:
    """A machine with one client, that holds one event."""

    def __init__(self) -> None:
        self.drawn = SimpleNamespace(ders=1)
        self.acts = SimpleNamespace(doubtful=set())
        self.now_s = 3_395_100.0
        self.view = EventView(**EVENT)
        self.findings: list[str] = []

    def client(self, number: int) -> Any:
        outbox = SimpleNamespace(_queue={}, pending=0)
        return SimpleNamespace(
            lifecycle=SimpleNamespace(outbox=outbox),
            server_now_s=lambda: self.now_s,
            conversation=SimpleNamespace(entries=lambda number, limit: []),
        )

    def lfdi(self, number: int) -> str:
        return "AB" * 20

    def is_settled(self) -> bool:
        return True

    def views(self, number: int) -> list[EventView]:
        return [self.view]

    def find(self, promise: str, number: int, expected: str, seen: str) -> None:
        self.findings.append(f"{expected}; {seen}")


#: Its start is ahead: the server has superseded it now.
EVENT: dict[str, Any] = {
    "mrid": "AEA959883719DF036812EB4C00009F1C",
    "href": "/derp/1/derc/316",
    "program": "/derp/1",
    "primacy": 45,
    "phase": Phase.SUPERSEDED,
    "status": 4,
    "status_text": "Superseded",
    "start_s": 3_395_820.0,
    "duration_s": 1.0,
    "effective_start_s": 3_395_820.0,
    "effective_end_s": 3_395_821.0,
    "modes": {},
    "why": "superseded: superseded",
    "program_mrid": "D2",
    "creation_s": 3_392_220,
}


def test_what_the_server_supersedes_before_its_start_has_time_to_be_told():
    machine = OneClient()
    check = ResponseCheck(cast(Machine, machine))
    check.look()
    assert not machine.findings
    machine.now_s += FRESH_S
    check.look()
    assert len(machine.findings) == 1
    assert "[7] or [14] told of AEA959883719DF036812EB4C00009F1C, which is superseded" in machine.findings[0]


def test_an_event_that_comes_back_has_its_own_time():
    machine = OneClient()
    check = ResponseCheck(cast(Machine, machine))
    check.look()
    machine.view = EventView(**(EVENT | {"mrid": "AA"}))
    check.look()
    machine.now_s += FRESH_S
    machine.view = EventView(**EVENT)
    check.look()
    assert not machine.findings


def test_what_becomes_of_an_event_anew_has_its_own_time():
    machine = OneClient()
    machine.view = EventView(**(EVENT | {"phase": Phase.SCHEDULED}))
    check = ResponseCheck(cast(Machine, machine))
    check.look()
    machine.now_s += FRESH_S
    machine.view = EventView(**EVENT)
    check.look()
    assert not machine.findings
