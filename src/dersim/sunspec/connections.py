"""The connections of one listener: accepted, limited in number, each served by a task of its own.

A plain connection works on the bare socket and waits with trio only when there is nothing to read: most of
the time of a request is spent in the scheduler, and this way it runs once per request instead of three times.

Limits: the number of connections, fewer where file descriptors are few (one more closes the connection that
has been idle longest, so that forgotten sockets cannot lock everyone out), the time for a whole message, the
time to take an answer. An idle connection may stay open for ever: pollers do that.
"""

from __future__ import annotations

import errno
import socket
import ssl
from collections.abc import Callable
from typing import NamedTuple

import trio

from dersim.descriptors import Refusals, connection_limit
from dersim.errors import RemoteProtocolError
from dersim.fences import Fences
from dersim.floods import Flood
from dersim.saved_states import Barrier
from dersim.sunspec.mbap import Stream
from dersim.tls.reasons import explain

_CHUNK = 8192
_FULL = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)

#: How long the accept loop waits without free file descriptors.
_ACCEPT_PAUSE_S = 0.1

#: Tells (level, message).
Say = Callable[[str, str], None]


class Limits(NamedTuple):
    """connections: at once. message_s, answer_s, handshake_s: seconds to complete each of them."""

    connections: int = 256
    message_s: float = 10.0
    answer_s: float = 10.0
    handshake_s: float = 10.0


class _Connection:
    """One connection: the peer, the number of its last request, and the scope that ends it."""

    def __init__(self, peer: str) -> None:
        self.peer = peer
        self.last = 0
        self.scope = trio.CancelScope()


class Connections:
    """Serves a listener's connections; an unexpected error in one of them ends that connection only.

    open_stream: a `Stream` for a peer and its certificate (None: no TLS). device: number for the log.
    to_save: what to wait for before the answers to the last message go out, None: nothing.
    """

    def __init__(
        self,
        open_stream: Callable[[str, bytes | None], Stream],
        say: Say,
        *,
        fences: Fences,
        device: int = 0,
        tls: ssl.SSLContext | None = None,
        limits: Limits | None = None,
        to_save: Callable[[], Barrier | None] = lambda: None,
    ) -> None:
        self._open_stream = open_stream
        self._say = say
        self._fences = fences
        self._device = device
        self._tls = tls
        self._to_save = to_save
        limits = limits or Limits()
        self._limits = limits._replace(connections=connection_limit(limits.connections))
        self._refusals = Refusals(lambda line: say("Error", line))
        self._ended = Flood(lambda line: say("Warning", line))
        self._closed = Flood(lambda line: say("Info", line))
        self._open: set[_Connection] = set()
        self._requests = 0

    def __len__(self) -> int:
        return len(self._open)

    async def accept(self, listener: trio.SocketListener) -> None:
        """Accept and serve until cancelled."""
        async with trio.open_nursery() as nursery:
            while True:
                try:
                    stream = await listener.accept()
                except OSError as error:
                    if error.errno not in _FULL:
                        raise
                    self._refusals.note(error.strerror or str(error))
                    self._close_idlest()
                    await trio.sleep(_ACCEPT_PAUSE_S)
                    continue
                if len(self._open) >= self._limits.connections:
                    self._close_idlest()
                nursery.start_soon(self._serve, stream)

    def _close_idlest(self) -> None:
        if not self._open:
            return
        idlest = min(self._open, key=lambda each: each.last)
        idlest.scope.cancel()
        self._open.discard(idlest)
        self._closed.line(f"{idlest.peer}: closed, the longest idle of {len(self._open) + 1}")

    async def _serve(self, stream: trio.SocketStream) -> None:
        connection = _Connection(_peer(stream))
        self._requests += 1
        connection.last = self._requests
        self._open.add(connection)
        what = f"Modbus connection of {connection.peer}"
        try:
            with connection.scope, self._fences.around("modbus_connection", "Modbus", what, self._device):
                await self._serve_until_closed(stream, connection)
        finally:
            self._open.discard(connection)
            await trio.aclose_forcefully(stream)

    async def _serve_until_closed(self, stream: trio.SocketStream, connection: _Connection) -> None:
        try:
            if self._tls is None:
                await self._serve_plain(stream, connection)
            else:
                await self._serve_tls(stream, connection, self._tls)
        except RemoteProtocolError as error:
            self._ended.line(f"{connection.peer}: {error}; connection closed")
        except trio.TooSlowError:
            self._ended.line(f"{connection.peer}: too slow in mid-message; connection closed")
        except (trio.BrokenResourceError, trio.ClosedResourceError, OSError) as error:
            self._say("Debug", f"{connection.peer}: connection lost: {str(error) or type(error).__name__}")

    async def _serve_plain(self, stream: trio.SocketStream, connection: _Connection) -> None:
        messages = self._open_stream(connection.peer, None)
        owner = stream.socket
        bare = socket.socket(owner.family, owner.type, owner.proto, fileno=owner.detach())
        try:
            bare.setblocking(False)
            await self._exchange(bare, messages, connection)
        finally:
            trio.lowlevel.notify_closing(bare)
            bare.close()

    async def _exchange(self, bare: socket.socket, messages: Stream, connection: _Connection) -> None:
        receive, wait = bare.recv, trio.lowlevel.wait_readable
        while True:
            try:
                data = receive(_CHUNK)
            except BlockingIOError:
                if messages.pending:
                    with trio.fail_after(self._limits.message_s):
                        await wait(bare)
                else:
                    await wait(bare)
                continue
            if not data:
                return
            answers = messages.receive(data)
            self._requests += 1
            connection.last = self._requests
            if not answers:
                continue
            if (saved := self._to_save()) is not None:
                await saved()
            try:
                sent = bare.send(answers)
            except BlockingIOError:
                sent = 0
            if sent < len(answers):
                await self._send_rest(bare, answers[sent:])
            elif len(data) == _CHUNK:
                await trio.lowlevel.checkpoint()  # this peer keeps sending: let the others have their turn

    async def _send_rest(self, bare: socket.socket, rest: bytes) -> None:
        with trio.fail_after(self._limits.answer_s):
            while rest:
                await trio.lowlevel.wait_writable(bare)
                try:
                    rest = rest[bare.send(rest) :]
                except BlockingIOError:
                    continue

    async def _serve_tls(
        self, stream: trio.SocketStream, connection: _Connection, context: ssl.SSLContext
    ) -> None:
        secure = trio.SSLStream(stream, context, server_side=True, https_compatible=True)
        try:
            with trio.fail_after(self._limits.handshake_s):
                await secure.do_handshake()
        except trio.TooSlowError:
            self._ended.line(f"{connection.peer}: no TLS handshake within {self._limits.handshake_s:g} s")
            return
        except trio.BrokenResourceError as error:
            cause = error.__cause__
            why = explain(cause) if isinstance(cause, ssl.SSLError) else "the connection broke"
            self._ended.line(f"{connection.peer}: TLS handshake failed: {why}")
            return
        messages = self._open_stream(connection.peer, secure.getpeercert(binary_form=True) or b"")
        while True:
            deadline = self._limits.message_s if messages.pending else float("inf")
            with trio.fail_after(deadline):
                data = await secure.receive_some(_CHUNK)
            if not data:
                return
            answers = messages.receive(bytes(data))
            self._requests += 1
            connection.last = self._requests
            if answers:
                if (saved := self._to_save()) is not None:
                    await saved()
                with trio.fail_after(self._limits.answer_s):
                    await secure.send_all(answers)


def _peer(stream: trio.SocketStream) -> str:
    try:
        name = stream.socket.getpeername()
    except OSError:
        return "a client that is gone"
    return f"{name[0]}:{name[1]}" if isinstance(name, tuple) else str(name)
