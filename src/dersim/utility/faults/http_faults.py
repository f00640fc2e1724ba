"""Faults of HTTP: statuses, silence, slow and broken answers, redirects."""

from __future__ import annotations

import math
from collections.abc import Iterator
from email.utils import formatdate
from typing import Any

from dersim.http11 import SILENCE, Raw, Request, Response
from dersim.utility.faults.actions import Action, Answer, Turn, head_of, target_of

Data = dict[str, Any]


class Status(Action):
    """An error status, the request not carried out."""

    def __init__(self, data: Data, number: int) -> None:
        self._status = data["status"]
        self._wait_s: float | None = data.get("retry_after_s")
        self._is_date = data.get("retry_after") == "date"
        wait = "" if self._wait_s is None else f", Retry-After {self._wait_s:g} s"
        self.words = f"{self._status}{wait}{' as a date' if wait and self._is_date else ''}"

    def before(self, turn: Turn) -> Answer:
        """The status."""
        if self._wait_s is None:
            return Response(self._status)
        if not self._is_date:
            return Response(self._status, (("retry-after", str(math.ceil(self._wait_s))),))
        date, later = (formatdate(turn.now_s + wait_s, usegmt=True) for wait_s in (0, self._wait_s))
        return Response(self._status, (("date", date), ("retry-after", later)))


class Gone(Action):
    """404 or 410."""

    def __init__(self, data: Data, number: int) -> None:
        self._status = data.get("status", 404)
        self.words = str(self._status)

    def before(self, turn: Turn) -> Answer:
        """The status."""
        return Response(self._status)


class Delay(Action):
    """The answer comes later."""

    def __init__(self, data: Data, number: int) -> None:
        self.delay_s = data["seconds"]
        self.words = f"{self.delay_s:g} s"

    def after(self, turn: Turn, response: Response) -> Answer:
        """The response as it is."""
        return response


class Hang(Action):
    """Silence in place of the answer, or within it."""

    def __init__(self, data: Data, number: int) -> None:
        self._at = data.get("at", "answer")
        self._number = number
        self.words = f"at the {self._at}"

    def before(self, turn: Turn) -> Answer | None:
        """Silence at once."""
        return SILENCE if self._at == "answer" else None

    def after(self, turn: Turn, response: Response) -> Answer:
        """The headers, half of the body too, then silence."""
        shown = response.body[: len(response.body) // 2] if self._at == "body" else b""
        return Raw(((head_of(response, self._number) + shown, math.inf),))


class SlowBody(Action):
    """The body in small pieces."""

    def __init__(self, data: Data, number: int) -> None:
        self._rate = data["bytes_per_s"]
        self._number = number
        self.words = f"{self._rate:g} B/s"

    def after(self, turn: Turn, response: Response) -> Answer | None:
        """The head at once, then a piece a second."""
        if not response.body:
            return None
        return Raw(self._pieces(head_of(response, self._number), response.body))

    def _pieces(self, head: bytes, body: bytes) -> Iterator[tuple[bytes, float]]:
        size = max(int(self._rate), 1)
        yield head, size / self._rate
        for start in range(0, len(body), size):
            yield body[start : start + size], size / self._rate


class Reset(Action):
    """The connection ends."""

    def __init__(self, data: Data, number: int) -> None:
        self._at = data.get("at", "body")
        self._is_reset = data.get("how", "reset") == "reset"
        self._number = number
        self.words = f"{'RST' if self._is_reset else 'FIN'} in the {self._at}"

    def before(self, turn: Turn) -> Answer | None:
        """The end, before anything is carried out."""
        return Raw((), self._is_reset) if self._at == "request" else None

    def after(self, turn: Turn, response: Response) -> Answer:
        """The answer up to where it ends."""
        head = head_of(response, self._number)
        size = {
            "answer": 0,
            "status": len("HTTP/1.1 2"),
            "headers": head.index(b"\r\n") + 6,
            "body": len(head) + len(response.body) // 2,
        }[self._at]
        return Raw((((head + response.body)[:size], 0.0),), self._is_reset)


class ContentLength(Action):
    """A wrong Content-Length. Too long: the connection stays open, as of a server that has miscounted."""

    def __init__(self, data: Data, number: int) -> None:
        self._by = data.get("by", 100)
        self._number = number
        self.words = f"{self._by:+d} B"

    def after(self, turn: Turn, response: Response) -> Answer | None:
        """The answer with the wrong length."""
        if not response.body:
            return None
        size = len(response.body)
        head = head_of(response, self._number, length=max(size + self._by, 0))
        return Raw(((head + response.body, math.inf if self._by > 0 else 0.0),))


class RedirectLoop(Action):
    """A redirect to itself."""

    def __init__(self, data: Data, number: int) -> None:
        self._status = data.get("status", 302)
        self.words = str(self._status)

    def before(self, turn: Turn) -> Answer:
        """The redirect."""
        return Response(self._status, (("location", turn.request.target),))


class Redirect(Action):
    """A chain of redirects under paths of its own, `/redirect-3-1/derp`, or one to a given URL."""

    def __init__(self, data: Data, number: int) -> None:
        self._status = data.get("status", 301)
        self._hops = data.get("hops", 1)
        self._to: str | None = data.get("to")
        self._number = number
        self.words = f"{self._status} to {self._to or f'another path, {self._hops} hop(s)'}"

    def before(self, turn: Turn) -> Answer | Request:
        """The first redirect."""
        if self._to is not None:
            return Response(self._status, (("location", self._to),))
        return self.hop(turn.request, turn.path, self._hops)

    def hop(self, request: Request, path: str, left: int) -> Answer | Request:
        """The next redirect; the request of the resource itself where none is left."""
        if left <= 0:
            return request._replace(target=target_of(request, path))
        location = target_of(request, f"/redirect-{self._number}-{left - 1}{path}")
        return Response(self._status, (("location", location),))
