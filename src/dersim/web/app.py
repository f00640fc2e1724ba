"""The quart-trio application: the thin layer between HTTP and the route table.

Guard, decoding, the check of the body, problem documents, ETags and headers are here, once for all routes;
what an address means is in `api/`.
"""

from __future__ import annotations

import hashlib
import inspect
from typing import TYPE_CHECKING, Any, NamedTuple

import trio
from quart import Response, request
from quart_trio import QuartTrio

from dersim.json_schema import SchemaBook, check
from dersim.pages.compression import gzip_accepted, pack
from dersim.pages.guard import Guard
from dersim.pages.middleware import add_error_handlers, add_guard
from dersim.pages.problems import Problem
from dersim.pages.responses import MAX_BODY_BYTES, dumps, json_body
from dersim.pages.routes import Reply, Route, read_query
from dersim.web.context import Call, Site, WebContext, find_device
from dersim.web.site_pages import add_pages
from dersim.web.streaming import add_telemetry
from dersim.web.telemetry import Telemetry

if TYPE_CHECKING:
    from dersim.device import Device

#: Compressing more characters than this takes longer than handing them to a thread.
LONG = 20_000
#: The fastest: 1.4 MB of history to 0.4 MB in 20 ms, and to 0.33 MB in 100 ms at level 6.
LEVEL = 1


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
        device = find_device(context, query.pop("device") if route.per_device else None)
        result = route.handler(context, Call(device, query, body))
        if inspect.isawaitable(result):
            result = await result
        if route.method != "GET" and route.per_device:
            await context.engine.saved_states.barrier(_number(device, body))
        return await _respond(route, result)

    return view


def _number(device: Device, body: Any) -> int:
    """The DER that a request has changed: that of its body, where it names one."""
    named = body.get("device") if isinstance(body, dict) else None
    return named if isinstance(named, int) else device.number


async def _body(route: Route) -> Any:
    if route.request_optional and not await request.get_data():
        return {}
    return await json_body()


async def _respond(route: Route, result: Any) -> Response:
    reply = result if isinstance(result, Reply) else Reply(route.status, result, route.content_type)
    text = reply.body if isinstance(reply.body, str | bytes) else dumps(reply.body)
    body = await _finished(text, route, packed=route.packed and gzip_accepted())
    response = Response(body.raw, reply.status, content_type=reply.content_type)
    response.headers["Cache-Control"] = "no-cache" if route.etag else "no-store"
    if body.tag:
        response.set_etag(body.tag)
        if request.if_none_match.contains_weak(body.tag):
            response = Response(b"", 304, headers={"ETag": response.headers["ETag"]})
            body = body._replace(packed=False)
    if body.packed:
        response.headers["Content-Encoding"] = "gzip"
    if route.packed:
        response.vary.add("Accept-Encoding")
    return response


class _Body(NamedTuple):
    """A body as it is sent. tag: of this representation, empty where the route has none."""

    raw: bytes
    tag: str
    packed: bool


async def _finished(text: str | bytes, route: Route, *, packed: bool) -> _Body:
    """Encoded, tagged and compressed; a long one in a thread, since four hours of history take 50 ms."""

    def finish() -> _Body:
        raw = text.encode() if isinstance(text, str) else text
        tag = hashlib.blake2b(raw, digest_size=8).hexdigest() if route.etag else ""
        if not packed:
            return _Body(raw, tag, False)
        return _Body(pack(raw, LEVEL), f"{tag}-gzip" if tag else "", True)

    return await trio.to_thread.run_sync(finish) if packed and len(text) > LONG else finish()
