"""What a server sends instead of a response: bytes that HTTP does not allow, silence, a reset connection.

A handler returns a `Raw` instead of a `Response`, and the gate of `serve` one instead of the TLS handshake.
"""

from __future__ import annotations

import contextlib
import math
import socket
import struct
from collections.abc import Iterable
from typing import NamedTuple

import trio

from dersim.http11.sockets import tcp_stream
from dersim.receiving import SHORT_READ_BYTES
from dersim.tls.stream import TlsStream

#: SO_LINGER on, 0 s: closing sends RST instead of FIN.
_NO_LINGER = struct.pack("ii", 1, 0)
_GONE = (trio.BrokenResourceError, trio.ClosedResourceError)


class Raw(NamedTuple):
    """Bytes instead of a response; the connection is closed after them.

    steps: bytes to send, and the seconds to wait after them; a wait ends when the client closes. reset: close
    with RST, where the transport is a TCP socket.
    """

    steps: Iterable[tuple[bytes, float]]
    reset: bool = False


#: No answer at all, until the client closes.
SILENCE = Raw(((b"", math.inf),))


async def play(stream: trio.abc.Stream, raw: Raw, send_s: float) -> None:
    """Send the steps and close. send_s: how long the client may take to receive the bytes of one step."""
    with contextlib.suppress(*_GONE, trio.TooSlowError):
        for data, wait_s in raw.steps:
            with trio.fail_after(send_s):
                await stream.send_all(data)
            if wait_s and await _closed_within(stream, wait_s):
                break
    transport = stream.transport if isinstance(stream, TlsStream) else stream
    if raw.reset and (tcp := tcp_stream(transport)) is not None:
        tcp.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
    await trio.aclose_forcefully(stream)


async def _closed_within(stream: trio.abc.Stream, seconds: float) -> bool:
    with trio.move_on_after(seconds):
        while await stream.receive_some(SHORT_READ_BYTES):
            pass
        return True
    return False
