"""What a file for others must not hold: tokens, PINs and private keys, found by their form.

The simulator masks them in whatever it says. This is the second check, for logs and bodies of any origin.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Iterator, Sequence

MASK = "masked"
_SECRET_FLAG = re.compile(r"-+(?:\w*_)?(?:pin|token|password|passphrase|secret)", re.IGNORECASE)

_FORMS = (
    # A private key in PEM; in JSON its line ends are escaped.
    re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL),
    re.compile(r"(?<=[?&; ]token=)[^\s&\"';]+"),
    re.compile(r"(?<=dersim_token=)[^\s&\"';]+"),
    re.compile(r"(?<=Bearer )[!#-+\--:<-\[\]-~]+"),
)
# The element of 2030.5 with whatever is in it; of a text without an end, the first part.
_ELEMENT = re.compile(
    r"(<(?:[^\s<>/:]+:)?pIN\b[^<>]*(?<!/)>(?:\s*<!\[CDATA\[)?)(?!masked)[^<\]\"]{1,80}", re.IGNORECASE
)
# The element of 2030.5, a JSON member, a flag or a sentence: the digits after the word.
_PIN = re.compile(
    r"""(<(?:[\w.-]+:)?pIN\b[^<>]*>|(?:\b|_)pin["']?[:=\s]{1,4}["']?)\d{1,6}\b""", re.IGNORECASE
)


def redacted(text: str, secrets: Iterable[str] = ()) -> str:
    """`text` without anything of these forms, and without the given secrets."""
    for secret in sorted(filter(None, secrets), key=len, reverse=True):  # one may be a part of another
        text = text.replace(secret, MASK)
    for form in _FORMS:
        text = form.sub(MASK, text)
    return _PIN.sub(rf"\g<1>{MASK}", _ELEMENT.sub(rf"\g<1>{MASK}", text))


def command_line(words: Sequence[str]) -> str:
    """A command line as it would be typed, without PINs and tokens."""
    return redacted(shlex.join(_without_secrets(words)))


def _without_secrets(words: Sequence[str]) -> Iterator[str]:
    is_secret = False
    for word in words:
        flag, equals, _ = word.partition("=")
        names_secret = _SECRET_FLAG.fullmatch(flag) is not None
        yield f"{flag}={MASK}" if names_secret and equals else MASK if is_secret else word
        is_secret = names_secret and not equals
