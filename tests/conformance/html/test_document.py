"""The HTML report: whole, self-contained, and safe with whatever a device sends."""

import re
from html.parser import HTMLParser

import pytest
from tests.conformance.broken_clients import BROKEN

from dersim.conformance import virtual
from dersim.conformance.evidence import Evidence, Exchange, Handshake
from dersim.conformance.head import RunHead, device_under_test
from dersim.conformance.html import exchanges, plot, setup
from dersim.conformance.html.document import html
from dersim.conformance.html.markup import text
from dersim.conformance.kit import make_kit
from dersim.conformance.procedure import Criterion, Finding, Outcome, Procedure, Verdict, judge
from dersim.conformance.procedures import ALL
from dersim.conformance.purposes import PURPOSES

HEAD = RunHead(
    0.0, 75.0, "dersim conformance --only 'BASIC-01*'", "dersim 1, Python 3", "virtual", 1.0, "dersim"
)
EVIL = "</pre><script>alert(1)</script><img src=x onerror=alert(2)>\u202e"


class Reader(HTMLParser):
    """Collects tags and texts, and checks that they are nested."""

    def __init__(self):
        super().__init__()
        self.tags, self.open, self.addresses, self.ids, self.texts = [], [], [], [], []

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.addresses += [value for name, value in attributes if name in ("src", "href", "xlink:href")]
        self.ids += [value for name, value in attributes if name == "id"]
        if tag not in ("meta", "br"):
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.tags.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.texts.append(data)


def read(page):
    reader = Reader()
    reader.feed(page)
    assert reader.open == []
    return reader


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory):
    kit = make_kit(tmp_path_factory.mktemp("report"))
    half = next(each for each in BROKEN if each.name == "limits are read as half")
    good = [virtual.run(ALL[name], kit) for name in ("COMM-004B", "COMM-004G", "BASIC-001")]
    with half.patch():
        return [*good, virtual.run(ALL["BASIC-017"], kit, wire=half.wire)]


@pytest.fixture(scope="module")
def page(outcomes):
    return html(outcomes, HEAD)


def test_it_is_whole_and_needs_nothing_from_elsewhere(page):
    reader = read(page)
    assert not re.search(r"url\(|@import|https?://", page)
    assert "default-src 'none'" in page
    assert all(each.startswith("#") for each in reader.addresses)
    assert {each[1:] for each in reader.addresses} <= set(reader.ids)
    assert len(reader.ids) == len(set(reader.ids))


def test_it_says_who_was_tested_and_how(page, outcomes):
    device = device_under_test(each.evidence for each in outcomes)
    assert len(device.chain) == 3
    assert device.edition == "IEEE 2030.5-2023"
    for words in (
        device.lfdi,
        device.sfdi,
        "CN=dersim COMM-004 MICA B",
        "took 1 min 15 s",
        "BASIC-01*",
        "dersim 1, Python 3",
    ):
        assert text(words) in page


def test_every_id_opens_with_purpose_criteria_and_evidence(page, outcomes):
    assert page.count("<details class='id-row'") == len(outcomes)
    assert page.count("<b>3</b> pass") == 2
    for outcome in outcomes:
        assert text(PURPOSES[outcome.procedure.id]) in page
        for each in outcome.judged:
            assert text(each.finding.text) in page
    assert "ECDHE-ECDSA-AES128-CCM8" in page
    assert "<td class='mono'>unknown_ca</td>" in page
    assert page.count("The server&#x27;s chain") + page.count("The server's chain, its own") == 2
    assert page.count("The device's chain as verified") == 1


def test_randomized_events_are_late_by_their_windows(tmp_path):
    outcome = virtual.run(ALL["CORE-021"], make_kit(tmp_path))
    page = setup.times(outcome.evidence)
    for due in ("360.0 to 390.0 s", "420.0 to 480.0 s", "510.0 to 540.0 s", "660.0 to 720.0 s"):
        assert due in page
    assert page.count("+0.0 s") >= 4


@pytest.mark.parametrize(
    ("low", "high", "found"),
    [
        (0, 9000, (0, 10000, 2000)),
        (-1800, 9950, (-2000, 10000, 2000)),
        (0, 0.4, (0, 1, 1)),
        (-5, 60, (-20, 60, 20)),
    ],
)
def test_axes_end_at_multiples_of_a_round_step(low, high, found):
    assert plot._axes(60.0, low, high)[1:] == found


def test_what_failed_is_open_and_its_power_is_drawn(page):
    assert page.count("' open>") == 1
    assert page.count("<svg viewBox='0 0 900") == 1
    assert page.count("class='wrong' x=") == 1
    assert "P at 60 % from 120 to 180 s: fail" in page


def test_the_pin_is_in_no_report(page):
    assert "pIN" in page
    assert "111115" not in page


def hostile_outcome():
    body = f"<Response xmlns='urn:ieee:std:2030.5:ns'><subject>{EVIL}</subject>".encode()
    headers = (("user-agent", EVIL), ("accept", EVIL), ("content-type", EVIL))
    seen = [
        Exchange(0, 0.0, EVIL, f"/{EVIL}", EVIL, headers, body, 999, (("location", EVIL),), body + b"!"),
        Exchange(1, 1.0, "GET", "/", EVIL, headers, b"", 200, (), b"\x00\xff" * 40),
    ]
    evidence = Evidence(
        0.0,
        exchanges=seen,
        handshakes=[Handshake(0.0, EVIL, EVIL, EVIL), Handshake(0.0, "", "", None, False, (b"no",))],
    )
    criterion = Criterion(EVIL, lambda _: Finding(Verdict.FAIL, EVIL, (0, 1)))
    procedure = Procedure("COMM-002", EVIL, lambda _: None, (criterion,), 60, reading=EVIL)
    return judge(procedure, evidence)


def test_what_comes_from_outside_is_escaped():
    outcome = hostile_outcome()
    nothing = ALL["COMM-003"]
    page = html([outcome, Outcome(nothing, (), Evidence(0.0), EVIL)], HEAD._replace(command=EVIL))
    tags = read(page).tags
    assert tags.count("script") == 1
    assert "img" not in tags
    assert "\u202e" not in page
    assert "\x00" not in page
    assert "\\u202e" in page


def test_a_report_does_not_grow_without_bounds():
    bodies = exchanges.Bodies(most_chars=1000)
    long = b"<a>" + b"<b>x</b>" * 5000 + b"</a>"
    assert len(bodies.shown(long, "response")) < 3 * exchanges.MOST_BODY_CHARS
    assert "left out" in bodies.shown(long, "response")


def test_where_no_single_request_decided_the_first_are_shown():
    evidence = Evidence(0.0)
    evidence.exchanges = [
        Exchange(number, 0.0, "GET", f"/{number}", None, (), b"", 200, (), b"") for number in range(40)
    ]
    shown = exchanges.requests("CORE-001", evidence, set(), exchanges.Bodies())
    assert shown.count("<details") == 30
    assert "30 of 40 requests. No single one decided; these are the first." in shown
    assert exchanges.requests("CORE-001", evidence, {3}, exchanges.Bodies()).count("<details") == 1


def test_a_run_without_evidence_has_a_report_too():
    page = html([], HEAD)
    assert "no device was seen" in page
    read(page)


def test_every_purpose_is_that_of_a_procedure_and_every_record_has_one():
    assert [name for name in ALL if not name.startswith("X-") and name not in PURPOSES] == []
    assert set(PURPOSES) <= set(ALL)
