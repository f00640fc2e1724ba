"""The WebSocket stream: the overview document, once at the start and once per tick.

One task (`Telemetry.run`) waits for the fleet's steps and writes each watched DER's document once, whatever
the number of listeners. Every listener has a mailbox of a few places; when it is full the oldest document is
dropped, so that a slow listener costs the simulator neither time nor memory.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING

import trio

if TYPE_CHECKING:
    from dersim.device import Device
    from dersim.fences import Fences
    from dersim.fleet import Fleet

MAILBOX_PLACES = 4


class Mailbox:
    """The documents that wait for one listener; the oldest is dropped first."""

    def __init__(self) -> None:
        self._waiting: deque[str] = deque(maxlen=MAILBOX_PLACES)
        self._news = trio.Event()
        self.closed = False
        self.dropped = 0

    def put(self, document: str) -> None:
        """Add a document without waiting."""
        self.dropped += len(self._waiting) == MAILBOX_PLACES
        self._waiting.append(document)
        self._news.set()

    def close(self) -> None:
        """End the stream: `get` answers None from now on."""
        self.closed = True
        self._news.set()

    async def get(self) -> str | None:
        """The oldest document that waits; None when the stream is closed."""
        while not self._waiting and not self.closed:
            self._news = trio.Event()
            await self._news.wait()
        if self.closed:
            return None
        return self._waiting.popleft()


class Telemetry:
    """Hands each step's document to whoever listens. document: the text for one DER."""

    def __init__(self, fleet: Fleet, document: Callable[[Device], str], fences: Fences) -> None:
        self._fleet = fleet
        self._document = document
        self._fences = fences
        self._mailboxes: dict[Device, set[Mailbox]] = {}
        self._nobody = trio.Event()

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await self._fleet.wait_step()
            for device, mailboxes in list(self._mailboxes.items()):
                with self._fences.around("web_telemetry", "WS", "the telemetry document", device.number):
                    document = self._document(device)
                    for mailbox in mailboxes:
                        mailbox.put(document)

    def subscribe(self, device: Device) -> Mailbox:
        """A new listener; the present document is already in its mailbox."""
        mailbox = Mailbox()
        mailbox.put(self._document(device))
        self._mailboxes.setdefault(device, set()).add(mailbox)
        return mailbox

    def unsubscribe(self, device: Device, mailbox: Mailbox) -> None:
        """Forget a listener."""
        mailboxes = self._mailboxes.get(device, set())
        mailboxes.discard(mailbox)
        if not mailboxes:
            self._mailboxes.pop(device, None)
        if not self._mailboxes:
            self._nobody.set()

    @property
    def listeners(self) -> int:
        """The number of listeners now."""
        return sum(map(len, self._mailboxes.values()))

    async def close(self) -> None:
        """Close the stream of every listener, and wait until all have been told."""
        for mailboxes in self._mailboxes.values():
            for mailbox in mailboxes:
                mailbox.close()
        while self._mailboxes:
            self._nobody = trio.Event()
            await self._nobody.wait()
