"""What a record must not hold. PINs become words, which a replay reads as stand-ins.

A client compares the PIN of its Registration with its own. Which of the two cases it was must be known to a
replay, the digits need not: it checks for `OURS`, and finds that or `OTHER` in the Registration.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Collection

from dersim.exchanges.verdicts import mask_pin
from dersim.http11 import Headers

#: Two PINs with a right check digit.
OURS, OTHER = 111115, 222220
_MASKED = re.compile(rb">masked<")
_OURS, _OTHER = b">masked, ours<", b">masked, other<"
_CONTENT = re.compile(rb"<(?:[\w.-]+:)?pIN\b[^<>]*>\s*(\d{1,10})\s*<")
#: Headers that say who someone is.
_HIDDEN = frozenset({"authorization", "cookie", "proxy-authorization", "set-cookie", "set-cookie2"})
#: In a fleet file.
_FILE_PIN = re.compile(r"""(\bpin["']?[ \t]*:[ \t]*["']?)\d{1,6}\b""", re.IGNORECASE)

Redact = Callable[[str], str]


def hide_pins(body: bytes, pins: Collection[int]) -> bytes:
    """A body with words for its PINs. pins: those that our DERs check for."""
    masked = mask_pin(body)
    if masked is body or masked == body:
        return body
    found = [int(each) for each in _CONTENT.findall(body)]
    word = _OURS if found and all(each in pins for each in found) else _OTHER
    return _MASKED.sub(word, masked)


def stand_in(body: bytes) -> bytes:
    """The body that a replay answers with."""
    return body.replace(_OURS, b">%d<" % OURS).replace(_OTHER, b">%d<" % OTHER)


def hide_file_pins(text: str) -> str:
    """A fleet file with the stand-in for its PINs."""
    return _FILE_PIN.sub(rf"\g<1>{OURS}", text)


@functools.lru_cache(maxsize=256)
def shown_headers(headers: Headers) -> list[list[str]]:
    """Headers without those that say who someone is."""
    return [[name, value] for name, value in headers if name.lower() not in _HIDDEN]
