"""The National Metering Identifier, which names a connection point (AEMO's NMI procedure).

Ten characters, or eleven with the check digit: digits and capital letters, without I and O, which are too
like 1 and 0, and without blanks.
"""

from __future__ import annotations

import re

_FORM = re.compile(r"[0-9A-HJ-NP-Z]{10}[0-9]?\Z")
_LENGTH = 10


def check_digit(nmi: str) -> int:
    """The check digit of the first ten characters: Luhn's rule on their ASCII codes, the last one doubled."""
    total = 0
    for place, character in enumerate(reversed(nmi[:_LENGTH])):
        code = ord(character) * (1 if place % 2 else 2)
        total += sum(map(int, str(code)))
    return -total % 10


def wrong_with(nmi: str) -> str:
    """Why this is no NMI, in words; "" for one that is."""
    if not _FORM.match(nmi):
        return (
            f"{nmi[:40]!r} is no NMI: 10 characters are needed, or 11 with the check digit, of digits and "
            "capital letters without I and O"
        )
    if len(nmi) > _LENGTH and int(nmi[_LENGTH]) != check_digit(nmi):
        return f"{nmi} is no NMI: the check digit of {nmi[:_LENGTH]} is {check_digit(nmi)}"
    return ""
