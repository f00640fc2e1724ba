"""hypercorn in our nursery: sockets that are bound first, connections that are counted, a stop that stops.

The accept loop is ours, because hypercorn's own (`hypercorn.trio.serve`) gives no hold on a connection: see
`streams.py` for why one is needed. Everything above a connection's bytes is hypercorn's `TCPServer`.
"""

from __future__ import annotations

import socket
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

import h11
import trio
import wsproto
from hypercorn.config import Config
from hypercorn.trio.tcp_server import TCPServer
from hypercorn.trio.worker_context import WorkerContext
from hypercorn.typing import ConnectionState
from hypercorn.utils import wrap_app

from dersim.errors import root_cause
from dersim.pages.streams import BoundedStream

if TYPE_CHECKING:
    from dersim.logbuffer import LogBuffer

_BROKEN = (trio.BrokenResourceError, trio.ClosedResourceError, OSError)

#: A peer that takes no byte for so long is dropped.
SEND_TIMEOUT_S = 20.0
#: How long a stop waits for requests in flight and for WebSockets to say goodbye.
GRACE_S = 0.4
MAX_CONNECTIONS = 500


class WebServer:
    """Serves one ASGI application on one socket until told to stop."""

    def __init__(self, application: Any, listening: socket.socket, log: LogBuffer) -> None:
        self._application = wrap_app(application, 0, "asgi")
        self._listening = listening
        self._log = log
        self._config = _hypercorn_config()
        self._context = WorkerContext(None)
        self._open: set[BoundedStream] = set()
        self._one_gone = trio.Event()

    def close(self) -> None:
        """Close the listening socket of a server that never served."""
        self._listening.close()

    async def serve(self, closing: Callable[[], Awaitable[None]]) -> None:
        """Serve until cancelled. `closing` is then awaited: it tells the WebSockets to say goodbye.

        Returns within GRACE_S of the cancellation, whatever the peers do.
        """
        listener = trio.SocketListener(trio.socket.from_stdlib_socket(self._listening))
        async with trio.open_nursery() as nursery:
            # A cancellation in between would leave a nursery that nothing ends.
            with trio.CancelScope(shield=True):
                connections: trio.Nursery = await nursery.start(_shielded_nursery)
            try:
                await trio.serve_listeners(self._connection, [listener], handler_nursery=connections)
            finally:
                with trio.CancelScope(shield=True):
                    await self._wind_up(connections.cancel_scope, closing)

    async def _connection(self, stream: trio.SocketStream) -> None:
        if len(self._open) >= MAX_CONNECTIONS:
            await stream.aclose()
            return
        bounded = BoundedStream(stream, SEND_TIMEOUT_S)
        self._open.add(bounded)
        # TCPServer wants an SSLStream or a SocketStream; of the latter it uses what BoundedStream has.
        server = TCPServer(self._application, self._config, self._context, ConnectionState({}), bounded)  # type: ignore[arg-type]
        try:
            await server
        # What hypercorn 0.18 lets through when a peer breaks the rules, e.g. sends bytes behind an upgrade
        # that are no frame. Left alone it would end every other connection as well.
        except* (h11.ProtocolError, wsproto.utilities.ProtocolError, *_BROKEN) as errors:
            cause = root_cause(errors)
            self._log.log("Debug", "WS", f"connection dropped: {type(cause).__name__}: {cause}")
        finally:
            self._open.discard(bounded)
            self._one_gone.set()
            await trio.aclose_forcefully(bounded)

    async def _wind_up(self, scope: trio.CancelScope, closing: Callable[[], Awaitable[None]]) -> None:
        await self._context.terminated.set()
        with trio.move_on_after(GRACE_S):
            await closing()
            while self._open:
                self._one_gone = trio.Event()
                await self._one_gone.wait()
        for stream in list(self._open):
            stream.abort()
        scope.cancel()


async def _shielded_nursery(task_status: trio.TaskStatus[trio.Nursery]) -> None:
    """A nursery that a cancellation from without does not reach: `_wind_up` ends it, not in mid-frame."""
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
