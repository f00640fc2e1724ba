"""The TLS handshake on a connected stream, for client and server."""

from __future__ import annotations

import ssl

import trio

from dersim.errors import CertificateError
from dersim.receiving import RECEIVE_BYTES
from dersim.tls.client import ClientContext
from dersim.tls.context import HandshakeFailure, ServerContext
from dersim.tls.stream import TlsStream

Stream = trio.abc.Stream


class ChainRefused(CertificateError):  # noqa: N818 - says what happened
    """The client's chain is refused after a completed handshake; `stream` is for telling it why."""

    def __init__(self, why: str, stream: TlsStream) -> None:
        super().__init__(why)
        self.stream = stream


async def client_handshake(
    transport: Stream, context: ClientContext, host: str, *, endpoint: str
) -> TlsStream:
    """Encrypt `transport` as the client; `endpoint` ("host:port") names the session to resume.

    Raises CertificateError (one line) if TLS fails, trio.BrokenResourceError if the peer disconnects.
    The caller sets the deadline and closes `transport` on any exception.
    """
    session = context.session(endpoint)
    stream = TlsStream(transport, context, server_hostname=host, session=session, fill_bytes=RECEIVE_BYTES)
    try:
        await _shake(stream, transport)
    except BaseException:
        context.forget_session(endpoint)
        raise
    stream.rest(context, endpoint)
    return stream


async def server_handshake(transport: Stream, context: ServerContext, first: bytes = b"") -> TlsStream:
    """Encrypt `transport` as the server. Exceptions as for `client_handshake`, and ChainRefused.

    first: what has been read of `transport` already.
    """
    stream = TlsStream(transport, context, server_side=True)
    stream.feed(first)
    await _shake(stream, transport)
    if stream.refusal:
        raise ChainRefused(stream.refusal, stream)
    return stream


def peer_certificate(stream: Stream) -> bytes | None:
    """The peer's certificate (DER) of a stream after its handshake; None on a plain stream."""
    if isinstance(stream, TlsStream):
        certificate: bytes | None = stream.getpeercert(binary_form=True)
        return certificate
    return None


async def _shake(stream: TlsStream, transport: Stream) -> None:
    try:
        await stream.do_handshake()
    except HandshakeFailure as failure:
        await _send_alert(transport, failure.alert)
        raise CertificateError(failure.why) from failure
    except ssl.CertificateError as error:  # a host name that does not match, on some builds
        raise CertificateError(str(error)) from error


async def _send_alert(transport: Stream, alert: bytes) -> None:
    """Send the alert within a second; ignore a peer that has disconnected."""
    if not alert:
        return
    with trio.move_on_after(1):
        try:
            await transport.send_all(alert)
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            return
