"""What must hold for every answer of a server."""

from types import SimpleNamespace

import pytest

from dersim.conformance.evidence import Exchange
from dersim.conformance.procedure import Verdict
from dersim.conformance.server.der import Der
from dersim.conformance.server.observed import judge_all
from dersim.ieee2030_5 import Edition, encode
from dersim.ieee2030_5 import resources as r

DATE = ("date", "Sun, 29 Nov 2026 00:00:00 GMT")
XML = (("content-type", "application/sep+xml"), DATE)


def judged(*answers, headers=None):
    """The criteria that fail for GETs with these targets and bodies."""
    clock = SimpleNamespace(now_s=lambda: 0.0)
    target = SimpleNamespace(own=SimpleNamespace(lfdi="AB" * 20))
    der = Der(target, clock, None)
    for number, (path, body) in enumerate(answers):
        given = headers or (*XML, ("content-length", str(len(body))))
        der.evidence.exchanges.append(Exchange(number, 0.0, "GET", path, None, (), b"", 200, given, body))
    judge_all(der)
    return {each.criterion.text for each in der.judged if each.finding.verdict is Verdict.FAIL}


def ders(results=1, total=1, href="/edev/1/der/1"):
    return encode(r.DERList(all=total, results=results, DER=[r.DER(href=href)]), Edition.E2018)


def test_a_right_list_passes():
    assert judged(("/edev/1/der?l=255", ders())) == set()


@pytest.mark.parametrize(("results", "total"), [(2, 2), (1, 2), (0, 1)])
def test_wrong_counts_fail(results, total):
    assert judged(("/edev/1/der?l=255", ders(results, total))) == {
        "lists count their items, and keep to s and l"
    }


def test_more_items_than_were_asked_for_fail():
    assert judged(("/edev/1/der?l=0", ders())) == {"lists count their items, and keep to s and l"}


def test_an_href_without_slash_fails():
    assert judged(("/edev/1/der?l=255", ders(href="edev/1/der/1"))) == {"hrefs can be followed"}


def test_another_media_type_or_length_fails():
    wanted = {"Content-Type and Content-Length are right"}
    assert judged(("/edev/1/der?l=255", ders()), headers=(("content-type", "text/xml"), DATE)) == wanted
    assert judged(("/edev/1/der?l=255", ders()), headers=(*XML, ("content-length", "3"))) == wanted


def test_an_attribute_of_2023_in_a_document_of_2018_fails():
    point = r.MirrorUsagePoint(
        href="/mup/1", mRID="A0" * 16, roleFlags=73, serviceCategoryKind=0, status=1, deviceLFDI="AB" * 20
    )
    body = encode(point, Edition.E2018)
    assert judged(("/mup/1", body)) == set()
    changed = body.replace(b"<MirrorUsagePoint ", b'<MirrorUsagePoint subscribable="0" ')
    assert judged(("/mup/1", changed)) == {"every document is valid"}


def test_another_mrid_at_the_second_look_fails():
    def program(mrid):
        return encode(r.DERProgram(href="/derp/1", mRID=mrid, primacy=1), Edition.E2018)

    assert judged(("/derp/1", program("A0" * 16)), ("/derp/1", program("A0" * 16))) == set()
    assert judged(("/derp/1", program("A0" * 16)), ("/derp/1", program("B0" * 16))) == {
        "mRID and creationTime do not change"
    }


def test_another_href_than_where_it_was_fetched_fails():
    body = encode(r.DERProgram(href="/derp/2", mRID="A0" * 16, primacy=1), Edition.E2018)
    assert judged(("/derp/1", body)) == {"a resource says where it is"}


def test_an_answer_without_date_fails():
    headers = (("content-type", "application/sep+xml"), ("content-length", str(len(ders()))))
    assert judged(("/edev/1/der?l=255", ders()), headers=headers) == {"every answer has a Date"}
