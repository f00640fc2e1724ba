"""The Responses that a server got during a soak: none twice, and each begun control ended."""

from collections import Counter
from typing import Any

STARTED = 2
#: Statuses after which nothing more comes for a control.
LAST = {3, 6, 7, 13}


class Answers:
    """Counts the Responses of all DERs by control, DER and status."""

    def __init__(self) -> None:
        self.newest = 0
        self._seen: Counter[tuple[str, str, int]] = Counter()
        self._first: dict[tuple[str, str], float] = {}

    def take(self, responses: list[dict[str, Any]], at_s: float) -> None:
        """Add the Responses that the server lists after `newest`."""
        for each in responses:
            self.newest = max(self.newest, each["id"])
            self._seen[each["subject"], each["lfdi"], each["status"]] += 1
            self._first.setdefault((each["subject"], each["lfdi"]), at_s)

    def __len__(self) -> int:
        return self._seen.total()

    def doubled(self) -> list[tuple[str, str, int]]:
        """What came more than once."""
        return [key for key, count in self._seen.items() if count > 1]

    def unfinished(self, before_s: float) -> list[tuple[str, str]]:
        """Control and DER of what was started, first told before this time, and never ended."""
        pairs = {(subject, lfdi) for subject, lfdi, status in self._seen if status == STARTED}
        ended = {(subject, lfdi) for subject, lfdi, status in self._seen if status in LAST}
        return [pair for pair in pairs - ended if self._first[pair] < before_s]
