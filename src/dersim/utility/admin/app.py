"""The operator's REST: JSON over HTTP on 127.0.0.1, to read what devices sent and to publish controls.

There is no login, so web pages of other sites must not reach it through the operator's browser. Refused are a
Host other than this machine (DNS rebinding), an Origin other than our own, a body that is not declared as
JSON, and anything that a page of another site embeds or fetches.

Errors are `application/problem+json` with a hint that shows a correct request.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from http import HTTPStatus
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, unquote

from dersim.errors import ConfigError
from dersim.fences import Fences
from dersim.http11 import Request, Response
from dersim.json_text import BodyError, parse
from dersim.numeric import number, shown
from dersim.utility.admin import faults, views
from dersim.utility.admin import page as admin_page
from dersim.utility.admin.body import pointer_of, read_fields, read_modes
from dersim.utility.head_end import MODULE, HeadEnd
from dersim.utility.program import Control, Program
from dersim.utility.programs import ControlOrder

PREFIX = "/api/utility"
DEFAULT_LIMIT = 100
MAX_BODY = 1 << 20
MAX_START_IN_S = 366 * 86_400

_CONTROL_HINT = '{"modes": {"opModMaxLimW": 60}, "start_in_s": 30, "duration_s": 120}'
_HINTS = {
    "end-devices": '{"lfdi": "40 hex digits", "pin": 111115}',
    "programs": '{"description": "feeder 7", "primacy": 10}',
    "controls": _CONTROL_HINT,
    "default-control": '{"modes": {"opModMaxLimW": 100}}',
    "poll-rates": '{"derp": 5}',
    "faults": '{"kind": "status", "status": 503, "path": "/derp/*", "count": 3}',
}


class _Problem(Exception):  # noqa: N818 - never leaves this module
    """pointer: a JSON Pointer into the body, None where the body is not the cause."""

    def __init__(
        self, status: int, detail: str, hint: str, allow: str = "", pointer: str | None = None
    ) -> None:
        super().__init__(detail)
        self.status, self.detail, self.hint, self.allow, self.pointer = status, detail, hint, allow, pointer


class Result(NamedTuple):
    """The status and JSON body of a response."""

    status: int
    body: Any


class Admin:
    """Answers the operator's requests for one head-end.

    page: makes the page at `/`. `answer` never raises, except for what `fences` raises again under fail_fast.
    """

    def __init__(self, head_end: HeadEnd, fences: Fences, page: Callable[[], Response]) -> None:
        self._head_end = head_end
        self._pages = {"/": page, admin_page.STYLE: admin_page.style}
        self._fences = fences
        self._reads: dict[str, Callable[[dict[str, str]], Any]] = {
            "end-devices": lambda _: views.end_devices(head_end),
            "programs": lambda _: views.programs(head_end),
            "responses": lambda _: views.responses(head_end),
            "mirror-usage-points": lambda _: views.mirrors(head_end),
            "log-events": lambda _: views.log_events(head_end),
            "poll-rates": lambda _: head_end.rates.as_dict(),
            "violations": lambda _: dict(head_end.violations),
            "requests": self._requests,
            "faults": lambda _: faults.listed(head_end),
            "unexpected-errors": lambda _: dict(fences.counts),
        }
        self._writes: dict[tuple[str, str], Callable[[list[str], Any], Result]] = {
            ("POST", "end-devices"): self._add_device,
            ("POST", "programs"): self._add_program,
            ("PUT", "poll-rates"): self._set_poll_rates,
            ("PUT", "programs/*/default-control"): self._set_default,
            ("POST", "programs/*/controls"): self._add_control,
            ("DELETE", "controls/*"): self._cancel,
            ("POST", "faults"): lambda _, data: Result(201, faults.plant(head_end, data)),
            ("DELETE", "faults/*"): self._remove_fault,
        }

    def answer(self, request: Request) -> Response:
        """The response to one request."""
        response = _FAILED
        with self._fences.around("utility_admin", MODULE, f"{request.method} {request.target[:200]}"):
            self._head_end.advance()
            response = self._answer(request)
        return response  # noqa: RET504 - not what `_answer` returned where the fence ended it

    def _answer(self, request: Request) -> Response:
        try:
            _check_origin(request)
            page = self._pages.get(request.target.partition("?")[0])
            if page is not None and request.method in ("GET", "HEAD"):
                return page()
            result = self._dispatch(request)
        except _Problem as problem:
            return _problem(problem)
        return _json(result.status, result.body, "application/json")

    def _dispatch(self, request: Request) -> Result:
        path, _, query = request.target.partition("?")
        if not path.startswith(f"{PREFIX}/"):
            raise _Problem(404, f"there is nothing at {path[:200]}", self._known())
        parts = [unquote(part) for part in path.removeprefix(f"{PREFIX}/").split("/")]
        shape = "/".join("*" if index == 1 else part for index, part in enumerate(parts))
        if request.method in ("GET", "HEAD") and shape in self._reads:
            return Result(200, self._reads[shape](dict(parse_qsl(query))))
        handler = self._writes.get((request.method, shape))
        if handler is None:
            raise self._no_such(path, shape)
        body = None if request.method == "DELETE" else _read_json(request, parts[-1])
        try:
            return handler(parts, body)
        except ConfigError as error:
            raise _Problem(400, str(error), _hint(parts[-1]), pointer=pointer_of(body, error)) from None

    def _no_such(self, path: str, shape: str) -> _Problem:
        methods = [method for method, known in self._writes if known == shape]
        if shape in self._reads:
            methods = ["GET", "HEAD", *methods]
        if methods:
            allow = ", ".join(methods)
            return _Problem(405, f"this method is not supported at {path[:200]}", f"use {allow}", allow)
        return _Problem(404, f"there is nothing at {path[:200]}", self._known())

    def _known(self) -> str:
        paths = sorted({*self._reads, *(shape.replace("*", "{id}") for _, shape in self._writes)})
        return f"known paths below {PREFIX}/ are {', '.join(paths)}"

    def _requests(self, query: dict[str, str]) -> Any:
        text = query.get("limit", str(DEFAULT_LIMIT))
        if not text.isascii() or not text.isdigit() or len(text) > 9:
            raise _Problem(400, f"limit: a whole number is needed, not {text[:40]!r}", "?limit=100")
        return [item.to_json() for item in self._head_end.request_log.newest(int(text))]

    def _add_device(self, _: list[str], data: Any) -> Result:
        fields = read_fields(data, ("lfdi",), ("pin", "aggregator"))
        for name in ("lfdi", "aggregator"):
            if name in fields and not isinstance(fields[name], str):
                raise BodyError(
                    f"{name}: 40 hexadecimal digits are needed, not {shown(fields[name])}", f"/{name}"
                )
        pin = fields.get("pin")
        if isinstance(pin, str) and pin.isascii() and pin.isdigit() and len(pin) == 6:
            pin = int(pin)
        device, created = self._head_end.provision(fields["lfdi"], pin, fields.get("aggregator"))
        return Result(201 if created else 200, views.end_device(device))

    def _add_program(self, _: list[str], data: Any) -> Result:
        fields = read_fields(data, ("description", "primacy"))
        program = self._head_end.create_program(fields["description"], fields["primacy"])
        return Result(201, views.program(program))

    def _set_poll_rates(self, _: list[str], data: Any) -> Result:
        self._head_end.rates.change(data)
        return Result(200, self._head_end.rates.as_dict())

    def _set_default(self, parts: list[str], data: Any) -> Result:
        program = self._program(parts[1])
        self._head_end.set_default(program, read_modes(read_fields(data, ("modes",))["modes"]))
        return Result(200, views.program(program)["default_control"])

    def _add_control(self, parts: list[str], data: Any) -> Result:
        program = self._program(parts[1])
        control = self._head_end.publish(program, order_from_json(data, self._head_end.now_s()))
        return Result(201, {"mRID": control.mrid, "href": control.href})

    def _cancel(self, parts: list[str], _: Any) -> Result:
        control: Control | None = self._head_end.programs.find_control(parts[1])
        if control is None:
            raise _Problem(404, f"there is no control {parts[1][:80]}", f"GET {PREFIX}/programs lists them")
        if not control.live:
            raise _Problem(409, f"control {control.mrid} is over", f"GET {PREFIX}/programs shows its status")
        self._head_end.cancel(control)
        return Result(200, views.control(control))

    def _remove_fault(self, parts: list[str], _: Any) -> Result:
        removed = faults.remove(self._head_end, parts[1])
        if removed is None:
            raise _Problem(404, f"there is no fault {parts[1][:80]}", f"GET {PREFIX}/faults lists them")
        return Result(200, removed)

    def _program(self, text: str) -> Program:
        number = int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0
        program = self._head_end.programs.get(number)
        if program is None:
            raise _Problem(404, f"there is no program {text[:80]}", f"GET {PREFIX}/programs lists them")
        return program


_ORDER_KEYS = ("randomize_start_s", "randomize_duration_s", "response_required", "description")


def order_from_json(data: Any, now_s: float) -> ControlOrder:
    """The order for a control; ConfigError for bad values. `start_in_s` counts from `now_s`.

    2030.5 has whole seconds: a future start is rounded up, so that clients do not see it too late.
    """
    fields = read_fields(data, ("modes", "duration_s"), ("start_in_s", *_ORDER_KEYS))
    start_in_s = number("start_in_s", fields.get("start_in_s", 0), -MAX_START_IN_S, MAX_START_IN_S, "s")
    start_s = math.ceil(now_s + start_in_s) if start_in_s > 0 else math.floor(now_s + start_in_s)
    given = {key: fields[key] for key in _ORDER_KEYS if key in fields}
    return ControlOrder(read_modes(fields["modes"]), start_s, fields["duration_s"], **given)


def _check_origin(request: Request) -> None:
    host = (request.header("host") or "").lower()
    name = host[: host.index("]") + 1] if host.startswith("[") and "]" in host else host.partition(":")[0]
    if name not in ("127.0.0.1", "localhost", "[::1]"):
        raise _Problem(403, f"Host {host[:100]!r} is not this machine", "use http://127.0.0.1 or localhost")
    origin = request.header("origin")
    if origin is not None and origin.lower() != f"http://{host}":
        raise _Problem(403, f"Origin {origin[:100]!r} is not this server", "call it from no other web page")
    mode, dest = request.header("sec-fetch-mode"), request.header("sec-fetch-dest")
    if request.header("sec-fetch-site") == "cross-site" and (mode, dest) != ("navigate", "document"):
        raise _Problem(403, "a page of another site asked", "call it from no other web page")


def _read_json(request: Request, what: str) -> Any:
    kind = (request.header("content-type") or "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise _Problem(415, "the body must be JSON", "send the header Content-Type: application/json")
    if len(request.body) > MAX_BODY:
        raise _Problem(413, f"the body has {len(request.body)} bytes", f"at most {MAX_BODY} are read")
    try:
        return parse(request.body)
    except BodyError as error:
        raise _Problem(400, str(error), _hint(what), pointer=error.pointer) from None


def _hint(what: str) -> str:
    return f"for instance {_HINTS[what]}" if what in _HINTS else f"GET {PREFIX}/programs shows what there is"


def _problem(problem: _Problem) -> Response:
    body: dict[str, Any] = {
        "type": "about:blank",
        "title": HTTPStatus(problem.status).phrase,
        "status": problem.status,
        "detail": problem.detail,
        "hint": problem.hint,
    }
    if problem.pointer is not None:
        body["errors"] = [{"pointer": problem.pointer, "detail": problem.detail}]
    allow = (("allow", problem.allow),) if problem.allow else ()
    return _json(problem.status, body, "application/problem+json", allow)


_FIXED_HEADERS = (
    ("cache-control", "no-store"),
    ("x-content-type-options", "nosniff"),
    ("cross-origin-resource-policy", "same-origin"),
)


def _json(status: int, body: Any, kind: str, headers: tuple[tuple[str, str], ...] = ()) -> Response:
    data = json.dumps(body, ensure_ascii=False, allow_nan=False).encode("utf-8", "replace")
    return Response(status, (("content-type", kind), *_FIXED_HEADERS, *headers), data)


_FAILED = _problem(_Problem(500, "this is an error of the server", "see its log and report it"))
