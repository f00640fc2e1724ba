"""Listening sockets: opened before anything runs, so that a busy port ends the program with one line."""

from __future__ import annotations

import errno
import socket
from collections.abc import Sequence

import trio

from dersim.errors import ConfigError

_BACKLOG = 1024


async def bind(host: str, port: int, *, flag: str = "") -> list[trio.SocketListener]:
    """Listen on every address of `host`; port 0 picks a free one, the same for all addresses.

    flag: the option that sets the port, for the message. ConfigError if the port is busy or not permitted.
    """
    where = f"{flag} {host}:{port}".lstrip()
    if not 0 <= port <= 65535:  # getaddrinfo would take it modulo 65536
        raise ConfigError(f"{where}: cannot listen: a port is 0 to 65535")
    try:
        listeners = await trio.open_tcp_listeners(port, host=host, backlog=_BACKLOG)
        if port == 0 and len(listeners) > 1:
            return await _on_one_port(listeners)
    except socket.gaierror as error:
        raise ConfigError(
            f"{where}: cannot listen: no such host ({error.strerror}); name a local one"
        ) from None
    except OSError as error:
        raise ConfigError(f"{where}: cannot listen: {_reason(error)}") from None
    return listeners


def address(listeners: Sequence[trio.SocketListener]) -> tuple[str, int]:
    """Host and port of the first listener, after `bind`."""
    host, port = listeners[0].socket.getsockname()[:2]
    return str(host), int(port)


async def _on_one_port(listeners: list[trio.SocketListener]) -> list[trio.SocketListener]:
    """The addresses got different free ports: keep one of them, IPv4 if possible."""
    kept = next((one for one in listeners if one.socket.family == socket.AF_INET), listeners[0])
    for listener in listeners:
        if listener is not kept:
            await listener.aclose()
    return [kept]


def _reason(error: OSError) -> str:
    match error.errno:
        case errno.EADDRINUSE:
            return "the port is busy; stop what listens there or give another port"
        case errno.EACCES:
            return "not allowed; ports below 1024 need rights, give another port"
        case errno.EADDRNOTAVAIL:
            return "the address is not one of this machine; give a local one"
        case _:
            return (error.strerror or str(error)).lower()
