"""The page of `dersim fleet`, of two real workers: the fleet, one DER, load."""

import pytest
from tests.browser.axe import LOOKS, violations
from tests.interop.processes import program


@pytest.fixture(scope="module")
def site(chromium):
    pytest.importorskip("distributed", reason="needs Dask: pip install 'dersim[cluster]'")
    with program("dersim", "server", "--port", "0", "--admin_port", "0", "--cycle", "yes") as server:
        port = server.ready()["utility"].rpartition(":")[2]
        words = ("-N", "6", "--workers", "2", "--port", "0", "--load", "--csip_server_port", port)
        with program("dersim", "fleet", *words) as fleet:
            yield fleet.ready()["fleet"]


def test_the_fleet_its_load_and_one_der_are_shown(site, open_page, picture):
    from playwright.sync_api import expect

    page = open_page(site).page
    expect(page.locator(".tile").first).to_contain_text("6 of 6")
    expect(page.get_by_role("table").first.locator("tbody tr")).to_have_count(2)
    picture(page, "fleet-page")
    page.get_by_role("link", name="Load").click()
    expect(page.get_by_text("GET DERControlList")).to_be_visible()
    picture(page, "fleet-load")
    page.get_by_role("link", name="One DER").click()
    page.get_by_label("Number of the DER").fill("5")
    page.get_by_role("button", name="Show").click()
    expect(page.get_by_role("heading", name="PV-3Phase 5, PV-3Phase")).to_be_visible()
    expect(page.get_by_text("/dcap").last).to_be_visible()
    picture(page, "fleet-der")


def test_a_number_beyond_the_fleet_is_told(site, open_page):
    from playwright.sync_api import expect

    watched = open_page(f"{site}/#der/77")
    expect(watched.page.get_by_role("alert").last).to_contain_text("there is no DER 77. There are 1 to 6.")
    watched.forgive("404")


@pytest.mark.parametrize("look", LOOKS)
def test_the_page_is_accessible_and_fits(site, open_page, look):
    page = open_page(site, width=look[0], dark=look[1]).page
    page.get_by_role("table").first.wait_for()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert violations(page, f"fleet {look}") == []
