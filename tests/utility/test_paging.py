"""CORE-004's ten queries over a list of five, time-keyed and not; and what is refused."""

import pytest

from dersim.errors import RemoteProtocolError
from dersim.utility.paging import Page, parse_page, select

NOW = 1_700_000_000
ITEMS = [NOW - 10, NOW - 20, NOW - 30, NOW - 40, NOW - 50]


@pytest.mark.parametrize(
    ("query", "time_keyed", "plain"),
    [
        ("s=0", [0], [0]),
        ("", [0], [0]),
        (f"a={NOW}", [], [0]),
        ("l=0", [], []),
        ("l=1000", [0, 1, 2, 3, 4], [0, 1, 2, 3, 4]),
        (f"s=3&a={NOW}", [], [3]),
        ("s=1&l=1&s=2", [1], [1]),
        ("l=0&l=2", [], []),
        (f"s=1&a={NOW}&a={NOW + 86_400}", [], [1]),
        ("l=1&b=2", [0], [0]),
    ],
)
def test_core_004_queries(query, time_keyed, plain):
    page = parse_page(query)
    assert list(select(ITEMS, page, lambda t: t)) == [ITEMS[i] for i in time_keyed]
    assert list(select(ITEMS, page)) == [ITEMS[i] for i in plain]


def test_after_keeps_the_later_items_and_start_counts_in_them():
    page = parse_page(f"s=1&l=255&a={NOW - 35}")
    assert list(select(ITEMS, page, lambda t: t)) == [NOW - 20, NOW - 30]


def test_start_past_the_end_is_an_empty_page():
    assert list(select(ITEMS, parse_page("s=5&l=10"))) == []


@pytest.mark.parametrize("query", ["s=-1", "l=x", "s=", "l=1.5", "a=now", "s=" + "9" * 40, "l=٣"])
def test_a_value_that_is_no_number_is_refused_with_its_key(query):
    with pytest.raises(RemoteProtocolError, match="query parameter"):
        parse_page(query)


def test_a_negative_time_is_a_time():
    assert parse_page("a=-5") == Page(0, 1, -5)
