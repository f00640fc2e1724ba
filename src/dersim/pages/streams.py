"""A TCP stream that a peer cannot hold: every send has a deadline, and a stop can break all of them.

hypercorn sends inside a shielded cancel scope without a deadline (hypercorn 0.18, trio/tcp_server.py). A peer
that stops reading, such as a suspended laptop with a dashboard open, then holds its task for ever, and with
it the nursery: the program could not be stopped. The scopes here stand inside that shield.

A second trap is an answer that is given before the request's body was read (401 to a large upload, say).
hypercorn means to close such a connection, but the application's task, in which it does so, has been
cancelled by then: the socket stayed open, nobody served it, and the peer's next request on it was never
answered. Hence the shield in `send_eof`. And a socket that is closed with unread bytes resets the connection,
which may cost the peer the answer; so what still comes is read and thrown away for a while first.
"""

from __future__ import annotations

import trio
from trio.socket import SocketType

#: How long a peer may go on sending to a connection on which it has been answered for good.
LINGER_S = 1.0


class BoundedStream(trio.abc.HalfCloseableStream):
    """A socket stream whose `send_all` takes at most `send_timeout_s`, and that `abort` ends from outside."""

    def __init__(self, stream: trio.SocketStream, send_timeout_s: float) -> None:
        self._stream = stream
        self._send_timeout_s = send_timeout_s
        self._sending: trio.CancelScope | None = None
        self._aborted = False
        self._said_goodbye = False
        self._read_all = trio.Event()

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
        """As SocketStream; after `send_eof` whatever still comes is thrown away."""
        try:
            data = await self._stream.receive_some(max_bytes)
            while data and self._said_goodbye:
                data = await self._stream.receive_some(max_bytes)
        except BaseException:
            self._read_all.set()
            raise
        if not data:
            self._read_all.set()
        return bytes(data)

    async def send_eof(self) -> None:
        """As SocketStream, also in a task that has been cancelled."""
        with trio.CancelScope(shield=True):
            await self._stream.send_eof()
        self._said_goodbye = True

    async def aclose(self) -> None:
        """As SocketStream, but first let the peer stop sending, at most for LINGER_S."""
        if self._said_goodbye and not self._aborted:
            with trio.move_on_after(LINGER_S, shield=True):
                await self._drain()
        await self._stream.aclose()

    async def _drain(self) -> None:
        try:
            while await self._stream.receive_some():
                pass
        except trio.BusyResourceError:  # another task reads, and throws away what comes
            await self._read_all.wait()
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            return

    def abort(self) -> None:
        """Break off what is being sent and close the socket at once."""
        self._aborted = True
        self._read_all.set()
        if self._sending is not None:
            self._sending.cancel()
        self._stream.socket.close()
