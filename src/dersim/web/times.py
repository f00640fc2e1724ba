"""Times as the API writes them: RFC 3339, UTC, milliseconds."""

from __future__ import annotations

import datetime


def rfc3339(time_s: float) -> str:
    """`2026-11-23T01:02:03.456Z` for seconds since 1970 UTC."""
    moment = datetime.datetime.fromtimestamp(time_s, datetime.UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def rfc3339_or_none(time_s: float | None) -> str | None:
    """The same, None for None."""
    return None if time_s is None else rfc3339(time_s)
