"""A crawler: every page of every site of a run, every link on it, and none that leads to a 404."""

from __future__ import annotations

from urllib.parse import urldefrag

import httpx
import pytest
from tests.browser.test_lab import lab, settle, state_of  # noqa: F401 - `lab` is a fixture
from tests.interop.processes import eventually

SHOWN_PAGES = "[...document.querySelectorAll('nav a[href^=\"#\"]')].map((link) => link.getAttribute('href'))"
ALL_LINKS = "[...document.querySelectorAll('a[href]')].map((link) => link.href)"
NAVIGATION = {"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}


def crawl(page, url):
    """Open each page of a site; every address that they link to, with the page where it was seen."""
    found = {}
    page.goto(url)
    page.wait_for_selector("nav a, main")
    for name in ["", *page.evaluate(SHOWN_PAGES)]:
        page.goto(f"{url}/{name}")
        page.wait_for_selector("main")
        page.wait_for_load_state("networkidle") if name == "#api" else None
        for link in page.evaluate(ALL_LINKS):
            found.setdefault(link, f"{url}/{name}")
    return found


def broken(found, sites):
    """The links that lead to nothing, or out of the run, with the page where each was seen."""
    wrong = {}
    for link, seen in found.items():
        address = urldefrag(link).url
        if not address.startswith(tuple(sites)):
            wrong[link] = f"{seen}: leads out of the run"
            continue
        status = httpx.get(address, headers=NAVIGATION, timeout=20, trust_env=False).status_code
        # 400 and 409 are answers: an address of the API that wants a parameter, or has nothing yet.
        if status in (404, 500):
            wrong[link] = f"{seen}: {status}"
    return wrong


@pytest.mark.parametrize("site", ["dashboard", "csip_ui", "utility_admin"])
def test_no_link_of_a_demo_leads_to_a_404(demo, open_page, site):
    sites = [demo.facts[name] for name in ("dashboard", "csip_ui", "utility_admin")]
    watched = open_page(demo.facts[site])
    found = crawl(watched.page, demo.facts[site])
    assert {address for address in sites if address != demo.facts[site]} <= {
        link.rstrip("/") for link in found
    }
    assert broken(found, sites) == {}


def test_a_demo_says_so_on_every_page(demo, open_page):
    for site in ("dashboard", "csip_ui", "utility_admin"):
        page = open_page(demo.facts[site]).page
        for name in page.locator("nav a[href^='#']").evaluate_all("links => links.map((link) => link.hash)"):
            page.goto(f"{demo.facts[site]}/{name}")
            page.locator("#demo", has_text="DEMO").wait_for(state="visible")


def test_the_sites_that_a_lab_started_link_to_the_lab_and_it_to_them(lab, open_page):  # noqa: F811 - the fixture
    for key in ("server", "simulator"):
        httpx.post(f"{lab}/api/lab/programs/{key}/start", trust_env=False).raise_for_status()
        eventually(f"{key} runs", lambda key=key: state_of(lab, key)["state"] == "running")
    addresses = {
        name: url for key in ("server", "simulator") for name, url in state_of(lab, key)["addresses"].items()
    }
    sites = [lab, *(url for url in addresses.values() if url.startswith("http://"))]
    page = open_page(lab).page
    page.locator("#dashboards").wait_for(state="visible")
    found = crawl(page, lab)
    assert {addresses[name] for name in ("dashboard", "csip_ui", "utility_admin")} <= {
        link.rstrip("/") for link in found
    }
    assert broken(found, sites) == {}
    for site in ("dashboard", "csip_ui", "utility_admin"):
        page = open_page(addresses[site]).page
        page.locator(f"a[href^='{lab}']").wait_for(state="visible")
        assert page.locator("#demo:visible").count() == 0
