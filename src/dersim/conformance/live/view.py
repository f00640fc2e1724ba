"""What the page shows of a campaign that runs, as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import trio

from dersim.conformance.criteria import ALWAYS
from dersim.conformance.evidence import Evidence
from dersim.conformance.html import plot
from dersim.conformance.live.board import Board, Row, State
from dersim.conformance.procedure import Criterion, Finding, Judged, Procedure, Verdict
from dersim.conformance.purposes import purpose
from dersim.conformance.stage import Stage
from dersim.modes import modes_to_json

#: Between two judgements of a run that goes on, s.
JUDGE_S = 2.0
#: Of the requests that decided, the last ones.
MOST_REQUESTS = 30
_MOST_CHARS = 300


class View:
    """Snapshots of a board; what is judged is kept for a moment."""

    def __init__(self, board: Board) -> None:
        self._board = board
        self._judged: tuple[Judged, ...] = ()
        self._judged_of: Stage | None = None
        self._judged_s = 0.0

    def snapshot(self) -> dict[str, Any]:
        """The whole page."""
        board, question = self._board, self._board.question
        return {
            "lfdi": board.lfdi,
            "address": board.address,
            "over": board.over,
            "question": None if question is None else {"number": question.number, "text": question.text},
            "next": self._next(),
            "procedures": [_row(each) for each in board.rows],
            "running": self._running(),
        }

    def _next(self) -> str:
        """What happens now, or what the operator is to do."""
        board, current = self._board, self._board.current
        if board.over:
            return "All is done. The program writes its reports and ends."
        if board.question is not None and (current is None or current.state is not State.WAITING):
            return "Do what the operator is asked for below, then press Continue."
        if current is None or current.state is State.DONE:
            return "The next procedure is prepared."
        name = current.record.id
        if current.state is State.OPERATOR:
            return f"{name}: the device has to be prepared."
        if current.state is State.WAITING:
            who = f"the client with LFDI {board.lfdi}" if board.lfdi else "the device"
            return f"{name}: waiting for {who} to connect to {board.address}; restart it if it does not."
        return board.called[-1] if board.called else f"{name} runs."

    def _running(self) -> dict[str, Any] | None:
        stage, current = self._board.stage, self._board.current
        if stage is None or current is None or not isinstance(current.record, Procedure):
            return None
        record, evidence = current.record, stage.evidence
        judged = self._judge(record, stage)
        return {
            "id": record.id,
            "title": record.title,
            "purpose": purpose(record.id),
            "reading": record.reading,
            "elapsed_s": round(evidence.since_start(stage.clock.now_s()), 1),
            "lasts_s": record.lasts_s,
            "scale": stage.scale,
            "steps": sorted(_steps(record, evidence), key=lambda step: step["at_s"]),
            "criteria": [_criterion(each) for each in judged],
            "requests": _requests(judged, evidence),
            "power": plot.power(judged, evidence, record.lasts_s),
        }

    def _judge(self, record: Procedure, stage: Stage) -> tuple[Judged, ...]:
        now_s = trio.current_time()
        if self._judged_of is not stage or now_s - self._judged_s >= JUDGE_S:
            criteria = (*record.criteria, *ALWAYS)
            self._judged = tuple(Judged(each, so_far(each, stage.evidence)) for each in criteria)
            self._judged_of, self._judged_s = stage, now_s
        return self._judged


def so_far(criterion: Criterion, evidence: Evidence) -> Finding:
    """A criterion on the evidence of a run that goes on: a fail counts at the terminals only.

    Everything else that is missing may still come.
    """
    try:
        found = criterion.check(evidence)
    except (LookupError, ValueError):  # of a control that is not published yet
        return Finding(Verdict.NOT_SEEN, "")
    if found.verdict is Verdict.FAIL and criterion.window is None:
        return found._replace(verdict=Verdict.NOT_SEEN)
    return found


def _row(row: Row) -> dict[str, Any]:
    record, outcome = row.record, row.outcome
    found = [] if outcome is None else [
        f"{each.criterion.text}: {each.finding.text}"[:_MOST_CHARS]
        for each in outcome.judged
        if each.finding.verdict is not Verdict.PASS
    ]  # fmt: skip
    if outcome is not None and outcome.error is not None:
        found = [outcome.error, *found]
    return {
        "id": record.id,
        "title": record.title,
        "required": record.required,
        "state": row.state.value,
        "conformance": None if outcome is None else outcome.conformance.value,
        "compatibility": None if outcome is None else outcome.compatibility.value,
        "found": found,
    }


def _steps(record: Procedure, evidence: Evidence) -> Iterator[dict[str, Any]]:
    """What is due when, printed seconds after t0."""
    yield {"at_s": 0, "text": "the server's tree is set up"}
    for name, control in evidence.controls.items():
        start, end = (evidence.since_start(each) for each in (control.start_s, control.end_s))
        if start < record.lasts_s:
            yield {"at_s": round(start, 1), "text": f"{name} starts: {_modes(control.modes)}"}
            yield {"at_s": round(end, 1), "text": f"{name} ends"}
    for criterion in record.criteria:
        if criterion.window is not None:
            window = criterion.window
            yield {"at_s": window.since, "text": f"{window.expected.name} until {window.until:g} s"}
    yield {"at_s": record.lasts_s, "text": "it is judged"}


def _modes(modes: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {_short(value)}" for name, value in modes_to_json(modes).items())


def _short(value: Any) -> str:
    said = json.dumps(value)
    return said if len(said) <= 40 else "(curve)" if "curve" in said else "(several values)"


def _criterion(judged: Judged) -> dict[str, Any]:
    finding = judged.finding
    return {
        "text": judged.criterion.text,
        "state": "open" if finding.verdict is Verdict.NOT_SEEN else finding.verdict.value,
        "found": finding.text[:_MOST_CHARS],
    }


def _requests(judged: tuple[Judged, ...], evidence: Evidence) -> list[dict[str, Any]]:
    """The last requests that decided, the newest first."""
    deciding = {number for each in judged for number in each.finding.decided_by}
    found = [each for each in evidence.exchanges if each.number in deciding][-MOST_REQUESTS:]
    return [
        {
            "number": each.number,
            "at_s": round(evidence.since_start(each.time_s), 1),
            "method": each.method[:20],
            "target": each.target[:_MOST_CHARS],
            "status": each.status,
        }
        for each in reversed(found)
    ]
