"""The request log as a conversation with verdicts: searched, judged and shown as that of the clients.

The log costs little for each request. What the operator wants to see of it is made here when it is asked for,
in a thread, and kept until the log has forgotten it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from dersim.exchanges.conversation import Conversation
from dersim.utility.request_log import BYTES_KEPT, LoggedRequest

Made = TypeVar("Made")

#: Bodies and what each exchange costs beside them.
_BUDGET_BYTES = 2 * BYTES_KEPT
_XML = (("content-type", "application/sep+xml"),)


class RequestConversation:
    """The newest exchanges with devices. `device` of an exchange is the EndDevice's number, 0: not known."""

    def __init__(self) -> None:
        self._talk = Conversation(_BUDGET_BYTES)
        self._last = 0
        self._lock = threading.Lock()

    def use(
        self,
        logged: Sequence[LoggedRequest],
        numbers: Mapping[str, int],
        work: Callable[[Conversation], Made],
    ) -> Made:
        """What `work` makes of the conversation with all of the log in it; for any thread.

        numbers: of the EndDevices, by LFDI.
        """
        with self._lock:
            new = [each for each in logged if each.number > self._last]
            if new and new[0].number > self._last + 1:
                self._talk = Conversation(_BUDGET_BYTES, new[0].number)
            for each in new:
                self._add(each, numbers.get(each.lfdi or "", 0))
                self._last = each.number
            return work(self._talk)

    def _add(self, logged: LoggedRequest, device: int) -> None:
        self._talk.add(
            logged.time_s,
            device,
            logged.method,
            logged.path,
            ((), logged.request_body),
            (logged.status, _XML if logged.response_body else (), logged.response_body),
            _outcome(logged),
            0.0,
            cause="",
        )


def _outcome(logged: LoggedRequest) -> str:
    """How it ended, and the planted faults that had a part in it."""
    status = logged.status
    words = "not answered" if not status else f"refused with {status}" if status >= 400 else "ok"
    return "; planted fault ".join([words, *logged.planted_faults])
