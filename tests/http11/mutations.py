"""HTTP messages as peers send them, and mutations of them; the same for the same seed."""

from __future__ import annotations

import random

BODY = b'<DERStatus xmlns="urn:ieee:std:2030.5:ns"><readingTime>1795000000</readingTime></DERStatus>'
_LENGTH = b"Content-Length: %d\r\n" % len(BODY)

#: Of our client, of py20305's (aiohttp), of curl, and of clients with habits of their own.
REQUESTS = [
    b"GET /dcap HTTP/1.1\r\nHost: 127.0.0.1:8443\r\nAccept: application/sep+xml\r\n"
    b"User-Agent: dersim\r\n\r\n",
    b"GET /derp/1/derc?s=0&l=255 HTTP/1.1\r\nHost: utility.test\r\nAccept: application/sep+xml\r\n\r\n",
    b"PUT /edev/1/der/1/ders HTTP/1.1\r\nHost: 127.0.0.1:8443\r\nAccept: application/sep+xml\r\n"
    b"User-Agent: dersim\r\nContent-Type: application/sep+xml\r\n" + _LENGTH + b"\r\n" + BODY,
    b"POST /mup HTTP/1.1\r\nHost: [::1]:8443\r\nAccept: */*\r\nAccept-Encoding: gzip, deflate\r\n"
    b"User-Agent: Python/3.11 aiohttp/3.13\r\n"
    + _LENGTH
    + b"Content-Type: application/sep+xml\r\n\r\n"
    + BODY,
    b"GET /tm HTTP/1.1\r\nhost: x\r\nuser-agent: curl/8\r\naccept: */*\r\nconnection: keep-alive\r\n\r\n",
    b"GET /tm HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"
    b"HTTP2-Settings: AAMAAABkAAQ\r\n\r\n",
    b"DELETE /mup/3 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
    b"PUT /edev/1/di HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
    b"PUT /edev/1/di HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\nab",
    b"HEAD /dcap HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET /old HTTP/1.0\r\n\r\n",
    b"\r\nGET /a HTTP/1.1\r\nHost: x\r\n\r\n\r\nGET /b HTTP/1.1\r\nHost: x\r\n\r\n",
]

#: Of our server, of nginx, of a Java server, and of servers with habits of their own.
RESPONSES = [
    b"HTTP/1.1 200 \r\ncontent-type: application/sep+xml\r\n" + _LENGTH.lower()
    + b"date: Sat, 28 Nov 2026 19:20:41 GMT\r\n\r\n" + BODY,
    b"HTTP/1.1 200 OK\r\nServer: nginx/1.22.1\r\nDate: Sat, 28 Nov 2026 19:20:41 GMT\r\n"
    b"Content-Type: application/sep+xml\r\n" + _LENGTH
    + b'Connection: keep-alive\r\nKeep-Alive: timeout=65\r\nETag: "5f3-1"\r\n\r\n' + BODY,
    b"HTTP/1.1 204 No Content\r\nDate: Sat, 28 Nov 2026 19:20:41 GMT\r\n\r\n",
    b"HTTP/1.1 201 Created\r\nLocation: /mup/1\r\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.1 304 Not Modified\r\nETag: \"1\"\r\n\r\n",
    b"HTTP/1.1 301 Moved Permanently\r\nLocation: https://other.test/dcap\r\nContent-Length: 3\r\n\r\n<p>",
    b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 30\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
    b"HTTP/1.1 200 \r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nTrailer: x\r\n\r\n",
    b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
    b"HTTP/1.0 200 OK\r\nContent-Type: application/sep+xml\r\n\r\n" + BODY,
    b"HTTP/1.1 404 Not Found\r\nX-A: caf\xe9\r\nX-Empty:\r\nContent-Length: 2\r\n\r\nno",
]  # fmt: skip

#: What smugglers, old software and broken software send.
_LINES = [
    b"Content-Length: 5\r\n", b"Content-Length: +5\r\n", b"Content-Length: 5, 5\r\n",
    b"Content-Length: 0x5\r\n", b"Content-Length: 5_0\r\n", b"Content-Length: 99999999999999999999999\r\n",
    b"Content-Length:\r\n", b"Content-Length : 5\r\n", b"Content-Length: \xb2\r\n",
    b"Content-Length: 5\t\r\n", b"Content-Length: 0\r\n",
    b"Transfer-Encoding: chunked\r\n", b"Transfer-Encoding: identity\r\n",
    b"Transfer-Encoding: \x0bchunked\r\n",
    b"Transfer-Encoding : chunked\r\n", b"Transfer-Encoding:\n chunked\r\n", b"TE: trailers\r\n",
    b"Host: y\r\n", b"HOST:\r\n", b" folded: x\r\n", b"\tfolded\r\n", b"X: a\r\n b\r\n", b"X: a\nY: b\r\n",
    b"X: a\rY: b\r\n", b"X: \x00\r\n", b"X: \x01\x7f\r\n", b"X: \x0c\x0b\r\n", b"X Y: z\r\n", b": z\r\n",
    b"X\r\n",
    b"X: \xff\xe9\r\n", b"X@: z\r\n", b"\xe9: z\r\n", b"Connection: close\r\n", b"Connection: Keep-Alive\r\n",
    b"Connection: keep-alive, close\r\n", b"Connection: upgrade\r\n", b"Upgrade: websocket\r\n",
    b"Expect: 100-continue\r\n", b"Expect: 200-ok\r\n", b"Content-Encoding: gzip\r\n", b"Trailer: X\r\n",
    b"Content-Encoding: identity\r\n", b"Proxy-Connection: close\r\n", b"Keep-Alive: timeout=0\r\n",
    b"X: " + b"a" * 9000 + b"\r\n", b"X: " + b"a" * 40_000 + b"\r\n",
]  # fmt: skip

_PIECES = [
    b"\r\n", b"\n", b"\r", b"\r\n\r\n", b"\n\n", b"\x00", b" ", b"\t", b":", b"\x0b", b"\x0c", b"\x7f",
    b"\x80", b"\xff", b"HTTP/1.0", b"HTTP/1.1", b"HTTP/2.0", b"HTTP/1.2", b"RTSP/1.0", b"ICE/1.0",
    b"http/1.1", b"get",
    b"GET", b"POST", b"OPTIONS", b"CONNECT", b"PRI", b"SOURCE", b"M-SEARCH", b"QUERY", b"FOO", b"*",
    b"http://x/y", b"/a#b", b"/\xe9", b"/%00", b"//", b"?", b"100", b"101", b"199", b"204", b"304",
    b"600", b"999",
    b"0", b"00", b"-1", b"1e1", b"ffffffffffffffffffff", b";", b",", b'"', b"chunked", b"close", b"x" * 300,
]  # fmt: skip


def mutated(random_: random.Random, samples: list[bytes]) -> bytes:
    """One of `samples` after one to four changes; sometimes with another one behind it."""
    data = random_.choice(samples)
    for _ in range(random_.choice((0, 1, 1, 1, 2, 2, 3, 4))):
        data = random_.choice(_CHANGES)(random_, data)
    if random_.random() < 0.15:
        data += random_.choice(samples)
    return data


def pieces(random_: random.Random, data: bytes) -> list[bytes]:
    """`data` as it may come: in one piece, mostly."""
    cuts = sorted(random_.randrange(len(data) + 1) for _ in range(random_.choice((0, 0, 0, 1, 2, 5))))
    parts = [data[start:end] for start, end in zip([0, *cuts], [*cuts, len(data)], strict=True)]
    return [part for part in parts if part]


def _replace(random_: random.Random, data: bytes) -> bytes:
    start = random_.randrange(len(data) + 1)
    return data[:start] + random_.choice(_PIECES) + data[start + random_.randrange(12) :]


def _insert(random_: random.Random, data: bytes) -> bytes:
    start = random_.randrange(len(data) + 1)
    return data[:start] + random_.choice(_PIECES) + data[start:]


def _one_byte(random_: random.Random, data: bytes) -> bytes:
    start = random_.randrange(len(data) + 1)
    return data[:start] + bytes([random_.randrange(256)]) + data[start + 1 :]


def _cut(random_: random.Random, data: bytes) -> bytes:
    start = random_.randrange(len(data) + 1)
    return data[:start] + data[start + random_.randrange(20) :]


def _line(random_: random.Random, data: bytes) -> bytes:
    """Another line among the headers."""
    ends = [index + 2 for index in range(len(data)) if data.startswith(b"\r\n", index)]
    at = random_.choice(ends) if ends else 0
    return data[:at] + random_.choice(_LINES) + data[at:]


def _twice(random_: random.Random, data: bytes) -> bytes:
    lines = data.split(b"\r\n")
    at = random_.randrange(len(lines))
    return b"\r\n".join([*lines[:at], lines[at], *lines[at:]])


def _shorten(random_: random.Random, data: bytes) -> bytes:
    return data[: random_.randrange(len(data) + 1)]


_CHANGES = (_replace, _insert, _one_byte, _cut, _line, _line, _line, _twice, _shorten)
