"""X-010, 012, 013, 015, 020, 021: answers and links that real servers give."""

from __future__ import annotations

import re
from email.utils import formatdate
from typing import NamedTuple

from dersim.conformance.checks import answers, requests, wire
from dersim.conformance.checks.power import limit
from dersim.conformance.criteria import is_completed, rules
from dersim.conformance.fixtures import two_programs
from dersim.conformance.procedure import Criterion, Procedure
from dersim.conformance.stage import Stage
from dersim.http11 import Request, Response

_SY_DEFAULT, _SP_DEFAULT = {"opModMaxLimW": 90}, {"opModMaxLimW": 80}
_SY_EVENT, _SP_EVENT = {"opModMaxLimW": 60}, {"opModMaxLimW": 40}

#: Until when the EndDeviceList is empty in X-010, and the span without lists of controls, printed seconds.
_NO_DEVICE_UNTIL, _NO_LISTS = 15, (65, 150)


def path_of(request: Request) -> str:
    """The target without its query."""
    return request.target.partition("?")[0]


# ----


def _nothing_there(stage: Stage) -> None:
    two_programs(stage, _SY_DEFAULT, _SP_DEFAULT)
    stage.control("known before", "SY", 100, 40, _SY_EVENT)
    by_path = {
        f"{stage.programs['SY'].href}/derc": Response(204),
        f"{stage.programs['SP'].href}/derc": Response(200, (("content-type", "application/sep+xml"),)),
        "/mup": Response(204),
    }

    def answer(request: Request) -> Response | None:
        now_s, path = stage.clock.now_s(), path_of(request)
        if request.method != "GET":
            return None
        if path == "/edev" and now_s < stage.at(_NO_DEVICE_UNTIL):
            return Response(204)
        is_empty = stage.at(_NO_LISTS[0]) <= now_s < stage.at(_NO_LISTS[1])
        return by_path.get(path) if is_empty else None

    stage.answers = answer


async def _an_event_meanwhile(stage: Stage) -> None:
    await stage.until(120)
    stage.control("published meanwhile", "SP", 220, 40, _SP_EVENT)


# ----


class _Wait(NamedTuple):
    """At printed second `at` a list is answered `status` with this Retry-After.

    asked_s: what it asks for, printed seconds, None where it says nothing that can be obeyed. as_date: it is
    written as an HTTP-date. within_s: real seconds in which the client has to come again after that.
    """

    at: float
    status: int
    header: str
    asked: float | None = None
    as_date: bool = False
    within_s: float = 90.0


_WAITS = (
    _Wait(60, 503, "", 40),
    _Wait(160, 503, "", 40, as_date=True),
    _Wait(260, 429, "", 30),
    _Wait(340, 503, "-5"),
    _Wait(420, 429, "soon"),
    _Wait(500, 503, "99999999999", within_s=600),
)


def _busy(stage: Stage) -> None:
    stage.register()
    stage.program("SY", 10, default=_SY_DEFAULT)
    stage.control("event", "SY", 540, 60, _SY_EVENT)
    path = f"{stage.programs['SY'].href}/derc"
    left = list(_WAITS)
    told: list[requests.Asked] = []
    stage.evidence.facts["waits"] = told

    def answer(request: Request) -> Response | None:
        now_s = stage.clock.now_s()
        if not left or path_of(request) != path or now_s < stage.at(left[0].at):
            return None
        wait = left.pop(0)
        value, asked_s, headers = wait.header, 0, list[tuple[str, str]]()
        if wait.asked is not None:
            asked_s = stage.whole(wait.asked)
            value = formatdate(now_s + asked_s, usegmt=True) if wait.as_date else str(asked_s)
        if wait.as_date:
            headers = [("date", formatdate(now_s, usegmt=True))]
        told.append(requests.Asked(now_s, path, f"{wait.status} Retry-After {value}", asked_s, wait.within_s))
        return Response(wait.status, (*headers, ("retry-after", value)))

    stage.answers = answer


# ----

_LATER = b'<opModLaterW xmlns:v="urn:example:vendor" v:unit="W"><value>7</value></opModLaterW>'
_FOREIGN = b'<v:tariff xmlns:v="urn:example:vendor" v:zone="4"><v:price>12</v:price></v:tariff>'


def _sparse(stage: Stage) -> None:
    two_programs(stage, _SY_DEFAULT, _SP_DEFAULT)
    stage.control("event", "SP", 120, 60, _SP_EVENT)

    def rewrite(_: Request, response: Response) -> Response:
        body = re.sub(rb'(<\w+Link [^>]*?) all="\d+"', rb"\1", response.body)
        body = re.sub(rb' pollRate="\d+"', b"", body)
        body = re.sub(rb"<(?:quality|tzOffset|dstOffset)>[^<]*</(?:quality|tzOffset|dstOffset)>", b"", body)
        body = body.replace(b"<DERControlBase>", b"<DERControlBase>" + _LATER)
        body = re.sub(rb"</(EndDevice|DERProgram|DERControl|DefaultDERControl)>", _FOREIGN + rb"</\1>", body)
        body = re.sub(rb"<(DERProgram|DERControl|EndDevice) ", rb'<\1 later="1" ', body)
        return response._replace(body=body)

    stage.rewrites = rewrite


# ----

_QUERY = "zone=4"


def _odd_links(stage: Stage) -> None:
    two_programs(stage, _SY_DEFAULT, _SP_DEFAULT)
    stage.control("event", "SP", 120, 60, _SP_EVENT)

    def read(request: Request) -> Request:
        path, mark, query = request.target.partition("?")
        if not path.startswith("/DERP"):
            return request
        return request._replace(target=path.lower() + mark + query)

    def rewrite(request: Request, response: Response) -> Response:
        host = (request.header("host") or "").encode()
        body = re.sub(rb'href="/derp([^"]*)"', rb'href="/DERP\1?%b"' % _QUERY.encode(), response.body)
        body = re.sub(rb'(href|replyTo)="(/(?:edev|mup|rsps|tm)[^"]*)"', rb'\1="https://%b\2"' % host, body)
        return response._replace(body=body)

    stage.reads, stage.rewrites = read, rewrite


# ----


def _redirected(stage: Stage) -> None:
    stage.register()
    stage.program("SY", 10, default=_SY_DEFAULT)
    stage.control("event", "SY", 90, 30, _SY_EVENT)
    stage.plant("redirect", status=307, method="PUT")
    stage.plant("redirect", status=308, method="POST")


# ----

#: So many items come at once, whatever the client asks for.
_PAGE = 4
_PAGED = tuple(f"event {number}" for number in range(1, 11))


def _short_pages(stage: Stage) -> None:
    stage.register()
    stage.program("SY", 10, default=_SY_DEFAULT)
    for number, name in enumerate(_PAGED):
        stage.control(name, "SY", 120 + 30 * number, 20, _SY_EVENT)
    path = f"{stage.programs['SY'].href}/derc"

    def read(request: Request) -> Request:
        if request.method == "GET" and path_of(request) == path:
            query = re.sub(r"\bl=\d+", f"l={_PAGE}", request.target.partition("?")[2])
            return request._replace(target=f"{path}?{query}")
        return request

    def rewrite(request: Request, response: Response) -> Response:
        """After the first page was read the first two controls are gone: the pages move by two."""
        if path_of(request) == path and "gone" not in stage.evidence.facts:
            stage.evidence.facts["gone"] = True
            for name in _PAGED[:2]:
                stage.head_end.withdraw(stage.controls[name])
        return response

    stage.reads, stage.rewrites = read, rewrite


PROCEDURES = (
    Procedure(
        "X-010",
        "204 and empty bodies in place of lists",
        _nothing_there,
        (
            Criterion(
                "the lists are polled all along",
                wire.polled(wire.of_program("SY", "/derc"), at_least=6),
            ),
            rules("the default of SP rules", limit(80), 60, 100),
            rules("an event that was read before is run", limit(60), 100, 140),
            rules("the default of SP rules", limit(80), 140, 220),
            rules("an event of the list that is back is run", limit(40), 220, 260),
            is_completed("known before"),
            is_completed("published meanwhile"),
        ),
        lasts_s=290,
        stimuli=_an_event_meanwhile,
        required="",
        reading="204 and 200 without a body say that there is nothing now; it is asked for again.",
    ),
    Procedure(
        "X-012",
        "Retry-After in all its forms",
        _busy,
        (
            Criterion("each Retry-After is kept", requests.waits_kept),
            rules("an event that was read before is run", limit(60), 540, 600),
            Criterion("event: Responses 1, 2 and 3", answers.answered_in_order("event", (1, 2, 3))),
        ),
        lasts_s=1120,
        required="",
        least_scale=1.0,
        reading="Seconds and dates are waited for. Text, a negative number and a number of 3,000 years are "
        "not obeyed: the client asks again within 90 s, after the last within 10 minutes.",
    ),
    Procedure(
        "X-013",
        "Absent and unknown elements and attributes",
        _sparse,
        (
            rules("the default of SP rules", limit(80), 30, 120),
            rules("the event is applied", limit(40), 120, 180),
            rules("the default of SP rules again", limit(80), 180, 220),
            is_completed("event"),
        ),
        lasts_s=220,
        required="",
        reading="Links without all, no pollRate, Time without quality and offsets, elements and attributes "
        "of another namespace and of a later edition.",
    ),
    Procedure(
        "X-015",
        "Links with a host, with capitals and with a query",
        _odd_links,
        (
            Criterion("every link is followed as it is written", requests.with_query("/DERP", _QUERY)),
            rules("the default of SP rules", limit(80), 30, 120),
            rules("the event is applied", limit(40), 120, 180),
            is_completed("event"),
        ),
        lasts_s=200,
        required="",
        reading="Links of programs have capitals and a query, all others the host.",
    ),
    Procedure(
        "X-020",
        "307 and 308 for what is PUT and POSTed",
        _redirected,
        (
            Criterion("each body arrives at the new place", requests.sent_on(307, 308)),
            Criterion("event: Responses 1, 2 and 3", answers.answered_in_order("event", (1, 2, 3))),
        ),
        lasts_s=140,
        required="",
        reading="The method and the body stay the same.",
    ),
    Procedure(
        "X-021",
        "A list that shrinks while it is read page by page",
        _short_pages,
        (
            *(is_completed(name) for name in _PAGED[2:]),
            *(
                Criterion(f"{name} is read within two polls", answers.answered_within(name, (1,), 0, 30))
                for name in _PAGED[2:]
            ),
            rules("the last event is applied", limit(60), 390, 410),
        ),
        lasts_s=420,
        required="",
        reading="A page has four items whatever l asks for; two are gone after the first page.",
    ),
)
