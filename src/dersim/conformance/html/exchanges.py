"""The requests that decided, with their documents, and the TLS handshakes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from http import HTTPStatus

from dersim.conformance.evidence import Evidence, Exchange, Handshake
from dersim.conformance.head import certificate_line
from dersim.conformance.html.markup import table, text
from dersim.exchanges.verdicts import Judgements, mask_pin

#: Of one body; of one procedure; of the bodies of a whole report. What is beyond is left out, and said.
MOST_BODY_CHARS = 12_000
MOST_EXCHANGES = 60
MOST_UNDECIDED = 30
MOST_REPORT_CHARS = 12_000_000
_MOST_HANDSHAKES = 12
_ALERT = re.compile(r"TLS alert (number \d+|\w+)")
#: The name of a document, from its first tag.
_NAME = re.compile(rb"<(?:[\w-]{1,40}:)?([A-Za-z]\w{0,60})[\s/>]")


class Bodies:
    """Writes bodies until the report is large enough."""

    def __init__(self, most_chars: int = MOST_REPORT_CHARS) -> None:
        self._left = most_chars
        self._judgements = Judgements()

    def shown(self, body: bytes, what: str) -> str:
        """A body indented, with its PIN masked and the word of the schema check."""
        if not body:
            return ""
        if self._left <= 0:
            return f"<p class='note'>{what}, {len(body)} bytes: left out, the report is full</p>"
        judgement = self._judgements.of(mask_pin(body))
        pretty = judgement.text
        cut = f"; the first {MOST_BODY_CHARS} characters" if len(pretty) > MOST_BODY_CHARS else ""
        shown = text(pretty[:MOST_BODY_CHARS], MOST_BODY_CHARS)
        self._left -= len(shown)
        word = judgement.brief.word
        style = {"valid": "good", "violations": "warn", "invalid": "bad"}.get(word, "muted")
        about = f"{what}, {len(body)} bytes, <span class='{style}'>{text(word)}</span>{cut}"
        return f"<p class='what'>{about}</p><pre tabindex='0'>{shown}</pre>"


def anchor(procedure_id: str, number: int) -> str:
    """The address of a request within the report."""
    return f"r-{procedure_id.replace('/', '-')}-{number}"


def deciding(evidence: Evidence, numbers: set[int]) -> list[Exchange]:
    """The exchanges with these numbers, as many as are shown."""
    return [each for each in evidence.exchanges if each.number in numbers][:MOST_EXCHANGES]


def requests(procedure_id: str, evidence: Evidence, numbers: set[int], bodies: Bodies) -> str:
    """Each deciding request in a part that opens; the first ones where all together decided."""
    found = deciding(evidence, numbers) or evidence.exchanges[:MOST_UNDECIDED]
    if not found:
        return "<p class='note'>There was no request.</p>"
    known: dict[bytes, int] = {}
    parts = [_request(procedure_id, evidence, each, bodies, known) for each in found]
    more = len(numbers) - len(found)
    left = f" {more} more are left out." if more > 0 else ""
    which = "" if numbers else " No single one decided; these are the first."
    shown = f"{len(found)} of {len(evidence.exchanges)} requests.{which}{left}"
    note = f"<p class='note'>{shown} Times are since t0.</p>"
    return "".join(parts) + note


def _request(
    procedure_id: str, evidence: Evidence, each: Exchange, bodies: Bodies, known: dict[bytes, int]
) -> str:
    style = "bad" if each.status >= 400 else "warn" if each.status >= 300 else "good"
    named = _NAME.search(each.body[:400])
    sent = f" <span class='muted'>{text(named[1].decode('ascii', 'replace'))}</span>" if named else ""
    answer = f"{each.status} {text(_phrase(each.status))}"
    line = (
        f"<span class='n at'>{evidence.since_start(each.time_s):.1f} s</span> <b>{text(each.method)}</b> "
        f"<code>{text(each.target, 300)}</code>{sent} <span class='{style}'>{answer}</span>"
    )
    if each.to_device:
        line = f"{line} <span class='muted'>by the device</span>"
    inner = "".join(_parts(evidence, each, bodies, known))
    place = f"<span id='{anchor(procedure_id, each.number)}' class='muted'>#{each.number}</span>"
    return f"<details class='request'><summary>{place} {line}</summary>{inner}</details>"


def _parts(evidence: Evidence, each: Exchange, bodies: Bodies, known: dict[bytes, int]) -> Iterator[str]:
    if each.lfdi is not None and each.lfdi != evidence.lfdi:
        yield f"<p class='note'>by another certificate, LFDI {text(each.lfdi)}</p>"
    headers = [
        f"{name}: {value}"
        for name in ("accept", "content-type", "user-agent")
        if (value := each.header(name))
    ]
    if headers:
        yield f"<p class='mono'>{text('; '.join(headers))}</p>"
    if each.location is not None:
        yield f"<p class='mono'>Location: {text(each.location)}</p>"
    for what, body in (("request", each.body), ("response", each.answer)):
        if body and body in known:
            yield f"<p class='what'>{what}, {len(body)} bytes: the same as of request #{known[body]}</p>"
        else:
            known.setdefault(body, each.number)
            yield bodies.shown(body, what)


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""


def handshakes(evidence: Evidence) -> str:
    """Version, cipher suite and chain of each connection, or what ended it."""
    found = evidence.handshakes[:_MOST_HANDSHAKES]
    server = _certificates("The server's chain, its own certificate first", evidence.server_chain)
    if not found:
        return f"<p class='note'>The device has not connected.</p>{server}"
    rows = (
        f"<tr><td class='n'>{evidence.since_start(each.time_s):.1f} s</td>"
        f"<td>{text(each.version or '-')}</td>"
        f"<td class='mono'>{text(each.cipher or '-')}</td>"
        f"<td class='mono'>{text(_alert(each))}</td><td>{text(_outcome(each))}</td></tr>"
        for each in found
    )
    more = len(evidence.handshakes) - len(found)
    note = f"<p class='note'>{more} more are left out.</p>" if more else ""
    heads = ("#at", "version", "cipher suite", "alert", "outcome")
    return table(heads, rows, "tight") + note + server + _chain(found)


def _alert(shake: Handshake) -> str:
    found = _ALERT.search(shake.error or "")
    return found[1] if found else "-"


def _outcome(shake: Handshake) -> str:
    if shake.error is not None:
        return shake.error
    return "session resumed" if shake.resumed else "handshake completed"


def _chain(found: list[Handshake]) -> str:
    chain = max([each.chain for each in found], key=len)
    return _certificates("The device's chain as verified, its own certificate first", chain)


def _certificates(title: str, chain: tuple[bytes, ...]) -> str:
    if not chain:
        return ""
    lines = "".join(f"<li class='mono'>{text(certificate_line(each))}</li>" for each in chain)
    return f"<p class='what'>{title}</p><ol>{lines}</ol>"
