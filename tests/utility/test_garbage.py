"""Any request to either port is answered with a status below 500, whatever it contains."""

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.utility.conftest import Lab

from dersim.http11 import Request
from dersim.ieee2030_5 import Edition, decode, encode
from dersim.ieee2030_5 import resources as r
from dersim.utility.tree import ROUTES

LFDI = "00" * 20
GOLDEN = [
    encode(document, Edition.E2018)
    for document in (
        r.DERStatus(alarmStatus=0, readingTime=5),
        r.EndDevice(lFDI=LFDI, sFDI=5, changedTime=0),
        r.DERControlResponse(endDeviceLFDI=LFDI, status=1, subject="00" * 16),
        r.LogEvent(
            createdDateTime=1, functionSet=0, logEventCode=2, logEventID=1, logEventPEN=1, profileID=2
        ),
        r.MirrorUsagePoint(
            mRID="00" * 16,
            roleFlags=0x49,
            serviceCategoryKind=0,
            status=1,
            deviceLFDI=LFDI,
            MirrorMeterReading=(r.MirrorMeterReading(mRID="01" * 16, ReadingType=r.ReadingType(uom=38)),),
        ),
    )
]
WRITABLE = [shape.replace("*", "1") for shape, route in ROUTES.items() if route.put or route.post]

paths = st.sampled_from([shape.replace("*", "1") for shape in ROUTES]) | st.text(
    st.characters(codec="latin-1"), max_size=60
)
queries = st.text(st.sampled_from("sla=&0123456789-%x"), max_size=12)
headers = st.lists(
    st.tuples(st.sampled_from(["accept", "content-type", "host", "x"]), st.text(max_size=20)), max_size=3
)
certificates = st.sampled_from([b"first", b"second", None])


def mutated(body, draw):
    at = draw(st.integers(0, len(body)))
    cut = draw(st.integers(0, 12))
    return body[:at] + draw(st.binary(max_size=6)) + body[at + cut :]


@st.composite
def bodies(draw):
    body = draw(st.sampled_from(GOLDEN))
    return draw(st.one_of(st.just(body), st.just(mutated(body, draw)), st.binary(max_size=40)))


LABS = {encrypted: Lab(encrypted=encrypted, cycle=True) for encrypted in (True, False)}


def judge(response):
    assert 200 <= response.status < 500 or response.status == 501
    if response.status >= 400:
        decode(response.body, r.Error, strict=True)


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(["GET", "PUT", "POST", "DELETE", "FOO", ""]), paths, queries, headers, certificates)
def test_random_requests(method, path, query, sent, certificate):
    fields = (("host", "x"), *sent)
    lab = LABS[certificate is not None]
    judge(lab.server.answer(Request(method, f"{path}?{query}", fields, b"", certificate, "peer")))


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(["PUT", "POST"]), st.sampled_from(WRITABLE), bodies(), certificates)
def test_random_bodies(method, path, body, certificate):
    fields = (("host", "x"), ("content-type", "application/sep+xml"))
    lab = LABS[certificate is not None]
    judge(lab.server.answer(Request(method, path, fields, body, certificate, "peer")))
    # And what was taken can be shown again.
    judge(lab.server.answer(Request("GET", f"{path}?l=255", fields, b"", certificate, "peer")))


@settings(max_examples=100, deadline=None)
@given(
    st.sampled_from(["GET", "PUT", "POST", "DELETE", "FOO"]),
    st.sampled_from(
        [
            "programs",
            "programs/1/controls",
            "programs/1/default-control",
            "controls/00",
            "poll-rates",
            "end-devices",
            "requests?limit=3",
            "%2e%2e",
            "programs/%00/controls",
            "/",
        ]
    ),
    st.binary(max_size=20)
    | st.sampled_from([b'{"modes": {"opModMaxLimW": []}, "duration_s": {}}', b'{"lfdi": [], "pin": {}}'])
    | st.sampled_from([b'{"modes": {"opModVoltVar": [[1, 1e300]]}, "duration_s": 5}', b'{"derp": 1e400}']),
)
def test_random_requests_of_an_operator(method, path, body):
    fields = (("host", "localhost"), ("content-type", "application/json"))
    response = LABS[True].server.answer_admin(
        Request(method, f"/api/utility/{path}", fields, body, None, "peer")
    )
    assert response.status < 500
