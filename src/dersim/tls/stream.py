"""A TLS stream for use by one task at a time.

trio.SSLStream lets one task write while another reads. For that it takes a lock for every record in either
direction, and each lock costs a turn of the event loop with a system call: four for a request and its
response, where only the wait for the answer needs one. An HTTP/1.1 connection has one task that writes and
then reads, so bytes go straight from OpenSSL's memory to the transport.

An exception or a cancellation leaves the stream in an unknown state: close it. `aclose` is abrupt;
`send_close_notify` tells the peer first that no more data follows (RFC 5246 7.2.1).
"""

from __future__ import annotations

import contextlib
import ssl
from collections.abc import Callable
from typing import Any, Protocol, TypeVar

import trio

from dersim.receiving import SHORT_READ_BYTES, receive

T = TypeVar("T")

#: What OpenSSL is given at once: its buffers keep the largest size that they ever had.
_PIECE_BYTES = 2048
#: From this length on, longer pieces: the longest TLS records.
_LONG_BYTES = 16384
#: The type of a TLS record in its first byte.
_HANDSHAKE = 22
_NOTHING = memoryview(b"")


class Wrapping(Protocol):
    """The part of an SSLContext that a stream needs."""

    def wrap_bio(
        self,
        incoming: ssl.MemoryBIO,
        outgoing: ssl.MemoryBIO,
        server_side: bool = False,
        server_hostname: str | None = None,
        session: ssl.SSLSession | None = None,
        /,
    ) -> ssl.SSLObject:
        """A connection over two buffers."""
        ...


class Client(Protocol):
    """What a connection needs of its `ClientContext`, see there."""

    def keep_session(self, endpoint: str, connection: ssl.SSLObject, /) -> None:
        """Keep the session of a connection."""
        ...

    def connection_ends(self, connection: ssl.SSLObject, /) -> None:
        """The connection is closed next."""
        ...

    def take_pair(self, connection: ssl.SSLObject, /) -> None:
        """Take certificate and key out of a connection."""
        ...

    def give_pair(self, connection: ssl.SSLObject, /) -> None:
        """Put them in again."""
        ...


class TlsStream(trio.abc.Stream):
    """An encrypted stream over `transport`. The caller calls `do_handshake` first.

    server_hostname: of the peer, on the client's side. session: to resume. fill_bytes: the most that one
    read of the transport asks for.
    """

    def __init__(
        self,
        transport: trio.abc.Stream,
        context: Wrapping,
        *,
        server_side: bool = False,
        server_hostname: str | None = None,
        session: ssl.SSLSession | None = None,
        fill_bytes: int = SHORT_READ_BYTES,
    ) -> None:
        self.transport = transport
        self._fill_bytes = fill_bytes
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._object = context.wrap_bio(self._incoming, self._outgoing, server_side, server_hostname, session)
        self._client: Client | None = None
        self._rests = False
        self._unfed = _NOTHING

    def rest(self, client: Client, endpoint: str) -> None:
        """After a good handshake: keep the session, and hold no pair unless the server renegotiates."""
        client.keep_session(endpoint, self._object)
        client.take_pair(self._object)
        self._client, self._rests = client, True

    def feed(self, data: bytes) -> None:
        """Bytes that were read of the transport before, ahead of all others."""
        self._incoming.write(data)

    async def do_handshake(self) -> None:
        """Raises ssl.SSLError if TLS fails, trio.BrokenResourceError if the transport does."""
        await self._drive(self._object.do_handshake)

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        """Encrypt and send all of `data`."""
        if not data:
            return
        if len(data) <= _PIECE_BYTES:
            encrypted = await self._encrypted(data)
        else:
            view = memoryview(data)
            size = _PIECE_BYTES if len(view) < _LONG_BYTES else _LONG_BYTES
            pieces = [await self._encrypted(view[at : at + size]) for at in range(0, len(view), size)]
            encrypted = b"".join(pieces)
        if encrypted:
            await self.transport.send_all(encrypted)

    async def _encrypted(self, data: bytes | bytearray | memoryview) -> bytes:
        try:
            try:
                self._object.write(data)
            except ssl.SSLWantReadError:  # the peer renegotiates
                await self._drive(self._object.write, data)
        except ssl.SSLError as error:
            raise trio.BrokenResourceError(str(error)) from error
        return self._outgoing.read()

    async def receive_some(self, max_bytes: int | None = None) -> bytes:
        """Decrypted data, at most `max_bytes`; b"" at the end, with or without close_notify."""
        try:
            if not (self._incoming.pending or self._incoming.eof or self._object.pending()):
                await self._fill()  # avoids a read in vain, which costs an exception
            try:
                data = receive(self._read_into, max_bytes)
            except ssl.SSLWantReadError:
                data = await self._drive(receive, self._read_into, max_bytes)
        except ssl.SSLError as error:
            if isinstance(error, ssl.SSLEOFError | ssl.SSLZeroReturnError) or _is_eof(error):
                return b""
            raise trio.BrokenResourceError(str(error)) from error
        if self._outgoing.pending:
            await self._flush()
        return data

    async def wait_send_all_might_not_block(self) -> None:
        """As in trio.abc.SendStream."""
        await self.transport.wait_send_all_might_not_block()

    async def send_close_notify(self) -> None:
        """Tell the peer that nothing more follows; does not wait for its close_notify."""
        with contextlib.suppress(ssl.SSLError):  # it has not sent its own yet, or has broken the connection
            self._object.unwrap()
        await self._flush()

    async def aclose(self) -> None:
        """Close the transport."""
        client, self._client = self._client, None
        if client is not None:
            client.connection_ends(self._object)
        await self.transport.aclose()

    async def _drive(self, step: Callable[..., T], *arguments: Any) -> T:
        """Run one OpenSSL call; whenever it needs data from the peer, receive some and run it again."""
        while True:
            try:
                result = step(*arguments)
            except ssl.SSLWantReadError:
                await self._flush()
                await self._fill()
            else:
                await self._flush()
                return result

    def _read_into(self, buffer: memoryview) -> int:
        # With a buffer it returns the number of bytes, which typeshed does not know.
        return int(self._object.read(len(buffer), buffer))

    async def _flush(self) -> None:
        if self._outgoing.pending:
            data = self._outgoing.read()
            if self._rests and self._client is not None and data[0] == _HANDSHAKE:
                self._rests = False
                self._client.give_pair(self._object)
            await self.transport.send_all(data)

    async def _fill(self) -> None:
        data = self._unfed or await self.transport.receive_some(self._fill_bytes)
        if len(data) > _PIECE_BYTES:
            data = memoryview(data)
            data, self._unfed = data[:_PIECE_BYTES], data[_PIECE_BYTES:]
        else:
            self._unfed = _NOTHING
        if data:
            self._incoming.write(data)
        else:
            self._incoming.write_eof()

    # Properties of the connection after the handshake, as in ssl.SSLObject.

    @property
    def refusal(self) -> str:
        """On a server: why 2030.5 refuses the client's chain, "" if it does not."""
        return str(getattr(self._object, "refusal", ""))

    @property
    def session_reused(self) -> bool:
        """Whether this connection has resumed a session."""
        return bool(self._object.session_reused)

    def getpeercert(self, binary_form: bool = False) -> Any:
        """The peer's own certificate, DER if `binary_form`; None where it sent none."""
        return self._object.getpeercert(binary_form)

    def peer_chain(self) -> tuple[bytes, ...]:
        """The peer's chain as it was verified, DER, its own certificate first.

        Of a resumed session the own certificate alone is known.
        """
        own = self.getpeercert(binary_form=True)
        if own is None or self.session_reused:
            return () if own is None else (own,)
        return tuple(getattr(self._object, "verified_chain", tuple)())

    def version(self) -> str | None:
        """The protocol's version."""
        return self._object.version()

    def cipher(self) -> tuple[str, str, int] | None:
        """The cipher suite's name, the protocol that defines it, and its secret bits."""
        return self._object.cipher()

    def pending(self) -> int:
        """Bytes that came and are not yet received: decrypted ones, and those that are to be decrypted."""
        return self._object.pending() + len(self._unfed)


def _is_eof(error: ssl.SSLError) -> bool:
    return error.reason == "UNEXPECTED_EOF_WHILE_READING"
