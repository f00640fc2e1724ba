"""A client that speaks plain HTTP to a TLS port gets a 301 to the same URL with https."""

from __future__ import annotations

import re

import trio

from dersim.http11.messages import Request, Response

_HOST = re.compile(r"[A-Za-z0-9._-]+(?::[0-9]{1,5})?|\[[0-9A-Fa-f:.]+\](?::[0-9]{1,5})?")
_TEXT = ("content-type", "text/plain; charset=utf-8")
_CLOSE = ("connection", "close")


class Begun(trio.abc.Stream):
    """A stream whose first bytes have been read already."""

    def __init__(self, stream: trio.abc.Stream, first: bytes) -> None:
        self._stream = stream
        self._first = first

    async def receive_some(self, max_bytes: int | None = None) -> bytes:
        """The first bytes, then what the stream has."""
        if self._first:
            await trio.lowlevel.checkpoint()
            first, self._first = self._first[:max_bytes], self._first[max_bytes:] if max_bytes else b""
            return first
        return bytes(await self._stream.receive_some(max_bytes))

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        """As the stream."""
        await self._stream.send_all(data)

    async def wait_send_all_might_not_block(self) -> None:
        """As the stream."""
        await self._stream.wait_send_all_might_not_block()

    async def aclose(self) -> None:
        """As the stream."""
        await self._stream.aclose()


def is_plain(first: bytes) -> bool:
    """Whether a connection that begins so speaks plain HTTP: a letter. TLS records begin with 20 to 23."""
    return first[:1].isalpha()


async def to_tls(request: Request) -> Response:
    """301 to the https URL; 400 in words for a request without a usable Host."""
    host = request.header("host") or ""
    target = request.target if request.target.startswith("/") else "/"
    if not _HOST.fullmatch(host):
        return Response(400, (_TEXT, _CLOSE), b"this port speaks TLS; use https\n")
    return Response(301, (("location", f"https://{host}{target}"), _TEXT, _CLOSE), b"use https\n")
