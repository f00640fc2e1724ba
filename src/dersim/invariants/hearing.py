"""What the clients send and receive, kept for each DER until it is looked at."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Sequence
from heapq import merge
from itertools import takewhile
from operator import attrgetter
from typing import TYPE_CHECKING

from dersim.plugin.services import ConversationService

if TYPE_CHECKING:
    from dersim.plugin.services import HttpExchange, Services

#: The exchanges of one DER that wait for its next look, at most: so many GETs, and so many others. Of a list
#: without an end there are thousands of GETs in a poll, and no Response may be missed for them.
MOST_WAITING = 500
#: Those from before it listened that are taken over.
MOST_BEFORE = 5_000
#: What one takes that the conversation has dropped, bytes: it and its bodies, of which most are shared.
_EXCHANGE_BYTES = 1_000


class Hearing:
    """Listens to the conversation of the run. conversation: None until there is one."""

    def __init__(self) -> None:
        self.conversation: ConversationService | None = None
        self._waiting: defaultdict[tuple[int, bool], deque[HttpExchange]] = defaultdict(
            lambda: deque(maxlen=MOST_WAITING)
        )

    def attach(self, services: Services) -> None:
        """Listen, once there is a conversation."""
        if self.conversation is None and (found := services.find(ConversationService)) is not None:
            self.conversation = found
            for exchange in found.entries(limit=MOST_BEFORE):
                self._heard(exchange)
            found.listeners.append(self._heard)

    def detach(self) -> None:
        """Listen no more."""
        if self.conversation is not None and self._heard in self.conversation.listeners:
            self.conversation.listeners.remove(self._heard)

    def take(self, number: int) -> Sequence[HttpExchange]:
        """What DER `number` exchanged since the last call, oldest first."""
        parts = (self._waiting.pop((number, is_get), ()) for is_get in (True, False))
        return tuple(merge(*parts, key=attrgetter("id")))

    def held_bytes(self) -> int:
        """What waits and the conversation does not hold any more."""
        conversation = self.conversation
        if conversation is None:
            return 0
        dropped = (
            each
            for waiting in self._waiting.values()
            for each in takewhile(lambda one: conversation.exchange(one.id) is None, waiting)
        )
        return _EXCHANGE_BYTES * sum(1 for _ in dropped)

    def _heard(self, exchange: HttpExchange) -> None:
        self._waiting[exchange.device, exchange.method == "GET"].append(exchange)
