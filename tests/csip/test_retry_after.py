"""Retry-After: numbers and dates, bounded, and never an exception."""

import email.utils

import pytest
import trio

from dersim.csip.retry_after import http_date_s, retry_after_s
from dersim.http11 import Response

NOON = "Sun, 06 Nov 1994 12:00:00 GMT"


def answer(value, *, date=None, status=503):
    dates = (("date", date),) if date else ()
    return Response(status, (("retry-after", value), *dates))


@pytest.mark.parametrize(
    ("value", "seconds"),
    [("30", 30), ("0", 10), ("9", 10), ("301", 300), ("3600", 300), ("9" * 5000, 300), (" 42 ", 42)],
)
def test_a_number_is_bounded_by_10_and_300_s(value, seconds):
    assert retry_after_s(answer(value)) == seconds


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("Sun, 06 Nov 1994 12:01:00 GMT", 60),
        ("Sun, 06 Nov 1994 11:00:00 GMT", 10),
        ("Sun, 06 Nov 1994 14:01:00 +0200", 60),
        ("Mon, 07 Nov 1994 12:00:00 GMT", 300),
    ],
)
def test_a_date_is_compared_with_the_servers_own_date(value, seconds):
    assert retry_after_s(answer(value, date=NOON)) == seconds


def test_a_date_without_a_date_header_is_compared_with_our_clock():
    soon = email.utils.formatdate(usegmt=True)
    assert retry_after_s(answer(soon)) == 10
    assert retry_after_s(answer("Sun, 06 Nov 2999 08:49:37 GMT", date="no date")) == 300


@pytest.mark.parametrize("year", ["10000", "10000000000000000000", "9" * 300])
def test_a_date_beyond_the_year_9999_is_the_longest_wait(year):
    assert retry_after_s(answer(f"Sun, 06 Nov {year} 08:49:37 GMT", date=NOON)) == 300


@pytest.mark.parametrize(
    "value", ["soon", "-5", "1.5", "Sun, 99 Nov 1994 99:99:99 GMT", "Sun, 06 Foo 1994 08:49:37 GMT", "٣"]
)
def test_what_is_neither_is_no_retry_after(value):
    assert retry_after_s(answer(value)) is None


@pytest.mark.parametrize("status", [400, 404, 500, 502])
def test_other_statuses_have_no_retry_after(status):
    assert retry_after_s(answer("30", status=status)) is None


def test_a_date_is_utc_seconds():
    assert http_date_s("Thu, 01 Jan 1970 00:01:00 GMT") == 60


@pytest.mark.parametrize("value", ["0", "Sun, 06 Nov 1994 08:49:37 GMT"])
async def test_a_retry_after_of_zero_or_in_the_past_does_not_flood_the_server(autojump_clock, world, value):
    await world.ready()
    world.server.answers["GET", "/dcap"] = Response(503, (("retry-after", value),))
    world.begin()
    await trio.sleep(100)
    assert 8 <= len(world.server.times("/dcap")) <= 11


async def test_a_retry_after_in_an_absurd_year_leaves_the_client_alive(autojump_clock, world):
    client = await world.start(for_s=5)
    absurd = (("retry-after", "Sun, 06 Nov 10000000000000000000 08:49:37 GMT"),)
    world.server.answers["GET", "/edev/1/fsa"] = [Response(503, absurd)]
    await trio.sleep(10)
    assert client.snapshot()["retry_in_s"] == pytest.approx(300, abs=15)
    await trio.sleep(310)
    assert client.snapshot()["state"] == "connected"
