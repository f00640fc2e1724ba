"""One listener for all DERs of a process: which path is whose, without I/O.

Each DER has a path with a token that nobody can guess. The listener shows the certificate of the first DER
that subscribes: who connects names no host in TLS, so that there can be only one. Servers verify it by its
chain, as they do all certificates of 2030.5, which name no host either.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from urllib.parse import urlsplit

import trio

from dersim import tls
from dersim.http11 import Request, Response
from dersim.plugin.services import CertificateFiles

#: What all our paths begin with: by it we know our own subscriptions after a restart.
PATH = "/dersim/notify/"

Receive = Callable[[Request], Response]


class NotifyHub:
    """secure: whether TLS is used. url: what servers are told, where it is not the listener's own address."""

    def __init__(self, *, secure: bool, url: str = "") -> None:
        self.secure = secure
        self.base_url = url
        self.context: tls.ServerContext | None = None
        #: Set when the listener can serve: with TLS once there is a certificate.
        self.ready = trio.Event()
        self.received = self.refused = 0
        self._whose = 0
        self._boxes: dict[str, Receive] = {}
        if not secure:
            self.ready.set()

    def open(self, number: int, receive: Receive, files: Callable[[], CertificateFiles]) -> str:
        """A path for DER `number`; returns its token. files: its certificate files, with TLS."""
        if self.secure and self._whose in (0, number):
            self.context = tls.server_context(*files())
            self._whose = number
            self.ready.set()
        token = secrets.token_urlsafe(16)
        self._boxes[token] = receive
        return token

    def move(self, token: str, to: str) -> None:
        """Take notifications at the path of an earlier run instead, which its subscriptions name."""
        self._boxes[to] = self._boxes.pop(token)

    def close(self, token: str) -> None:
        """Nobody takes notifications at this path any more."""
        self._boxes.pop(token, None)

    def url_of(self, token: str) -> str:
        """The notificationURI of a token."""
        return f"{self.base_url}{PATH}{token}"

    def is_ours(self, uri: str) -> bool:
        """Whether a notificationURI leads to this host and to a path of dersim, now or in an earlier run."""
        try:
            given, own = urlsplit(uri), urlsplit(self.url_of(""))
        except ValueError:
            return False
        return given.hostname == own.hostname and given.path.startswith(own.path)

    def answer(self, request: Request) -> Response:
        """The answer to one request of a server."""
        before, _, token = request.target.partition("?")[0].rpartition(PATH)
        receive = None if before or not token else self._boxes.get(token)
        response = Response(404) if receive is None else receive(request)
        if response.status == 201:
            self.received += 1
        else:
            self.refused += 1
        return response
