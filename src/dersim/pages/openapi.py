"""The OpenAPI 3.1 document, made from the route table."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, NamedTuple

from dersim import __version__
from dersim.json_schema import Schema, SchemaBook
from dersim.pages.problems import PROBLEM_TYPES, ProblemDocument
from dersim.pages.routes import Query, Route


class About(NamedTuple):
    """What is said of an API as a whole.

    problems: kind -> (status, what to do). always: the kinds that any address may answer with. token: whether
    it may ask for one.
    """

    title: str
    description: str
    problems: Mapping[str, tuple[int, str]] = PROBLEM_TYPES
    always: tuple[str, ...] = ("bad-request", "token-needed", "foreign-origin", "foreign-host")
    token: bool = True


DERSIM = About(
    "dersim",
    """\
A simulated DER: what it does, what its utility told it over IEEE 2030.5, and every way to drive it.

P > 0 generates, Q > 0 injects (over-excited). Times are RFC 3339 in UTC. Errors are RFC 9457 problem
documents with a `hint`. The telemetry stream is a WebSocket at `/api/dersim/telemetry/ws` (also
`/api/dersim/ws/telemetry`): it sends the overview document at once and after every tick.
""",
)


def openapi(routes: list[Route], site: str, about: About = DERSIM) -> dict[str, Any]:
    """The document of one web site."""
    book = SchemaBook()
    paths: dict[str, Any] = {}
    for route in routes:
        if site in route.sites:
            paths.setdefault(route.path, {})[route.method.lower()] = _operation(route, book, about)
    bearer = {"bearer": {"type": "http", "scheme": "bearer"}}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": about.title,
            "version": __version__,
            "description": about.description,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "security": [{}, {"bearer": []}] if about.token else [{}],
        "tags": [{"name": name} for name in dict.fromkeys(r.tag for r in routes if site in r.sites)],
        "paths": paths,
        "components": {"schemas": book.components} | ({"securitySchemes": bearer} if about.token else {}),
    }


def _operation(route: Route, book: SchemaBook, about: About) -> dict[str, Any]:
    out: dict[str, Any] = {
        "operationId": _operation_id(route),
        "summary": route.summary,
        "tags": [route.tag],
        "parameters": [
            *(_parameter(each, "path") for each in route.path_parameters),
            *(_parameter(each, "query") for each in route.parameters),
        ],
        "responses": _responses(route, book, about),
    }
    if route.request is not None:
        content: dict[str, Any] = {"schema": book.of(route.request)}
        if route.example is not None:
            content["example"] = route.example
        out["requestBody"] = {
            "required": not route.request_optional,
            "content": {"application/json": content},
        }
    return out


def _operation_id(route: Route) -> str:
    plain = route.path.removeprefix("/api/").translate(str.maketrans("-.", "__", "{}"))
    return "_".join((route.method.lower(), *plain.strip("/").split("/")))


def _parameter(query: Query, place: str) -> dict[str, Any]:
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
    needed = {"required": True} if place == "path" else {}
    return {"name": query.name, "in": place, "description": query.doc, **needed, "schema": schema}


def _responses(route: Route, book: SchemaBook, about: About) -> dict[str, Any]:
    schema = book.of(route.response)
    responses: dict[str, Any] = {
        str(route.status): {
            "description": HTTPStatus(route.status).phrase,
            "content": {route.content_type.partition(";")[0]: {"schema": schema}},
        }
    }
    if route.etag:
        responses["304"] = {"description": "Unchanged since the ETag in If-None-Match"}
    kinds = {*about.always, *route.problems}
    if route.per_device:
        kinds.add("no-such-device")
    if route.method in ("POST", "PUT"):
        kinds.add("too-large")
    if route.request is not None:
        kinds.add("not-json")
    for kind in sorted(kinds, key=lambda kind: about.problems[kind][0]):
        status, hint = about.problems[kind]
        responses[str(status)] = {
            "description": f"{HTTPStatus(status).phrase}. {hint}",
            "content": {"application/problem+json": {"schema": book.of(ProblemDocument)}},
        }
    return responses
