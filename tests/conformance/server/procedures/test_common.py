"""When a document is what was sent."""

import pytest

from dersim.conformance.server.procedures.common import capability, differs
from dersim.ieee2030_5 import Edition, encode

SENT = encode(capability(), Edition.E2018)


@pytest.mark.parametrize(
    "served",
    [
        SENT,
        SENT.replace(b"<DERCapability ", b'<DERCapability href="/edev/1/der/1/dercap" '),
        SENT.replace(b"01F67FAC", b"01f67fac"),
        SENT.replace(b"><", b">\n  <"),
    ],
)
def test_hrefs_spaces_and_the_case_of_hexadecimal_digits_do_not_count(served):
    assert differs(SENT, served) is None


@pytest.mark.parametrize(
    ("served", "said"),
    [
        (SENT.replace(b"01F67FAC", b"01F67FA0"), "modesSupported: 01F67FA0 instead of 01F67FAC"),
        (SENT.replace(b"-4840", b"4840"), "value: 4840 instead of -4840"),
        (SENT.replace(b"<type>4</type>", b""), "DERCapability: type differ"),
        (b"<broken", ""),
    ],
)
def test_other_values_and_missing_elements_count(served, said):
    assert said in differs(SENT, served)
