"""What a record must not hold. PINs become words, which a replay reads as stand-ins.

A client compares the PIN of its Registration with its own. Which of the two cases it was must be known to a
replay, the digits need not: it checks for `OURS`, and finds that or `OTHER` in the Registration.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Collection

from dersim.csip.subscriptions.hub import PATH
from dersim.exchanges.verdicts import MASK, mask_pin
from dersim.http11 import Headers

#: Two PINs with a right check digit.
OURS, OTHER = 111115, 222220
_ELEMENT = rb"(<(?:[\w.-]+:)?pIN\b[^<>]*>)"
_CONTENT = re.compile(_ELEMENT + rb"\s*(\d{1,10})\s*<")
_MASKED = re.compile(_ELEMENT + rb"masked<")
_WORDS = re.compile(_ELEMENT + rb"masked, (ours|other)<")
#: What stands for the token in the path of every notificationURI of ours.
TOKEN = "hidden"  # noqa: S105 - it stands for one
_PATH = PATH.encode()
_TOKEN = re.compile(rb"(" + re.escape(_PATH) + rb")[\w-]+")
#: Headers that say who someone is.
_HIDDEN = frozenset({"authorization", "cookie", "proxy-authorization", "set-cookie", "set-cookie2"})
#: In a fleet file.
_FILE_PIN = re.compile(r"""(\bpin["']?[ \t]*:[ \t]*["']?)(?:\d{1,6}|masked)\b""", re.IGNORECASE)

Redact = Callable[[str], str]


def hide_pins(body: bytes, pins: Collection[int]) -> bytes:
    """A body with words for its PINs. pins: those that our DERs check for."""
    masked = mask_pin(body)
    if MASK not in masked.replace(b"\0", b""):  # with zeros between in UTF-16
        return body
    is_ours = all(int(digits) in pins for _, digits in _CONTENT.findall(body))
    word = b"masked, ours<" if is_ours else b"masked, other<"
    return _MASKED.sub(rb"\g<1>" + word, masked)


def hide_paths(body: bytes) -> bytes:
    """A body without the tokens in the paths of our notificationURIs."""
    return _TOKEN.sub(rb"\g<1>" + TOKEN.encode(), body) if _PATH in body else body


def stand_in(body: bytes) -> bytes:
    """The body that a replay answers with."""
    if b"masked, o" not in body:
        return body
    return _WORDS.sub(lambda found: b"%s%d<" % (found[1], OURS if found[2] == b"ours" else OTHER), body)


def hide_file_pins(text: str) -> str:
    """A fleet file with the stand-in for its PINs."""
    return _FILE_PIN.sub(rf"\g<1>{OURS}", text)


@functools.lru_cache(maxsize=256)
def shown_headers(headers: Headers) -> list[list[str]]:
    """Headers without those that say who someone is."""
    return [[name, value] for name, value in headers if name.lower() not in _HIDDEN]
