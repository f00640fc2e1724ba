"""What a procedure is: set-up, stimuli and criteria; and what a run of it says."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple, Protocol

from dersim.conformance.evidence import Evidence
from dersim.conformance.operator import Instruction
from dersim.conformance.window import Window

if TYPE_CHECKING:
    from dersim.conformance.stage import Stage


class Verdict(StrEnum):
    """Of a criterion or a procedure. not_seen: it could not be judged, for instance power without a meter."""

    PASS = "pass"  # noqa: S105 - a verdict
    WARN = "warn"
    NOT_SEEN = "not seen"
    FAIL = "fail"


class Finding(NamedTuple):
    """What a check found. text: what was seen, with times and values; decided_by: numbers of exchanges."""

    verdict: Verdict
    text: str
    decided_by: tuple[int, ...] = ()


Check = Callable[[Evidence], Finding]

#: The shortest printed second of a procedure in which the server changes something while it runs.
NOTICED_SCALE = 0.25


class Criterion(NamedTuple):
    """One criterion of a procedure.

    text: what must hold. printed_only: real servers live without it, so it counts for conformance and not for
    compatibility. window: what is expected at the terminals, for the plot of a report.
    """

    text: str
    check: Check
    printed_only: bool = False
    window: Window | None = None


@dataclass(frozen=True, slots=True)
class Procedure:
    """One procedure of the CSIP conformance test procedures, for a client as the device under test.

    set_up: builds the server's tree at the moment t0. stimuli: what is done while it runs, None for nothing.
    lasts_s: when it is judged, seconds after t0. reading: what the record leaves open, and how it is read
    here. required: for which profiles (C, A, S). chain: the letter of the server's certificate chain for
    COMM-004, None for the normal one. clock_offset_s: how far the server's clock is ahead of the device's.
    least_scale: the shortest printed second, for procedures that judge poll rates: clients do not poll faster
    than every 5 s or so. subscriptions: the server offers them, and our own client uses them. by_hand: what a
    person does at a device that is not ours, agreed before it starts.
    """

    id: str
    title: str
    set_up: Callable[[Stage], None]
    criteria: tuple[Criterion, ...]
    lasts_s: float
    stimuli: Callable[[Stage], Awaitable[None]] | None = None
    reading: str = ""
    required: str = "CAS"
    chain: str | None = None
    clock_offset_s: float = 0.0
    least_scale: float = 0.0
    subscriptions: bool = False
    by_hand: tuple[Instruction, ...] = ()

    def scale(self, wanted: float) -> float:
        """Real seconds per printed second, not below what a client can follow.

        Where the server changes something while it runs, a client that polls every 5 s notices in time.
        """
        changes = self.stimuli is not None and not self.by_hand
        return max(wanted, self.least_scale, NOTICED_SCALE if changes else 0.0)


class Record(Protocol):
    """What a report says of a procedure, for a client or a server."""

    @property
    def id(self) -> str:
        """As printed."""
        ...

    @property
    def title(self) -> str:
        """What it is about."""
        ...

    @property
    def reading(self) -> str:
        """What the record leaves open, and how it is read."""
        ...

    @property
    def required(self) -> str:
        """For which profiles (C, A, S)."""
        ...


class Judged(NamedTuple):
    """A criterion and what was found."""

    criterion: Criterion
    finding: Finding


class Outcome(NamedTuple):
    """The result of one run. error: what ended it before it could be judged, None in general."""

    procedure: Record
    judged: tuple[Judged, ...]
    evidence: Evidence
    error: str | None = None

    @property
    def conformance(self) -> Verdict:
        """By the record as printed."""
        return self._worst(self.judged)

    @property
    def compatibility(self) -> Verdict:
        """By what real servers and clients need."""
        return self._worst([each for each in self.judged if not each.criterion.printed_only])

    def _worst(self, judged: Iterable[Judged]) -> Verdict:
        if self.error is not None:
            return Verdict.FAIL
        verdicts = [each.finding.verdict for each in judged]
        return max(verdicts, key=list(Verdict).index, default=Verdict.PASS)


def judge(procedure: Procedure, evidence: Evidence, always: Iterable[Criterion] = ()) -> Outcome:
    """The verdicts on what was seen. always: criteria that every procedure has."""
    judged = tuple(Judged(each, each.check(evidence)) for each in (*procedure.criteria, *always))
    return Outcome(procedure, judged, evidence)
