"""A network of memory streams between one server and its clients, for runs in virtual time."""

from __future__ import annotations

import trio.testing


class MemoryNet(trio.abc.Listener[trio.abc.Stream]):
    """The server listens on it; `open_tcp` is the clients' way in, whatever host and port they ask for."""

    def __init__(self) -> None:
        self._send, self._receive = trio.open_memory_channel[trio.abc.Stream](100)

    async def open_tcp(self, _host: str, _port: int) -> trio.abc.Stream:
        """The client's end of a new connection; OSError where nobody listens any more."""
        ours, theirs = trio.testing.memory_stream_pair()
        try:
            await self._send.send(theirs)
        except trio.BrokenResourceError:
            raise ConnectionRefusedError("nobody listens") from None
        return ours

    async def accept(self) -> trio.abc.Stream:
        """The server's end of the next one."""
        return await self._receive.receive()

    async def aclose(self) -> None:
        """No more connections."""
        await self._receive.aclose()
