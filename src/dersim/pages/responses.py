"""What HTTP answers and WebSocket refusals share."""

from __future__ import annotations

import json
from typing import Any

from quart import Response, request
from werkzeug.datastructures import Headers

from dersim.json_schema import FieldError
from dersim.json_text import BodyError, parse
from dersim.pages.guard import Guard
from dersim.pages.problems import Problem

MAX_BODY_BYTES = 64 * 1024


def dumps(body: Any) -> str:
    """JSON without spaces; NaN and infinity are a bug here and raise ValueError.

    Half a surrogate pair, which a peer can put into a text, has no UTF-8: it is shown as `?`.
    """
    text = json.dumps(body, separators=(",", ":"), allow_nan=False, ensure_ascii=False)
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-8", "replace").decode()
    return text


async def json_body() -> Any:
    """The JSON value of the request's body; Problem with a pointer where it is none or out of bounds."""
    raw = await request.get_data()
    if request.mimetype != "application/json":
        raise Problem("not-json", f"the body is {request.mimetype or 'of no type'}, not application/json")
    try:
        return parse(raw)
    except BodyError as error:
        errors = [FieldError(error.pointer, str(error))]
        raise Problem("bad-request", str(error), errors=errors) from None


def problem_response(problem: Problem, path: str) -> Response:
    """The RFC 9457 answer."""
    response = Response(
        dumps(problem.document(path)), problem.status, content_type="application/problem+json"
    )
    if problem.status == 401:
        response.headers["WWW-Authenticate"] = 'Bearer realm="dersim"'
    return response


def guard_request(guard: Guard, headers: Headers, *, changes: bool, token: bool = True) -> None:
    """All checks of one request; `changes`: whether it may change something, or is a WebSocket."""
    guard.check(headers.get, changes=changes, token=token)
