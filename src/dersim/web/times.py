"""Times as the API writes them: RFC 3339, UTC, milliseconds."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Iterator


def rfc3339(time_s: float) -> str:
    """`2026-11-23T01:02:03.456Z` for seconds since 1970 UTC."""
    moment = datetime.datetime.fromtimestamp(time_s, datetime.UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def rfc3339_or_none(time_s: float | None) -> str | None:
    """The same, None for None."""
    return None if time_s is None else rfc3339(time_s)


def rfc3339_many(times_s: Iterable[float]) -> Iterator[str]:
    """The same for each of many times, several times faster where they follow each other."""
    minute, prefix = -1, ""
    for time_s in times_s:
        millis = round(time_s * 1e6) // 1000
        this_minute, rest = divmod(millis, 60_000)
        if this_minute != minute:
            minute = this_minute
            prefix = rfc3339(minute * 60)[:17]
        yield f"{prefix}{rest // 1000:02d}.{rest % 1000:03d}Z"
