"""The outcomes of a campaign as one JSON document, and as JUnit XML."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from xml.sax.saxutils import quoteattr

from dersim.conformance.evidence import Evidence, Exchange
from dersim.conformance.procedure import Judged, Outcome, Verdict
from dersim.csip.redaction import masked
from dersim.timestamps import rfc3339

VERDICTS = tuple(Verdict)
#: Exchanges of each run that are kept beside those that decided.
KEPT = 40


def document(outcomes: Sequence[Outcome], about: dict[str, Any]) -> dict[str, Any]:
    """The whole campaign. about: what it ran with, put in front."""
    return {
        **about,
        "summary": {
            kind: {verdict.value: _count(outcomes, kind, verdict) for verdict in VERDICTS}
            for kind in ("conformance", "compatibility")
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
        "required": record.required,
        "reading": record.reading,
        "conformance": outcome.conformance.value,
        "compatibility": outcome.compatibility.value,
        "error": outcome.error,
        "began": rfc3339(evidence.t0_s),
        "criteria": [_criterion(each) for each in outcome.judged],
        "handshakes": [each._asdict() for each in evidence.handshakes[:KEPT]],
        "exchanges": [
            _exchange(evidence, each) for each in evidence.exchanges if each.number in deciding
        ],
        "exchanges_in_all": len(evidence.exchanges),
    }


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
        "method": exchange.method,
        "target": exchange.target,
        "status": exchange.status,
        "sent": masked(exchange.body),
        "answer": masked(exchange.answer),
    }


def _count(outcomes: Sequence[Outcome], kind: str, verdict: Verdict) -> int:
    return sum(getattr(each, kind) is verdict for each in outcomes)


def junit(outcomes: Sequence[Outcome]) -> str:
    """JUnit XML: one test case an id; a fail is a failure, what was not seen is skipped."""
    failures = sum(each.conformance is Verdict.FAIL for each in outcomes)
    skipped = sum(each.conformance is Verdict.NOT_SEEN for each in outcomes)
    cases = "\n".join(_case(each) for each in outcomes)
    head = f'name="dersim conformance" tests="{len(outcomes)}" failures="{failures}" skipped="{skipped}"'
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<testsuites>\n<testsuite {head} errors="0">\n{cases}\n</testsuite>\n</testsuites>\n'


def _case(outcome: Outcome) -> str:
    record, evidence = outcome.procedure, outcome.evidence
    seconds = max(0.0, evidence.ended_s - evidence.t0_s)
    name = f"{record.id} {record.title}"
    group = record.id.partition("-")[0]
    head = f"<testcase classname={quoteattr(f'csip.{group}')} name={quoteattr(name)} time=\"{seconds:.1f}\""
    inner = _inner(outcome)
    return f"{head}>{inner}</testcase>" if inner else f"{head}/>"


def _inner(outcome: Outcome) -> str:
    wrong = [
        f"{each.criterion.text}: {each.finding.text}"
        for each in outcome.judged
        if each.finding.verdict is outcome.conformance
    ]
    said = _clean(outcome.error or "; ".join(wrong))
    if outcome.conformance is Verdict.FAIL:
        return f'<failure message={quoteattr(said)} type="{outcome.compatibility.value}"/>'
    if outcome.conformance is Verdict.NOT_SEEN:
        return f"<skipped message={quoteattr(said)}/>"
    return ""


def _clean(text: str) -> str:
    return "".join(each if each.isprintable() else " " for each in text)
