"""The query of a request, read by its `Route` (`dersim.routes`)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dersim.numeric import shown
from dersim.pages.problems import Problem
from dersim.routes import DEVICE, LARGEST_INT, Handler, Query, Reply, Route

__all__ = ["DEVICE", "LARGEST_INT", "Handler", "Query", "Reply", "Route", "read_query"]


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
