"""Times as the API writes them."""

from hypothesis import given
from hypothesis import strategies as st

from dersim.timestamps import rfc3339, rfc3339_many


def test_milliseconds_and_z():
    assert rfc3339(1_780_000_000.1234) == "2026-05-28T20:26:40.123Z"


@given(st.lists(st.floats(0, 4e9), max_size=20))
def test_many_are_as_one(times_s):
    assert list(rfc3339_many(times_s)) == [rfc3339(time_s) for time_s in times_s]
