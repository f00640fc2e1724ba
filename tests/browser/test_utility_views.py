"""The utility's page: its token, and the views of what devices report."""

import pytest
from tests.browser.axe import violations
from tests.interop.processes import program

TOKEN = "not-to-be-guessed"


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


@pytest.fixture
def utility(demo):
    return demo.facts["utility_admin"]


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
