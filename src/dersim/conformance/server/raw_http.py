"""Requests as bytes, right or wrong, each on a connection of its own."""

from __future__ import annotations

import h11
import trio

from dersim.errors import RemoteProtocolError
from dersim.http11 import Endpoint, Response
from dersim.http11.messages import decoded, in_words

ANSWER_S = 10.0
_MOST_BYTES = 1024 * 1024


async def ask(endpoint: Endpoint, data: bytes) -> Response | None:
    """Send the bytes and read one response; None where the server closes or is silent for ten seconds.

    UtilityUnreachable where there is no connection.
    """
    stream = await endpoint.open()
    try:
        with trio.move_on_after(ANSWER_S):
            await stream.send_all(data)
            return await receive(stream)
    except (trio.BrokenResourceError, trio.ClosedResourceError, RemoteProtocolError):
        return None
    finally:
        await trio.aclose_forcefully(stream)
    return None


async def receive(stream: trio.abc.Stream) -> Response | None:
    """The response to a GET; None at the end of the stream. RemoteProtocolError for what is not HTTP."""
    wire = h11.Connection(h11.CLIENT)
    wire.send(h11.Request(method="GET", target="/", headers=[("Host", "server")]))
    wire.send(h11.EndOfMessage())
    head: h11.Response | None = None
    body = bytearray()
    while len(body) < _MOST_BYTES:
        try:
            event = wire.next_event()
        except h11.RemoteProtocolError as error:
            raise RemoteProtocolError(in_words(error)) from None
        if event is h11.NEED_DATA:
            wire.receive_data(bytes(await stream.receive_some(65536)))
        elif isinstance(event, h11.Response):
            head = event
        elif isinstance(event, h11.Data):
            body += event.data
        elif isinstance(event, h11.EndOfMessage | h11.ConnectionClosed) or event is h11.PAUSED:
            break
    return None if head is None else Response(head.status_code, decoded(head.headers), bytes(body))
