"""Simple values on the wire: text to value and back. Every number of a document is read here.

`TRUSTING` reads text that a schema has accepted; `read` reads any text, keeps what can be kept and says what
was wrong with it. Writing checks everything, and caches checked texts, because the same mRIDs and hrefs are
written many times.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from dersim.errors import LocalProtocolError
from dersim.ieee2030_5.declare import Simple

# Characters that XML 1.0 cannot contain, not even as a character reference (production 2).
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_INTEGER = re.compile(r"[+-]?[0-9]{1,40}\Z")
_TIME_WITH_FRACTION = re.compile(r"([+-]?[0-9]{1,40})\.[0-9]*\Z")
_HEX = re.compile(r"(?:[0-9A-Fa-f]{2})*\Z")
_SPACE = " \t\r\n"
_TRUE = {"true": True, "1": True, "false": False, "0": False}
_ESCAPES = str.maketrans(
    {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "\r": "&#13;", "\n": "&#10;", "\t": "&#9;"}
)

#: Numbers beyond this cannot be meant, whatever the type; below it they are kept and judged by their users.
_READABLE = 2**63


def shorten(text: str, length: int = 80) -> str:
    """The text for a message: whole, or its beginning."""
    return text if len(text) <= length else text[: length - 3] + "..."


def one_line(text: str, length: int = 80) -> str:
    """The same in one line without control characters, for text that is not quoted."""
    printable = "".join(c if c.isprintable() else "?" for c in " ".join(text.split()))
    return shorten(printable, length)


def _trusting_text(text: str | None) -> str:
    return text or ""


def _trusting_uri(text: str | None) -> str:
    return (text or "").strip(_SPACE)


def _trusting_bool(text: str) -> bool:
    return text.strip(_SPACE) in ("true", "1")


class AsGiven(int):
    """A bitmap that came with another number of digits than its type has, or in lower case: written alike."""

    text: str

    def __new__(cls, value: int, text: str = "") -> AsGiven:
        """As int; `text` as it came."""
        self = super().__new__(cls, value)
        self.text = text
        return self

    def __format__(self, spec: str) -> str:
        # All writers of bitmaps format them as 0nX; a plain number is shown by any other spec.
        return self.text if self.text and spec.endswith("X") else super().__format__(spec)


def hex_int_reader(octets: int) -> Callable[[str | None], int]:
    """The reader of a bitmap of so many octets, from text that a schema accepted."""
    width = 2 * octets

    def read(text: str | None) -> int:
        if not text:
            return 0
        value = int(text, 16) if text.strip(_SPACE) else 0
        # Most are as we write them: the comparison of their lengths is all that they cost.
        return (
            value if len(text) == width and text.isupper() | text.isdigit() else _as_given(value, text, width)
        )

    return read


def _as_given(value: int, text: str, width: int) -> int:
    digits = text.strip(_SPACE)
    return value if not digits or digits == f"{value:0{width}X}" else AsGiven(value, digits)


def _trusting_hex_text(text: str | None) -> str:
    return (text or "").strip(_SPACE).upper()


#: Per kind: text that a schema accepted -> value.
TRUSTING: dict[str, Callable[[Any], Any]] = {
    "int": int,
    "bool": _trusting_bool,
    "hex_text": _trusting_hex_text,
    "text": _trusting_text,
    "uri": _trusting_uri,
}


def trusting(simple: Simple) -> Callable[[Any], Any]:
    """From text that a schema accepted to the value."""
    return hex_int_reader(simple.octets) if simple.kind == "hex_int" else TRUSTING[simple.kind]


def read(simple: Simple, text: str) -> tuple[Any, str]:
    """Text from anywhere -> value and what is wrong with it ("" if nothing).

    ValueError with a readable message if there is no value.
    """
    kind = simple.kind
    if kind == "text":
        too_long = simple.length is not None and len(text) > simple.length
        return text, f"{len(text)} characters, {simple.length} allowed" if too_long else ""
    text = text.strip(_SPACE)
    if kind == "uri":
        return text, ""
    if kind == "bool":
        if text not in _TRUE:
            raise ValueError(f"{shorten(text)!r} is neither true nor false")
        return _TRUE[text], ""
    if kind == "int":
        return _read_int(simple, text)
    return _read_hex(simple, text)


def _read_int(simple: Simple, text: str) -> tuple[int, str]:
    if simple.name == "TimeType" and (found := _TIME_WITH_FRACTION.match(text)):
        value, wrong = _read_int(simple, found[1])
        return value, wrong or f"{shorten(text)!r} has a fraction of a second, which is cut"
    if not _INTEGER.match(text):
        raise ValueError(f"{shorten(text)!r} is not a whole number")
    value = int(text)
    if simple.low <= value <= simple.high:
        return value, ""
    if abs(value) > _READABLE:
        raise ValueError(f"{value} is beyond any {simple.name}")
    return value, f"{value} is not a {simple.name} ({simple.low} to {simple.high})"


def _read_hex(simple: Simple, text: str) -> tuple[Any, str]:
    wrong = (
        ""
        if _HEX.match(text) and len(text) <= 2 * simple.octets
        else (f"{shorten(text)!r} is not a hexBinary of at most {simple.octets} octets")
    )
    if simple.kind == "hex_text":
        # Servers in the field name their controls in plain words. A name that differs is still a name.
        return (text.upper() if _HEX.match(text) else text), wrong
    try:
        value = int(text, 16) if text else 0
    except ValueError:
        raise ValueError(wrong) from None
    if not 0 <= value < 256**simple.octets or not re.match(r"[0-9A-Fa-f]*\Z", text):
        raise ValueError(wrong)
    return value if wrong else _as_given(value, text, 2 * simple.octets), wrong


@lru_cache(maxsize=4096)
def checked_text(text: str, length: int | None) -> str:
    """Escaped for elements and attributes; LocalProtocolError for characters that XML cannot contain."""
    if found := _FORBIDDEN.search(text):
        raise LocalProtocolError(
            f"{shorten(text)!r} contains the character {found[0]!r}, which XML does not allow"
        )
    if length is not None and len(text) > length:
        raise LocalProtocolError(f"{shorten(text)!r} has {len(text)} characters, {length} are allowed")
    return text.translate(_ESCAPES)


@lru_cache(maxsize=4096)
def checked_hex(text: str, octets: int) -> str:
    """Upper-case hex; LocalProtocolError if the text is not hex, or too long."""
    if not _HEX.match(text) or len(text) > 2 * octets:
        raise LocalProtocolError(f"{shorten(text)!r} is not a hexBinary of at most {octets} octets")
    return text.upper()


def write(simple: Simple, value: Any) -> str:
    """Value -> text on the wire; LocalProtocolError if the type does not allow it."""
    kind = simple.kind
    if kind in ("text", "uri") or (kind == "hex_text"):
        if not isinstance(value, str):
            raise LocalProtocolError(f"text is needed, not {shorten(repr(value))}")
        return checked_hex(value, simple.octets) if kind == "hex_text" else checked_text(value, simple.length)
    if kind == "bool":
        if not isinstance(value, bool):
            raise LocalProtocolError(f"True or False is needed, not {shorten(repr(value))}")
        return "true" if value else "false"
    if not isinstance(value, int):
        raise LocalProtocolError(f"a whole number is needed, not {shorten(repr(value))}")
    low, high = (0, 256**simple.octets - 1) if kind == "hex_int" else (simple.low, simple.high)
    if not low <= value <= high:
        raise LocalProtocolError(f"{shorten(str(value))} is not a {simple.name} ({low} to {high})")
    return f"{value:0{2 * simple.octets}X}" if kind == "hex_int" else f"{value:d}"
