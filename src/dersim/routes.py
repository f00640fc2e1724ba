"""One address of a REST API: a `Route`, from which the server, the docs and the checks are made.

A handler is a plain function `(context, call) -> body | Reply`; it knows nothing of HTTP servers. It raises
`pages.problems.Problem`, or a ConfigError for input that a deeper part refuses.
What `context` and `call` are, the site decides; the handler of a plug-in gets `call` alone.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

#: The largest whole number that JavaScript tells from its neighbours; none of ours comes near it.
LARGEST_INT = 2**53 - 1


class Query(NamedTuple):
    """One query parameter: name, type of its values, default (None: none), and a sentence."""

    name: str
    type: type[int] | type[float] | type[str]
    default: Any
    doc: str
    minimum: float | None = None
    maximum: float | None = None
    choices: tuple[str, ...] = ()

    @property
    def highest(self) -> float | None:
        """The maximum; whole numbers always have one, so that none is too large for the code behind it."""
        return LARGEST_INT if self.maximum is None and self.type is int else self.maximum


class Reply(NamedTuple):
    """An answer with a status of its own, or with a body that is not JSON (then `content_type` says what)."""

    status: int
    body: Any = None
    content_type: str = "application/json"


#: Gets what a site hands to its handlers and the checked request; gives the body or a `Reply`.
Handler = Callable[..., Any | Awaitable[Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One method of one address.

    request: the type of the JSON body, None where none is taken; example: a right one, for the docs.
    response: the type of the answer's body.
    path_parameters: those in braces in the path, in order.
    etag: whether the answer is tagged, so that a poll of what did not change costs no body.
    packed: whether the body is sent as gzip to a client that accepts it; for long bodies that compress well.
    problems: the kinds of Problem that it is known to raise, for the docs.
    """

    method: Literal["GET", "POST", "PUT", "DELETE"]
    path: str
    handler: Handler
    summary: str
    response: Any
    status: int = 200
    request: Any = None
    request_optional: bool = False
    example: Any = None
    query: tuple[Query, ...] = ()
    path_parameters: tuple[Query, ...] = ()
    per_device: bool = True
    sites: tuple[str, ...] = ("dashboard",)
    tag: str = "DER"
    etag: bool = False
    packed: bool = False
    problems: tuple[str, ...] = ()
    content_type: str = "application/json"

    @property
    def parameters(self) -> tuple[Query, ...]:
        """All query parameters, `device` among them where it concerns one DER."""
        return (DEVICE, *self.query) if self.per_device else self.query


DEVICE = Query("device", int, None, "The number of the DER; left out: the first.", minimum=1)
