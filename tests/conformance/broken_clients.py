"""Clients with one planted defect each, and the ids that must fail for it."""

from __future__ import annotations

import re

from tests.conformance.wires import (
    CREATED,
    OK,
    Broken,
    any_chain,
    body_changed,
    dropped,
    edev,
    exactly,
    frozen,
    halved,
    is_odd,
    is_response,
    never_asked,
    other_suite,
    path_of,
    primacies_turned,
    rewritten,
    seen_once,
    start_moved,
    swapped,
    twice,
    with_status,
    without,
)

from dersim.http11 import Response

#: The ids that each defect is tried on: every area, and no two for the same purpose.
PROBE = (
    *("COMM-002", "COMM-003", "COMM-004D", "CORE-003", "CORE-005", "CORE-009", "CORE-010", "CORE-014"),
    *("CORE-021", "CORE-022", "BASIC-001", "BASIC-003", "BASIC-004", "BASIC-006", "BASIC-007", "BASIC-008"),
    *("BASIC-010", "BASIC-012", "BASIC-013", "BASIC-014", "BASIC-015", "BASIC-016", "BASIC-017", "BASIC-021"),
    *("BASIC-025", "BASIC-027", "BASIC-028", "BASIC-029", "ERR-001", "X-001", "X-002"),
)

#: The ids with a control that is run and answered.
EVENTS = frozenset(f"BASIC-{number:03}" for number in (3, 4, 6, 8, 10, 12, 13, 14, 15, 17, 21, 25)) | {
    "CORE-021",
    "CORE-022",
    "X-001",
}

BROKEN = [
    # Responses
    Broken("Response 1 is never sent", set(EVENTS), without(1)),
    Broken("Response 2 is never sent", set(EVENTS), without(2)),
    Broken("Response 3 is never sent", set(EVENTS), without(3)),
    Broken("Response 6 is never sent", {"CORE-022"}, without(6)),
    Broken("Response 7 is never sent", {"BASIC-021"}, without(7)),
    Broken("each Response is sent twice", set(EVENTS), twice(is_response)),
    Broken("Response 1 comes after 2", set(EVENTS), swapped),
    Broken("completed instead of cancelled", {"CORE-022", "BASIC-003", "BASIC-015"}, with_status(6, 3)),
    Broken("completed instead of superseded", {"BASIC-015", "BASIC-021"}, with_status(7, 3)),
    Broken("started instead of received", set(EVENTS), with_status(1, 2)),
    Broken(
        "Response with another subject",
        set(EVENTS),
        body_changed(b"DERControlResponse", rb"<subject>....", b"<subject>0000"),
    ),
    Broken(
        "Response posted to a wrong address",
        set(EVENTS),
        lambda request, _: request._replace(target="/rsps/9/rsp") if is_response(request) else request,
    ),
    Broken(
        "a superseded control is answered 7 and 14",
        {"BASIC-021"},
        lambda request, _: [request, with_status(7, 14)(request, _)] if is_response(request, 7) else request,
    ),
    # events
    Broken("controls start 15 s late", set(EVENTS), answer=start_moved(15)),
    Broken("controls start 8 s early", set(EVENTS), answer=start_moved(-8)),
    Broken("controls last half as long", set(EVENTS), answer=halved),
    Broken("the worst primacy wins", {"BASIC-015", "BASIC-016", "BASIC-021"}, answer=primacies_turned),
    Broken(
        "a cancellation is not seen",
        {"BASIC-015", "CORE-022"},
        answer=rewritten(rb"<currentStatus>2</currentStatus>", b"<currentStatus>0</currentStatus>"),
    ),
    Broken(
        "the sign of the randomization is turned",
        {"CORE-021"},
        answer=rewritten(
            rb"<randomizeStart>(-?)(\d+)",
            lambda found: b"<randomizeStart>%b%b" % (b"" if found[1] else b"-", found[2]),
        ),
    ),
    Broken("controls of a list that has grown are not seen", {"CORE-022"}, answer=frozen(r"/derc$")),
    Broken(
        "the own href of a control is never fetched",
        {
            "BASIC-004",
            "BASIC-006",
            "BASIC-008",
            "BASIC-010",
            "BASIC-012",
            "BASIC-013",
            "BASIC-014",
            "BASIC-015",
            "BASIC-017",
            "BASIC-021",
            "BASIC-025",
            "CORE-022",
        },
        hidden=never_asked(lambda path: re.search(r"/derc/\d+$", path) is not None),
    ),
    # defaults and values
    Broken(
        "limits are read as half",
        {
            "BASIC-003",
            "BASIC-010",
            "BASIC-016",
            "BASIC-017",
            "BASIC-021",
            "BASIC-025",
            "CORE-021",
            "CORE-022",
            "X-001",
        },
        answer=rewritten(rb"<opModMaxLimW>(\d+)<", lambda found: b"<opModMaxLimW>%d<" % (int(found[1]) // 2)),
    ),
    Broken(
        "the excitation is turned",
        {"BASIC-008", "BASIC-015", "BASIC-025"},
        answer=rewritten(rb"<excitation>false<", b"<excitation>true<"),
    ),
    Broken(
        "targets in W are read as 10 W",
        {"BASIC-014"},
        answer=rewritten(
            rb"(<opModTargetW>.*?<multiplier>)(-?\d+)", lambda found: found[1] + b"%d" % (int(found[2]) + 1)
        ),
    ),
    Broken(
        "fixed W is not supported",
        {"BASIC-013"},
        answer=rewritten(rb"<opModFixedW>.*?</opModFixedW>", b"<opModEnergize>true</opModEnergize>"),
    ),
    Broken(
        "droop is ignored", {"BASIC-012"}, answer=rewritten(rb"<opModFreqDroop>.*?</opModFreqDroop>", b"")
    ),
    Broken(
        "ramp rates of a default are ignored",
        {"BASIC-007"},
        answer=rewritten(rb"<setGradW>\d+</setGradW>|<setSoftGradW>\d+</setSoftGradW>", b""),
    ),
    Broken(
        "momentary cessation is ignored",
        {"BASIC-004"},
        answer=rewritten(rb"<opModLVRTMomentaryCessation [^>]*></opModLVRTMomentaryCessation>", b""),
    ),
    # walk and polls
    Broken(
        "Registration is never fetched",
        {"CORE-003", "CORE-009", "CORE-010", "BASIC-001", "X-002"},
        hidden=never_asked(edev("/rg")),
    ),
    Broken("DeviceCapability is fetched once", {"CORE-003"}, hidden=seen_once(exactly("/dcap"))),
    Broken("the EndDeviceList is fetched once", {"CORE-003"}, hidden=seen_once(exactly("/edev"))),
    Broken(
        "the assignments are fetched once",
        {"CORE-003", "BASIC-006", "BASIC-008", "BASIC-010", "BASIC-012", "BASIC-013", "BASIC-014"},
        hidden=seen_once(edev("/fsa")),
    ),
    Broken("assignments do not change for it", {"BASIC-003"}, answer=frozen(r"/fsa$")),
    Broken(
        "the DERProgramList is polled twice as often",
        {"CORE-003"},
        twice(lambda request: request.method == "GET" and path_of(request).endswith("/derp")),
    ),
    Broken(
        "it does not find itself by the sFDI",
        {"BASIC-010", "BASIC-012", "BASIC-013", "BASIC-014"},
        answer=rewritten(
            rb"<EndDevice href(?:(?!</EndDevice>).)*?</EndDevice>",
            lambda found: found[0] if b"<lFDI>" in found[0] else b"",
        ),
    ),
    Broken("Time is never fetched", {"CORE-005"}, hidden=never_asked(lambda path: path.startswith("/tm"))),
    Broken(
        "a redirect is not followed",
        {"ERR-001"},
        answer=lambda _, response, __: Response(404) if response.status in (301, 302) else response,
    ),
    # documents
    Broken("DERSettings is never PUT", {"CORE-014", "BASIC-007"}, dropped("PUT", "/derg")),
    Broken("DERCapability is never PUT", {"CORE-014"}, dropped("PUT", "/dercap")),
    Broken(
        "only DERStatus is PUT",
        {"CORE-014", "BASIC-007", "BASIC-029"},
        lambda request, _: (
            OK if request.method == "PUT" and not path_of(request).endswith("/ders") else request
        ),
    ),
    Broken(
        "DERStatus has no connection",
        {"BASIC-028"},
        body_changed(b"DERStatus", rb"<connectStatus>.*?</connectStatus>", b""),
    ),
    Broken(
        "readingTime is by its own clock",
        {"CORE-005"},
        body_changed(
            b"DERStatus", rb"<readingTime>(\d+)", lambda found: b"<readingTime>%d" % (int(found[1]) - 7200)
        ),
    ),
    Broken(
        "setMaxVarNeg is positive",
        {"CORE-014", "X-001"},
        body_changed(b"DERSettings", rb"(<setMaxVarNeg><multiplier>-?\d+</multiplier><value>)-", rb"\1"),
    ),
    Broken(
        "what was PUT is not fetched again",
        {"CORE-009", "CORE-014", "BASIC-028"},
        hidden=never_asked(edev(r"/der/1/\w+")),
    ),
    Broken("no LogEvents", {"BASIC-027"}, dropped("POST", "/lel", CREATED)),
    Broken(
        "the same LogEvent again and again",
        {"BASIC-027"},
        lambda request, state: (
            request._replace(body=state.setdefault("first", request.body))
            if request.method == "POST" and path_of(request).endswith("/lel")
            else request
        ),
    ),
    Broken(
        "every second post of readings is left out",
        {"BASIC-029"},
        lambda request, state: (
            CREATED if b"MirrorMeterReadingList" in request.body and is_odd(state) else request
        ),
    ),
    Broken("the PIN is not checked", {"X-002"}, answer=rewritten(rb"<pIN>\d+", b"<pIN>111115")),
    # security
    Broken("any certificate chain is accepted", {"COMM-004D"}, patch=any_chain),
    Broken("TLS with another cipher suite", {"COMM-003"}, patch=other_suite),
]
