"""What stands between a device and the server in tests: changes of what passes."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from unittest import mock

from tests.conformance.expected import EXPECTED

from dersim.http11 import Request, Response

OK = Response(204)
CREATED = Response(201, (("location", "/nowhere/1"),))


@dataclass
class Broken:
    """A client with a defect.

    request: what becomes of a request: itself or a changed
    one, a list of them, or a Response that the server never hears of. hidden: requests that are not seen, as
    if the device did not make them. answer: what the device understands of an answer. patch: a defect in the
    client itself. sees_raw: `answer` is told of connections that end too.
    """

    name: str
    request: Callable[[Request, dict], object] | None = None
    hidden: Callable[[Request, dict], bool] | None = None
    answer: Callable[[Request, Response, dict], Response] | None = None
    patch: Callable[[], contextlib.AbstractContextManager] = contextlib.nullcontext
    sees_raw: bool = False
    state: dict = field(default_factory=dict)

    @property
    def fails(self):
        """The ids that must fail."""
        return EXPECTED[self.name]

    def wire(self, stage):
        """What answers the device."""
        state: dict = {"stage": stage}

        async def handle(request):
            if self.hidden is not None and self.hidden(request, state):
                response = await stage.server.handle(request)
            else:
                response = await self._ask(stage, request, state)
            told = self.answer is not None and (self.sees_raw or isinstance(response, Response))
            return self.answer(request, response, state) if told else response

        return handle

    async def _ask(self, stage, request, state):
        wanted = request if self.request is None else self.request(request, state)
        if isinstance(wanted, Response):
            return wanted
        response = OK
        for each in wanted if isinstance(wanted, list) else [wanted]:
            response = await stage.handle(each)
        return response

    @property
    def is_on_wire(self):
        """Whether it is a change of what passes, and not of the client itself."""
        return self.patch is contextlib.nullcontext

    def changes(self, request, response, state):
        """Whether it would change this request, or what is understood of its answer."""
        if self.hidden is not None and self.hidden(request, state):
            return True
        if self.request is not None and self.request(request, state) not in (request, [request]):
            return True
        told = self.answer is not None and (self.sees_raw or isinstance(response, Response))
        return told and self.answer(request, response, state) != response


def is_response(request, status=None):
    wanted = rb"<status>" if status is None else b"<status>%d</status>" % status
    return request.method == "POST" and b"DERControlResponse" in request.body and wanted in request.body


def path_of(request):
    return request.target.partition("?")[0]


def without(status):
    """The Response is never sent."""
    return lambda request, _: CREATED if is_response(request, status) else request


def with_status(old, new):
    def change(request, _):
        if is_response(request, old):
            body = request.body.replace(b"<status>%d</status>" % old, b"<status>%d</status>" % new)
            return request._replace(body=body)
        return request

    return change


def rewritten(pattern, replacement, kind=None):
    """Answers as the device misreads them."""

    def change(_, response, __):
        if kind is not None and b"<%b" % kind not in response.body:
            return response
        return response._replace(body=re.sub(pattern, replacement, response.body, flags=re.DOTALL))

    return change


def body_changed(name, pattern, replacement):
    """A body that the device sends otherwise."""

    def change(request, _):
        if request.method in ("PUT", "POST") and b"<%b" % name in request.body:
            return request._replace(body=re.sub(pattern, replacement, request.body, flags=re.DOTALL))
        return request

    return change


def dropped(method, ending, answer=OK):
    """Requests that are never made; the device goes on as if they were answered."""
    return lambda request, _: (
        answer if request.method == method and path_of(request).endswith(ending) else request
    )


def after_first(test):
    """Whether a GET is not the first of its path."""

    def hidden(request, state):
        if request.method != "GET" or not test(path_of(request)):
            return False
        seen = state.setdefault("seen", set())
        is_first = path_of(request) not in seen
        seen.add(path_of(request))
        return not is_first

    return hidden


def twice(test):
    return lambda request, _: [request, request] if test(request) else request


def swapped(request, state):
    """Response 1 is held back until 2 has gone."""
    if is_response(request, 1):
        state.setdefault("held", []).append(request)
        return CREATED
    if is_response(request, 2):
        return [request, *state.pop("held", [])]
    return request


def frozen(pattern):
    """The first answer of a path counts for ever."""

    def change(request, response, state):
        if request.method != "GET" or not re.search(pattern, path_of(request)) or response.status != 200:
            return response
        return state.setdefault(request.target, response)

    return change


def start_moved(seconds):
    return lambda _, response, __: response._replace(
        body=re.sub(
            rb"(<start>)(\d+)(</start>)",
            lambda found: b"%b%d%b" % (found[1], int(found[2]) + seconds, found[3]),
            response.body,
        )
    )


def halved(_, response, __):
    return response._replace(
        body=re.sub(
            rb"(<interval><duration>)(\d+)",
            lambda found: b"%b%d" % (found[1], int(found[2]) // 2),
            response.body,
        )
    )


def primacies_turned(_, response, __):
    return response._replace(
        body=re.sub(
            rb"<primacy>(\d+)</primacy>",
            lambda found: b"<primacy>%d</primacy>" % (200 - int(found[1])),
            response.body,
        )
    )


@contextlib.contextmanager
def any_chain() -> Iterator[None]:
    with mock.patch("dersim.tls.context.check_chain", return_value=()):
        yield


def is_odd(state):
    state["count"] = state.get("count", 0) + 1
    return state["count"] % 2 == 1


@contextlib.contextmanager
def other_suite() -> Iterator[None]:
    with mock.patch("dersim.tls.context.CIPHERS", "ECDHE-ECDSA-AES128-GCM-SHA256:@SECLEVEL=0"):
        yield


def edev(below):
    return lambda path: re.fullmatch(rf"/edev/\d+{below}", path) is not None


def exactly(path):
    return lambda each: each == path


def seen_once(test):
    """The path is asked for once and never again."""
    return after_first(test)


def never_asked(test):
    return lambda request, _: request.method == "GET" and test(path_of(request))
