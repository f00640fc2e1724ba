"""The controls timeline: values at the cursor, zoom and pan, and its rows on a phone."""

import re
from itertools import pairwise

import pytest
from tests.browser.pages import go

pytest.importorskip("playwright.sync_api", reason="Playwright is not installed: tox -e browser")

VALUES = re.compile(r"At (\d\d:\d\d:\d\d): P (\S+) kW, Q \S+ kvar$")


@pytest.fixture
def timeline(demo, open_page):
    """`timeline(...) -> page` that shows the timeline with some samples."""

    def opened(**look):
        page = open_page(demo.url, **look).page
        go(page, "timeline")
        page.wait_for_selector(".gantt polygon")
        return page

    return opened


def at(page):
    return page.locator(".at").inner_text()


def to_now(page):
    """Moves the pointer a little left of the line that is now."""
    box = page.locator(".gantt line[stroke='var(--bad)']").bounding_box()
    page.mouse.move(box["x"] - 3, box["y"] + 2)


def test_the_pointer_reads_time_and_power(timeline):
    page = timeline()
    to_now(page)
    page.wait_for_selector(".at:has-text('kvar')")
    assert VALUES.match(at(page))
    assert page.locator(".gantt text.mark", has_text="kW").count() == 1
    page.mouse.move(2, 2)
    page.wait_for_function("() => document.querySelector('.at').textContent === ''")


def test_the_keys_read_zoom_and_follow_again(timeline):
    page = timeline()
    page.locator(".gantt").focus()
    page.keyboard.press("ArrowLeft")
    page.wait_for_selector(".at:has-text('kvar')")
    page.keyboard.press("+")
    assert re.match(r"\d\d:\d\d:\d\d to \d\d:\d\d:\d\d\. At ", at(page))
    page.keyboard.press("Escape")
    page.keyboard.press("0")
    page.wait_for_function("() => document.querySelector('.at').textContent === ''")


def test_the_buttons_zoom_and_the_picture_stays_until_live_is_asked_for(timeline):
    page = timeline()
    page.get_by_role("button", name="Zoom in").click()
    shown = at(page)
    assert re.match(r"\d\d:\d\d:\d\d to \d\d:\d\d:\d\d\.$", shown)
    with page.expect_response(lambda answer: "/timeline" in answer.url):
        pass
    assert at(page) == shown
    page.get_by_role("button", name="Go live").click()
    assert at(page) == ""


def test_a_bar_still_answers_a_click(timeline):
    page = timeline()
    page.locator(".gantt .bar").first.click()
    page.wait_for_selector("dt:has-text('From'), dt:has-text('Effective')")


def test_a_phone_shows_all_of_it_and_no_time_covers_another(timeline):
    page = timeline(width=390)
    times = page.evaluate(
        """() => [...document.querySelectorAll('.gantt text.soft')]
            .filter(each => /^\\d\\d:\\d\\d:\\d\\d$|^[A-Z]{3}/.test(each.textContent))
            .map(each => each.getBoundingClientRect()).map(({left, right}) => [left, right])"""
    )
    times.sort()
    assert len(times) >= 3
    assert all(right <= left for (_, right), (left, _) in pairwise(times))
    gantt = page.locator(".gantt").evaluate("each => [each.scrollWidth, each.clientWidth]")
    assert gantt[0] == gantt[1]
