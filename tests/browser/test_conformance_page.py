"""The page of a conformance campaign, and its report, in a browser."""

import subprocess
import sys

import pytest
from tests.browser.axe import violations
from tests.browser.conftest import DESKTOP, PHONE
from tests.conformance.broken_clients import BROKEN

from dersim.conformance import virtual
from dersim.conformance.head import RunHead
from dersim.conformance.html.document import html
from dersim.conformance.kit import make_kit
from dersim.conformance.procedures import ALL


@pytest.fixture
def campaign(chromium, tmp_path):
    """A campaign that waits for a client which never comes; its page, and the process."""
    words = ["--client-under-test", "--kit", str(tmp_path), "--port", "0", "--page", "--page-port", "0"]
    child = subprocess.Popen(
        [sys.executable, "-m", "dersim", "conformance", "--only", "BASIC-01[08]", "--wait", "1", *words],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    line = next(each for each in child.stderr if each.startswith("the page is "))
    yield line.removeprefix("the page is ").strip(), child
    child.kill()
    child.communicate()


def test_the_operator_is_led_through_a_campaign(campaign, open_page, picture):
    from playwright.sync_api import expect

    url, child = campaign
    page = open_page(url).page
    question = page.locator(".ask")
    expect(question).to_contain_text("Set the sun of the device to full")
    assert violations(page, "conformance") == []
    picture(page, "conformance-question")
    question.get_by_role("button", name="Continue").click()
    expect(question).to_contain_text("Stop the device under test, and start it again")
    question.get_by_role("button", name="Continue").click()
    expect(page.locator(".next")).to_contain_text("waiting for the client with LFDI")
    expect(question).to_contain_text("Restart the device under test")
    expect(page.locator(".ids tr.current")).to_contain_text("BASIC-010")
    with page.expect_response("**/answer"):
        question.get_by_role("button", name="Skip").click()
    page.goto("about:blank")
    assert child.wait(20) == 2


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    folder = tmp_path_factory.mktemp("report")
    kit, half = make_kit(folder), next(each for each in BROKEN if each.name == "limits are read as half")
    with half.patch():
        outcomes = [virtual.run(ALL[name], kit, wire=half.wire) for name in ("COMM-003", "BASIC-025")]
    path = folder / "report.html"
    path.write_text(
        html(outcomes, RunHead(0.0, 60.0, "dersim conformance", "dersim", "virtual", 1, "dersim"))
    )
    return path


@pytest.mark.parametrize(("width", "dark"), [(DESKTOP, False), (DESKTOP, True), (PHONE, False)])
def test_the_report_opens_offline_in_both_themes_and_fits(report, open_page, picture, width, dark):
    page = open_page(report.as_uri(), width=width, dark=dark).page
    assert page.locator("figure svg[role=img]").count() == 1
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.get_by_role("button", name="Open all").click()
    page.locator("#COMM-003 .request summary").first.click()
    assert page.locator("#COMM-003 pre").first.is_visible()
    assert violations(page, "conformance") == []
    picture(page, f"conformance-report-{'dark' if dark else 'light'}-{width}")


def test_a_link_leads_to_the_request_that_decided(report, open_page):
    page = open_page(report.as_uri()).page
    page.locator("#BASIC-025 .links a").first.click()
    assert page.locator("#BASIC-025 .request :target").is_visible()


def test_paper_is_light_and_without_buttons(report, open_page):
    page = open_page(report.as_uri(), dark=True).page
    page.emulate_media(media="print")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert not page.get_by_role("button", name="Open all").is_visible()
