"""What serves one path of the resource tree."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from dersim.utility.request_context import Answer, Document

Get = Callable[..., Document]
Write = Callable[..., Answer]


class Route(NamedTuple):
    """The functions of a path; each takes the request context and the numbers in the path."""

    get: Get
    put: Write | None = None
    post: Write | None = None
    delete: Write | None = None

    @property
    def allow(self) -> str:
        """The value of the header Allow."""
        writes = (("PUT", self.put), ("POST", self.post), ("DELETE", self.delete))
        return ", ".join(["GET", "HEAD", *(name for name, handler in writes if handler)])
