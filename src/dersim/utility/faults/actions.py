"""What a planted fault does, once it is its turn."""

from __future__ import annotations

from http import HTTPStatus
from typing import NamedTuple

from dersim.http11 import PLANTED_FAULT, Raw, Request, Response
from dersim.tls import ServerContext

Answer = Response | Raw


class Delayed(NamedTuple):
    """An answer that is to be sent later."""

    answer: Answer
    delay_s: float


class Turn(NamedTuple):
    """One request that a fault may act on.

    path: without query and without the prefix of a moved path. now_s: the server's time, UTC seconds.
    """

    request: Request
    path: str
    now_s: float


class Action:
    """What one fault does to requests. words: for the log, after the kind: "503, Retry-After 30 s"."""

    words = ""
    #: How much later the answer comes, s.
    delay_s = 0.0

    def before(self, turn: Turn) -> Request | Answer | None:
        """In place of the head-end: an answer, or another request for it; None: nothing to do here."""
        return None

    def after(self, turn: Turn, response: Response) -> Answer | None:
        """What is sent in place of the head-end's response; None: nothing to do here."""
        return None


class ConnectionAction(Action):
    """What one fault does to new connections."""

    def gate(self) -> Raw | ServerContext:
        """Bytes in place of the TLS handshake, or the context for it."""
        raise NotImplementedError


def target_of(request: Request, path: str) -> str:
    """The request's target with another path."""
    _, mark, query = request.target.partition("?")
    return f"{path}{mark}{query}"


def head_of(response: Response, number: int, *, length: int | None = None) -> bytes:
    """Status line and headers as bytes. length: of the body, if it is not to be told truly."""
    try:
        phrase = HTTPStatus(response.status).phrase
    except ValueError:
        phrase = "Unknown"
    size = len(response.body) if length is None else length
    fields = [
        *response.headers,
        ("content-length", str(size)),
        (PLANTED_FAULT, f"#{number}"),
        ("connection", "close"),
    ]
    lines = [f"HTTP/1.1 {response.status} {phrase}", *(f"{name}: {value}" for name, value in fields)]
    return "\r\n".join([*lines, "", ""]).encode("latin-1", "replace")
