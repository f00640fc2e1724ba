"""The operator's REST: JSON over HTTP, to read what devices sent and change what they are told.

On loopback there is no login, so web pages of other sites must not reach it through the operator's browser:
`pages/guard.py` checks Host, Origin and what a page of another site embeds or fetches, and a body must be
declared as JSON. With a token all but the page's own files need it.

The addresses are in `api.py`. Errors are `application/problem+json` with a hint that shows a correct request.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs

from dersim.errors import ConfigError
from dersim.fences import Fences
from dersim.http11 import Request, Response
from dersim.json_schema import FieldError
from dersim.json_text import BodyError, parse
from dersim.pages.guard import Guard
from dersim.pages.problems import Problem
from dersim.pages.routes import Reply, Route, read_query
from dersim.utility.admin import api, faults, plugin_routes, scenario
from dersim.utility.admin import page as admin_page
from dersim.utility.admin.about import ServerView
from dersim.utility.admin.api import Api
from dersim.utility.admin.body import check_shape, of_config_error
from dersim.utility.admin.context import AdminContext, Call, Later
from dersim.utility.admin.problems import PREFIX, refusal
from dersim.utility.conversation import RequestConversation
from dersim.utility.head_end import MODULE, HeadEnd

MAX_BODY = 1 << 20
_READING = ("GET", "HEAD")


class Admin:
    """Answers the operator's requests for one head-end.

    about: what `GET /server` says. guard: who may ask. `answer` never raises, except for what `fences`
    raises again.
    """

    def __init__(
        self, head_end: HeadEnd, fences: Fences, about: Callable[[], ServerView], guard: Guard
    ) -> None:
        self._head_end = head_end
        self._context = AdminContext(head_end, fences, about, RequestConversation())
        self._fences = fences
        self._guard = guard
        parts = head_end.parts
        self._api = Api(plugin_routes.of(parts.routes)) if parts.routes else api.OWN
        self._panels = {panel.name: panel for panel in parts.panels}

    def answer(self, request: Request) -> Response | Later:
        """The response to one request, or what takes long: `finish` makes its response."""
        response: Response | Later = _FAILED
        with self._fences.around("utility_admin", MODULE, f"{request.method} {request.target[:200]}"):
            self._head_end.advance()
            response = self._answer(request)
        return response  # noqa: RET504 - not what `_answer` returned where the fence ended it

    def finish(self, later: Later) -> Response:
        """The response that takes long; it may be called from any thread."""
        response = _FAILED
        name = later.file_name
        saved = (("content-disposition", f'attachment; filename="{name}"'),) if name else ()
        headers = (("content-type", later.content_type), *saved, *_FIXED_HEADERS)
        with self._fences.around("utility_admin", MODULE, name or "a long answer"):
            try:
                response = Response(200, headers, later.make())
            except ConfigError as error:
                response = _problem(of_config_error(error, {}, ""), PREFIX)
            except Problem as problem:
                response = _problem(problem, PREFIX)
        return response

    def _answer(self, request: Request) -> Response | Later:
        path, _, query = request.target.partition("?")
        try:
            page = admin_page.answer(path, request, self._panels) if request.method in _READING else None
            self._check(request, token=page is None)
            if page is not None:
                return page
            if path == "/openapi.json" and request.method in _READING:
                return _json(200, self._api.document(), "application/json")
            return self._dispatch(request, path, query)
        except Problem as problem:
            return _problem(problem, path)

    def _check(self, request: Request, *, token: bool) -> None:
        """Problem where this request may not be answered, with what to do at this port."""
        changes = request.method not in _READING or request.header("origin") is not None

        def header(name: str) -> str | None:  # a cookie would be that of another site of this machine
            return None if name == "Cookie" else request.header(name.lower())

        try:
            self._guard.check(header, changes=changes, token=token)
        except Problem as problem:
            raise refusal(problem.kind, str(problem)) from None

    def _dispatch(self, request: Request, path: str, query: str) -> Response | Later:
        found = self._api.find(request.method, path)
        if found is None:
            return self._no_such(path)
        route, hint = found.route, api.hint_for(found.route)
        body = None if route.request is None else _read_body(request, route, hint)
        call = Call(found.ids, _read_query(route, query), body)
        try:
            result = route.handler(self._context, call)
        except ConfigError as error:
            raise of_config_error(error, body, hint) from None
        if isinstance(result, Later):
            return result
        reply = result if isinstance(result, Reply) else Reply(route.status, result)
        return _json(reply.status, reply.body, "application/json")

    def _no_such(self, path: str) -> Response:
        if methods := self._api.methods(path):
            allow = ", ".join(methods)
            problem = refusal(
                "method-not-allowed", f"this method is not supported at {path[:200]}", f"use {allow}"
            )
            return _problem(problem, path, (("allow", allow),))
        raise refusal("not-found", f"there is nothing at {path[:200]}", self._api.known())


def _read_query(route: Route, text: str) -> dict[str, Any]:
    try:
        return read_query(route, parse_qs(text, keep_blank_values=True, max_num_fields=100))
    except ValueError:
        raise refusal("bad-request", "the query has more than 100 parameters") from None


def _read_body(request: Request, route: Route, hint: str) -> Any:
    kind = (request.header("content-type") or "").partition(";")[0].strip().lower()
    if route.request is scenario.ScenarioBody:
        return _read_yaml(request, kind)
    if kind != "application/json":
        raise refusal("not-json", "the body must be JSON")
    if len(request.body) > MAX_BODY:
        raise refusal("too-large", f"the body has {len(request.body)} bytes; at most {MAX_BODY} are read")
    try:
        body = parse(request.body)
    except BodyError as error:
        raise refusal("bad-request", str(error), hint, [FieldError(error.pointer, str(error))]) from None
    if route.request is not faults.FaultBody:
        check_shape(route.request, body, hint)
    return body


def _read_yaml(request: Request, kind: str) -> bytes:
    """The text of a scenario, whose lines errors tell."""
    if kind not in scenario.TYPES:
        raise refusal("not-json", "the body must be YAML or JSON", "send Content-Type: application/yaml")
    if len(request.body) > scenario.MAX_BYTES:
        detail = f"the body has {len(request.body)} bytes; at most {scenario.MAX_BYTES} are read"
        raise refusal("too-large", detail, "start the server with --scenario FILE")
    return request.body


_FIXED_HEADERS = (
    ("cache-control", "no-store"),
    ("x-content-type-options", "nosniff"),
    ("cross-origin-resource-policy", "same-origin"),
)


def not_saved(path: str) -> Response:
    """The answer while the state file cannot be written."""
    detail = "the state file cannot be written: changes since then may be gone after a restart"
    return _problem(refusal("unavailable", detail), path, (("retry-after", "10"),))


def _problem(problem: Problem, path: str, headers: tuple[tuple[str, str], ...] = ()) -> Response:
    if problem.status == 401:
        headers = (*headers, ("www-authenticate", 'Bearer realm="dersim"'))
    return _json(problem.status, problem.document(path[:200]), "application/problem+json", headers)


def _json(status: int, body: Any, kind: str, headers: tuple[tuple[str, str], ...] = ()) -> Response:
    data = json.dumps(body, ensure_ascii=False, allow_nan=False).encode("utf-8", "replace")
    return Response(status, (("content-type", kind), *_FIXED_HEADERS, *headers), data)


_FAILED = _problem(refusal("internal", "this is an error of the server"), PREFIX)
