"""A TCP stream with a deadline for every send, one reader at a time, and a way to break it off.

hypercorn 0.18 (trio/tcp_server.py) needs three things of its stream that trio's SocketStream does not do:

- It sends in a shielded cancel scope without a deadline. A peer that stops reading, such as a suspended
  laptop with a dashboard open, would hold the task for ever, and with it the stop of the program. So
  `send_all` has a deadline, inside that shield.
- It closes from one task while another reads. Two tasks that read one socket raise BusyResourceError, so the
  one that closes takes the reading over: the other's `receive_some` answers the end of the stream.
- Where an answer is given before the whole body is read, it closes in a task that is already cancelled. So
  `send_eof` is shielded. A socket closed with unread bytes resets the connection, which may cost the peer the
  answer; so `aclose` first reads and discards what still comes, for LINGER_S at most.
"""

from __future__ import annotations

import trio
from trio.socket import SocketType

from dersim.receiving import SHORT_READ_BYTES

#: How long a peer may go on sending after our last answer on the connection.
LINGER_S = 1.0


class BoundedStream(trio.abc.HalfCloseableStream):
    """A socket stream whose `send_all` takes at most `send_timeout_s`, and that `abort` ends at once."""

    def __init__(self, stream: trio.SocketStream, send_timeout_s: float) -> None:
        self._stream = stream
        self._send_timeout_s = send_timeout_s
        self._sending: trio.CancelScope | None = None
        self._receiving = trio.CancelScope()
        self._reader = trio.Lock()
        self._writer = trio.Lock()
        self._aborted = False
        self._sent_eof = False
        self._received_eof = False
        #: Whether a request is being received or answered.
        self.busy = False
        #: When the last byte went either way, by trio's clock.
        self.last_used_s = trio.current_time()

    @property
    def socket(self) -> SocketType:
        """The trio socket; hypercorn asks it for the addresses."""
        return self._stream.socket

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        """Send, or raise BrokenResourceError if the peer does not take it in time."""
        if self._aborted:
            raise trio.BrokenResourceError("aborted")
        with trio.move_on_after(self._send_timeout_s) as sending:
            async with self._writer:
                self._sending = sending
                try:
                    await self._stream.send_all(data)
                finally:
                    self._sending = None
        if sending.cancelled_caught:
            self.abort()
            raise trio.BrokenResourceError("the peer does not read")
        self.last_used_s = trio.current_time()

    async def wait_send_all_might_not_block(self) -> None:
        """As SocketStream."""
        await self._stream.wait_send_all_might_not_block()

    async def receive_some(self, max_bytes: int | None = None) -> bytes:
        """As SocketStream, for one task; after `send_eof` the end of the stream, whatever still comes."""
        with trio.CancelScope() as self._receiving:
            async with self._reader:
                if not self._sent_eof:
                    data = await self._receive(max_bytes)
                    if not self._sent_eof:
                        return data
        return b""

    async def _receive(self, max_bytes: int | None = None) -> bytes:
        try:
            data = await self._stream.receive_some(min(max_bytes or SHORT_READ_BYTES, SHORT_READ_BYTES))
        except BaseException as error:
            self._received_eof = not isinstance(error, trio.Cancelled)
            raise
        self._received_eof = not data
        self.last_used_s = trio.current_time()
        return bytes(data)

    async def send_eof(self) -> None:
        """As SocketStream, also in a task that is cancelled; BusyResourceError while another task sends."""
        if self._sending is not None:
            raise trio.BusyResourceError("another task sends")
        with trio.CancelScope(shield=True):
            async with self._writer:
                await self._stream.send_eof()
        self._sent_eof = True

    async def aclose(self) -> None:
        """As SocketStream, but after `send_eof` let the peer finish sending, for LINGER_S at most."""
        self._receiving.cancel()
        if self._sent_eof and not self._aborted:
            with trio.move_on_after(LINGER_S, shield=True):
                await self._discard_rest()
        await self._stream.aclose()

    async def _discard_rest(self) -> None:
        async with self._reader:  # once the task that read has left
            try:
                while not self._received_eof:
                    await self._receive()
            except (trio.BrokenResourceError, trio.ClosedResourceError):
                return

    def abort(self) -> None:
        """Break off what is being sent and close the socket at once."""
        self._aborted = True
        if self._sending is not None:
            self._sending.cancel()
        self._stream.socket.close()
