"""httpx on top of our own connection, for one-off requests, tests and plug-ins.

    async with httpx.AsyncClient(transport=Transport(tls=context)) as client:
        response = await client.get("https://127.0.0.1:8443/dcap")

The polling loop of a DER does not use it: httpx's own layer costs more than everything below it.
"""

from __future__ import annotations

import httpx

from dersim.errors import LocalProtocolError, RemoteProtocolError, UtilityUnreachable
from dersim.http11.connection import Connection
from dersim.http11.endpoint import Endpoint, OpenTcp, open_tcp
from dersim.http11.messages import Headers
from dersim.tls import ClientContext

_DEFAULT_TIMEOUT_S = 30.0
# Set by us, or without meaning on our connection.
_NOT_PASSED_ON = frozenset({"host", "content-length", "transfer-encoding", "connection", "accept-encoding"})


class Transport(httpx.AsyncBaseTransport):
    """A transport with one keep-alive connection for each server. `tls` is needed for https URLs."""

    def __init__(self, *, tls: ClientContext | None = None, open_tcp: OpenTcp = open_tcp) -> None:
        self._tls = tls
        self._open_tcp = open_tcp
        self._connections: dict[tuple[str, str, int], Connection] = {}

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send one request; the failures are httpx's own exceptions."""
        connection = self._connection(request.url)
        body = await request.aread()
        target = request.url.raw_path.decode("ascii")
        try:
            response = await connection.request(
                request.method, target, headers=_headers(request), body=body, timeout_s=_timeout_s(request)
            )
        except UtilityUnreachable as error:
            kind = _KINDS.get(error.phase, httpx.ReadError)
            raise kind(str(error), request=request) from error
        except RemoteProtocolError as error:
            raise httpx.RemoteProtocolError(str(error), request=request) from error
        except LocalProtocolError as error:
            raise httpx.LocalProtocolError(str(error), request=request) from error
        headers = [(name, value) for name, value in response.headers if name != "transfer-encoding"]
        return httpx.Response(response.status, headers=headers, content=response.body, request=request)

    async def aclose(self) -> None:
        """Close all connections."""
        for connection in self._connections.values():
            await connection.aclose()
        self._connections.clear()

    def _connection(self, url: httpx.URL) -> Connection:
        if url.scheme not in {"http", "https"}:
            raise httpx.UnsupportedProtocol(f"{url}: only http and https are supported")
        if url.scheme == "https" and self._tls is None:
            raise httpx.UnsupportedProtocol(f"{url}: https needs a TLS context; give Transport(tls=...)")
        port = url.port or (443 if url.scheme == "https" else 80)
        key = (url.scheme, url.host, port)
        if key not in self._connections:
            tls = self._tls if url.scheme == "https" else None
            self._connections[key] = Endpoint(url.host, port, tls, open_tcp=self._open_tcp).connection()
        return self._connections[key]


_KINDS: dict[str, type[httpx.TransportError]] = {
    "resolve": httpx.ConnectError,
    "connect": httpx.ConnectError,
    "tls": httpx.ConnectError,
    "send": httpx.WriteError,
    "receive": httpx.ReadError,
}


def _headers(request: httpx.Request) -> Headers:
    return tuple(
        (name.decode("latin-1"), value.decode("latin-1"))
        for name, value in request.headers.raw
        if name.decode("latin-1").lower() not in _NOT_PASSED_ON
    )


def _timeout_s(request: httpx.Request) -> float:
    """The longest of httpx's four timeouts, for the whole request: ours are not by phase."""
    timeouts = [value for value in request.extensions.get("timeout", {}).values() if value is not None]
    return max(timeouts, default=_DEFAULT_TIMEOUT_S)
