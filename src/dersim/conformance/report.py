"""The outcomes of a campaign as one JSON document, and as JUnit XML."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dersim import junit
from dersim.conformance.evidence import Evidence, Exchange, Handshake
from dersim.conformance.head import RunHead, certificate_line, device_under_test
from dersim.conformance.procedure import Judged, Outcome, Procedure, Verdict
from dersim.conformance.purposes import purpose
from dersim.conformance.server import purposes as server_purposes
from dersim.exchanges.verdicts import mask_pin
from dersim.timestamps import rfc3339

VERDICTS = tuple(Verdict)
#: The two verdicts on a procedure.
KINDS = ("conformance", "compatibility")
#: Exchanges of each run that are kept beside those that decided.
KEPT = 40


def document(outcomes: Sequence[Outcome], head: RunHead) -> dict[str, Any]:
    """The whole campaign. head: how it was run."""
    return {
        "format": 1,
        "time": head.time,
        "scale": head.scale,
        "client": head.client,
        **({} if head.server is None else {"server": head.server}),
        "power": head.power,
        "began": rfc3339(head.began_s),
        "ended": rfc3339(head.ended_s),
        "versions": head.versions,
        "command": head.command,
        "device": device_under_test(each.evidence for each in outcomes)._asdict(),
        "summary": {
            kind: {verdict.value: _count(outcomes, kind, verdict) for verdict in VERDICTS} for kind in KINDS
        },
        "procedures": [procedure(each) for each in outcomes],
    }


def procedure(outcome: Outcome) -> dict[str, Any]:
    """One procedure with its criteria and the exchanges that decided."""
    record, evidence = outcome.procedure, outcome.evidence
    deciding = {number for each in outcome.judged for number in each.finding.decided_by}
    return {
        "id": record.id,
        "title": record.title,
        "purpose": (purpose if isinstance(record, Procedure) else server_purposes.purpose)(record.id),
        "required": record.required,
        "reading": record.reading,
        "conformance": outcome.conformance.value,
        "compatibility": outcome.compatibility.value,
        "error": outcome.error,
        "began": rfc3339(evidence.t0_s),
        "criteria": [_criterion(each) for each in outcome.judged],
        "handshakes": [_handshake(each) for each in evidence.handshakes[:KEPT]],
        "exchanges": [_exchange(evidence, each) for each in evidence.exchanges if each.number in deciding],
        "exchanges_in_all": len(evidence.exchanges),
    }


def _handshake(shake: Handshake) -> dict[str, Any]:
    return {**shake._asdict(), "chain": [certificate_line(each) for each in shake.chain]}


def _criterion(judged: Judged) -> dict[str, Any]:
    return {
        "text": judged.criterion.text,
        "printed_only": judged.criterion.printed_only,
        "verdict": judged.finding.verdict.value,
        "found": judged.finding.text,
        "decided_by": list(judged.finding.decided_by),
    }


def _exchange(evidence: Evidence, exchange: Exchange) -> dict[str, Any]:
    return {
        "number": exchange.number,
        "at_s": round(evidence.since_start(exchange.time_s), 3),
        "to_device": exchange.to_device,
        "method": exchange.method,
        "target": exchange.target,
        "status": exchange.status,
        "sent": _shown(exchange.body),
        "answer": _shown(exchange.answer),
    }


def _shown(body: bytes) -> str:
    return mask_pin(body).decode("utf-8", "replace")


def _count(outcomes: Sequence[Outcome], kind: str, verdict: Verdict) -> int:
    return sum(getattr(each, kind) is verdict for each in outcomes)


def junit_text(outcomes: Sequence[Outcome]) -> str:
    """A test suite for each of the two verdicts, in it a test case an id.

    A fail is a failure, what was not seen is skipped, and a warning is in the output of a case that passed.
    """
    return junit.text_of_suites(
        {f"dersim {kind}": [_case(each, kind) for each in outcomes] for kind in KINDS}
    )


def _case(outcome: Outcome, kind: str) -> junit.Case:
    record, evidence = outcome.procedure, outcome.evidence
    verdict: Verdict = getattr(outcome, kind)
    said = outcome.error or "; ".join(
        f"{each.criterion.text}: {each.finding.text}"
        for each in outcome.judged
        if each.finding.verdict is verdict and (kind == "conformance" or not each.criterion.printed_only)
    )
    return junit.Case(
        f"csip.{kind}.{record.id.partition('-')[0]}",
        f"{record.id} {record.title}",
        round(max(0.0, evidence.ended_s - evidence.t0_s), 1),
        failure=said if verdict is Verdict.FAIL else None,
        skipped=said if verdict is Verdict.NOT_SEEN else None,
        output=f"warning: {said}" if verdict is Verdict.WARN else None,
    )
