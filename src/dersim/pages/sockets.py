"""Listening sockets, opened before anything runs."""

from __future__ import annotations

import errno
import socket

from dersim.errors import ConfigError


def bind_socket(flag: str, host: str, port: int) -> socket.socket:
    """A listening TCP socket; ConfigError names the flag where address or port cannot be used."""
    try:
        family, _, _, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        return socket.create_server(address[:2], family=family, backlog=128)
    except (OSError, OverflowError) as error:
        code = error.errno if isinstance(error, OSError) else None
        if code == errno.EADDRINUSE:
            raise ConfigError(
                f"{flag}: port {port} on {host} is in use; stop the other program or choose another "
                f"port (0 picks a free one)"
            ) from None
        raise ConfigError(f"{flag}: cannot listen on {host} port {port}: {error}") from None


def url_of(listening: socket.socket) -> str:
    """`http://127.0.0.1:8111`, as a browser on this machine would write it."""
    host, port = listening.getsockname()[:2]
    if host in ("0.0.0.0", "::"):  # noqa: S104 - compared, not bound
        host = "127.0.0.1" if host == "0.0.0.0" else "::1"  # noqa: S104 - compared, not bound
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
