"""What the device asked for: GETs of resources, its walk, and its polls."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable
from typing import Any

from dersim.conformance.checks.finding import EDGE_S, failed, passed, warned
from dersim.conformance.evidence import Evidence, Exchange
from dersim.conformance.procedure import Check, Finding, Verdict
from dersim.ieee2030_5 import resources as r

#: How soon a request that was refused with 4xx must not come again, printed seconds.
REPEAT_S = 5.0

Place = Callable[[Evidence], str]


def at(path: str) -> Place:
    """A fixed path."""
    return lambda _: path


def of_device(below: str = "") -> Place:
    """The EndDevice of the device under test, or a path below it."""
    return lambda evidence: evidence.device_href + below


def of_program(name: str, below: str = "") -> Place:
    """A DERProgram of the procedure, or a path below it."""
    return lambda evidence: evidence.programs[name].href + below


def of_control(name: str) -> Place:
    """The DERControl's own href."""
    return lambda evidence: evidence.controls[name].href


def list_of(name: str) -> Place:
    """The DERProgramList that a program is in."""
    return lambda evidence: evidence.programs[name].groups[0].list_href


def fetched(*places: Place) -> Check:
    """Each place was fetched by GET and answered 200."""

    def check(evidence: Evidence) -> Finding:
        found, missing = [], []
        for place in places:
            path = place(evidence)
            gets = evidence.gets(path)
            found += gets[:1]
            if not gets:
                others = evidence.of("GET", path, ())
                missing.append(f"{path} ({_statuses(others)})" if others else path)
        if missing:
            return failed(f"no GET with 200 of {', '.join(missing)}", found)
        return passed(f"fetched {', '.join(each.path for each in found)}", found)

    return check


def in_full(*places: Place) -> Check:
    """Each place was fetched by its own href; a warning where it was only in a list that was.

    An item of a list is the whole resource (2030.5 6.6), so a client that has read the list has read it.
    """

    def check(evidence: Evidence) -> Finding:
        by_href = fetched(*places)(evidence)
        if by_href.verdict is Verdict.PASS:
            return by_href
        paths = [place(evidence) for place in places]
        listed = {path: _listing(evidence, path) for path in paths if not evidence.gets(path)}
        missing = [path for path, exchange in listed.items() if exchange is None]
        if missing:
            return failed(f"neither a GET with 200 of {', '.join(missing)} nor of a list with it")
        found = [each for each in listed.values() if each is not None]
        return warned(f"only as items of a list: {', '.join(listed)}", found)

    return check


def _listing(evidence: Evidence, path: str) -> Exchange | None:
    """The first answer of a list that has this item."""
    for each in evidence.exchanges:
        if each.method != "GET" or each.status != 200 or f'href="{path}"'.encode() not in each.answer:
            continue
        if any(item.href == path for item in _items(each)):
            return each
    return None


def _items(exchange: Exchange) -> tuple[Any, ...]:
    """The items of a list of EndDevices, DERPrograms or DERControls."""
    for cls, name in (
        (r.EndDeviceList, "EndDevice"),
        (r.DERProgramList, "DERProgram"),
        (r.DERControlList, "DERControl"),
    ):
        found = exchange.got(cls)
        if found is not None:
            return tuple(getattr(found, name))
    return ()


def fetched_any(*beginnings: str) -> Check:
    """A path that begins so was fetched by GET and answered 200."""

    def check(evidence: Evidence) -> Finding:
        found = [
            each
            for each in evidence.exchanges
            if each.method == "GET" and each.status == 200 and each.path.startswith(beginnings)
        ]
        return passed(f"GET {found[0].target}", found) if found else failed("no GET of one with 200")

    return check


def fetched_whole(place: Place) -> Check:
    """The list was fetched with l=255."""

    def check(evidence: Evidence) -> Finding:
        gets = evidence.gets(place(evidence))
        whole = [each for each in gets if "l=255" in each.query.split("&")]
        said = f"GET {(whole or gets)[0].target}" if gets else "no GET"
        return passed(said, whole) if whole else failed(said, gets)

    return check


def no_other_device(evidence: Evidence) -> Finding:
    """Nothing below the EndDevice of another device was asked for."""
    own = evidence.device_href
    others = [
        each
        for each in evidence.exchanges
        if each.path.startswith("/edev/") and each.path != own and not each.path.startswith(f"{own}/")
    ]
    return failed(f"{others[0].method} {others[0].target}", others) if others else passed(f"only {own}")


def read(*names: str, defaults: bool = True) -> Check:
    """READ: DERProgramList, the DERProgram (`in_full`), and its DefaultDERControl where it has one."""

    def check(evidence: Evidence) -> Finding:
        places = []
        for name in names:
            places.append(list_of(name))
            if defaults and evidence.programs[name].default is not None:
                places.append(of_program(name, "/dderc"))
        links, programs = fetched(*places)(evidence), in_full(*map(of_program, names))(evidence)
        if links.verdict is Verdict.FAIL:
            return links
        decided = (*links.decided_by, *programs.decided_by)[:10]
        return programs._replace(text=f"{links.text}; {programs.text}", decided_by=decided)

    return check


def curves_fetched(name: str, count: int | None = None) -> Check:
    """The DERCurveList of a program was fetched with all its curves, or each curve by its own href.

    count: how many there were; without it the set-up says it, as curves leave the list with their controls.
    """

    def check(evidence: Evidence) -> Finding:
        program = evidence.programs[name]
        lists = evidence.gets(f"{program.href}/dc")
        most = max((len(found.DERCurve) for each in lists if (found := each.got(r.DERCurveList))), default=0)
        single = {each.path for each in evidence.exchanges if each.path.startswith(f"{program.href}/dc/")}
        wanted = evidence.facts["curves"][name] if count is None else count
        said = f"{program.href}/dc: {most} of {wanted} curves in one list, {len(single)} fetched singly"
        return passed(said, lists) if max(most, len(single)) >= wanted else failed(said, lists)

    return check


def polled(place: Place, *, at_least: int = 2) -> Check:
    """The place was fetched again and again."""

    def check(evidence: Evidence) -> Finding:
        gets = evidence.gets(place(evidence))
        said = f"{len(gets)} GETs of {place(evidence)}"
        return passed(said, gets) if len(gets) >= at_least else failed(f"only {said}", gets)

    return check


def polled_at(place: Place, rate: str, rate_s: float) -> Check:
    """The place is polled at its own pollRate, within 10 % and a second; the first half minute is free."""

    def check(evidence: Evidence) -> Finding:
        gets = evidence.gets(place(evidence))
        times = [each.time_s for each in gets]
        gaps = [later - earlier for earlier, later in itertools.pairwise(times)]
        wanted_s = max(1.0, rate_s * evidence.scale)
        # What else makes a client look (a walk of the tree, a hint) shortens a gap; nothing may lengthen it.
        slow = [gap for gap in gaps if gap > wanted_s * 1.1 + EDGE_S]
        if len(gaps) < 2 or slow:
            return failed(f"{rate}: {len(gets)} GETs, the longest gap {max(gaps, default=0):.1f} s", gets)
        typical = sorted(gaps)[len(gaps) // 2]
        if typical < wanted_s * 0.9 - 1:
            return failed(f"{rate}: every {typical:.1f} s where {wanted_s:g} s are advertised", gets)
        return passed(f"{rate}: every {typical:.1f} s, {len(gets)} GETs", gets)

    return check


def looked_before_start(name: str) -> Check:
    """The control's own href was fetched at or before its effective start, and before Response 2."""

    def check(evidence: Evidence) -> Finding:
        control = evidence.controls[name]
        gets = evidence.gets(control.href)
        started = [each.exchange.time_s for each in evidence.responses(name) if each.status == 2]
        limit_s = min(started, default=control.latest_start_s + EDGE_S)
        early = [each for each in gets if each.time_s <= limit_s]
        if not early:
            return failed(f"no GET of {control.href} before the activation ({len(gets)} in all)", gets)
        return passed(f"GET of {control.href} at {evidence.since_start(early[-1].time_s):.1f} s", early)

    return check


def bodies_accepted(evidence: Evidence) -> Finding:
    """No body was answered 400."""
    sent = [each for each in evidence.exchanges if each.body and not each.to_device]
    refused = [each for each in sent if each.status == 400]
    if refused:
        return failed(f"{refused[0].method} {refused[0].target} answered 400", refused)
    return passed("no body was answered 400")


def bodies_valid(evidence: Evidence) -> Finding:
    """No body that was accepted violates the standard."""
    violations = evidence.facts.get("violations") or []
    return failed(violations[0]) if violations else passed("no violation")


def not_repeated(evidence: Evidence) -> Finding:
    """After a 4xx the same request is not sent again at once: not more than once in ten seconds."""
    last: dict[tuple[str, str, bytes], Exchange] = {}
    for each in evidence.exchanges:
        if each.to_device:
            continue
        key = (each.method, each.target, each.body)
        before = last.get(key)
        if before is not None and each.time_s - before.time_s < REPEAT_S * evidence.scale:
            return failed(f"{each.method} {each.target} again after {before.status}", [before, each])
        if 400 <= each.status < 500:
            last[key] = each
        else:
            last.pop(key, None)
        if each.status == 201:  # what was missing has been made
            last = {other: refused for other, refused in last.items() if refused.path != each.location}
    return passed("no refused request is repeated at once")


def _statuses(exchanges: Iterable[Exchange]) -> str:
    return "answered " + ", ".join(sorted({str(each.status) for each in exchanges}))
