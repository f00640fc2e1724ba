"""Times as dersim writes them: RFC 3339, UTC, milliseconds. The one place for times that go out.

A time can come from a peer, and a peer can mean anything: milliseconds taken for seconds, the year 10000.
What has no calendar date is written as null, so that a view never fails over what somebody else sent.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Iterator

from dersim.numeric import finite

#: The seconds since 1970 UTC that have a calendar date: the years 1 to 9999.
FIRST_S, LAST_S = -62_135_596_800, 253_402_300_799


def has_date(time_s: float) -> bool:
    """Whether these seconds since 1970 UTC fall into the years 1 to 9999."""
    seconds = finite(time_s)
    return seconds is not None and FIRST_S <= seconds <= LAST_S


def rfc3339(time_s: float) -> str:
    """`2026-11-23T01:02:03.456Z` for seconds since 1970 UTC of our own clock.

    What has no date is cut to the first or last one; for a peer's time use `rfc3339_or_none`.
    """
    seconds = min(max(finite(time_s) or 0.0, FIRST_S), LAST_S)
    moment = datetime.datetime.fromtimestamp(seconds, datetime.UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def rfc3339_or_none(time_s: float | None) -> str | None:
    """The same; None for None and for what has no date."""
    return None if time_s is None or not has_date(time_s) else rfc3339(time_s)


def rfc3339_many(times_s: Iterable[float]) -> Iterator[str]:
    """The same for each of many times of our own clock, several times faster where they follow each other."""
    minute, prefix = -1, ""
    for time_s in times_s:
        millis = round(time_s * 1e6) // 1000
        this_minute, rest = divmod(millis, 60_000)
        if this_minute != minute:
            minute = this_minute
            prefix = rfc3339(minute * 60)[:17]
        yield f"{prefix}{rest // 1000:02d}.{rest % 1000:03d}Z"
