"""Around every request of a web site: the guard before it, a problem document where it failed."""

from __future__ import annotations

from quart import Response, has_request_context, request, websocket
from quart_trio import QuartTrio
from werkzeug.exceptions import HTTPException

from dersim.errors import ConfigError
from dersim.fences import Fences
from dersim.pages.guard import SECURITY_HEADERS, Guard
from dersim.pages.problems import Problem, kind_of_status
from dersim.pages.responses import guard_request, problem_response


def add_guard(app: QuartTrio, guard: Guard) -> None:
    """Check every request by `guard`, and send the security headers with every answer."""

    async def before() -> Response | None:
        # The whole body comes first, whatever the answer will be. hypercorn 0.18 loses its place where an
        # answer overtakes the body: the next request on that connection would never be answered. It also
        # means that a request whose body is broken off has no effect.
        await request.get_data()
        # The first visit of a browser carries the token in the query; `site_pages.py` turns it into a cookie.
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
            response.vary.add("Origin")
        return response

    app.before_request(before)
    app.after_request(after)


def add_error_handlers(app: QuartTrio, fences: Fences) -> None:
    """Answer every error with a problem document; an unexpected one is logged and counted by `fences`."""
    app.config["PROPAGATE_EXCEPTIONS"] = True  # what no handler takes is for the server's fence
    app.logger.disabled = True  # so quart need not log it

    async def on_problem(problem: Problem) -> Response:
        return problem_response(problem, request.path)

    async def on_config_error(error: ConfigError) -> Response:
        return problem_response(Problem("bad-request", str(error)), request.path)

    async def on_unexpected(error: Exception) -> Response:
        asked, path = _asked()
        fences.tell(error, "web_request", "WS", f"{asked} {path}")
        return problem_response(Problem("internal", f"{asked} {path}: an unexpected error"), path)

    async def on_http_error(error: HTTPException) -> Response:
        status = error.code or 500
        if status < 400:
            return Response(b"", status, headers=dict(error.get_headers()))
        asked, path = _asked()
        problem = Problem(kind_of_status(status), f"{asked} {path}: {error.name}")
        response = problem_response(problem, path)
        if status == 405:
            response.headers["Allow"] = ", ".join(getattr(error, "valid_methods", None) or ("GET",))
        return response

    app.register_error_handler(Problem, on_problem)
    app.register_error_handler(ConfigError, on_config_error)
    app.register_error_handler(HTTPException, on_http_error)
    app.register_error_handler(Exception, on_unexpected)


def _asked() -> tuple[str, str]:
    """Method and path; of a WebSocket `WS` and path."""
    return (request.method, request.path) if has_request_context() else ("WS", websocket.path)
