"""Every address of the admin REST, the lookup of a request's route, and the OpenAPI document."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, NamedTuple
from urllib.parse import unquote

from dersim.pages.openapi import About, openapi
from dersim.pages.routes import Route
from dersim.utility.admin import (
    about,
    controls,
    conversation,
    curves,
    device_resources,
    end_devices,
    faults,
    fleet,
    groups,
    lives,
    meters,
    programs,
    publishing,
    readings,
    reports,
    scenario,
    subscriptions,
    timeline,
)
from dersim.utility.admin.context import SITE
from dersim.utility.admin.problems import PREFIX, PROBLEMS

ROUTES: list[Route] = [
    route
    for module in (
        end_devices,
        device_resources,
        fleet,
        groups,
        programs,
        controls,
        lives,
        timeline,
        publishing,
        curves,
        reports,
        conversation,
        meters,
        readings,
        faults,
        scenario,
        subscriptions,
        about,
    )
    for route in module.ROUTES
]

_ABOUT = About(
    "dersim 2030.5 server",
    """\
The operator's side of the companion IEEE 2030.5 server: what devices sent, and everything that they are
told. Times are RFC 3339 in UTC. Modes are in plain units (docs/control-functions.md). Lists take `limit` and
`after`: the `id` of the last item begins the next page. Errors are RFC 9457 problem documents with a `hint`;
`errors` has the JSON Pointer of each wrong member.
""",
    problems=PROBLEMS,
    always=("bad-request", "token-needed", "foreign-origin", "foreign-host"),
)


class Found(NamedTuple):
    """The route of a request, and the ids in its path."""

    route: Route
    ids: tuple[str, ...]


class Api:
    """The addresses of one server: ours, and those of its plug-ins."""

    def __init__(self, more: Sequence[Route] = ()) -> None:
        self.routes = [*ROUTES, *more]
        # The parts of each path, empty where an id is (and before the first slash).
        self._shapes = [
            (["" if part.startswith("{") else part for part in route.path.split("/")], route)
            for route in self.routes
        ]
        self._document: dict[str, Any] | None = None

    def find(self, method: str, path: str) -> Found | None:
        """The route of a request; HEAD is as GET."""
        wanted = "GET" if method == "HEAD" else method
        return next((found for found in self._at(path) if found.route.method == wanted), None)

    def methods(self, path: str) -> list[str]:
        """The methods of a path; none where there is nothing."""
        known = [found.route.method for found in self._at(path)]
        return [name for method in known for name in (("GET", "HEAD") if method == "GET" else (method,))]

    def _at(self, path: str) -> list[Found]:
        parts = path.split("/")
        found = []
        for words, route in self._shapes:
            if len(words) == len(parts) and all(w in ("", p) for w, p in zip(words, parts, strict=True)):
                ids = tuple(unquote(part) for word, part in zip(words, parts, strict=True) if not word)[1:]
                found.append(Found(route, ids))
        return found

    def known(self) -> str:
        """All paths, for the hint of a 404."""
        paths = sorted({route.path.removeprefix(f"{PREFIX}/") for route in self.routes})
        return f"known paths below {PREFIX}/ are {', '.join(paths)}"

    def document(self) -> dict[str, Any]:
        """The OpenAPI document."""
        if self._document is None:
            self._document = openapi(self.routes, SITE, _ABOUT)
        return self._document


#: Of a server without plug-ins.
OWN = Api()


def hint_for(route: Route) -> str:
    """A right body for this route, in words."""
    if route.example is None:
        return "see /docs for what this address takes"
    return f"for instance {json.dumps(route.example)}"
