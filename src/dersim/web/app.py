"""The quart-trio application: the thin layer between HTTP and the route table.

Guard, decoding, the check of the body, problem documents, ETags and headers are here, once for all routes;
what an address means is in `api/`.
"""

from __future__ import annotations

import hashlib
import inspect
from typing import Any

from quart import Response, request
from quart_trio import QuartTrio

from dersim.json_schema import SchemaBook, check
from dersim.pages.guard import Guard
from dersim.pages.middleware import add_error_handlers, add_guard
from dersim.pages.problems import Problem
from dersim.pages.responses import MAX_BODY_BYTES, dumps, json_body
from dersim.pages.routes import Reply, Route, read_query
from dersim.web.context import Call, Site, WebContext, find_device
from dersim.web.site_pages import add_pages
from dersim.web.streaming import add_telemetry
from dersim.web.telemetry import Telemetry


def make_app(
    site: Site, routes: list[Route], context: WebContext, guard: Guard, telemetry: Telemetry
) -> QuartTrio:
    """The application of one web site, with those of the routes that belong to it."""
    app = QuartTrio("dersim.web", static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = MAX_BODY_BYTES
    app.url_map.merge_slashes = False  # a redirect would be a surprise in an API
    app.config["PROVIDE_AUTOMATIC_OPTIONS"] = False
    add_guard(app, guard)
    add_error_handlers(app, context.engine.fences)
    for route in routes:
        if site in route.sites:
            app.add_url_rule(
                route.path, f"{route.method} {route.path}", _view(route, context), methods=[route.method]
            )
    add_telemetry(app, context, guard, telemetry)
    add_pages(app, site, guard, context.engine.panels)
    return app


def _view(route: Route, context: WebContext) -> Any:
    book = SchemaBook()
    schema = book.of(route.request) if route.request is not None else None

    async def view() -> Response:
        query = read_query(route, request.args.to_dict(flat=False))
        body = None
        if schema is not None:
            body = await _body(route)
            if errors := check(schema, book.components, body):
                raise Problem("bad-request", f"the body: {errors[0].detail}", errors=errors)
        device = find_device(context, query.pop("device") if route.per_device else 1)
        result = route.handler(context, Call(device, query, body))
        if inspect.isawaitable(result):
            result = await result
        return _respond(route, result)

    return view


async def _body(route: Route) -> Any:
    if route.request_optional and not await request.get_data():
        return {}
    return await json_body()


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
