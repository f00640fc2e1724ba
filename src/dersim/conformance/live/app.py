"""The live page's web application, on loopback behind the dashboard's guard.

GET  /api/conformance           the campaign as it is now
POST /api/conformance/answer    {"number": 3, "done": true}; 204, or 409 where nobody asks that any more
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from quart import Response
from quart_trio import QuartTrio

from dersim.conformance.live.board import Board
from dersim.conformance.live.view import View
from dersim.fences import Fences
from dersim.pages import statics
from dersim.pages.guard import Guard
from dersim.pages.middleware import add_error_handlers, add_guard
from dersim.pages.problems import Problem
from dersim.pages.responses import MAX_BODY_BYTES, dumps, json_body

STATIC = Path(__file__).parent / "static"
_SHAPE = 'Send {"number": 3, "done": true}.'


def make_app(board: Board, fences: Fences) -> QuartTrio:
    """The application."""
    app = QuartTrio("dersim.conformance.live", static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = MAX_BODY_BYTES
    app.config["PROVIDE_AUTOMATIC_OPTIONS"] = False
    app.url_map.merge_slashes = False
    add_guard(app, Guard())
    add_error_handlers(app, fences)
    statics.add_site(app, "conformance", STATIC / "page.html")
    _add_api(app, board, View(board))
    return app


def _add_api(app: QuartTrio, board: Board, view: View) -> None:
    async def snapshot() -> Response:
        answer = Response(dumps(view.snapshot()), content_type="application/json")
        answer.headers["Cache-Control"] = "no-store"
        return answer

    async def reply() -> Response:
        number, done = _answer(await json_body())
        if not board.answer(number, done):
            raise Problem("conflict", f"question {number} is not asked any more", hint="Look at the page.")
        return Response(b"", 204)

    app.add_url_rule("/api/conformance", "snapshot", snapshot, methods=["GET"])
    app.add_url_rule("/api/conformance/answer", "answer", reply, methods=["POST"])


def _answer(body: Any) -> tuple[int, bool]:
    number, done = (body.get(name) for name in ("number", "done")) if isinstance(body, dict) else (None, None)
    if not isinstance(number, int) or isinstance(number, bool) or not isinstance(done, bool):
        raise Problem("bad-request", "the body is no answer to a question", hint=_SHAPE)
    return number, done
