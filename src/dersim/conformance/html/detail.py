"""One procedure in the report: what it is, what was found, and what shows it."""

from __future__ import annotations

from collections.abc import Iterator

from dersim.conformance.checks import security
from dersim.conformance.html import exchanges, plot, setup
from dersim.conformance.html.markup import pairs, pill, style_of, table, text
from dersim.conformance.procedure import Judged, Outcome, Procedure, Verdict
from dersim.conformance.purposes import purpose
from dersim.conformance.server import purposes as server_purposes
from dersim.timestamps import rfc3339

#: The areas in which the handshake itself is what is judged.
_OF_TLS = "COMM-"
_TLS_CHECKS = (security.csip_session, security.refused)


def row(outcome: Outcome, bodies: exchanges.Bodies) -> str:
    """The procedure's line, which opens; those that are not passed are open."""
    record = outcome.procedure
    verdicts = (outcome.conformance, outcome.compatibility)
    is_open = " open" if Verdict.FAIL in verdicts else ""
    name = record.id.replace("/", "-")
    line = (
        f"<span class='id'>{text(record.id)}</span><span class='title'>{text(record.title)}</span>"
        f"<span class='for'>{text(' '.join(record.required) or 'optional')}</span>"
        f"{pill(verdicts[0])}{pill(verdicts[1])}"
    )
    inner = "".join(_parts(outcome, bodies))
    return f"<details class='id-row' id='{name}'{is_open}><summary>{line}</summary>{inner}</details>"


def _parts(outcome: Outcome, bodies: exchanges.Bodies) -> Iterator[str]:
    record, evidence = outcome.procedure, outcome.evidence
    yield '<div class="inner">'
    if outcome.error is not None:
        yield f"<p class='trouble'>{text(outcome.error)}</p>"
    yield pairs(_about(outcome))
    yield "<h3>Criteria</h3>" + _criteria(outcome)
    if isinstance(record, Procedure) and (figure := plot.power(outcome.judged, evidence, record.lasts_s)):
        yield f"<h3 id='{_place(outcome, 'power')}'>Power at the terminals</h3>{figure}{plot.grid(evidence)}"
    if times := setup.times(evidence):
        yield f"<h3>Responses</h3>{times}"
    if isinstance(record, Procedure):
        yield f"<h3>Set-up of the server</h3>{setup.set_up(evidence)}"
    if _is_of_tls(outcome):
        yield f"<h3 id='{_place(outcome, 'tls')}'>TLS</h3>{exchanges.handshakes(evidence)}"
    numbers = {number for each in outcome.judged for number in each.finding.decided_by}
    yield f"<h3>Requests</h3>{exchanges.requests(record.id, evidence, numbers, bodies)}"
    yield "</div>"


def _is_of_tls(outcome: Outcome) -> bool:
    judged = (each.criterion.check in _TLS_CHECKS for each in outcome.judged)
    return outcome.procedure.id.startswith(_OF_TLS) or any(judged)


def _about(outcome: Outcome) -> Iterator[tuple[str, str]]:
    record, evidence = outcome.procedure, outcome.evidence
    lasted_s = max(0.0, evidence.ended_s - evidence.t0_s)
    scaled = "" if evidence.scale == 1 else f", {evidence.scale:g} real seconds a printed one"
    found_out = purpose if isinstance(record, Procedure) else server_purposes.purpose
    yield "purpose", text(found_out(record.id))
    yield "reading taken", text(record.reading)
    yield (
        "t0",
        f"{text(rfc3339(evidence.t0_s))}, by the server's clock; judged after {lasted_s:.0f} s{scaled}",
    )
    if isinstance(record, Procedure) and record.clock_offset_s:
        yield "clock", f"the server's clock is {record.clock_offset_s:+g} s off"


def _criteria(outcome: Outcome) -> str:
    rows = (_criterion(outcome, each) for each in outcome.judged)
    return table(("verdict", "expected", "found", "shown by"), rows)


def _links(outcome: Outcome, judged: Judged) -> Iterator[str]:
    """The places in the report that show what was found."""
    numbers = dict.fromkeys(judged.finding.decided_by)
    shown = {each.number for each in exchanges.deciding(outcome.evidence, set(numbers))}
    for number in numbers:
        if number in shown:
            yield f"<a href='#{exchanges.anchor(outcome.procedure.id, number)}'>#{number}</a>"
    if judged.criterion.window and judged.finding.verdict is not Verdict.NOT_SEEN:
        yield f"<a href='#{_place(outcome, 'power')}'>power</a>"
    if judged.criterion.check in _TLS_CHECKS:
        yield f"<a href='#{_place(outcome, 'tls')}'>TLS</a>"


def _place(outcome: Outcome, part: str) -> str:
    return f"{outcome.procedure.id.replace('/', '-')}-{part}"


def _criterion(outcome: Outcome, judged: Judged) -> str:
    finding = judged.finding
    style = style_of(finding.verdict)
    kind = (
        "<br><span class='muted'>as printed; not needed for compatibility</span>"
        if judged.criterion.printed_only
        else ""
    )
    links = " ".join(_links(outcome, judged))
    return (
        f"<tr class='{style}-row'><td>{pill(finding.verdict)}</td>"
        f"<td>{text(judged.criterion.text)}{kind}</td>"
        f"<td>{text(finding.text)}</td><td class='links'>{links or '<span class=muted>-</span>'}</td></tr>"
    )
