"""The server under test, and who connects to it."""

from __future__ import annotations

import os
import socket
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import trio
from cryptography.hazmat.primitives.serialization import Encoding

from dersim import http11, tls
from dersim.conformance.kit import CLIENT, Kit
from dersim.errors import ConfigError, root_cause
from dersim.http11 import Endpoint
from dersim.http11.endpoint import OpenTcp, Wrap, open_tcp
from dersim.ieee2030_5 import identity
from dersim.pki.conformance import COMM_004
from dersim.tls.files import load_certificates

#: How long a connection may take, s.
REACHED_S = 10.0


class Identity(NamedTuple):
    """A certificate chain with its key. lfdi: 40 digits."""

    cert: Path
    key: Path
    lfdi: str


#: Listeners for Notifications, and the URL that they are reached at; and what opens them.
Listening = tuple[Sequence[trio.abc.Listener[Any]], str]
Listen = Callable[[], Awaitable[Listening]]


async def listen_here(host: str = "127.0.0.1") -> Listening:
    """A free port at this address of ours."""
    listeners = await http11.bind(host, 0, flag="--notify-host")
    shown = f"[{host}]" if ":" in host else host
    return listeners, f"https://{shown}:{http11.address(listeners)[1]}"


class Target(NamedTuple):
    """The server under test.

    path: of DeviceCapability. root: the certificate that the server's chain ends in. own: the DER that plays.
    chains: those of COMM-004 by letter; empty where only one pair was given. http_port: where plain HTTP is
    answered. open_tcp, listen: replaced in virtual time. listen: for Notifications.
    """

    host: str
    port: int
    path: str
    root: Path
    own: Identity
    chains: Mapping[str, Identity]
    http_port: int
    open_tcp: OpenTcp = open_tcp
    listen: Listen = listen_here

    def endpoint(self, who: Identity, wrap: Wrap | None = None) -> Endpoint:
        """A connection of that client, without a session of an earlier one."""
        context = tls.client_context(who.cert, who.key, self.root)
        return Endpoint(self.host, self.port, context, open_tcp=self.open_tcp, wrap=wrap)

    def plain_endpoint(self) -> Endpoint:
        """A connection without TLS."""
        return Endpoint(self.host, self.http_port, None, open_tcp=self.open_tcp)

    async def check(self) -> None:
        """ConfigError where nothing listens there; whether it speaks TLS is for the procedures to judge."""
        try:
            with trio.fail_after(REACHED_S):
                await (await self.open_tcp(self.host, self.port)).aclose()
        except trio.TooSlowError:
            raise self._unreachable("no answer") from None
        except OSError as error:
            cause = root_cause(error.__cause__ or error)
            number = cause.errno if isinstance(cause, OSError) else None
            said = os.strerror(number) if number and number > 0 else getattr(cause, "strerror", None)
            raise self._unreachable((said or str(cause)).lower()) from None

    def _unreachable(self, why: str) -> ConfigError:
        return ConfigError(f"--server: {self.host}:{self.port} cannot be reached: {why}")

    @property
    def other(self) -> Identity | None:
        """Another client than the DER that plays; None without chains."""
        return self.chains.get("A")


def identity_of(cert: Path, key: Path) -> Identity:
    """The pair in these files; CertificateError names a bad one."""
    leaf = load_certificates(cert, "the certificate of the DER that plays")[0]
    return Identity(cert, key, identity.lfdi(leaf.public_bytes(Encoding.DER)))


def chains_of(kit: Kit) -> dict[str, Identity]:
    """The seven chains of a kit."""
    return {letter: identity_of(kit.cert(letter), kit.key(letter)) for letter in COMM_004}


def target_of(
    url: str,
    kit: Kit | None,
    *,
    cert: Path | None = None,
    key: Path | None = None,
    root: Path | None = None,
    http_port: int | None = None,
    notify_host: str | None = None,
) -> Target:
    """The target of a URL such as https://127.0.0.1:8443/dcap; ConfigError for what cannot be used.

    kit: its chains play, unless cert, key and root are given.
    """
    parts = urlsplit(url if "://" in url else f"https://{url}")
    try:
        port = parts.port or 443
    except ValueError:
        port = 0
    if parts.scheme != "https" or not parts.hostname or not port:
        raise ConfigError(f"--server {url}: a URL such as https://127.0.0.1:8443/dcap is needed")
    if cert is not None and key is not None and root is not None:
        own, trusted, chains = identity_of(cert, key), root, {}
    elif kit is not None:
        chains = chains_of(kit)
        own, trusted = chains[CLIENT], kit.root
    else:
        raise ConfigError("--server: give --kit FOLDER, or --cert, --key and --root of the DER that plays")
    listen = partial(listen_here, notify_host or _our_address(parts.hostname, port))
    return Target(
        parts.hostname, port, parts.path or "/dcap", trusted, own, chains, http_port or port, listen=listen
    )


def _our_address(host: str, port: int) -> str:
    """The address of ours from which that host is reached; nothing is sent."""
    for family, kind, _, _, address in _addresses(host, port):
        try:
            with socket.socket(family, kind) as probe:
                probe.connect(address)
                return str(probe.getsockname()[0])
        except OSError:
            continue
    return "127.0.0.1"


def _addresses(host: str, port: int) -> list[Any]:
    try:
        return socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)
    except OSError:
        return []
