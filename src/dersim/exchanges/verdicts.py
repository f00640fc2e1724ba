"""The verdict of the schema check on an exchange: of both its bodies, judged when someone looks.

A body is judged once, however many exchanges share it. What is kept of it while it is held is short; whole
judgements, with the indented text, are kept for the last few that were asked for.
"""

from __future__ import annotations

import re
import sys
from collections import OrderedDict
from typing import TYPE_CHECKING, get_args

from dersim.ieee2030_5 import judging
from dersim.ieee2030_5.judging import Judgement
from dersim.plugin.services import BodyVerdict, ExchangeVerdict, ExchangeWord

if TYPE_CHECKING:
    from dersim.plugin.services import HttpExchange

#: The longest body that is kept whole, bytes; a longer one is cut and not judged.
MAX_BODY_BYTES = 256 * 1024
#: The judgements that are remembered: how many, and how large together.
MAX_JUDGEMENTS = 64
MAX_JUDGEMENT_BYTES = 4 * 1024 * 1024
_JUDGEMENT_OVERHEAD_BYTES = 600
_FINDING_BYTES = 350

#: What stands for a PIN that has the form of one, and for any other content of that element.
MASK, ODD_MASK = b"masked", b"masked, and no PIN"
_PIN = re.compile(
    rb"(<(?:[^\s<>/:]+:)?pIN\b[^<>]*(?<!/)>)"
    rb"((?:<!--.*?-->|<!\[CDATA\[.*?\]\]>|.)*?)(?=</(?:[^\s<>/:]+:)?pIN\b|\Z)",
    re.IGNORECASE | re.DOTALL,
)
#: What is no element of XML: an attribute, or a member of JSON.
_PIN_ELSEWHERE = re.compile(rb"""(\bpIN["']?\s{0,8}[:=]\s{0,8}["']?)\d{1,10}\b""", re.IGNORECASE)
_MASKED = re.compile(rb"(<(?:[^\s<>/:]+:)?pIN\b[^<>]*>)masked(?=<)", re.IGNORECASE)
_STAND_IN = re.compile(r"(<(?:[^\s<>/:]+:)?pIN\b[^<>]*>)0(?=<)", re.IGNORECASE)
#: The first bytes of a document in a wide encoding: with a byte order mark, or by its first "<".
_WIDE = {
    b"\xff\xfe\x00\x00": "utf-32", b"\x00\x00\xfe\xff": "utf-32",
    b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16", b"<\x00": "utf-16-le", b"\x00<": "utf-16-be",
}  # fmt: skip
_DIGITS = re.compile(rb"\s*\d{1,10}\s*")
_WORST_FIRST: tuple[ExchangeWord, ...] = ("invalid", "violations", "not judged", "valid", "no body")

WORDS: tuple[str, ...] = get_args(ExchangeWord)
NO_BODY, NOT_JUDGED = BodyVerdict("no body"), BodyVerdict("not judged")


def mask_pin(body: bytes) -> bytes:
    """The document with the content of every pIN element replaced."""
    if not body:
        return body
    wide = _wide_encoding(body)
    if wide is not None:
        return mask_pin(body.decode(wide, "replace").encode()).decode().encode(wide)
    if b"pin" not in body.lower():
        return body
    return _PIN_ELSEWHERE.sub(rb"\g<1>" + MASK, _PIN.sub(_mask, body))


def _wide_encoding(body: bytes) -> str | None:
    """The encoding of a document whose characters take several bytes each, by its first bytes."""
    if body[:1] == b"<" and body[1:2] != b"\x00":
        return None  # nearly all of them
    return next((name for start, name in _WIDE.items() if body.startswith(start)), None)


def _unmasked(body: bytes) -> bytes:
    """The document to judge: a masked PIN is no violation."""
    wide = _wide_encoding(body)
    if wide is not None:
        return _unmasked(body.decode(wide, "replace").encode()).decode().encode(wide)
    return _MASKED.sub(rb"\g<1>0", body)


def _mask(found: re.Match[bytes]) -> bytes:
    content = found[2]
    return found[1] + (MASK if _DIGITS.fullmatch(content) else ODD_MASK if content.strip() else content)


def request_is_judged(exchange: HttpExchange) -> bool:
    """Whether the body that we sent is a document: all are, unless cut."""
    return len(exchange.request_body) <= MAX_BODY_BYTES


def response_is_judged(exchange: HttpExchange) -> bool:
    """Whether the body of the answer is to be a document: that of a GET, and one that says so."""
    if len(exchange.response_body) > MAX_BODY_BYTES:
        return False
    if exchange.method == "GET" and 200 <= exchange.status < 300:
        return True
    kinds = (value.lower() for name, value in exchange.response_headers if name.lower() == "content-type")
    return any("sep+xml" in kind or kind.startswith(("application/xml", "text/xml")) for kind in kinds)


def body_verdict(body: bytes) -> BodyVerdict:
    """The short verdict on a body that is judged."""
    word, editions, resource = judging.brief(_unmasked(body))
    return BodyVerdict(word, tuple(edition.value for edition in editions), resource)


def whole(exchange: HttpExchange, request: BodyVerdict, response: BodyVerdict) -> ExchangeVerdict:
    """The verdict on an exchange: that of its worse body, unless there was no good answer."""
    words = (request.word, response.word)
    word = next(each for each in _WORST_FIRST if each in words)
    if exchange.status == 0:
        word = "no answer"
    elif exchange.status >= 400:
        word = "error status"
    return ExchangeVerdict(word, request, response)


class Judgements:
    """The whole judgements that were asked for last."""

    def __init__(self) -> None:
        self.held_bytes = 0
        self._known: OrderedDict[bytes, Judgement] = OrderedDict()

    def of(self, body: bytes) -> Judgement:
        """The judgement on a body, with PINs masked in its text."""
        found = self._known.get(body)
        if found is None:
            found = self._known[body] = _judgement(body)
            self.held_bytes += _size(body, found)
        self._known.move_to_end(body)
        while len(self._known) > MAX_JUDGEMENTS or self.held_bytes > MAX_JUDGEMENT_BYTES:
            self.held_bytes -= _size(*self._known.popitem(last=False))
        return found


def _judgement(body: bytes) -> Judgement:
    judgement = judging.judge(_unmasked(body))
    return judgement._replace(text=_STAND_IN.sub(r"\g<1>masked", judgement.text))


def _size(body: bytes, judgement: Judgement) -> int:
    """What a judgement takes with the body that it is known by, bytes."""
    findings = len(judgement.violations) + len(judgement.reader)
    text = sys.getsizeof(judgement.text)
    return _JUDGEMENT_OVERHEAD_BYTES + len(body) + text + findings * _FINDING_BYTES
