"""An HTTP/1.1 server that shows its handler the client's certificate.

A 2030.5 server needs the client's LFDI, a hash of its certificate, for every request; ASGI servers do not
pass the certificate on. And one bad client must not stop the server:

* deadlines for the TLS handshake, the whole head, the whole body and the whole response: a client that
  drips one byte a second keeps its connection no longer than one that is silent;
* limits on sizes, and on the number of connections, fewer where file descriptors are few. A new client at
  the limit takes the place of the one that has been idle longest. Otherwise an idle connection is closed
  after `idle_s`;
* an unexpected exception, of the handler or of the connection itself, ends that connection alone: it goes
  to `on_error`, after the client has got its 500.

A client whose certificate chain 2030.5 refuses gets a 403 that says why, and never reaches the handler. One
that speaks plain HTTP to a TLS port gets a 301 to https.

Cancelling `serve` stops it: listening ends, idle connections close at once, requests under way have
`grace_s`.
"""

from __future__ import annotations

import errno
from collections.abc import Callable, Sequence
from typing import Any

import trio

from dersim.descriptors import Refusals, connection_limit
from dersim.errors import CertificateError
from dersim.floods import Flood
from dersim.http11.messages import DEFAULT_LIMITS, Handler, Limits
from dersim.http11.plain import Begun, is_plain, to_tls
from dersim.http11.raw import Raw, play
from dersim.http11.server_connection import ServerConnection
from dersim.http11.sockets import ServerSocket
from dersim.receiving import SHORT_READ_BYTES
from dersim.tls import ChainRefused, ServerContext, server_handshake
from dersim.tls.stream import TlsStream

Log = Callable[[str], None]
OnError = Callable[[Exception, str], None]
#: Asked for each connection: bytes instead of a TLS handshake, another context for it, or None.
Gate = Callable[[], Raw | ServerContext | None]
#: Told of each TLS handshake that succeeded.
OnHandshake = Callable[[TlsStream], None]

# Out of file descriptors or memory: wait for connections to close. (What goes wrong with the one connection
# that is being accepted, trio's listener skips by itself.)
_SHORT_OF = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})
_RETRY_ACCEPT_S = 0.1


async def serve(
    handler: Handler,
    listeners: Sequence[trio.abc.Listener[Any]],
    *,
    tls: ServerContext | None = None,
    limits: Limits = DEFAULT_LIMITS,
    log: Log | None = None,
    on_error: OnError | None = None,
    gate: Gate | None = None,
    on_handshake: OnHandshake | None = None,
) -> None:
    """Serve until cancelled; closes the listeners.

    handler: answers a request with a response, whatever the method; an exception out of it is answered 500.
    log: gets a line for a connection that was refused or ended early, few a minute. on_error: gets every
    unexpected exception of a connection, and the client's address; what it raises ends the server, as does
    every such exception without it. gate: asked for each connection. on_handshake: told of each that
    succeeded.
    """
    server = _Server(handler, tls, limits, log, on_error, gate, on_handshake)
    async with trio.open_nursery() as nursery:
        connections = await nursery.start(server.hold_connections)
        try:
            async with trio.open_nursery() as accepting:
                for listener in listeners:
                    accepting.start_soon(server.accept, listener, connections)
        finally:
            server.stop()


class _Server:
    """What the connections of one `serve` share."""

    def __init__(
        self,
        handler: Handler,
        tls: ServerContext | None,
        limits: Limits,
        log: Log | None,
        on_error: OnError | None,
        gate: Gate | None,
        on_handshake: OnHandshake | None,
    ) -> None:
        self.handler = handler
        self.limits = limits
        self.is_stopping = False
        self._tls = tls
        self._flood = None if log is None else Flood(log)
        self._on_error = on_error
        self._gate = gate
        self._on_handshake = on_handshake
        self._slots = trio.Semaphore(connection_limit(limits.connections))
        self._refusals = Refusals(self.log)
        self._idle: dict[int, trio.CancelScope] = {}
        self._stopped = trio.Event()
        self._life = trio.CancelScope(shield=True)

    async def hold_connections(self, task_status: trio.TaskStatus[trio.Nursery]) -> None:
        """Hold the connections' tasks, shielded: a stop lets requests under way finish."""
        # Cancelled before any connection exists: inside the shield that would go unnoticed.
        await trio.lowlevel.checkpoint_if_cancelled()
        with self._life:
            async with trio.open_nursery() as nursery:
                task_status.started(nursery)
                await self._stopped.wait()

    def stop(self) -> None:
        """Close idle connections; requests under way get `grace_s`."""
        self.is_stopping = True
        self._life.deadline = trio.current_time() + self.limits.grace_s
        self._stopped.set()
        for scope in self._idle.values():
            scope.cancel()

    async def accept(self, listener: trio.abc.Listener[Any], nursery: trio.Nursery) -> None:
        """Accept connections of one listener, up to the limit."""
        async with listener:
            while True:
                try:
                    stream = await listener.accept()
                except OSError as error:
                    if error.errno not in _SHORT_OF:
                        raise
                    self._refusals.note(error.strerror or str(error))
                    self._end_longest_idle()
                    await trio.sleep(_RETRY_ACCEPT_S)
                    continue
                await self._make_room(stream)
                nursery.start_soon(self._connection, stream)

    async def _make_room(self, stream: trio.abc.Stream) -> None:
        """Take a slot for `stream`, from the connection that has been idle longest if need be."""
        try:
            self._slots.acquire_nowait()
        except trio.WouldBlock:
            self._end_longest_idle()
            try:
                await self._slots.acquire()
            except trio.Cancelled:
                await trio.aclose_forcefully(stream)
                raise

    def _end_longest_idle(self) -> None:
        if self._idle:
            self._idle.pop(next(iter(self._idle))).cancel()

    async def _connection(self, transport: trio.abc.Stream) -> None:
        peer = _peer(transport)
        if isinstance(transport, trio.SocketStream):
            transport = ServerSocket(transport, self.limits.send_s)
        try:
            stream, refusal = await self._secured(transport, peer)
            if stream is not None:
                connection = ServerConnection(stream, peer, self.handler, self.limits, self, refusal=refusal)
                await connection.run()
        except Exception as error:  # the fence of one connection: on_error logs and counts it
            if self._on_error is None:
                raise
            self._on_error(error, peer)
        finally:
            self._slots.release()
            await trio.aclose_forcefully(transport)

    async def _secured(self, transport: trio.abc.Stream, peer: str) -> tuple[trio.abc.Stream | None, str]:
        """The stream for HTTP, None if the TLS handshake failed; and why the client's chain is refused."""
        planted = None if self._gate is None else self._gate()
        if isinstance(planted, Raw):
            await self._play(transport, planted)
            return None, ""
        if self._tls is None:
            return transport, ""
        try:
            with trio.fail_after(self.limits.handshake_s):
                first = bytes(await transport.receive_some(SHORT_READ_BYTES))
                if not is_plain(first):
                    return self._noted(await server_handshake(transport, planted or self._tls, first)), ""
            await self._send_to_tls(Begun(transport, first), peer)
        except ChainRefused as error:
            self.log(f"{peer}: TLS refused: {error}")
            return error.stream, str(error)
        except CertificateError as error:
            self.log(f"{peer}: TLS refused: {error}")
        except trio.TooSlowError:
            self.log(f"{peer}: no TLS handshake within {self.limits.handshake_s:g} s")
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            self.log(f"{peer}: the connection broke during the TLS handshake")
        return None, ""

    def _noted(self, stream: TlsStream) -> TlsStream:
        if self._on_handshake is not None:
            self._on_handshake(stream)
        return stream

    async def _play(self, transport: trio.abc.Stream, raw: Raw) -> None:
        """Let the client begin, then send bytes instead of a handshake; a stop ends it at once."""
        with trio.CancelScope() as scope:
            self.is_idle(id(scope), scope)
            try:
                with trio.fail_after(self.limits.handshake_s):
                    await transport.receive_some(SHORT_READ_BYTES)
                await play(transport, raw, self.limits.send_s)
            except (trio.TooSlowError, trio.BrokenResourceError, trio.ClosedResourceError):
                return
            finally:
                self.is_busy(id(scope))

    async def _send_to_tls(self, stream: trio.abc.Stream, peer: str) -> None:
        self.log(f"{peer}: plain HTTP on the TLS port; redirected to https")
        await ServerConnection(stream, peer, to_tls, self.limits, self).run()

    def log(self, line: str) -> None:
        """Log why a connection was ended early."""
        if self._flood is not None:
            self._flood.line(line)

    def is_idle(self, key: int, scope: trio.CancelScope) -> None:
        """A connection waits for its next request; cancelling `scope` closes it."""
        if self.is_stopping:
            scope.cancel()
        self._idle[key] = scope

    def is_busy(self, key: int) -> None:
        """That connection has a request, or has ended."""
        self._idle.pop(key, None)


def _peer(transport: trio.abc.Stream) -> str:
    if isinstance(transport, trio.SocketStream):
        try:
            host, port = transport.socket.getpeername()[:2]
        except OSError:
            return "(gone)"
        return f"{host}:{port}"
    return "(memory)"
