"""The checks of the X- ids can fail, each for its reason."""

from types import SimpleNamespace

import pytest

from dersim.conformance.checks import chains, readings, requests, wire
from dersim.conformance.evidence import Evidence, Exchange
from dersim.conformance.procedure import Verdict

PASS, WARN, FAIL = Verdict.PASS, Verdict.WARN, Verdict.FAIL
XMLNS = 'xmlns="urn:ieee:std:2030.5:ns"'


def evidence(*rows, **facts):
    """Of exchanges: (time, method, target, status, body), with a Location as the sixth where there is one."""
    found = Evidence(0.0, facts=dict(facts))
    for number, (time_s, method, target, status, body, *location) in enumerate(rows):
        headers = tuple(("location", each) for each in location)
        found.exchanges.append(
            Exchange(number, time_s, method, target, None, (), body.encode(), status, headers, b"")
        )
    found.ended_s = rows[-1][0] if rows else 0.0
    return found


def get(time_s, target, status=200):
    return (time_s, "GET", target, status, "")


def response(time_s, subject, status):
    body = (
        f"<DERControlResponse {XMLNS}><createdDateTime>1</createdDateTime>"
        f"<endDeviceLFDI>{'0' * 40}</endDeviceLFDI>"
        f"<status>{status}</status><subject>{subject}</subject></DERControlResponse>"
    )
    return (time_s, "POST", "/rsps/1/rsp", 201, body)


def chain(*rows):
    found = evidence(*(response(time_s, mrid, status) for time_s, mrid, status in rows))
    found.controls = {name: SimpleNamespace(mrid=name * 32) for name in "AB"}
    return found


A, B = "A" * 32, "B" * 32


@pytest.mark.parametrize(
    ("end", "start", "verdict"), [(60, 60, PASS), (60, 61.5, PASS), (60, 75, WARN), (60, 57, FAIL)]
)
def test_events_of_a_chain_meet(end, start, verdict):
    assert chains.follow("A", "B")(chain((end, A, 3), (start, B, 2))).verdict is verdict


def test_an_event_of_a_chain_that_has_not_ended_is_a_failure():
    assert chains.follow("A", "B")(chain((60, B, 2))).verdict is FAIL


@pytest.mark.parametrize(("second", "verdict"), [(15, PASS), (14.2, PASS), (12, FAIL)])
def test_gets_of_a_path_are_apart(second, verdict):
    assert requests.apart("/tm", 15)(evidence(get(0, "/tm"), get(second, "/tm"))).verdict is verdict


@pytest.mark.parametrize(
    ("asked_s", "again", "verdict"),
    [(40, 40, PASS), (40, 100, PASS), (40, 38, FAIL), (40, 140, FAIL), (0, 0, FAIL), (0, 15, PASS)],
)
def test_a_retry_after_is_kept(asked_s, again, verdict):
    waits = [requests.Asked(0.0, "/derp", "503", asked_s, 90)]
    seen = evidence(get(0, "/derp", 503), get(again, "/derp"), waits=waits)
    assert requests.waits_kept(seen).verdict is verdict


def test_a_client_that_never_comes_again_has_not_kept_a_retry_after():
    waits = [requests.Asked(0.0, "/derp", "503", 40, 90)]
    assert requests.waits_kept(evidence(get(0, "/derp", 503), waits=waits)).verdict is FAIL


@pytest.mark.parametrize(
    ("target", "verdict"),
    [("/DERP/1?zone=4&s=0", PASS), ("/derp/1?zone=4", FAIL), ("/DERP/1?s=0", FAIL), ("/tm", FAIL)],
)
def test_links_are_followed_as_they_are_written(target, verdict):
    assert requests.with_query("/DERP", "zone=4")(evidence(get(0, target))).verdict is verdict


@pytest.mark.parametrize(
    ("method", "target", "body", "verdict"),
    [
        ("PUT", "/new", "<a/>", PASS),
        ("GET", "/new", "<a/>", FAIL),
        ("PUT", "/new", "", FAIL),
        ("PUT", "/old", "<a/>", FAIL),
    ],
)
def test_what_is_redirected_is_sent_on(method, target, body, verdict):
    seen = evidence((0, "PUT", "/old", 307, "<a/>", "/new"), (1, method, target, 204, body))
    assert requests.sent_on(307)(seen).verdict is verdict


def posted(time_s, start, value, status=204):
    kind = "" if time_s else "<ReadingType><uom>72</uom></ReadingType>"
    body = (
        f"<MirrorMeterReading {XMLNS}><mRID>{A}</mRID><Reading><timePeriod><duration>0</duration>"
        f"<start>{start}</start></timePeriod><value>{value}</value></Reading>{kind}</MirrorMeterReading>"
    )
    return (time_s, "POST", "/mup/1", status, body)


@pytest.mark.parametrize(
    ("start", "value", "verdict"), [(30, 5, PASS), (30, 6, PASS), (30, 4, FAIL), (0, 5, FAIL)]
)
def test_no_reading_comes_twice_and_counters_rise(start, value, verdict):
    assert readings.none_doubled(evidence(posted(0, 0, 5), posted(30, start, value))).verdict is verdict


def mirror(role, href):
    body = (
        f"<MirrorUsagePoint {XMLNS}><mRID>{A}</mRID><roleFlags>{role}</roleFlags><serviceCategoryKind>0"
        f"</serviceCategoryKind><status>1</status><deviceLFDI>{'0' * 40}</deviceLFDI></MirrorUsagePoint>"
    )
    return (0, "POST", "/mup", 201, body, href)


def test_the_mirror_of_a_site_is_not_that_of_the_der():
    of_site = (20, "POST", "/mup/2", *posted(20, 0, 3)[3:])
    seen = evidence(
        mirror("0049", "/mup/1"), mirror("0003", "https://utility/mup/2"), posted(10, 0, 5), of_site
    )
    assert readings.mirrors_created(1)(seen).verdict is PASS
    assert [exchange.path for exchange, _ in seen.meter_readings()] == ["/mup/1"]


def test_a_reading_that_was_refused_may_come_again():
    assert readings.none_doubled(evidence(posted(0, 0, 5, 404), posted(1, 0, 5))).verdict is PASS


@pytest.mark.parametrize(("second", "verdict"), [(30, PASS), (34, PASS), (70, FAIL)])
def test_readings_are_posted_all_along(second, verdict):
    assert readings.posted_all_along(evidence(posted(0, 0, 5), posted(second, 30, 5))).verdict is verdict


def test_a_notification_that_the_device_refuses_is_no_body_that_it_has_sent():
    seen = evidence(get(0, "/tm"))
    seen.note_notified(1.0, "https://127.0.0.1:1/n", "/edev/1/fsa", b"<Notification/>", 400)
    seen.note_notified(2.0, "https://127.0.0.1:1/n", "/edev/1/fsa", b"<Notification/>", 400)
    assert [each.number for each in seen.notified] == [1, 2]
    assert wire.bodies_accepted(seen).verdict is PASS
    assert wire.not_repeated(seen).verdict is PASS
