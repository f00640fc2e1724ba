"""The quart-trio application: the thin skin between HTTP and the route table.

Guard, decoding, the check of the body, problem documents, ETags and headers are here, once for all routes;
what an address means is in `api/`.
"""

from __future__ import annotations

import hashlib
import inspect
import json
import logging
import traceback
from typing import TYPE_CHECKING, Any

from quart import Response, has_request_context, request, websocket
from quart_trio import QuartTrio
from werkzeug.exceptions import HTTPException

from dersim.engine.supervision import root_cause
from dersim.errors import ConfigError
from dersim.pages.guard import SECURITY_HEADERS, Guard
from dersim.pages.problems import Problem, kind_of_status
from dersim.pages.responses import MAX_BODY_BYTES, dumps, guard_request, problem_response
from dersim.pages.schema import SchemaBook, check
from dersim.pages.statics import add_pages
from dersim.web.routes import Call, Reply, Route, Site, WebContext, find_device, read_query
from dersim.web.streaming import add_telemetry
from dersim.web.telemetry import Telemetry

if TYPE_CHECKING:
    from dersim.logbuffer import LogBuffer


def make_app(
    site: Site, routes: list[Route], context: WebContext, guard: Guard, telemetry: Telemetry
) -> QuartTrio:
    """The application of one web site, with those of the routes that belong to it."""
    app = QuartTrio("dersim.web", static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = MAX_BODY_BYTES
    app.url_map.merge_slashes = False  # a redirect would be a surprise in an API
    app.config["PROVIDE_AUTOMATIC_OPTIONS"] = False
    app.logger.handlers = [_ToLogBuffer(context.engine.log)]
    app.logger.propagate = False
    add_guard(app, guard)
    add_error_handlers(app)
    for route in routes:
        if site in route.sites:
            app.add_url_rule(
                route.path, f"{route.method} {route.path}", _view(route, context), methods=[route.method]
            )
    add_telemetry(app, context, guard, telemetry)
    add_pages(app, site, guard, context.engine.panels)
    return app


class _ToLogBuffer(logging.Handler):
    """What quart logs, which is a handler's unexpected exception: one line, its traceback at level Debug."""

    def __init__(self, log: LogBuffer) -> None:
        super().__init__(logging.WARNING)
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[1] if record.exc_info else None
        if error is None:
            self._log.log("Warning", "WS", record.getMessage())
            return
        self._log.log("Error", "WS", f"{record.getMessage()}: {root_cause(error)!r}")
        self._log.log("Debug", "WS", "".join(traceback.format_exception(error)))


def _view(route: Route, context: WebContext) -> Any:
    book = SchemaBook()
    schema = book.of(route.request) if route.request is not None else None

    async def view() -> Response:
        query = read_query(route, request.args.to_dict(flat=False))
        body = None
        if schema is not None:
            body = _decode_body(route, await request.get_data())
            if errors := check(schema, book.components, body):
                raise Problem("bad-request", f"the body: {errors[0].detail}", errors=errors)
        device = find_device(context, query.pop("device") if route.per_device else 1)
        result = route.handler(context, Call(device, query, body))
        if inspect.isawaitable(result):
            result = await result
        return _respond(route, result)

    return view


def _decode_body(route: Route, raw: str | bytes) -> Any:
    if not raw and route.request_optional:
        return {}
    if request.mimetype != "application/json":
        raise Problem("not-json", f"the body is {request.mimetype or 'of no type'}, not application/json")
    try:
        return json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise Problem("bad-request", f"the body is not JSON: {error}") from None


def _respond(route: Route, result: Any) -> Response:
    reply = result if isinstance(result, Reply) else Reply(route.status, result, route.content_type)
    body = reply.body if isinstance(reply.body, str | bytes) else dumps(reply.body)
    response = Response(body, reply.status, content_type=reply.content_type)
    if route.etag:
        raw = body.encode() if isinstance(body, str) else body
        response.set_etag(hashlib.blake2b(raw, digest_size=8).hexdigest())
        response.headers["Cache-Control"] = "no-cache"
        if request.if_none_match.contains_weak(response.get_etag()[0] or ""):
            response = Response(b"", 304, headers={"ETag": response.headers["ETag"]})
    else:
        response.headers["Cache-Control"] = "no-store"
    return response


def add_guard(app: QuartTrio, guard: Guard) -> None:
    """Check every request by `guard`, and send the security headers with every answer."""

    async def before() -> Response | None:
        # The whole body comes first, whatever the answer will be. hypercorn 0.18 loses its place where an
        # answer overtakes the body: the next request on that connection would never be answered. It also
        # means that a request whose body is broken off has no effect.
        await request.get_data()
        # The first visit of a browser carries the token in the query; `pages.py` turns it into a cookie.
        arrival = request.path == "/" and "token" in request.args
        if request.method == "OPTIONS" and request.headers.get("Origin") in guard.cors_origins:
            return Response(b"", 204)
        guard_request(guard, request.headers, changes=request.method != "GET", token=not arrival)
        return None

    async def after(response: Response) -> Response:
        for name, value in SECURITY_HEADERS.items():
            response.headers.setdefault(name, value)
        if response.status_code in (408, 413):
            response.headers["Connection"] = "close"  # the rest of the body is still under way
        origin = request.headers.get("Origin")
        if origin in guard.cors_origins:
            response.headers["Access-Control-Allow-Origin"] = origin
            response.headers["Access-Control-Allow-Methods"] = "GET, POST"
            response.headers["Access-Control-Allow-Headers"] = "Authorization, Content-Type"
            response.headers["Vary"] = "Origin"
        return response

    app.before_request(before)
    app.after_request(after)


def add_error_handlers(app: QuartTrio) -> None:
    """Answer every error with a problem document."""

    async def on_problem(problem: Problem) -> Response:
        return problem_response(problem, request.path)

    async def on_config_error(error: ConfigError) -> Response:
        return problem_response(Problem("bad-request", str(error)), request.path)

    async def on_http_error(error: HTTPException) -> Response:
        status = error.code or 500
        if status < 400:
            return Response(b"", status, headers=dict(error.get_headers()))
        # A WebSocket to an address that is not there comes here, too.
        asked, path = (request.method, request.path) if has_request_context() else ("WS", websocket.path)
        problem = Problem(kind_of_status(status), f"{asked} {path}: {error.name}")
        response = problem_response(problem, path)
        if status == 405:
            response.headers["Allow"] = ", ".join(getattr(error, "valid_methods", None) or ("GET",))
        return response

    app.register_error_handler(Problem, on_problem)
    app.register_error_handler(ConfigError, on_config_error)
    app.register_error_handler(HTTPException, on_http_error)
