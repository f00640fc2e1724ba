"""How rows with a time of day fill whole days: how many days they span, and where rows are missing.

Times are seconds since the first row. `N` days is the least whole number that holds all rows; a last row
exactly N days after the first ends the profile, and the first row takes its place when it repeats. A stretch
without rows is longer than two intervals; the interval is the median of the distances between rows.
"""

from __future__ import annotations

import itertools
import math
import statistics
from collections.abc import Sequence

DAY_S = 86400.0
#: More gaps than these are counted, not listed.
_GAPS_LISTED = 3
#: Against rounding, s.
_SAME_S = 1e-3


def days_of(times_s: Sequence[float]) -> int:
    """The whole days that hold these times, at least 1."""
    return max(1, math.ceil((times_s[-1] - times_s[0] - _SAME_S) / DAY_S))


def gaps_of(times_s: Sequence[float], days: int, *, stepwise: bool) -> frozenset[int]:
    """The rows after which there is a stretch without rows; a single row has none.

    stepwise: rows hold until the next one. Then rows at irregular distances, some below half an interval,
    are events and not samples, and have no gaps.
    """
    if len(times_s) < 2:
        return frozenset()
    lengths = [b - a for a, b in itertools.pairwise(times_s)]
    interval_s = statistics.median_low(lengths)
    if stepwise and min(lengths) < interval_s / 2:
        return frozenset()
    longest = 2 * interval_s + _SAME_S
    lengths.append(times_s[0] + days * DAY_S - times_s[-1])
    return frozenset(index for index, length in enumerate(lengths) if length > longest)


def said_of(times_s: Sequence[float], days: int, gaps: frozenset[int], first_s: float, effect: str) -> str:
    """How the rows are played, in one line. first_s: time of day of the first row; effect: within gaps."""
    repeated = "every day" if days == 1 else f"every {days} days"
    text = f"is played by the time of day and repeats {repeated}"
    if not gaps:
        return text
    ends = (*times_s[1:], times_s[0] + days * DAY_S)
    from_s = first_s - times_s[0]
    listed = [
        f"{_clock(times_s[index] + from_s, days)} to {_clock(ends[index] + from_s, days)}"
        for index in sorted(gaps)
    ]
    more = f" and {len(listed) - _GAPS_LISTED} more times" if len(listed) > _GAPS_LISTED else ""
    return f"{text}; no rows from {', '.join(listed[:_GAPS_LISTED])}{more}: {effect}"


def _clock(time_s: float, days: int) -> str:
    """A time of day, with the number of the day where there are several."""
    day, second = divmod(round(time_s), int(DAY_S))
    minutes, seconds = divmod(second, 60)
    text = f"{minutes // 60:02d}:{minutes % 60:02d}" + (f":{seconds:02d}" if seconds else "")
    return text if days == 1 else f"{text} of day {day % days + 1}"
