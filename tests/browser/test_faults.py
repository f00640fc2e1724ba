"""The page that plants faults: plant one, watch what is left of it, remove it."""

import re

import pytest
from tests.browser.axe import LOOKS, violations


@pytest.fixture
def faults(demo):
    return f"{demo.facts['utility_admin']}/faults"


def fill(page, **fields):
    for label, value in fields.items():
        page.get_by_label(label.replace("_", " "), exact=True).fill(value)


def test_a_fault_is_planted_watched_and_removed(faults, open_page, picture):
    from playwright.sync_api import expect

    page = open_page(faults).page
    page.get_by_label("Kind").select_option("status")
    page.get_by_role("button", name="Plant").click()
    expect(page.get_by_text("A number is needed.")).to_be_visible()
    fill(page, Status="503", Retry_after="30", Path="/nowhere/*", Lasts="60", Note="a rehearsal")
    page.get_by_role("button", name="Plant").click()
    expect(page.get_by_text(re.compile(r"Planted as fault #\d+"))).to_be_visible()
    row = page.locator("tr[data-fault]").filter(has_text="a rehearsal")
    expect(row).to_contain_text("status 503, Retry-After 30 s")
    expect(row).to_contain_text(re.compile(r"[1-5]\d s"))
    picture(page, "faults")
    row.get_by_role("button", name="Remove").click()
    expect(row).to_have_count(0)
    expect(page.get_by_text("it was removed").first).to_be_visible()


def test_every_kind_has_its_form_and_a_refusal_is_told(faults, open_page):
    from playwright.sync_api import expect

    watched = open_page(faults)
    page = watched.page
    page.get_by_label("Kind").wait_for()
    kinds = page.get_by_label("Kind").locator("option").evaluate_all("all => all.map((each) => each.value)")
    assert len(kinds) == 17
    for kind in kinds:
        page.get_by_label("Kind").select_option(kind)
        expect(page.get_by_label("Lasts")).to_be_visible()
    page.get_by_label("Kind").select_option("gone")
    fill(page, Device="12 34")
    page.get_by_role("button", name="Plant").click()
    expect(page.get_by_role("alert").filter(has_text="device")).to_be_visible()
    assert [each for each in watched.errors if "400" not in each] == []
    watched.errors.clear()


@pytest.mark.parametrize(("width", "dark"), LOOKS)
def test_the_page_is_accessible(faults, open_page, width, dark):
    page = open_page(faults, width=width, dark=dark).page
    page.get_by_label("Kind").select_option("xml")
    fill(page, Path="/nowhere", Times="3")
    page.get_by_role("button", name="Plant").click()
    page.locator("tr[data-fault]").first.wait_for()
    assert violations(page, "faults") == []
