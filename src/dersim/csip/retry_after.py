"""The Retry-After header of a 429 or 503 response: how long the client waits before its next request."""

from __future__ import annotations

import datetime
import email.utils
import time

from dersim.http11 import Response

#: The shortest and the longest wait, s, whatever the server asks for.
MIN_RETRY_AFTER_S = 10.0
MAX_RETRY_AFTER_S = 300.0
_STATUSES = (429, 503)


def retry_after_s(response: Response) -> float | None:
    """Seconds to wait, within the bounds; None for other statuses and where the header cannot be read.

    A date is compared with the Date header of the same response, so that our own clock does not matter.
    """
    value = (response.header("retry-after") or "").strip()
    if not value or response.status not in _STATUSES:
        return None
    if value.isascii() and value.isdigit():
        return _bounded(float(value))
    until_s = http_date_s(value)
    if until_s is None:
        return None
    now_s = http_date_s(response.header("date") or "")
    return _bounded(until_s - (time.time() if now_s is None else now_s))


def http_date_s(text: str) -> float | None:
    """UTC seconds of an HTTP date: infinite beyond the year 9999, None for what is no date."""
    fields = email.utils.parsedate_tz(text)
    if fields is None:
        return None
    if fields[0] > datetime.MAXYEAR:
        return float("inf")
    try:
        return datetime.datetime(*fields[:6], tzinfo=datetime.UTC).timestamp() - (fields[9] or 0)
    except (ValueError, OverflowError):
        return None


def _bounded(seconds: float) -> float:
    return min(max(seconds, MIN_RETRY_AFTER_S), MAX_RETRY_AFTER_S)
