"""A web server: hypercorn's protocols on connections that we accept, count, fence and end.

The accept loop is ours. hypercorn's own (`hypercorn.trio.serve`) offers no handle on a connection;
`streams.py` says why one is needed. trio's `serve_listeners` writes a traceback to stderr ten times a second
while no file descriptor is free. Everything above a connection's bytes is hypercorn's `TCPServer`.
"""

from __future__ import annotations

import socket
from collections.abc import Awaitable, Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import h11
import trio
import wsproto
from hypercorn.config import Config
from hypercorn.events import Closed, Event, Updated
from hypercorn.trio.tcp_server import TCPServer
from hypercorn.trio.worker_context import WorkerContext
from hypercorn.typing import ConnectionState
from hypercorn.utils import wrap_app

from dersim.descriptors import Refusals, connection_limit
from dersim.errors import root_cause
from dersim.fences import Ended
from dersim.http11.messages import in_words
from dersim.pages.streams import BoundedStream

if TYPE_CHECKING:
    from dersim.fences import Fences
    from dersim.logbuffer import LogBuffer

#: A peer that takes no byte for so long is dropped.
SEND_TIMEOUT_S = 20.0
#: How long a stop waits for requests in flight and for WebSockets to close.
GRACE_S = 0.4
MAX_CONNECTIONS = 500
#: At the limit, the connection unused for longest makes room, if it is unused for so long: between requests,
#: and within one. WebSockets are pinged more often.
IDLE_S = 1.0
BUSY_S = 30.0
#: How long the accept loop waits where the system refuses a connection, e.g. without free file descriptors.
ACCEPT_PAUSE_S = 0.1

_BROKEN = (trio.BrokenResourceError, trio.ClosedResourceError, OSError)
#: What hypercorn 0.18 raises when a peer breaks the rules, e.g. sends no WebSocket frame after an upgrade, or
#: names a WebSocket subprotocol that is not ASCII.
_BROKEN_RULES = (h11.ProtocolError, wsproto.utilities.ProtocolError)
_PEERS_FAULT = (*_BROKEN_RULES, UnicodeDecodeError, *_BROKEN)


class WebServer:
    """Serves one ASGI application on one socket until told to stop."""

    def __init__(self, application: Any, listening: socket.socket, log: LogBuffer, fences: Fences) -> None:
        self._application = wrap_app(application, 0, "asgi")
        self._listening = listening
        self._log = log
        self._fences = fences
        self._config = _hypercorn_config()
        self._context = WorkerContext(None)
        self._limit = connection_limit(MAX_CONNECTIONS)
        self._open: set[BoundedStream] = set()
        self._connections: trio.Nursery
        self._one_gone = trio.Event()
        self._refusals = Refusals(lambda line: log.log("Warning", "WS", line))

    def close(self) -> None:
        """Close the listening socket of a server that never served."""
        self._listening.close()

    async def serve(self, closing: Callable[[], Awaitable[None]]) -> None:
        """Serve until cancelled. `closing` is then awaited: it closes the WebSockets.

        Returns within GRACE_S of the cancellation, whatever the peers do.
        """
        listener = trio.SocketListener(trio.socket.from_stdlib_socket(self._listening))
        async with listener, trio.open_nursery() as nursery:
            # A cancellation in between would leave a nursery that nothing ends.
            with trio.CancelScope(shield=True):
                self._connections = await nursery.start(_shielded_nursery)
            try:
                await self._accept(listener)
            finally:
                with trio.CancelScope(shield=True):
                    await self._wind_up(closing)

    async def _accept(self, listener: trio.SocketListener) -> None:
        while True:
            try:
                stream = await listener.accept()
            except OSError as error:
                self._refusals.note(error.strerror or str(error))
                self._drop_idlest()
                await trio.sleep(ACCEPT_PAUSE_S)
                continue
            if len(self._open) >= self._limit and not self._drop_idlest():
                self._refusals.note(f"{self._limit} are in use, the most allowed")
                await trio.aclose_forcefully(stream)
                continue
            bounded = BoundedStream(stream, SEND_TIMEOUT_S)
            self._open.add(bounded)
            self._connections.start_soon(self._connection, bounded)

    async def _connection(self, stream: BoundedStream) -> None:
        """Serve one connection; whatever is raised in it ends this connection alone."""
        try:
            with self._fences.around("web_connection", "WS", f"connection of {_peer_of(stream)}"):
                await self._speak(stream)
        finally:
            self._open.discard(stream)
            self._one_gone.set()
            await trio.aclose_forcefully(stream)

    async def _speak(self, stream: BoundedStream) -> None:
        context, state = self._context, ConnectionState({})
        server: Any = _Connection  # it wants a SocketStream, of which it uses what BoundedStream has
        connection = server(self._fenced, self._config, context, state, stream)
        try:
            await connection
        except* _PEERS_FAULT as errors:
            self._dropped(root_cause(errors))

    def _dropped(self, cause: BaseException) -> None:
        reason = in_words(cause) if isinstance(cause, h11.ProtocolError) else str(cause)
        self._log.log("Debug", "WS", f"connection dropped: {type(cause).__name__}: {reason}")

    async def _fenced(self, scope: Any, receive: Any, send: Any, *more: Any) -> None:
        """The application for one request or WebSocket, in a fence."""
        broken = False

        async def send_or_drop(message: Any) -> None:
            nonlocal broken
            try:
                if not broken:
                    await send(message)
            except _BROKEN_RULES as error:  # hypercorn has answered 400 already
                broken = True
                self._dropped(error)

        what = f"{scope.get('method', scope['type'])} {scope.get('path', '')}"
        ended = Ended()
        try:
            with self._fences.around("web_request", "WS", what) as ended:
                await self._application(scope, receive, send_or_drop, *more)
        finally:
            if ended.error is not None and self._fences.fail_fast:  # hypercorn would not let it out
                self._connections.start_soon(_fail, ended.error)

    def _drop_idlest(self) -> bool:
        """End the connection that is unused for longest, to make room; False if all are in use."""
        now_s = trio.current_time()
        idle = [each for each in self._open if now_s - each.last_used_s >= (BUSY_S if each.busy else IDLE_S)]
        if not idle:
            return False
        idlest = min(idle, key=lambda each: each.last_used_s)
        self._open.discard(idlest)
        idlest.abort()
        return True

    async def _wind_up(self, closing: Callable[[], Awaitable[None]]) -> None:
        await self._context.terminated.set()
        with trio.move_on_after(GRACE_S):
            await closing()
            while self._open:
                self._one_gone = trio.Event()
                await self._one_gone.wait()
        for stream in list(self._open):
            stream.abort()
        self._connections.cancel_scope.cancel()


class _Connection(TCPServer):
    """hypercorn's connection, which ends at once when the peer has closed, and speaks HTTP/1 only.

    hypercorn 0.18 keeps it for its whole keep-alive time, in CLOSE_WAIT. Its HTTP/2, which no browser asks
    for without TLS, raises KeyError for frames of streams that are closed.
    """

    stream: BoundedStream  # type: ignore[assignment]  # of an SSLStream it uses what BoundedStream has
    _peer_closed = False

    async def _read_data(self) -> None:
        http_1: Any = self.protocol.protocol
        http_1._check_protocol = partial(_refuse_others, http_1)
        await super()._read_data()
        self._peer_closed = True
        await self.idle_task.stop()

    async def protocol_send(self, event: Event) -> None:
        await super().protocol_send(event)
        if isinstance(event, Updated):
            self.stream.busy = not event.idle
            if self._peer_closed:
                await self.idle_task.stop()


async def _refuse_others(http_1: Any, request: h11.Request) -> None:
    """What hypercorn calls for each request, to change to HTTP/2. An offered upgrade may be ignored."""
    if request.http_version not in {b"1.0", b"1.1"}:
        await http_1._send_error_response(505)
        await http_1.send(Closed())
        raise h11.RemoteProtocolError("another version than HTTP/1.1")


def _peer_of(stream: BoundedStream) -> str:
    try:
        host, port = stream.socket.getpeername()[:2]
    except OSError:
        return "a client that is gone"
    return f"{host}:{port}"


async def _fail(error: BaseException) -> None:
    raise error


async def _shielded_nursery(task_status: trio.TaskStatus[trio.Nursery]) -> None:
    """A nursery that an outer cancellation does not reach: `_wind_up` ends it, not in mid-frame."""
    async with trio.open_nursery() as nursery:
        nursery.cancel_scope.shield = True
        task_status.started(nursery)
        await trio.sleep_forever()


def _hypercorn_config() -> Config:
    config = Config()
    config.include_server_header = False
    config.accesslog = None
    config.errorlog = None
    config.h11_max_incomplete_size = 32 * 1024
    config.keep_alive_timeout = 30
    config.read_timeout = None
    config.graceful_timeout = GRACE_S
    config.websocket_max_message_size = 16 * 1024
    config.websocket_ping_interval = 20
    return config
