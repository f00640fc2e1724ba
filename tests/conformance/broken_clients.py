"""Clients with one planted defect each: on the wire before our client, or in the client itself."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from unittest import mock

from dersim.http11 import Request, Response

OK = Response(204)
CREATED = Response(201, (("location", "/nowhere/1"),))


@dataclass
class Broken:
    """A client with a defect.

    request: what becomes of a request: itself or a changed one, a list of them, or a Response that the server
    never hears of. hidden: requests that the device does as if it did not: they are not seen. answer: what the
    device understands of an answer. patch: a defect in the client itself.
    """

    name: str
    fails: set[str]
    request: Callable[[Request, dict], object] | None = None
    hidden: Callable[[Request, dict], bool] | None = None
    answer: Callable[[Request, Response, dict], Response] | None = None
    patch: Callable[[], contextlib.AbstractContextManager] = contextlib.nullcontext
    state: dict = field(default_factory=dict)

    def wire(self, stage):
        """What answers the device."""
        state: dict = {"stage": stage}

        async def handle(request):
            if self.hidden is not None and self.hidden(request, state):
                response = await stage.server.handle(request)
            else:
                response = await self._ask(stage, request, state)
            return response if self.answer is None else self.answer(request, response, state)

        return handle

    async def _ask(self, stage, request, state):
        wanted = request if self.request is None else self.request(request, state)
        if isinstance(wanted, Response):
            return wanted
        response = OK
        for each in wanted if isinstance(wanted, list) else [wanted]:
            response = await stage.handle(each)
        return response


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


def doubled(_, response, __):
    return response._replace(
        body=re.sub(
            rb"(<interval><duration>)(\d+)",
            lambda found: b"%b%d" % (found[1], 2 * int(found[2])),
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


def cut_after(count):
    """Lists of controls end early."""

    def change(_, response, __):
        if b"<DERControlList" not in response.body:
            return response
        controls = re.findall(rb"<DERControl .*?</DERControl>", response.body, re.DOTALL)
        body = response.body
        for each in controls[count:]:
            body = body.replace(each, b"")
        return response._replace(
            body=re.sub(rb'results="\d+"', b'results="%d"' % len(controls[:count]), body)
        )

    return change


@contextlib.contextmanager
def any_chain() -> Iterator[None]:
    with mock.patch("dersim.tls.context.check_chain", lambda _: ()):
        yield


def turn_var(body):
    """The value of the reading of reactive power with the other sign: the mRID of var is found by its type."""
    return re.sub(
        rb"(<MirrorMeterReading>(?:(?!</MirrorMeterReading>).)*?<description>[^<]*(?:eactive|var|VAr)[^<]*</description>"
        rb"(?:(?!</MirrorMeterReading>).)*?<value>)(-?)(\d+)",
        lambda found: found[1] + (b"" if found[2] else b"-") + found[3],
        body,
        flags=re.DOTALL,
    )


def _odd(state):
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


BROKEN = [
    # Responses
    Broken("Response 1 is never sent", set(), without(1)),
    Broken("Response 2 is never sent", set(), without(2)),
    Broken("Response 3 is never sent", set(), without(3)),
    Broken("Response 6 is never sent", set(), without(6)),
    Broken("Response 7 is never sent", set(), without(7)),
    Broken("each Response is sent twice", set(), twice(is_response)),
    Broken("Response 1 comes after 2", set(), swapped),
    Broken("completed instead of cancelled", set(), with_status(6, 3)),
    Broken("completed instead of superseded", set(), with_status(7, 3)),
    Broken("started instead of received", set(), with_status(1, 2)),
    Broken(
        "Response with another subject", set(),
        body_changed(b"DERControlResponse", rb"<subject>....", b"<subject>0000"),
    ),
    Broken(
        "Response posted to a wrong address", set(),
        lambda request, _: request._replace(target="/rsps/9/rsp") if is_response(request) else request,
    ),
    Broken("Response to a superseded control is sent a second time as 14", set(),
           lambda request, _: [request, with_status(7, 14)(request, _)] if is_response(request, 7) else request),
    # events
    Broken("controls start 15 s late", set(), answer=start_moved(15)),
    Broken("controls start 8 s early", set(), answer=start_moved(-8)),
    Broken("controls last twice as long", set(), answer=doubled),
    Broken("the worst primacy wins", set(), answer=primacies_turned),
    Broken("a cancellation is not seen", set(), answer=rewritten(
        rb"<currentStatus>2</currentStatus>", b"<currentStatus>0</currentStatus>")),
    Broken("the sign of the randomization is turned", set(), answer=rewritten(
        rb"<randomizeStart>(-?)(\d+)",
        lambda found: b"<randomizeStart>%b%b" % (b"" if found[1] else b"-", found[2]))),
    Broken("only ten controls of a list are read", set(), answer=cut_after(10)),
    Broken("the 25th control and on are dropped", set(), answer=cut_after(23)),
    Broken("controls of a list that has grown are not seen", set(), answer=frozen(r"/derc$")),
    Broken("the own href of a control is never fetched", set(), hidden=never_asked(
        lambda path: re.search(r"/derc/\d+$", path) is not None)),
    # defaults and values
    Broken("the default control is not applied", set(), answer=rewritten(
        rb"<DefaultDERControlLink[^>]*/>", b"")),
    Broken("limits are read as half", set(), answer=rewritten(
        rb"<opModMaxLimW>(\d+)<", lambda found: b"<opModMaxLimW>%d<" % (int(found[1]) // 2))),
    Broken("the excitation is turned", set(), answer=rewritten(
        rb"<excitation>false<", b"<excitation>true<")),
    Broken("the third point of a curve is wrong", set(), answer=rewritten(
        rb"((?:<CurveData>.*?</CurveData>){2}<CurveData>.*?<yvalue>)(-?\d+)",
        lambda found: found[1] + b"%d" % (int(found[2]) - 1500), b"DERCurve")),
    Broken("targets in W are read as 10 W", set(), answer=rewritten(
        rb"(<opModTargetW>.*?<multiplier>)(-?\d+)",
        lambda found: found[1] + b"%d" % (int(found[2]) + 1))),
    Broken("fixed W is not supported", set(), answer=rewritten(
        rb"<opModFixedW>.*?</opModFixedW>", b"<opModEnergize>true</opModEnergize>")),
    Broken("droop is ignored", set(), answer=rewritten(
        rb"<opModFreqDroop>.*?</opModFreqDroop>", b"")),
    Broken("ramp rates of a default are ignored", set(), answer=rewritten(
        rb"<setGradW>\d+</setGradW>|<setSoftGradW>\d+</setSoftGradW>", b"")),
    Broken("momentary cessation is ignored", set(), answer=rewritten(
        rb"<opModLVRTMomentaryCessation [^>]*/>", b"")),
    # walk and polls
    Broken("Registration is never fetched", set(), hidden=never_asked(edev("/rg"))),
    Broken("DeviceCapability is fetched once", set(), hidden=seen_once(exactly("/dcap"))),
    Broken("the EndDeviceList is fetched once", set(), hidden=seen_once(exactly("/edev"))),
    Broken("the assignments are fetched once", set(), hidden=seen_once(edev("/fsa"))),
    Broken("assignments do not change for it", set(), answer=frozen(r"/fsa$")),
    Broken("DERPrograms are never fetched by their own hrefs", set(), hidden=never_asked(
        lambda path: re.fullmatch(r"/derp/\d+", path) is not None)),
    Broken("the DERProgramList is polled twice as often", set(), twice(
        lambda request: request.method == "GET" and path_of(request).endswith("/derp"))),
    Broken("lists are asked for without l", set(), lambda request, _: request._replace(
        target=path_of(request)) if request.method == "GET" else request),
    Broken("it does not find itself by the sFDI", set(), answer=rewritten(
        rb"<EndDevice href(?:(?!</EndDevice>).)*?</EndDevice>",
        lambda found: found[0] if b"<lFDI>" in found[0] else b"")),
    Broken("curves are never fetched", set(), hidden=never_asked(lambda path: "/dc" in path)),
    Broken("Time is never fetched", set(), hidden=never_asked(lambda path: path.startswith("/tm"))),
    Broken("a redirect is not followed", set(), answer=lambda _, response, __: (
        Response(404) if response.status in (301, 302) else response)),
    # documents
    Broken("DERSettings is never PUT", set(), dropped("PUT", "/derg")),
    Broken("DERCapability is never PUT", set(), dropped("PUT", "/dercap")),
    Broken("only DERStatus is PUT", set(), lambda request, _: (
        OK if request.method == "PUT" and not path_of(request).endswith("/ders") else request)),
    Broken("DERStatus has no connection", set(), body_changed(
        b"DERStatus", rb"<connectStatus>.*?</connectStatus>", b"")),
    Broken("readingTime is by its own clock", set(), body_changed(
        b"DERStatus", rb"<readingTime>(\d+)", lambda found: b"<readingTime>%d" % (int(found[1]) - 7200))),
    Broken("setMaxW is beyond the rating", set(), body_changed(
        b"DERSettings", rb"(<setMaxW><multiplier>-?\d+</multiplier><value>)(\d+)",
        lambda found: found[1] + b"%d" % (int(found[2]) * 2))),
    Broken("setMaxVarNeg is positive", set(), body_changed(
        b"DERSettings", rb"(<setMaxVarNeg><multiplier>-?\d+</multiplier><value>)-", rb"\1")),
    Broken("what was PUT is not fetched again", set(), hidden=never_asked(edev(r"/der/1/\w+"))),
    Broken("no LogEvents", set(), dropped("POST", "/lel", CREATED)),
    Broken("the same LogEvent again and again", set(), lambda request, state: (
        request._replace(body=state.setdefault("first", request.body))
        if request.method == "POST" and path_of(request).endswith("/lel") else request)),
    Broken("a body that breaks the schema", set(), body_changed(
        b"LogEvent", rb"<functionSet>.*?</functionSet>", b"")),
    Broken("no MirrorUsagePoint", set(), dropped("POST", "/mup", CREATED)),
    Broken("readings without frequency", set(), lambda request, state: request._replace(
        body=re.sub(rb"<MirrorMeterReading>(?:(?!</MirrorMeterReading>).)*?<uom>33</uom>.*?</MirrorMeterReading>",
                    b"", request.body, flags=re.DOTALL)) if b"MirrorMeterReading" in request.body else request),
    Broken("the sign of var readings is wrong", set(), lambda request, state: request._replace(
        body=turn_var(request.body)) if b"MirrorMeterReading" in request.body else request),
    Broken("every second post of readings is left out", set(), lambda request, state: (
        CREATED if b"MirrorMeterReadingList" in request.body and _odd(state) else request)),
    # security
    Broken("any certificate chain is accepted", set(), patch=any_chain),
    Broken("TLS with another cipher suite", set(), patch=other_suite),
]  # fmt: skip
