"""Where a client connects to: host, port and TLS, with the phase in which connecting failed."""

from __future__ import annotations

import ipaddress
import os
import socket
from collections.abc import Awaitable, Callable
from typing import Any

import trio

from dersim.descriptors import is_out_of_descriptors
from dersim.errors import CertificateError, UtilityUnreachable
from dersim.http11.connection import Connection, Phase
from dersim.http11.sockets import ClientSocket
from dersim.tls import ClientContext, client_handshake

OpenTcp = Callable[[str, int], Awaitable[trio.abc.Stream]]
Wrap = Callable[[trio.abc.Stream], trio.abc.Stream]


async def open_tcp(host: str, port: int) -> trio.abc.Stream:
    """A TCP connection; if a name has several addresses, to the first that answers (RFC 8305)."""
    return ClientSocket(await trio.open_tcp_stream(host, port))


class Endpoint:
    """A server's address. `tls` None means plain HTTP; with TLS there is no fallback to plain.

    connect_s, tls_s: deadlines of the two steps, in seconds. open_tcp: replaced in tests.
    wrap: goes around each connected stream, below TLS; it records, or is absent.
    """

    def __init__(
        self,
        host: str,
        port: int,
        tls: ClientContext | None = None,
        *,
        connect_s: float = 10.0,
        tls_s: float = 10.0,
        open_tcp: OpenTcp = open_tcp,
        wrap: Wrap | None = None,
    ) -> None:
        self.host = host
        self.port = port
        self.tls = tls
        bracketed = f"[{host}]" if ":" in host else host
        self.name = f"{bracketed}:{port}"
        is_default = port == (443 if tls else 80)
        self.host_header = bracketed if is_default else self.name
        self._connect_s = connect_s
        self._tls_s = tls_s
        self._open_tcp = open_tcp
        self._wrap = wrap

    def connection(self, **limits: Any) -> Connection:
        """A keep-alive connection to this endpoint, not yet open; `limits` as for `Connection`."""
        return Connection(self.open, self.host_header, on_broken=self.forget_session, **limits)

    def forget_session(self) -> None:
        """Make the next TLS handshake a full one."""
        if self.tls is not None:
            self.tls.forget_session(self.name)

    async def open(self) -> trio.abc.Stream:
        """Connect, with TLS if it is configured. UtilityUnreachable says which phase failed, and why."""
        if self.tls is not None and self.tls.session(self.name) is not None:
            try:
                return await self._open_once()
            except UtilityUnreachable as failure:
                if failure.phase != "tls":
                    raise
        # No session is left now: it was dropped when the handshake that offered it failed.
        return await self._open_once()

    async def _open_once(self) -> trio.abc.Stream:
        transport = await self._connect()
        if self.tls is None:
            return transport
        try:
            with trio.fail_after(self._tls_s):
                return await client_handshake(transport, self.tls, self.host, endpoint=self.name)
        except BaseException as error:
            await trio.aclose_forcefully(transport)
            if isinstance(error, trio.TooSlowError):
                raise self._failure("tls", f"no handshake within {self._tls_s:g} s") from None
            if isinstance(error, CertificateError):
                raise self._failure("tls", str(error)) from None
            if isinstance(error, trio.BrokenResourceError):
                raise self._failure("tls", "the connection broke during the handshake") from None
            if isinstance(error, OSError):  # our pair could not be handed to OpenSSL
                failure = self._failure("tls", _words(error))
                failure.no_descriptors = is_out_of_descriptors(error)
                raise failure from None
            raise

    async def _connect(self) -> trio.abc.Stream:
        phase: Phase = "connect"
        try:
            with trio.fail_after(self._connect_s):
                if self._open_tcp is open_tcp and not _is_address(self.host):
                    phase = "resolve"
                    await trio.socket.getaddrinfo(self.host, self.port, type=socket.SOCK_STREAM)
                    phase = "connect"
                stream = await self._open_tcp(self.host, self.port)
                return stream if self._wrap is None else await self._wrapped(stream)
        except trio.TooSlowError:
            raise self._failure(phase, f"no answer within {self._connect_s:g} s") from None
        except (OSError, UnicodeError) as error:
            if phase == "resolve" or isinstance(error, socket.gaierror):
                raise self._failure("resolve", _words(error) or "the name is not known") from None
            failure = self._failure(phase, "; ".join(dict.fromkeys(map(_words, _causes(error)))))
            failure.no_descriptors = any(map(is_out_of_descriptors, _causes(error)))
            raise failure from None

    async def _wrapped(self, stream: trio.abc.Stream) -> trio.abc.Stream:
        assert self._wrap is not None  # noqa: S101 - `_connect` has looked
        try:
            return self._wrap(stream)
        except OSError:  # the peer is gone already, or no more files may be open
            await trio.aclose_forcefully(stream)
            raise

    def _failure(self, phase: Phase, cause: str) -> UtilityUnreachable:
        return UtilityUnreachable(f"{self.name} ({phase}): {cause}", phase)


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return False
    return True


def _causes(error: BaseException) -> tuple[BaseException, ...]:
    """The causes within trio's "all attempts to connect failed"."""
    cause = error.__cause__
    return cause.exceptions if isinstance(cause, BaseExceptionGroup) else (cause or error,)


def _words(error: BaseException) -> str:
    if isinstance(error, OSError) and error.strerror:
        if isinstance(error, socket.gaierror) or not error.errno:
            return error.strerror.lower()
        return os.strerror(error.errno).lower()  # trio writes the address into `strerror`
    return str(error)
