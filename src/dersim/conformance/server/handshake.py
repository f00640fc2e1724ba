"""What a TLS handshake looks like from outside: its messages are in clear up to ChangeCipherSpec."""

from __future__ import annotations

import ssl
import warnings
from collections.abc import Iterator
from typing import NamedTuple

import trio

from dersim.conformance.server.raw_http import receive
from dersim.conformance.server.target import Identity, Target
from dersim.errors import RemoteProtocolError, UtilityUnreachable

#: TLS_ECDHE_ECDSA_WITH_AES_128_CCM_8 and secp256r1, TLS 1.2.
CCM_8, SECP256R1, TLS_12 = 0xC0AE, 0x0017, 0x0303
#: The messages of RFC 5246 7.3 that a full handshake with client authentication shows.
SERVER_FLIGHT = ("ServerHello", "Certificate", "ServerKeyExchange", "CertificateRequest", "ServerHelloDone")
CLIENT_FLIGHT = ("ClientHello", "Certificate", "ClientKeyExchange", "CertificateVerify")
_NAMES = {
    1: "ClientHello", 2: "ServerHello", 11: "Certificate", 12: "ServerKeyExchange", 13: "CertificateRequest",
    14: "ServerHelloDone", 15: "CertificateVerify", 16: "ClientKeyExchange",
}  # fmt: skip
_HANDSHAKE = 22
_ANSWER_S = 10.0


class Flight(NamedTuple):
    """The messages of one side in clear. version, cipher: of ServerHello; curve: of ServerKeyExchange.

    chain: the certificates of its Certificate message, DER.
    """

    messages: tuple[str, ...] = ()
    version: int | None = None
    cipher: int | None = None
    curve: int | None = None
    chain: tuple[bytes, ...] = ()


class Tap(trio.abc.Stream):
    """A stream that keeps the first bytes of both directions."""

    KEPT = 64 * 1024

    def __init__(self, stream: trio.abc.Stream) -> None:
        self._stream = stream
        self.sent, self.received = bytearray(), bytearray()

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        """As the stream."""
        if len(self.sent) < self.KEPT:
            self.sent += data
        await self._stream.send_all(data)

    async def receive_some(self, max_bytes: int | None = None) -> bytes:
        """As the stream."""
        data = bytes(await self._stream.receive_some(max_bytes))
        if len(self.received) < self.KEPT:
            self.received += data
        return data

    async def wait_send_all_might_not_block(self) -> None:
        """As the stream."""
        await self._stream.wait_send_all_might_not_block()

    async def aclose(self) -> None:
        """As the stream."""
        await self._stream.aclose()


def flight(data: bytes) -> Flight:
    """What the bytes of one side show before they are encrypted."""
    found = Flight()
    for kind, body in _messages(data):
        name = _NAMES.get(kind)
        if name is None:
            continue
        found = found._replace(messages=(*found.messages, name))
        if name == "ServerHello" and len(body) > 35 + body[34] + 2:
            at = 35 + body[34]
            found = found._replace(version=_word(body, 0), cipher=_word(body, at))
        elif name == "ServerKeyExchange" and body[:1] == b"\x03":  # named_curve
            found = found._replace(curve=_word(body, 1))
        elif name == "Certificate":
            found = found._replace(chain=tuple(_certificates(body)))
    return found


def _messages(data: bytes) -> Iterator[tuple[int, bytes]]:
    plain, at = bytearray(), 0
    while at + 5 <= len(data) and data[at] == _HANDSHAKE:
        size = _word(data, at + 3)
        plain += data[at + 5 : at + 5 + size]
        at += 5 + size
    at = 0
    while at + 4 <= len(plain):
        size = int.from_bytes(plain[at + 1 : at + 4])
        yield plain[at], bytes(plain[at + 4 : at + 4 + size])
        at += 4 + size


def _word(data: bytes, at: int) -> int:
    return int.from_bytes(data[at : at + 2])


def _certificates(body: bytes) -> Iterator[bytes]:
    at = 3
    while at + 3 <= len(body):
        size = int.from_bytes(body[at : at + 3])
        yield body[at + 3 : at + 3 + size]
        at += 3 + size


class Tried(NamedTuple):
    """A connection of an odd client. status: of the answer to a GET of DeviceCapability; None: refused.

    said: how it ended, in words. version, cipher: of the session, None without one.
    """

    status: int | None
    said: str
    version: str | None = None
    cipher: str | None = None


async def tried(target: Target, who: Identity | None, version: ssl.TLSVersion, ciphers: str) -> Tried:
    """Connect as a client with this chain, or none, of this TLS version and these cipher suites only."""
    context = _context(who, version, ciphers)
    try:
        stream = await target.open_tcp(target.host, target.port)
    except OSError as error:
        raise UtilityUnreachable(f"{target.host}:{target.port}: {error}", "connect") from None
    encrypted = trio.SSLStream(stream, context, server_hostname=target.host, https_compatible=True)
    request = f"GET {target.path} HTTP/1.1\r\nHost: {target.host}:{target.port}\r\nConnection: close\r\n\r\n"
    try:
        with trio.move_on_after(_ANSWER_S):
            await encrypted.do_handshake()
            session = (encrypted.version(), encrypted.cipher()[0])
            await encrypted.send_all(request.encode())
            answer = await receive(encrypted)
            if answer is None:
                return Tried(None, "closed without an answer", *session)
            return Tried(answer.status, f"HTTP {answer.status}", *session)
    except ssl.SSLError as error:
        return Tried(None, f"TLS alert or error: {error.reason or error}")
    except trio.BrokenResourceError as error:
        reason = getattr(error.__cause__, "reason", None)
        return Tried(None, f"TLS alert: {reason}" if reason else "disconnected")
    except RemoteProtocolError as error:
        return Tried(None, f"no HTTP: {error}")
    finally:
        await trio.aclose_forcefully(encrypted)
    return Tried(None, "no answer")


def _context(who: Identity | None, version: ssl.TLSVersion, ciphers: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE  # the server must refuse, whatever we would do
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of TLS 1.1, which the server must refuse
        context.minimum_version = context.maximum_version = version
    if version is not ssl.TLSVersion.TLSv1_3:
        context.set_ciphers(f"{ciphers}:@SECLEVEL=0")
    if who is not None:
        context.load_cert_chain(who.cert, who.key)
    return context
