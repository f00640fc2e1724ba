"""Small pieces of HTML. Every text is escaped here."""

from __future__ import annotations

import re
from collections.abc import Iterable
from html import escape

from dersim.conformance.procedure import Verdict

#: Controls, and signs that turn the direction of what follows: they are shown by their numbers.
_UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff\ud800-\udfff]"
)
_STYLES = {Verdict.PASS: "good", Verdict.WARN: "warn", Verdict.NOT_SEEN: "muted", Verdict.FAIL: "bad"}
_MARKS = {Verdict.PASS: "\u2713", Verdict.WARN: "!", Verdict.NOT_SEEN: "\u2013", Verdict.FAIL: "\u2717"}


def text(said: object, most_chars: int = 2000) -> str:
    """A text from anywhere, for content and for quoted attributes; a longer one is cut."""
    whole = str(said)
    shown = whole if len(whole) <= most_chars else f"{whole[:most_chars]}\u2026"
    return escape(_UNSEEN.sub(lambda found: f"\\u{ord(found[0]):04x}", shown), quote=True)


def pill(verdict: Verdict, what: str = "") -> str:
    """A verdict, with its mark."""
    words = f"{what} {verdict.value}".strip()
    return f'<span class="pill {_STYLES[verdict]}">{_MARKS[verdict]} {text(words)}</span>'


def style_of(verdict: Verdict) -> str:
    """The class of a verdict's colour."""
    return _STYLES[verdict]


def table(head: Iterable[str], rows: Iterable[str], kind: str = "") -> str:
    """A table; the cells of the rows are HTML already. Heads that begin with `#` are of numbers."""
    cells = "".join(
        f'<th scope="col" class="n">{text(each[1:])}</th>'
        if each.startswith("#")
        else f'<th scope="col">{text(each)}</th>'
        for each in head
    )
    return (
        f'<div class="scroll"><table class="{kind}"><thead><tr>{cells}</tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table></div>"
    )


def pairs(rows: Iterable[tuple[str, str]]) -> str:
    """Names and values, those without a value left out; the values are HTML already."""
    return (
        '<dl class="kv">'
        + "".join(f"<dt>{text(name)}</dt><dd>{value}</dd>" for name, value in rows if value)
        + "</dl>"
    )
