"""LFDI, SFDI and PIN of a device, from the fingerprint of its certificate (2030.5-2018 6.3.2-6.3.4).

The fingerprint is the SHA-256 of the whole certificate in DER. Its leftmost 160 bits are the LFDI, its
leftmost 36 bits, as a decimal number followed by a check digit, the SFDI. The check digit makes the sum
of all digits a multiple of ten (a plain sum: not Luhn's rule). A PIN ends in a check digit of the same kind.
"""

from __future__ import annotations

import functools
import hashlib
import string

from dersim.errors import LocalProtocolError

LFDI_HEX_DIGITS = 40
_SFDI_HEX_DIGITS = 9


@functools.lru_cache(maxsize=1024)  # a server computes it for every request
def lfdi(certificate_der: bytes) -> str:
    """The LFDI of a certificate in DER: 40 upper-case hex digits."""
    return hashlib.sha256(certificate_der).hexdigest()[:LFDI_HEX_DIGITS].upper()


def normal_lfdi(text: str) -> str:
    """An LFDI as people and servers write it (lower case, dashes, spaces) in the form of `lfdi`.

    LocalProtocolError if it is not 40 hex digits.
    """
    digits = text.replace("-", "").replace(" ", "").strip()
    if len(digits) != LFDI_HEX_DIGITS or not set(digits) <= set(string.hexdigits):
        raise LocalProtocolError(f"an LFDI is 40 hexadecimal digits, not {text[:60]!r}")
    return digits.upper()


def same_lfdi(one: str, other: str) -> bool:
    """Whether two LFDIs are one number: servers drop leading zeros, and write either case."""
    return one.strip().lstrip("0").upper() == other.strip().lstrip("0").upper()


def check_digit(number: int) -> int:
    """The digit that makes the digit sum of `number` and itself a multiple of ten."""
    return -sum(int(digit) for digit in str(number)) % 10


def sfdi(lfdi_hex: str) -> int:
    """The SFDI, check digit included, of an LFDI (only its first nine hex digits count)."""
    number = int(lfdi_hex[:_SFDI_HEX_DIGITS], 16)
    return number * 10 + check_digit(number)


def sfdi_is_valid(number: int) -> bool:
    """Whether the last digit is the check digit of the rest, and the rest has at most 36 bits."""
    return 0 < number // 10 < 2**36 and sum(int(digit) for digit in str(number)) % 10 == 0


def format_sfdi(number: int) -> str:
    """For people: twelve digits in groups of three, e.g. 167-261-211-391."""
    digits = f"{number:012d}"
    return "-".join(digits[i : i + 3] for i in range(0, 12, 3))


def pin_is_valid(pin: int) -> bool:
    """Whether a PIN has at most six digits and ends in its check digit (leading zeros are dropped).

    Either rule will do: that of the SFDI, or the sum of the first five digits mod 10, as some utilities of
    Australia have it.
    """
    return 0 <= pin <= 999_999 and (pin_is_by_sfdi_rule(pin) or sum(_digits(pin)[:5]) % 10 == pin % 10)


def pin_is_by_sfdi_rule(pin: int) -> bool:
    """Whether the sum of all digits is a multiple of ten."""
    return sum(_digits(pin)) % 10 == 0


def _digits(pin: int) -> list[int]:
    return [int(digit) for digit in f"{pin:06d}"]


#: What a warning says of a PIN by the other rule.
OTHER_PIN_RULE = (
    "the PIN's check digit is the sum of the first five digits mod 10, not one that makes the sum of all six"
    " a multiple of ten; it is taken"
)
