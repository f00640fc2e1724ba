"""CORE-001, 002 and 004: methods, statuses and headers of HTTP, and the queries of lists."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

from dersim.conformance.evidence import Exchange
from dersim.conformance.server import walk
from dersim.conformance.server.der import Der, Stopped, asked
from dersim.conformance.server.orders import items_of
from dersim.conformance.server.procedure import ServerProcedure
from dersim.conformance.server.procedures import common
from dersim.conformance.server.steps import AddProgram, Register
from dersim.http11.messages import first
from dersim.ieee2030_5 import MEDIA_TYPE
from dersim.ieee2030_5 import resources as r

#: Two devices that the DER that plays manages as their aggregator, so that EndDeviceList has three.
MANAGED = ("B1" * 20, "B2" * 20)
_DAY_S = 86_400


async def core_001(der: Der) -> None:
    """Methods of what is reached from DeviceCapability."""
    seen = await common.with_program(der)
    dcap = await der.get(der.target.path)
    der.status("DeviceCapability is served", dcap, 200)
    for href in _reached(der, seen):
        got = await der.get(href)
        head = await der.send("HEAD", href)
        der.status(f"GET of {_kind(got)}", got, 200)
        der.check(
            f"HEAD of {_kind(got)} is GET without its body",
            head.status == got.status and not head.answer,
            f"status {head.status}, {len(head.answer)} bytes of body",
            head,
        )
        foo = await der.send("FOO", href, headers=())
        der.status(f"FOO of {_kind(got)} is not implemented", foo, 501)
    for fixed in (der.target.path, walk.link(seen.dcap, "TimeLink")):
        for method in ("PUT", "POST", "DELETE") if fixed else ():
            answer = await der.send(method, str(fixed), headers=(("Content-Type", MEDIA_TYPE),))
            der.status(f"{method} of {fixed}, which can only be read", answer, 405)
    bad = await der.raw(_request(der, "GET", f"Host: {der.target.host}", "Accept : application/sep+xml"))
    _refused(der, "a space before the colon of a header", bad, 400)


def _reached(der: Der, seen: walk.Seen) -> list[str]:
    dcap, device = seen.dcap, seen.device
    names: tuple[tuple[object, str], ...] = (
        (dcap, "TimeLink"), (dcap, "EndDeviceListLink"), (dcap, "MirrorUsagePointListLink"),
        (device, "RegistrationLink"), (device, "FunctionSetAssignmentsListLink"), (device, "DERListLink"),
        (device, "LogEventListLink"),
    )  # fmt: skip
    below = [der.target.path, *(walk.link(each, name) for each, name in names), device.href]
    below += [each.href for each in seen.assignments]
    for found in seen.programs.values():
        links = ("DERControlListLink", "DefaultDERControlLink", "DERCurveListLink")
        below += [found.program.href, *(walk.link(found.program, name) for name in links)]
    return list(dict.fromkeys(str(href) for href in below if href))


def _kind(exchange: Exchange) -> str:
    return exchange.path


def _request(der: Der, method: str, *headers: str, target: str | None = None) -> bytes:
    lines = (f"{method} {target or der.target.path} HTTP/1.1", *headers, "Connection: close", "", "")
    return "\r\n".join(lines).encode()


def _refused(der: Der, text: str, exchange: Exchange | None, status: int) -> None:
    if exchange is None:
        der.check(f"{text}: refused with {status}", False, "the server sends no response")
    else:
        der.status(f"{text}: refused with {status}", exchange, status)


async def core_002(der: Der) -> None:
    """Statuses, the redirect from plain HTTP, and what each error must carry."""
    seen = await common.registered(der)
    await _redirect(der)
    made = await der.post(walk.link(seen.device, "LogEventListLink") or "/", log_event(der, 1))
    common.located(der, "POST of a LogEvent is answered 201", made)
    found = await common.der_of(der, seen.device)
    put = await der.put(walk.link(found, "DERStatusLink") or "/", common.status(der.clock.now_s()))
    der.status("PUT of DERStatus is answered 201 or 204", put, 201, 204)
    _refused(der, "a request without Host", await der.raw(_request(der, "GET")), 400)
    der.status("an unknown URI is answered 404", await der.get("/no/such/resource"), 404)
    for href in (der.target.path, walk.link(seen.device, "RegistrationLink")):
        answer = await der.send("POST", href or "/", b"")
        der.status(f"POST of {href} is answered 405", answer, 405)
        allow = first(answer.answer_headers, "allow")
        der.check(f"405 of {href} has Allow with GET", "GET" in (allow or ""), f"Allow {allow}", answer)
    foo = await der.send("FOO", der.target.path, headers=())
    der.status("an invented method is answered 501", foo, 501)


def log_event(der: Der, number: int) -> r.LogEvent:
    """LE_GEN_SOFTWARE of the general function set, with that logEventID."""
    return r.LogEvent(
        createdDateTime=int(der.clock.now_s()),
        functionSet=0,
        logEventCode=2,
        logEventID=number,
        logEventPEN=40732,
        profileID=2,
    )


async def _redirect(der: Der) -> None:
    text = "plain HTTP is redirected to https"
    host = f"{der.target.host}:{der.target.http_port}"
    answer = await der.raw(_request(der, "GET", f"Host: {host}"), encrypted=False)
    if answer is None:
        der.not_seen(text, f"no HTTP response from {host}; --http-port says where plain HTTP is answered")
        return
    there = answer.location or ""
    der.status(text, answer, 301)
    der.check(
        "Location of the redirect is an https URI", there.startswith("https://"), f"Location {there}", answer
    )
    if there.startswith("https://"):
        got = await der.get(there)
        der.check(
            "DeviceCapability is there",
            got.got(r.DeviceCapability) is not None,
            f"GET {there}: {got.status}",
            got,
        )


class _Query(NamedTuple):
    """A query of CORE-004.

    start, most: the items that are due. keyed: none are, where the list is sorted by time.
    """

    text: str
    start: int
    most: int
    keyed: bool = False


def _queries(now_s: int) -> tuple[_Query, ...]:
    return (
        _Query("s=0", 0, 1),
        _Query("", 0, 1),
        _Query(f"a={now_s}", 0, 1, keyed=True),
        _Query("l=0", 0, 0),
        _Query("l=1000", 0, 1000),
        _Query(f"s=3&a={now_s}", 3, 1, keyed=True),
        _Query("s=1&l=1&s=2", 1, 1),
        _Query("l=0&l=2", 0, 0),
        _Query(f"s=1&a={now_s}&a={now_s + _DAY_S}", 1, 1, keyed=True),
        _Query("l=1&b=2", 0, 1),
    )


async def core_004(der: Der) -> None:
    """Ten queries of EndDeviceList, which is sorted by time, and of DERProgramList, which is not."""
    programs = (AddProgram(f"program {number}", number) for number in (10, 11, 12, 13))
    await der.prepare(
        Register(der.lfdi), *(Register(lfdi, aggregator=der.lfdi) for lfdi in MANAGED), *programs
    )
    await der.clock.sleep_until(math.ceil(der.clock.now_s()) + 2)
    seen = await walk.to_device(der)
    seen.device = await der.read(r.EndDevice, await _with_assignments(der, seen))
    await walk.assignments(der, seen)
    hrefs = [walk.link(each, "DERProgramListLink") for each in seen.assignments]
    listed = next((href for href in hrefs if href), None)
    for cls, href, is_keyed in (
        (r.EndDeviceList, walk.link(seen.dcap, "EndDeviceListLink"), True),
        (r.DERProgramList, listed, False),
    ):
        await _queried(der, cls, href, is_keyed=is_keyed)


async def _with_assignments(der: Der, seen: walk.Seen) -> str:
    """The own EndDevice, or one that it manages where an aggregator has no assignments."""
    if walk.link(seen.device, "FunctionSetAssignmentsListLink"):
        return str(seen.device.href)
    listed = await der.items(r.EndDeviceList, walk.link(seen.dcap, "EndDeviceListLink"))
    others = [each for each in listed if walk.link(each, "FunctionSetAssignmentsListLink")]
    if not der.check("an EndDevice has assignments", bool(others), f"{len(others)} of {len(listed)}"):
        raise Stopped
    return str(others[0].href)


async def _queried(der: Der, cls: type[Any], href: str | None, *, is_keyed: bool) -> None:
    whole = await der.items(cls, href)
    if len(whole) < len(MANAGED) + 1:
        der.not_seen(f"the queries of {cls.__name__}", f"it has {len(whole)} items, three are needed")
        return
    hrefs = [each.href for each in whole]
    for query in _queries(int(der.clock.now_s())):
        target = asked(str(href), query.text)
        page, exchange = await der.exchange(cls, target)
        due = [] if is_keyed and query.keyed else hrefs[query.start : query.start + query.most]
        found = [each.href for each in items_of(page)]
        text = f"{cls.__name__} with {query.text or 'no query'}".replace(str(int(der.clock.now_s())), "now")
        der.check(
            text, found == due, f"items {_places(found, hrefs)}, {_places(due, hrefs)} are due", exchange
        )
        total = getattr(page, "all", None)
        fits = total == len(whole) or (query.keyed and is_keyed and total == 0)
        der.check(f"{text}: all", fits, f"all={total} of {len(whole)}", exchange)


def _places(found: list[str], whole: list[str]) -> str:
    return ", ".join(str(whole.index(href) + 1) if href in whole else href for href in found) or "none"


PROCEDURES = (
    ServerProcedure(
        "CORE-001", "HTTP request", core_001, 2, required="",
        reading="The wrong header is one with a space before its colon. Plain HTTP is CORE-002's. PUT, POST "
        "and DELETE are tried on DeviceCapability and Time only, which no server may let a client change.",
    ),
    ServerProcedure("CORE-002", "HTTP response", core_002, 2, required=""),
    ServerProcedure(
        "CORE-004", "List handling", core_004, 3, required="",
        reading="EndDeviceList and DERProgramList. With a, `all` may count all items or those after it.",
    ),
)  # fmt: skip
