"""Resources whose hrefs have moved, and the path patterns that say which."""

from __future__ import annotations

import re
from typing import Any

from dersim.http11 import Request, Response
from dersim.utility.faults.actions import Action, Answer, Turn

#: Where discovery begins; it cannot move.
_WELL_KNOWN = "/dcap"
_URI = re.compile(rb'(\b(?:href|replyTo)=")([^"]*)"')


def pattern_of(path: str) -> re.Pattern[str]:
    """The paths that a pattern means; * is any text."""
    return re.compile(".*".join(re.escape(part) for part in path.split("*")))


class Moved(Action):
    """The resources are below `/moved-3`: their old hrefs are 404, and every link leads to the new ones."""

    def __init__(self, data: dict[str, Any], number: int) -> None:
        self._pattern = pattern_of(data["path"])
        self.prefix = f"/moved-{number}"
        self.words = f"{data['path']} to {self.prefix}"

    def is_moved(self, path: str) -> bool:
        """Whether it moves what is at this path."""
        return path != _WELL_KNOWN and self._pattern.fullmatch(path) is not None

    def before(self, turn: Turn) -> Answer | None:
        """404 at the old href."""
        is_new = turn.request.target.startswith(f"{self.prefix}/")
        return Response(404) if self.is_moved(turn.path) and not is_new else None

    def after(self, turn: Turn, response: Response) -> Answer | None:
        """The response with the new hrefs."""
        headers = tuple(
            (name, self._new(value) if name == "location" else value) for name, value in response.headers
        )
        return response._replace(headers=headers, body=_URI.sub(self._replaced, response.body))

    def _new(self, href: str) -> str:
        return f"{self.prefix}{href}" if self.is_moved(href.partition("?")[0]) else href

    def _replaced(self, match: re.Match[bytes]) -> bytes:
        return match[1] + self._new(match[2].decode()).encode() + b'"'

    def original(self, request: Request) -> Request:
        """The request at the old path."""
        return request._replace(target=request.target.removeprefix(self.prefix))
