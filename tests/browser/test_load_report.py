"""The report of a run under load, opened from its file."""

import pytest
from tests.browser.conftest import DESKTOP, PHONE
from tests.load.example import example_report


@pytest.fixture
def path(tmp_path):
    written = tmp_path / "report.html"
    written.write_text(example_report(), encoding="utf-8")
    return written


@pytest.mark.parametrize(("width", "dark"), [(DESKTOP, False), (DESKTOP, True), (PHONE, False)])
def test_it_opens_offline_in_both_themes_and_fits(path, open_page, picture, width, dark):
    page = open_page(path.as_uri(), width=width, dark=dark).page
    assert page.evaluate("document.documentElement.dataset.theme") == ("dark" if dark else "light")
    assert page.locator("svg[data-plot]").count() == 6
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    picture(page, f"load-report-{'dark' if dark else 'light'}-{width}")


def test_the_pointer_shows_the_values_of_all_plots_at_that_time(path, open_page):
    page = open_page(path.as_uri()).page
    page.locator("svg[data-plot=states]").hover()
    assert page.locator(".cross").count() == 6
    assert page.locator("figure .when").first.inner_text().startswith("at 0:4")
    assert page.locator("figure .key b").first.inner_text() == "14"
    page.mouse.move(1, 1)
    assert page.locator(".cross").count() == 0


def test_the_button_changes_the_theme(path, open_page):
    page = open_page(path.as_uri()).page
    page.get_by_role("button", name="Light / dark").click()
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"


def test_paper_is_light_and_without_buttons(path, open_page):
    page = open_page(path.as_uri(), dark=True).page
    page.emulate_media(media="print")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert not page.get_by_role("button", name="Light / dark").is_visible()


def test_the_fleet_page_shows_what_is_measured_so_far(start_demo, open_page, picture):
    demo = start_demo("-N", "3", "--load")
    for width in (DESKTOP, PHONE):
        page = open_page(f"{demo.url}/#fleet", width=width).page
        page.wait_for_selector("td:has-text('GET DERControlList')")
        assert page.locator(".card .grid svg").count() == 2
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        picture(page, f"fleet-load-{width}")
