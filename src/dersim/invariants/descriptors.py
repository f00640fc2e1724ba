"""The file descriptors of this process, and which of them are connections that its servers have accepted."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import NamedTuple

_FDS = Path("/proc/self/fd")
_INTERNET = (socket.AF_INET, socket.AF_INET6)


class Descriptors(NamedTuple):
    """all: how many are open; accepted: connections to a port on which this process listens."""

    all: int
    accepted: int


def descriptors() -> Descriptors | None:
    """Count them; None where the system does not tell."""
    if not _FDS.is_dir():
        return None
    numbers = [int(each.name) for each in _FDS.iterdir()]
    ports = [port for number in numbers if (port := _port(number)) is not None]
    listening = {port.number for port in ports if port.listens}
    # Reading the folder has taken one more.
    return Descriptors(len(numbers) - 1, sum(not each.listens and each.number in listening for each in ports))


class _Port(NamedTuple):
    number: int
    listens: bool


def _port(descriptor: int) -> _Port | None:
    """The own port of a TCP socket; None of anything else, and of what was closed meanwhile."""
    try:
        sock = socket.socket(fileno=descriptor)
    except OSError:
        return None
    try:
        if sock.family not in _INTERNET or sock.type != socket.SOCK_STREAM:
            return None
        listens = bool(sock.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN))
        return _Port(sock.getsockname()[1], listens)
    except OSError:
        return None
    finally:
        sock.detach()  # it is not ours to close
