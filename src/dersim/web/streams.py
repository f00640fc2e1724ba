"""A TCP stream that a peer cannot hold: every send has a deadline, and a stop can break all of them.

hypercorn sends inside a shielded cancel scope without a deadline (hypercorn 0.18, trio/tcp_server.py). A peer
that stops reading, such as a suspended laptop with a dashboard open, then holds its task for ever, and with
it the nursery: the program could not be stopped. The scopes here stand inside that shield.
"""

from __future__ import annotations

import trio
from trio.socket import SocketType


class BoundedStream(trio.abc.HalfCloseableStream):
    """A socket stream whose `send_all` takes at most `send_timeout_s`, and that `abort` ends from outside."""

    def __init__(self, stream: trio.SocketStream, send_timeout_s: float) -> None:
        self._stream = stream
        self._send_timeout_s = send_timeout_s
        self._sending: trio.CancelScope | None = None
        self._aborted = False

    @property
    def socket(self) -> SocketType:
        """The trio socket; hypercorn asks it for the addresses."""
        return self._stream.socket

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        """Send, or raise BrokenResourceError when the peer did not take it in time."""
        if self._aborted:
            raise trio.BrokenResourceError("aborted")
        with trio.move_on_after(self._send_timeout_s) as sending:
            self._sending = sending
            try:
                await self._stream.send_all(data)
            finally:
                self._sending = None
        if sending.cancelled_caught:
            self.abort()
            raise trio.BrokenResourceError("the peer does not read")

    async def wait_send_all_might_not_block(self) -> None:
        """As SocketStream."""
        await self._stream.wait_send_all_might_not_block()

    async def receive_some(self, max_bytes: int | None = None) -> bytes:
        """As SocketStream."""
        return await self._stream.receive_some(max_bytes)

    async def send_eof(self) -> None:
        """As SocketStream."""
        await self._stream.send_eof()

    async def aclose(self) -> None:
        """As SocketStream."""
        await self._stream.aclose()

    def abort(self) -> None:
        """Break off what is being sent and close the socket at once."""
        self._aborted = True
        if self._sending is not None:
            self._sending.cancel()
        self._stream.socket.close()
