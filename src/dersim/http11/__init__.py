"""HTTP/1.1 as IEEE 2030.5 uses it, for both sides, on llhttp, h11 and Trio streams.

Client: `Endpoint(host, port, tls).connection()` gives a `Connection`, which lives as long as its DER.
Server: `await bind(host, port)`, then `await serve(handler, listeners, tls=...)` until cancelled.
`dersim.http11.transport` puts httpx on top, for one-off requests.
"""

from dersim.http11.connection import Connection, Requests
from dersim.http11.endpoint import Endpoint
from dersim.http11.listen import address, bind
from dersim.http11.messages import PLANTED_FAULT, Headers, Limits, Request, Response
from dersim.http11.raw import SILENCE, Raw
from dersim.http11.server import Gate, serve

__all__ = [
    "PLANTED_FAULT",
    "SILENCE",
    "Connection",
    "Endpoint",
    "Gate",
    "Headers",
    "Limits",
    "Raw",
    "Request",
    "Requests",
    "Response",
    "address",
    "bind",
    "serve",
]
