"""The lab's web application: the page, its API, and the dashboard's guard.

    GET  /api/lab/state?version=V&server=ID&simulator=ID   both programs; waits for a change from V
    GET  /api/lab/programs/{key}/settings                  the form
    PUT  /api/lab/programs/{key}/settings                  {"values": {flag: text, or null to keep a secret}}
    POST /api/lab/programs/{key}/start, .../stop           202

It starts only the two programs of `programs.py` and listens on loopback only: its users run programs and
name files on this machine.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import trio
from quart import Response, request
from quart_trio import QuartTrio

from dersim.errors import ConfigError
from dersim.fences import Fences
from dersim.json_schema import FieldError
from dersim.lab.fields import Field
from dersim.lab.programs import PROGRAMS, Program, Programs
from dersim.lab.state import LabState
from dersim.pages import statics
from dersim.pages.guard import Guard
from dersim.pages.middleware import add_error_handlers, add_guard
from dersim.pages.problems import Problem
from dersim.pages.responses import MAX_BODY_BYTES, dumps, json_body

STATIC = Path(__file__).parent / "static"
#: How long a GET of the state waits for a change; less than the timeout of any proxy or browser.
LONGEST_WAIT_S = 20.0


def make_lab_app(state: LabState, nursery: trio.Nursery, fences: Fences) -> QuartTrio:
    """The application; the children live in `nursery`."""
    app = QuartTrio("dersim.lab", static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = MAX_BODY_BYTES
    app.config["PROVIDE_AUTOMATIC_OPTIONS"] = False
    app.url_map.merge_slashes = False
    add_guard(app, Guard())
    add_error_handlers(app, fences)
    statics.add_site(app, "lab", STATIC / "lab.html")
    _add_state(app, state)
    _add_settings(app, state)
    _add_buttons(app, state, nursery)
    return app


def _add_state(app: QuartTrio, state: LabState) -> None:
    async def snapshot() -> Response:
        asked = {name: _whole_number(name) for name in ("version", *PROGRAMS)}
        version = asked.pop("version")
        if version == state.version:
            await state.wait_news(version, LONGEST_WAIT_S)
        return _json(state.snapshot(asked))

    app.add_url_rule("/api/lab/state", "state", snapshot, methods=["GET"])


def _add_settings(app: QuartTrio, state: LabState) -> None:
    async def form(key: str) -> Response:
        return _json(state.form(_program(key)))

    async def choose(key: str) -> Response:
        program = _program(key)
        values = _values(state.programs.fields(program), await json_body())
        try:
            state.choose(program, values)
        except ConfigError as error:
            raise _refusal(state.programs, program, error) from error
        return _json(state.form(program))

    path = "/api/lab/programs/<key>/settings"
    app.add_url_rule(path, "form", form, methods=["GET"])
    app.add_url_rule(path, "choose", choose, methods=["PUT"])


def _add_buttons(app: QuartTrio, state: LabState, nursery: trio.Nursery) -> None:
    async def start(key: str) -> Response:
        program = _program(key)
        if state.children[key].is_up:
            raise Problem("conflict", f"{program.title} is already running", hint="Stop it first.")
        try:
            await state.start(program, nursery)
        except ConfigError as error:
            raise _refusal(state.programs, program, error) from error
        return _json(state.snapshot({}), 202)

    async def stop(key: str) -> Response:
        program = _program(key)
        if not state.children[key].is_up:
            raise Problem("conflict", f"{program.title} is not running", hint="Start it first.")
        nursery.start_soon(state.children[key].stop)
        return _json(state.snapshot({}), 202)

    app.add_url_rule("/api/lab/programs/<key>/start", "start", start, methods=["POST"])
    app.add_url_rule("/api/lab/programs/<key>/stop", "stop", stop, methods=["POST"])


def _program(key: str) -> Program:
    if key not in PROGRAMS:
        raise Problem("not-found", f"there is no program {key!r}", hint=f"There are: {', '.join(PROGRAMS)}.")
    return PROGRAMS[key]


def _whole_number(name: str) -> int:
    text = request.args.get(name, "-1")
    try:
        return int(text[:18])
    except ValueError:
        raise Problem(
            "bad-request", f"query parameter {name}={text[:40]!r}: a whole number is needed"
        ) from None


_SHAPE = 'Send {"values": {"--flag": "text as on the command line"}}.'


def _values(fields: Iterable[Field], body: Any) -> dict[str, str | None]:
    values = body.get("values") if isinstance(body, dict) else None
    if not isinstance(values, dict):
        raise Problem("bad-request", "the body has no object of values", hint=_SHAPE)
    known = {field.name for field in fields}
    errors = [
        *(FieldError(f"/values/{name}", "no such flag") for name in values if name not in known),
        *(
            FieldError(f"/values/{name}", "text of one line is needed")
            for name, text in values.items()
            if text is not None and not (isinstance(text, str) and text.isprintable())
        ),
    ]
    if errors:
        raise Problem("bad-request", f"{errors[0].pointer}: {errors[0].detail}", hint=_SHAPE, errors=errors)
    return values


def _refusal(programs: Programs, program: Program, error: ConfigError) -> Problem:
    """The message of the program's own parser, with the field that it is about."""
    # The hint for a shell is of no use in a form.
    text = re.sub(r"; see dersim \w+ --help$", "", str(error))
    name = programs.complained_field(program, text)
    errors = [FieldError(f"/values/{name}", text)] if name else []
    return Problem("bad-request", text, hint="Change it in the settings.", errors=errors)


def _json(document: Any, status: int = 200) -> Response:
    answer = Response(dumps(document), status, content_type="application/json")
    answer.headers["Cache-Control"] = "no-store"
    return answer
