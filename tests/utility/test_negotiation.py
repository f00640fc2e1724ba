"""Accept: several headers, q=0, an empty one; the most specific media range decides."""

import pytest

from dersim.http11 import Request
from dersim.utility.negotiation import check_accept
from dersim.utility.refusal import RequestRefused


def accepts(*headers):
    fields = tuple(("accept", value) for value in headers)
    try:
        check_accept(Request("GET", "/dcap", fields, b"", None, "peer"))
    except RequestRefused:
        return False
    return True


def test_several_accept_headers_count_as_one():
    assert accepts("text/html", "application/sep+xml")
    assert not accepts("text/html", "application/json")


def test_an_empty_accept_header_counts_as_none():
    assert accepts("")
    assert accepts(" , ")


@pytest.mark.parametrize(
    "value",
    ["application/sep+xml;q=0", "*/*;q=0", "application/sep+xml; q=0.0, */*", "application/sep+xml;Q=0"],
)
def test_q_0_refuses(value):
    assert not accepts(value)


@pytest.mark.parametrize("value", ["*/*;q=0, application/sep+xml", "*/*;q=0.001", "application/*;q=x"])
def test_a_more_specific_range_or_any_other_q_accepts(value):
    assert accepts(value)
