"""One address of the API: a `Route`, from which the server, the docs and the checks are made.

A handler is a plain function `(context, call) -> body | Reply`; it knows nothing of HTTP servers. It raises
`Problem`, or a ConfigError for input that a deeper part refuses.
What `context` and `call` are, the site decides.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from dersim.numeric import shown
from dersim.pages.problems import Problem

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


#: What a site hands to its handlers, the checked request, and the body or `Reply` that comes back.
Handler = Callable[[Any, Any], Any | Awaitable[Any]]


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


def read_query(route: Route, given: Mapping[str, list[str]]) -> dict[str, Any]:
    """The query of a request with defaults filled in; Problem names a parameter that is not right."""
    known = {query.name: query for query in route.parameters}
    if unknown := sorted(set(given) - set(known)):
        allowed = f"it takes {', '.join(known)}" if known else "it takes none"
        raise Problem("bad-request", f"query parameter {shown(unknown[0])} is not known here; {allowed}")
    if repeated := sorted(name for name, texts in given.items() if len(texts) > 1):
        raise Problem("bad-request", f"query parameter {repeated[0]!r} is given more than once")
    return {
        name: _query_value(query, given[name][0]) if name in given else query.default
        for name, query in known.items()
    }


def _query_value(query: Query, text: str) -> Any:
    try:
        value = query.type(text)
    except ValueError:
        kind = "a whole number" if query.type is int else "a number"
        given = f"query parameter {query.name}={shown(text)}"
        raise Problem("bad-request", f"{given}: {kind} is needed") from None
    if query.choices and value not in query.choices:
        words = ", ".join(query.choices)
        raise Problem("bad-request", f"query parameter {query.name}={shown(text)} is not one of {words}")
    if isinstance(value, int | float):
        # Written so that NaN fails as well.
        low, high = query.minimum, query.highest
        if (low is not None and not value >= low) or (high is not None and not value <= high):
            bounds = f"at least {low:g}" if high is None else f"{low:g} to {high:.16g}"
            raise Problem("bad-request", f"query parameter {query.name}={shown(text)}: {bounds} is needed")
    return value
