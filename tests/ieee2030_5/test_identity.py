"""LFDI, SFDI and PIN: the worked examples of the standard and of a published certificate."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dersim.errors import LocalProtocolError
from dersim.ieee2030_5 import identity


@pytest.mark.parametrize(
    ("lfdi", "sfdi", "shown"),
    [
        ("3E4F45AB31EDFE5B67E343E5E4562E31984E23E5", 167261211391, "167-261-211-391"),
        ("0671C144D27DC9E612AFE7DC6C79EC089ED3DCC5", 17298934539, "017-298-934-539"),
        ("F" * 40, 687194767357, "687-194-767-357"),
        ("0" * 40, 0, "000-000-000-000"),
    ],
)
def test_worked_examples(lfdi: str, sfdi: int, shown: str) -> None:
    assert identity.sfdi(lfdi) == identity.sfdi(lfdi.lower()) == sfdi
    assert identity.format_sfdi(sfdi) == shown


def test_the_lfdi_is_the_left_of_the_fingerprint() -> None:
    certificate = b"a certificate in DER"
    digest = hashlib.sha256(certificate).digest()
    assert bytes.fromhex(identity.lfdi(certificate)) == digest[:20]
    assert identity.lfdi(certificate).isupper()


@given(st.integers(1, 2**36 - 1))
def test_a_wrong_check_digit_is_noticed(number: int) -> None:
    sfdi = number * 10 + identity.check_digit(number)
    assert sum(map(int, str(sfdi))) % 10 == 0
    assert identity.sfdi_is_valid(sfdi)
    assert not any(identity.sfdi_is_valid(sfdi - sfdi % 10 + d) for d in range(10) if d != sfdi % 10)


@pytest.mark.parametrize("pin", [111115, 0, 19])
def test_valid_pins(pin: int) -> None:
    assert identity.pin_is_valid(pin)


@pytest.mark.parametrize("pin", [111111, 1234567, 1234561, -5])
def test_invalid_pins(pin: int) -> None:
    assert not identity.pin_is_valid(pin)


def test_an_lfdi_as_people_write_it() -> None:
    written = "3e4f-45ab-31ed-fe5b-67e3 43e5-e456-2e31-984e-23e5"
    assert identity.normal_lfdi(written) == "3E4F45AB31EDFE5B67E343E5E4562E31984E23E5"
    for wrong in ("3e4f", "g" * 40, "٣" * 40):
        with pytest.raises(LocalProtocolError, match="40 hexadecimal digits"):
            identity.normal_lfdi(wrong)


def test_an_sfdi_over_36_bits_is_not_valid() -> None:
    largest, too_large = 2**36 - 1, 2**36
    assert identity.sfdi_is_valid(largest * 10 + identity.check_digit(largest))
    assert not identity.sfdi_is_valid(too_large * 10 + identity.check_digit(too_large))
    assert not identity.sfdi_is_valid(0)
