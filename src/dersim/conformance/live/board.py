"""The state of a campaign that runs: which procedure is where, and what the operator is asked."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from enum import StrEnum
from typing import NamedTuple

import trio

from dersim.conformance.procedure import Outcome, Record
from dersim.conformance.stage import Stage


class State(StrEnum):
    """Where a procedure is."""

    TO_COME = "to come"
    OPERATOR = "operator"
    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"


class Question:
    """What the operator is asked. done: what was answered, None until then."""

    def __init__(self, number: int, text: str) -> None:
        self.number, self.text = number, text
        self.done: bool | None = None
        self._answered = trio.Event()

    def answer(self, done: bool) -> None:
        """The operator has done it, or skips it."""
        self.done = done
        self._answered.set()

    async def wait(self) -> bool:
        """The answer, once there is one."""
        await self._answered.wait()
        return bool(self.done)


class Row(NamedTuple):
    """A procedure of the campaign. outcome: once it is done."""

    record: Record
    state: State
    outcome: Outcome | None


class Board:
    """What is known of a campaign while it runs. lfdi: of the device under test, empty where a server is."""

    def __init__(self, lfdi: str = "") -> None:
        self.lfdi = lfdi
        self.address = ""
        self.over = False
        self.question: Question | None = None
        self.stage: Stage | None = None
        self.called: list[str] = []
        self._rows: dict[str, Row] = {}
        self._current = ""
        self._asked = 0

    def plan(self, records: Iterable[Record]) -> None:
        """The procedures that are to come."""
        self._rows = {each.id: Row(each, State.TO_COME, None) for each in records}

    @property
    def rows(self) -> list[Row]:
        """All procedures, in order."""
        return list(self._rows.values())

    @property
    def current(self) -> Row | None:
        """The procedure that is prepared, waited for or run."""
        return self._rows.get(self._current)

    def move_to(self, record: Record, state: State) -> None:
        """A procedure has got so far."""
        if record.id != self._current:
            self._current, self.stage, self.called = record.id, None, []
        self._rows[record.id] = Row(record, state, None)

    def begin(self, record: Record, stage: Stage) -> None:
        """A procedure has begun: its times count from now on."""
        self.move_to(record, State.RUNNING)
        self.stage = stage

    def conclude(self, outcome: Outcome) -> None:
        """A procedure is done."""
        self._rows[outcome.procedure.id] = Row(outcome.procedure, State.DONE, outcome)
        self.stage = None

    def call_out(self, text: str) -> None:
        """Tell the operator what is due now, here and on standard error."""
        self.called.append(text)
        print(text, file=sys.stderr, flush=True)

    async def ask(self, text: str) -> bool:
        """Ask the operator on the page; returns with the answer."""
        self._asked += 1
        self.question = question = Question(self._asked, text)
        try:
            return await question.wait()
        finally:
            if self.question is question:
                self.question = None

    def answer(self, number: int, done: bool) -> bool:
        """Answer the question of that number; False where it is not asked any more."""
        if self.question is None or self.question.number != number:
            return False
        self.question.answer(done)
        return True
