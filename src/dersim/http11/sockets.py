"""TCP sockets with fewer scheduler turns than trio.SocketStream, for the two sides of HTTP.

trio.SocketStream passes a checkpoint after each send, and tries to receive before it waits. Who sends a
request and then always waits for the response needs neither: the wait is its checkpoint, and nothing has come
before it. That saves two turns of the event loop per request. The same holds for a server that waits for the
next request; where requests have come in one piece, `ServerConnection` passes a checkpoint between them.
"""

from __future__ import annotations

import contextlib
import os
import select

import trio

from dersim.receiving import SHORT_READ_BYTES, receive


class ClientSocket(trio.abc.Stream):
    """The same socket as `stream`, for one task that sends and then receives."""

    def __init__(self, stream: trio.SocketStream) -> None:
        self.stream = stream
        self._socket = stream.socket
        self._poller: select.poll | None = None

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        """Send all of `data`; with a checkpoint only if the socket does not take it at once."""
        await trio.lowlevel.checkpoint_if_cancelled()
        try:
            sent = os.write(self._descriptor(), data)
        except BlockingIOError:
            sent = 0
        except OSError as error:
            raise trio.BrokenResourceError(f"socket connection broken: {error}") from error
        if sent < len(data):
            await self._send_rest(memoryview(data)[sent:])

    async def _send_rest(self, data: memoryview) -> None:
        """Send what the socket has not taken at once."""
        await self.stream.send_all(data)

    async def receive_some(self, max_bytes: int | None = None) -> bytes | bytearray:
        """Wait for data; b"" at the end of the stream."""
        await trio.lowlevel.wait_readable(self._descriptor())
        try:
            return receive(self._read_into, max_bytes)
        except BlockingIOError:  # a spurious wake-up, which the system may give
            return await self.stream.receive_some(max_bytes or SHORT_READ_BYTES)
        except OSError as error:
            raise trio.BrokenResourceError(f"socket connection broken: {error}") from error

    def _read_into(self, buffer: memoryview) -> int:
        return os.readv(self._descriptor(), [buffer])

    def is_readable(self) -> bool:
        """Whether there is something to receive, or the end of the stream; asks without waiting."""
        if self._poller is None:
            self._poller = select.poll()
            self._poller.register(self._socket.fileno(), select.POLLIN)
        return bool(self._poller.poll(0))

    def shut(self) -> None:
        """Break the connection, from any task: who waits for data reads the end of the stream."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(trio.socket.SHUT_RDWR)

    async def wait_send_all_might_not_block(self) -> None:
        """As in trio.abc.SendStream."""
        await self.stream.wait_send_all_might_not_block()

    async def aclose(self) -> None:
        """Close the socket."""
        await self.stream.aclose()

    def _descriptor(self) -> int:
        """Read each time: once this socket is closed, its number may belong to another one."""
        if (descriptor := self._socket.fileno()) < 0:
            raise trio.ClosedResourceError("this socket is closed")
        return descriptor


class ServerSocket(ClientSocket):
    """The server's end. send_s: how long the client may take for what the socket does not take at once."""

    def __init__(self, stream: trio.SocketStream, send_s: float) -> None:
        super().__init__(stream)
        self._send_s = send_s

    async def _send_rest(self, data: memoryview) -> None:
        """Raises trio.TooSlowError where the client does not take it in time."""
        with trio.fail_after(self._send_s):
            await self.stream.send_all(data)


def tcp_stream(stream: trio.abc.Stream) -> trio.SocketStream | None:
    """The TCP stream that this is, or that it wraps."""
    inner = stream.stream if isinstance(stream, ClientSocket) else stream
    return inner if isinstance(inner, trio.SocketStream) else None
