"""What counts as having read a resource."""

from __future__ import annotations

from typing import Any

from dersim.conformance.checks import wire
from dersim.conformance.evidence import Evidence, Exchange
from dersim.conformance.procedure import Verdict
from dersim.conformance.procedures import ALL
from dersim.ieee2030_5 import Edition, encode
from dersim.ieee2030_5 import resources as r

PROGRAM = r.DERProgram(href="/derp/1", mRID="1" * 32, primacy=3)


def seen(*gets: tuple[str, Any]) -> Evidence:
    """GETs that were answered 200."""
    evidence = Evidence(0.0)
    for number, (path, resource) in enumerate(gets):
        answer = encode(resource, Edition.E2018)
        evidence.exchanges.append(Exchange(number, 0.0, "GET", path, None, (), b"", 200, (), answer))
    return evidence


def listing(*programs: r.DERProgram) -> tuple[str, Any]:
    return "/derp", r.DERProgramList(
        href="/derp", all=len(programs), results=len(programs), DERProgram=programs
    )


def test_a_program_that_is_fetched_by_its_own_href_is_read() -> None:
    found = wire.in_full(wire.at("/derp/1"))(seen(("/derp/1", PROGRAM)))
    assert found.verdict is Verdict.PASS


def test_a_program_that_was_in_a_list_is_read_by_the_wider_reading() -> None:
    found = wire.in_full(wire.at("/derp/1"))(seen(listing(PROGRAM)))
    assert (found.verdict, found.decided_by) == (Verdict.WARN, (0,))
    assert found.text == "only as items of a list: /derp/1"


def test_a_program_that_a_list_only_links_to_is_not_read() -> None:
    found = wire.in_full(wire.at("/derp/1"), wire.at("/derp/2"))(seen(listing(PROGRAM)))
    assert found.verdict is Verdict.FAIL
    assert found.text.endswith("/derp/2 nor of a list with it")


def test_a_client_that_reads_lists_in_pages_is_compatible() -> None:
    [criterion] = [each for each in ALL["BASIC-002"].criteria if "l=255" in each.text]
    assert criterion.printed_only


def repeated(*between: Exchange) -> Verdict:
    """A post that is refused, something else, and the same post again."""
    refused = Exchange(0, 0.0, "POST", "/mup/1", None, (), b"<x/>", 404, (), b"")
    evidence = Evidence(0.0)
    evidence.exchanges = [refused, *between, refused._replace(number=2, time_s=0.5, status=201)]
    return wire.not_repeated(evidence).verdict


def test_a_refused_request_is_not_repeated_at_once() -> None:
    assert repeated() is Verdict.FAIL


def test_what_was_missing_may_be_made_and_then_asked_for_again() -> None:
    made = Exchange(1, 0.2, "POST", "/mup", None, (), b"<y/>", 201, (("location", "/mup/1"),), b"")
    assert repeated(made) is Verdict.PASS
    assert repeated(made._replace(answer_headers=(("location", "/mup/2"),))) is Verdict.FAIL
