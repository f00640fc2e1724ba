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
        self.repeated = 0
        self._doubled: list[tuple[str, str, int]] = []

    def take(self, responses: list[dict[str, Any]], at_s: float, *, calm: bool = True) -> None:
        """Add the Responses that the server lists after `newest`.

        calm: no fault was active since the last ones. During a fault the answer to a Response may be lost:
        then it comes again, as it must, and is counted in `repeated`.
        """
        for each in responses:
            self.newest = max(self.newest, each["id"])
            key = each["subject"], each["lfdi"], each["status"]
            if key in self._seen and calm:
                self._doubled.append(key)
            elif key in self._seen:
                self.repeated += 1
            self._seen[key] += 1
            self._first.setdefault((each["subject"], each["lfdi"]), at_s)

    def __len__(self) -> int:
        return self._seen.total()

    def doubled(self) -> list[tuple[str, str, int]]:
        """What came once more without a fault."""
        return list(self._doubled)

    def unfinished(self, before_s: float) -> list[tuple[str, str]]:
        """Control and DER of what was started, first told before this time, and never ended."""
        pairs = {(subject, lfdi) for subject, lfdi, status in self._seen if status == STARTED}
        ended = {(subject, lfdi) for subject, lfdi, status in self._seen if status in LAST}
        return [pair for pair in pairs - ended if self._first[pair] < before_s]
