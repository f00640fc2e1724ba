"""axe-core on every page of every site, in light and dark, wide and narrow: nothing worse than "minor".

"critical" and "serious" lock people out (contrast, names, keyboard); "moderate" is landmarks and headings.
"""

import httpx
import pytest
from tests.browser.axe import LOOKS, violations
from tests.browser.conftest import PHONE
from tests.browser.pages import PAGES, go
from tests.browser.test_lab import lab, settle, state_of  # noqa: F401 - `lab` is a fixture
from tests.interop.processes import eventually
from tests.load.example import example_report

pytest.importorskip(
    "axe_playwright_python.sync_playwright", reason="axe-core is not installed: tox -e browser"
)


def open_what_opens(page, name):
    """The detail of an exchange, of a control; an editor."""
    if name == "conversation":
        page.locator("tbody tr.pick").first.click()
        page.wait_for_selector("pre.document, dd:has-text('no body')")
    elif name == "timeline":
        page.locator("svg .bar").first.click()
    elif name == "grid":
        page.locator("[data-mode=opModVoltVar]").evaluate("editor => { editor.open = true; }")
        page.wait_for_selector("[data-mode=opModVoltVar] svg")
    elif name == "api":
        page.locator("details summary").first.click()


@pytest.mark.parametrize(("width", "dark"), LOOKS)
def test_the_dashboard_is_accessible(demo, open_page, width, dark):
    page = open_page(demo.url, width=width, dark=dark).page
    wrong = []
    for name in PAGES:
        go(page, name)
        open_what_opens(page, name)
        wrong += violations(page, name)
    assert wrong == []


# The utility's page has eleven views: a dark phone tells nothing that a dark window and a light phone do not.
@pytest.mark.parametrize(
    ("site", "width", "dark"),
    [("csip_ui", *look) for look in LOOKS] + [("utility_admin", *look) for look in LOOKS[:3]],
)
def test_the_other_sites_are_accessible(demo, open_page, site, width, dark):
    page = open_page(demo.facts[site], width=width, dark=dark).page
    page.wait_for_selector("main")
    hashes = page.locator("nav a[href^='#']").evaluate_all("links => links.map((link) => link.hash)")
    wrong = []
    assert hashes
    for each in hashes:
        page.goto(f"{demo.facts[site]}/{each}")
        page.wait_for_selector("#page .card")
        page.wait_for_load_state("networkidle")
        if each == "#conversation":
            open_what_opens(page, "conversation")
        wrong += violations(page, f"{site} {each}")
    assert wrong == []


@pytest.mark.parametrize(("width", "dark"), LOOKS)
def test_the_api_page_of_the_admin_port_is_accessible(demo, open_page, width, dark):
    page = open_page(f"{demo.facts['utility_admin']}/docs", width=width, dark=dark).page
    order = page.locator("details", has_text="POST /api/utility/programs/{id}/controls")
    order.locator("summary").first.click()
    order.get_by_label("id").fill("2")
    order.get_by_role("button", name="Send").click()
    order.get_by_text("201", exact=False).first.wait_for()
    assert violations(page, "docs") == []


def test_a_fleet_and_a_lost_connection_are_accessible(start_demo, open_page):
    fleet = start_demo("-N", "3")
    watched = open_page(fleet.url, width=PHONE)
    page = watched.page
    wrong = []
    for name in ("fleet", "overview"):
        go(page, name)
        page.locator("select[aria-label='Device']").wait_for(state="visible")
        wrong += violations(page, name)
    fleet.stop()
    page.wait_for_selector("body.stale")
    wrong += violations(page, "stale")
    page.close()
    watched.forgive("ERR_CONNECTION_REFUSED", "WebSocket", "Failed to load resource")
    assert wrong == []


def test_the_lab_page_is_accessible(lab, open_page):  # noqa: F811 - the fixture
    wrong = []
    pages = {look: open_page(lab, width=look[0], dark=look[1]).page for look in LOOKS}
    for look, page in pages.items():
        page.locator(".program:visible").first.wait_for()
        wrong += violations(page, f"lab {look}")
        page.locator(".program:visible .gear").first.click()
        page.get_by_role("dialog").wait_for()
        wrong += violations(page, f"lab {look}, settings")
        page.keyboard.press("Escape")
    httpx.post(f"{lab}/api/lab/programs/server/start", trust_env=False).raise_for_status()
    eventually("it runs", lambda: state_of(lab, "server")["state"] == "running")
    for look, page in pages.items():
        page.locator(".program:visible").get_by_text("Running", exact=True).first.wait_for()
        wrong += violations(page, f"lab {look}, running")
    assert wrong == []


@pytest.mark.parametrize(("width", "dark"), LOOKS)
def test_the_load_report_is_accessible(open_page, tmp_path, width, dark):
    path = tmp_path / "report.html"
    path.write_text(example_report(), encoding="utf-8")
    page = open_page(path.as_uri(), width=width, dark=dark).page
    assert violations(page, "load report") == []
