"""Lists on a phone: each row is a card that names its values, and nothing is cut off."""

import pytest
from tests.browser.pages import go

pytest.importorskip("playwright.sync_api", reason="Playwright is not installed: tox -e browser")

#: Page -> what one of its cards must name.
LISTS = {
    "overview": {"Mode", "Value", "Source", "When"},
    "fleet": {"DER", "Name", "State", "CSIP", "kW", "kvar", "V L-N", "Hz", "kWh exported"},
    "csip": {"Modes", "Status", "Start", "End", "Program", "mRID", "Why", "You"},
    "timeline": {"Control", "Phase", "From", "To", "Why"},
    "plugins": {"Name", "Version", "In use", "From"},
}

#: Of the first row: the titles that are seen, the cells' left edges, and how far a cell reaches.
ROW = """() => {
    const row = document.querySelector('table.cards tbody tr');
    const cells = [...row.cells].filter(each => each.textContent);
    const shown = cells.map(each => getComputedStyle(each, '::before').content.replaceAll('"', ''));
    const edges = cells.map(each => each.getBoundingClientRect());
    return {shown, lefts: edges.map(each => each.left), right: Math.max(...edges.map(each => each.right))};
}"""


def row_of(page, name):
    go(page, name)
    page.wait_for_selector("table.cards tbody tr", timeout=60_000)
    return page.evaluate(ROW)


@pytest.mark.parametrize("name", LISTS)
def test_rows_are_cards_on_a_phone(demo, open_page, name):
    row = row_of(open_page(demo.url, width=390).page, name)
    assert set(row["shown"]) == LISTS[name]
    assert len(set(row["lefts"])) == 1
    assert row["right"] <= 390


def test_rows_are_rows_on_a_desktop(demo, open_page):
    row = row_of(open_page(demo.url).page, "fleet")
    assert set(row["shown"]) == {"none"}
    assert len(set(row["lefts"])) == len(LISTS["fleet"])


def test_a_fleet_is_sorted_on_a_phone_too(start_demo, open_page):
    page = open_page(start_demo("-N", "3").url, width=390).page
    go(page, "fleet")
    page.locator("table.cards tbody tr").nth(2).wait_for()
    sort = page.locator("thead button").first
    assert sort.bounding_box()["x"] + sort.bounding_box()["width"] <= 390
    sort.click()
    assert page.locator("table.cards tbody tr").first.locator("td").first.inner_text() == "3"


def test_the_curve_of_the_array_is_as_wide_as_a_phone_with_labels_of_their_size(demo, open_page):
    page = open_page(demo.url, width=390).page
    go(page, "dciv")
    scale, right = page.evaluate(
        """() => {
            const svg = document.querySelector('#page svg');
            const box = svg.getBoundingClientRect();
            const texts = [...svg.querySelectorAll('text')].map(each => each.getBoundingClientRect().right);
            return [box.width / svg.viewBox.baseVal.width, Math.max(...texts) - box.right];
        }"""
    )
    assert scale == pytest.approx(1)
    assert right <= 1
