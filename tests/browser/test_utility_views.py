"""The utility's page: its token, and the views of what devices report."""

import re

import pytest
from tests.browser.axe import LOOKS, violations
from tests.interop.processes import program

TOKEN = "not-to-be-guessed"
HOSTILE = "<img src=x onerror=alert(1)>"


@pytest.fixture(scope="module")
def guarded(chromium):
    """The admin port of a server with a token."""
    with program("dersim", "server", "--port", "0", "--admin_port", "0", "--admin_token", TOKEN) as child:
        yield child.ready()["utility_admin"]


def test_the_page_asks_for_the_token_and_keeps_it_for_its_tab(guarded, open_page, picture):
    from playwright.sync_api import expect

    watched = open_page(f"{guarded}/#api")
    page = watched.page
    expect(page.get_by_role("heading", name="Token")).to_be_visible()
    assert violations(page, "token") == []
    picture(page, "utility-token")
    page.get_by_label("Token").fill("guess")
    page.get_by_role("button", name="Open").click()
    expect(page.get_by_text("This is not its token.")).to_be_visible()
    page.get_by_label("Token").fill(TOKEN)
    page.get_by_role("button", name="Open").click()
    expect(page.get_by_role("link", name="poll-rates")).to_be_visible()
    page.reload()
    expect(page.get_by_role("link", name="poll-rates")).to_be_visible()
    with page.expect_download() as saved:
        page.get_by_role("link", name="poll-rates").click()
    assert saved.value.suggested_filename == "poll-rates.json"
    assert "derp" in saved.value.path().read_text()
    watched.forgive("status of 401")


@pytest.fixture(scope="module")
def notified(start_demo):
    """A demo whose DER has subscribed, with hostile words in an order, and an alarm."""
    running = start_demo("--csip_subscriptions", "yes")
    admin = running.facts["utility_admin"]
    order = {"modes": {"opModFixedW": 40}, "duration_s": 600, "description": HOSTILE}
    running.ask("/api/utility/programs/2/controls", order, base=admin)
    running.ask("/api/dersim/inputs", {"voltage_pu": 1.3})
    yield running
    running.stop()


@pytest.fixture
def utility(notified):
    return notified.facts["utility_admin"]


def test_the_timeline_shows_orders_over_the_reported_power(utility, open_page, picture):
    from playwright.sync_api import expect

    page = open_page(f"{utility}/#timeline").page
    expect(page.locator("svg text", has_text="operator · opModFixedW")).to_be_visible()
    expect(page.locator("svg polyline").first).to_be_attached()
    bar = page.get_by_role("button", name=re.compile("operator: opModFixedW 40 %"))
    bar.focus()
    bar.press("Enter")
    expect(page.get_by_text(HOSTILE)).to_be_visible()
    expect(page.get_by_text("opModFixedW 40 %").last).to_be_visible()
    page.get_by_label("Device").fill("1")
    page.get_by_label("Device").press("Enter")
    expect(page).to_have_url(re.compile(r"#timeline/[0-9A-F]{40}$"))
    expect(page.locator("svg text", has_text="operator · opModFixedW")).to_be_visible()
    picture(page, "utility-timeline")


def test_readings_are_plotted_by_unit(utility, open_page, picture):
    from playwright.sync_api import expect

    page = open_page(f"{utility}/#readings").page
    for unit in ("W", "var", "Hz", "Wh", "V", "A"):
        expect(page.get_by_role("heading", name=unit, exact=True)).to_be_visible()
    expect(page.get_by_role("button", name=re.compile(r"^value 60\.\d+ Hz"))).to_be_visible()
    expect(page.get_by_role("link", name="CSV of all")).to_have_count(0)  # this server keeps none
    picture(page, "utility-readings")


def test_a_subscription_is_ended(utility, open_page, picture):
    from playwright.sync_api import expect

    page = open_page(f"{utility}/#subscriptions").page
    rows = page.locator("tr[data-subscription]")
    expect(rows.first).to_contain_text("/dersim/notify/")
    picture(page, "utility-subscriptions")
    number = rows.first.get_attribute("data-subscription")
    page.get_by_role("button", name=f"End subscription {number}", exact=True).click()
    expect(page.get_by_text(f"Subscription {number} is ended")).to_be_visible()


def test_log_events_are_told_in_words_and_filtered(utility, open_page):
    from playwright.sync_api import expect

    page = open_page(f"{utility}/#log-events").page
    expect(page.locator("tr[data-event]").first).to_contain_text("over voltage")
    page.get_by_label("Text").fill("no such thing")
    expect(page.get_by_text("No such event.")).to_be_visible()
    page.get_by_label("Text").fill("")
    page.get_by_label("Function set").select_option("DER")
    expect(page.locator("tr[data-event]").first).to_be_visible()


SIGNS = {
    "timeline": "svg .bar",
    "readings": ".plot canvas",
    "log-events": "tr[data-event]",
    "subscriptions": "tr[data-subscription]",
    "conversation": "table.exchanges tbody tr",
}


@pytest.mark.parametrize(("width", "dark"), [LOOKS[0], LOOKS[-1]])
def test_the_views_are_accessible(utility, open_page, width, dark):
    page = open_page(f"{utility}/#timeline", width=width, dark=dark).page
    for name, sign in SIGNS.items():
        page.evaluate("name => { location.hash = name; }", name)
        page.locator(sign).first.wait_for()
        assert violations(page, name) == []
        assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0


def test_an_exchange_is_found_opened_and_linked_to(utility, open_page, picture):
    from playwright.sync_api import expect

    page = open_page(f"{utility}/#conversation").page
    page.get_by_label("Resource").fill("DERCapability")
    page.get_by_label("Method").select_option("PUT")
    row = page.locator("table.exchanges tbody tr").first
    expect(row).to_contain_text("DERCapability")
    row.click()
    expect(page.get_by_role("heading", name="Request: DERCapability")).to_be_visible()
    expect(page.get_by_text("valid in the edition").first).to_be_visible()
    picture(page, "utility-conversation")
    assert violations(page, "conversation") == []
    address = page.get_by_role("link", name="Link to this exchange").get_attribute("href")
    again = open_page(f"{utility}/{address}").page
    expect(again.get_by_role("heading", name="Request: DERCapability")).to_be_visible()


def test_the_csip_page_lists_what_the_client_has_subscribed_to(notified, open_page, picture):
    from playwright.sync_api import expect

    page = open_page(f"{notified.facts['dashboard']}/#csip").page
    card = page.locator(".card", has=page.get_by_role("heading", name="Subscriptions"))
    row = card.locator("tr", has_text="DERControlList /derp/2/derc")
    expect(row.get_by_text("subscribed", exact=True)).to_be_visible()
    expect(row).to_contain_text("/edev/1/sub/")
    picture(page, "csip-subscriptions")
