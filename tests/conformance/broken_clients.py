"""Clients with one planted defect each; `expected` has the ids that must fail for it."""

from __future__ import annotations

import re

from tests.conformance.broken_beyond import BEYOND
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

BROKEN = [
    # Responses
    Broken("Response 1 is never sent", without(1)),
    Broken("Response 2 is never sent", without(2)),
    Broken("Response 3 is never sent", without(3)),
    Broken("Response 6 is never sent", without(6)),
    Broken("Response 7 is never sent", without(7)),
    Broken("each Response is sent twice", twice(is_response)),
    Broken("Response 1 comes after 2", swapped),
    Broken("completed instead of cancelled", with_status(6, 3)),
    Broken("completed instead of superseded", with_status(7, 3)),
    Broken("started instead of received", with_status(1, 2)),
    Broken(
        "Response with another subject",
        body_changed(b"DERControlResponse", rb"<subject>....", b"<subject>0000"),
    ),
    Broken(
        "Response posted to a wrong address",
        lambda request, _: request._replace(target="/rsps/9/rsp") if is_response(request) else request,
    ),
    Broken(
        "a superseded control is answered 7 and 14",
        lambda request, _: [request, with_status(7, 14)(request, _)] if is_response(request, 7) else request,
    ),
    # events
    Broken("controls start 15 s late", answer=start_moved(15)),
    Broken("controls start 8 s early", answer=start_moved(-8)),
    Broken("controls last half as long", answer=halved),
    Broken("the worst primacy wins", answer=primacies_turned),
    Broken(
        "a cancellation is not seen",
        answer=rewritten(rb"<currentStatus>2</currentStatus>", b"<currentStatus>0</currentStatus>"),
    ),
    Broken(
        "the sign of the randomization is turned",
        answer=rewritten(
            rb"<randomizeStart>(-?)(\d+)",
            lambda found: b"<randomizeStart>%b%b" % (b"" if found[1] else b"-", found[2]),
        ),
    ),
    Broken("controls of a list that has grown are not seen", answer=frozen(r"/derc$")),
    Broken(
        "the own href of a control is never fetched",
        hidden=never_asked(lambda path: re.search(r"/derc/\d+$", path) is not None),
    ),
    # defaults and values
    Broken(
        "limits are read as half",
        answer=rewritten(rb"<opModMaxLimW>(\d+)<", lambda found: b"<opModMaxLimW>%d<" % (int(found[1]) // 2)),
    ),
    Broken(
        "the excitation is turned",
        answer=rewritten(rb"<excitation>false<", b"<excitation>true<"),
    ),
    Broken(
        "targets in W are read as 10 W",
        answer=rewritten(
            rb"(<opModTargetW>.*?<multiplier>)(-?\d+)", lambda found: found[1] + b"%d" % (int(found[2]) + 1)
        ),
    ),
    Broken(
        "fixed W is not supported",
        answer=rewritten(rb"<opModFixedW>.*?</opModFixedW>", b"<opModEnergize>true</opModEnergize>"),
    ),
    Broken("droop is ignored", answer=rewritten(rb"<opModFreqDroop>.*?</opModFreqDroop>", b"")),
    Broken(
        "ramp rates of a default are ignored",
        answer=rewritten(rb"<setGradW>\d+</setGradW>|<setSoftGradW>\d+</setSoftGradW>", b""),
    ),
    Broken(
        "momentary cessation is ignored",
        answer=rewritten(rb"<opModLVRTMomentaryCessation [^>]*></opModLVRTMomentaryCessation>", b""),
    ),
    # walk and polls
    Broken(
        "Registration is never fetched",
        hidden=never_asked(edev("/rg")),
    ),
    Broken("DeviceCapability is fetched once", hidden=seen_once(exactly("/dcap"))),
    Broken("the EndDeviceList is fetched once", hidden=seen_once(exactly("/edev"))),
    Broken(
        "the assignments are fetched once",
        hidden=seen_once(edev("/fsa")),
    ),
    Broken("assignments do not change for it", answer=frozen(r"/fsa$")),
    Broken(
        "the DERProgramList is polled twice as often",
        twice(lambda request: request.method == "GET" and path_of(request).endswith("/derp")),
    ),
    Broken(
        "it does not find itself by the sFDI",
        answer=rewritten(
            rb"<EndDevice href(?:(?!</EndDevice>).)*?</EndDevice>",
            lambda found: found[0] if b"<lFDI>" in found[0] else b"",
        ),
    ),
    Broken("Time is never fetched", hidden=never_asked(lambda path: path.startswith("/tm"))),
    Broken(
        "a redirect is not followed",
        answer=lambda _, response, __: Response(404) if response.status in (301, 302) else response,
    ),
    # documents
    Broken("DERSettings is never PUT", dropped("PUT", "/derg")),
    Broken("DERCapability is never PUT", dropped("PUT", "/dercap")),
    Broken(
        "only DERStatus is PUT",
        lambda request, _: (
            OK if request.method == "PUT" and not path_of(request).endswith("/ders") else request
        ),
    ),
    Broken(
        "DERStatus has no connection",
        body_changed(b"DERStatus", rb"<connectStatus>.*?</connectStatus>", b""),
    ),
    Broken(
        "readingTime is by its own clock",
        body_changed(
            b"DERStatus", rb"<readingTime>(\d+)", lambda found: b"<readingTime>%d" % (int(found[1]) - 7200)
        ),
    ),
    Broken(
        "setMaxVarNeg is positive",
        body_changed(b"DERSettings", rb"(<setMaxVarNeg><multiplier>-?\d+</multiplier><value>)-", rb"\1"),
    ),
    Broken(
        "what was PUT is not fetched again",
        hidden=never_asked(edev(r"/der/1/\w+")),
    ),
    Broken("no LogEvents", dropped("POST", "/lel", CREATED)),
    Broken(
        "the same LogEvent again and again",
        lambda request, state: (
            request._replace(body=state.setdefault("first", request.body))
            if request.method == "POST" and path_of(request).endswith("/lel")
            else request
        ),
    ),
    Broken(
        "every second post of readings is left out",
        lambda request, state: (
            CREATED if b"MirrorMeterReadingList" in request.body and is_odd(state) else request
        ),
    ),
    Broken("the PIN is not checked", answer=rewritten(rb"<pIN>\d+", b"<pIN>111115")),
    # security
    Broken("any certificate chain is accepted", patch=any_chain),
    Broken("TLS with another cipher suite", patch=other_suite),
    *BEYOND,
]
