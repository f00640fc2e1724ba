"""What is to be sent when: each Subscription is in it at most once."""

from __future__ import annotations

import heapq
import itertools
import math

from dersim.utility.subscriptions.record import SubscriptionRecord


class Queue:
    """Subscriptions in the order of `due_s`. One whose `due_s` has changed since is in it again."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, SubscriptionRecord]] = []
        self._order = itertools.count()

    def put(self, record: SubscriptionRecord, due_s: float) -> None:
        """Send at `due_s`, unless something is to be sent earlier anyway."""
        if record.due_s is None or due_s < record.due_s:
            record.due_s = due_s
            heapq.heappush(self._heap, (due_s, next(self._order), record))

    @property
    def next_due_s(self) -> float:
        """When the next one is due; infinity where none is."""
        while self._heap and self._heap[0][2].due_s != self._heap[0][0]:
            heapq.heappop(self._heap)
        return self._heap[0][0] if self._heap else math.inf

    def take(self, now_s: float) -> SubscriptionRecord | None:
        """The next one that is due by now; it is not in the queue any more."""
        if self.next_due_s > now_s:
            return None
        record = heapq.heappop(self._heap)[2]
        record.due_s = None
        return record
