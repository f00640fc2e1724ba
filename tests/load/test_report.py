"""The HTML report: whole, self-contained, and safe with whatever is in it."""

import json
import re
from html.parser import HTMLParser
from importlib.resources import files

import pytest
from tests.load.example import EVIL, HEAD, example_tally

from dersim.load import LoadTally, report
from dersim.load.svg import Plot, Trace, drawn, nice_top, since_start
from dersim.load.thresholds import judge_all, parse


class Reader(HTMLParser):
    """Collects tags, and checks that they are nested."""

    def __init__(self):
        super().__init__()
        self.tags, self.open, self.addresses, self.texts = [], [], [], []

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.addresses += [value for name, value in attributes if name in ("src", "href", "xlink:href")]
        if tag != "meta":
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.tags.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.texts.append(data)


@pytest.fixture(scope="module")
def snapshot():
    return example_tally().snapshot()


@pytest.fixture(scope="module")
def page(snapshot):
    verdicts = judge_all([parse("p95(GET Time) < 1us"), parse("count(requests) > 1")], example_tally())
    return report.html(HEAD, snapshot, verdicts)


def test_the_page_is_whole_and_needs_nothing_from_elsewhere(page):
    reader = Reader()
    reader.feed(page)
    assert reader.open == []
    assert reader.addresses == []
    assert not re.search(r"url\(|@import|https?://(?!head\.end|www\.w3\.org/2000/svg)", page)


def test_what_comes_from_outside_is_escaped(page):
    assert EVIL not in page
    assert page.count("<script") == 2
    reader = Reader()
    reader.feed(page)
    assert any(EVIL in text for text in reader.texts)


def test_every_part_is_there(page, snapshot):
    for kind in snapshot["kinds"]:
        assert f">{kind['kind']}<" in page
    assert page.count("<svg viewBox") == 6
    for words in (
        "&#10007; failed",
        "&#10003; holds",
        "1 lost, 2 shards started again",
        "12.0 s, 13 % of a core",
        "DERProgramList 60 s",
    ):
        assert words in page
    assert "handshake, resumed" in page


def test_the_values_for_the_pointer_are_those_of_the_plots(page, snapshot):
    found = re.search(r'<script type="application/json" id="series">(.*?)</script>', page, re.DOTALL)
    series = json.loads(found[1])
    assert series["count"] == 90
    assert series["plots"]["states"][0] == snapshot["series"]["states"]["connected"]
    assert series["times"][:2] == ["0:00", "0:01"]


def test_a_run_without_requests_has_a_report_too():
    page = report.html(HEAD, LoadTally().snapshot(), [])
    assert "Nothing was measured" in page
    assert "None were set" in page


def test_the_colours_are_those_of_the_dashboard():
    ours = files("dersim.load").joinpath("template/report.css").read_text()
    theirs = files("dersim.pages").joinpath("static/css/style.css").read_text()
    for block in (r":root \{.*?\}", r':root\[data-theme="dark"\] \{.*?\}'):
        assert re.search(block, ours, re.DOTALL)[0] == re.search(block, theirs, re.DOTALL)[0]


@pytest.mark.parametrize(
    ("most", "top"), [(0, 1), (0.7, 0.8), (3, 3), (9, 10), (11, 15), (101, 150), (4000, 4000)]
)
def test_axes_end_at_round_numbers(most, top):
    assert nice_top(most) == pytest.approx(top)


def test_a_plot_of_many_values_keeps_its_peaks():
    values = [0.0] * 3600
    values[1801] = 70.0
    svg = drawn(Plot("errors", "Errors", "1/s", [Trace("errors", "--c-p", values)]), 1)
    assert len(svg) < 20_000
    assert "at most 80" in svg


def test_times_since_the_start():
    assert [since_start(each) for each in (0, 75, 3600, 3725)] == ["0:00", "1:15", "1:00:00", "1:02:05"]
