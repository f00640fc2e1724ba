"""The OpenAPI 3.1 document, made from the route table."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from dersim import __version__
from dersim.json_schema import Schema, SchemaBook
from dersim.pages.problems import PROBLEM_TYPES, ProblemDocument
from dersim.pages.routes import Query, Route

_DESCRIPTION = """\
A simulated DER: what it does, what its utility told it over IEEE 2030.5, and every way to drive it.

P > 0 generates, Q > 0 injects (over-excited). Times are RFC 3339 in UTC. Errors are RFC 9457 problem
documents with a `hint`. The telemetry stream is a WebSocket at `/api/dersim/telemetry/ws` (also
`/api/dersim/ws/telemetry`): it sends the overview document at once and after every tick.
"""

#: Kinds of Problem that any address may answer with.
_ALWAYS = ("bad-request", "token-needed", "foreign-origin", "foreign-host")


def openapi(routes: list[Route], site: str) -> dict[str, Any]:
    """The document of one web site."""
    book = SchemaBook()
    paths: dict[str, Any] = {}
    for route in routes:
        if site in route.sites:
            paths.setdefault(route.path, {})[route.method.lower()] = _operation(route, book)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "dersim",
            "version": __version__,
            "description": _DESCRIPTION,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "security": [{}, {"bearer": []}],
        "tags": [{"name": name} for name in dict.fromkeys(r.tag for r in routes if site in r.sites)],
        "paths": paths,
        "components": {
            "schemas": book.components,
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}},
        },
    }


def _operation(route: Route, book: SchemaBook) -> dict[str, Any]:
    out: dict[str, Any] = {
        "operationId": _operation_id(route),
        "summary": route.summary,
        "tags": [route.tag],
        "parameters": [_parameter(query) for query in route.parameters],
        "responses": _responses(route, book),
    }
    if route.request is not None:
        out["requestBody"] = {
            "required": not route.request_optional,
            "content": {"application/json": {"schema": book.of(route.request)}},
        }
    return out


def _operation_id(route: Route) -> str:
    words = route.path.removeprefix("/api/").replace("-", "_").replace(".", "_").strip("/").split("/")
    return "_".join((route.method.lower(), *words))


def _parameter(query: Query) -> dict[str, Any]:
    schema: Schema = {"type": {int: "integer", float: "number", str: "string"}[query.type]}
    for keyword, value in (
        ("minimum", query.minimum),
        ("maximum", query.highest),
        ("default", query.default),
    ):
        if value is not None:
            schema[keyword] = value
    if query.choices:
        schema["enum"] = list(query.choices)
    return {"name": query.name, "in": "query", "description": query.doc, "schema": schema}


def _responses(route: Route, book: SchemaBook) -> dict[str, Any]:
    schema = book.of(route.response)
    responses: dict[str, Any] = {
        str(route.status): {
            "description": HTTPStatus(route.status).phrase,
            "content": {route.content_type.partition(";")[0]: {"schema": schema}},
        }
    }
    if route.etag:
        responses["304"] = {"description": "Unchanged since the ETag in If-None-Match"}
    kinds = {*_ALWAYS, *route.problems}
    if route.per_device:
        kinds.add("no-such-device")
    if route.method == "POST":
        kinds.add("too-large")
    if route.request is not None:
        kinds.add("not-json")
    for kind in sorted(kinds, key=lambda kind: PROBLEM_TYPES[kind][0]):
        status, hint = PROBLEM_TYPES[kind]
        responses[str(status)] = {
            "description": f"{HTTPStatus(status).phrase}. {hint}",
            "content": {"application/problem+json": {"schema": book.of(ProblemDocument)}},
        }
    return responses
