"""The Conversation page before a server of ours, and before one that sends odd documents."""

from __future__ import annotations

import threading
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import pytest
from tests.browser.pages import go
from tests.interop.processes import eventually, get_json, program

pytest.importorskip("playwright.sync_api", reason="Playwright is not installed: tox -e browser")

NS = 'xmlns="urn:ieee:std:2030.5:ns"'
#: What the odd server has. Its Time is written in one line, and its quality is a word.
DOCUMENTS = {
    "/dcap": f'<DeviceCapability {NS} href="/dcap" pollRate="5"><TimeLink href="/tm"/>'
    '<EndDeviceListLink href="/edev" all="0"/></DeviceCapability>',
    "/tm": f'<Time {NS} href="/tm"><currentTime>1800000000</currentTime><dstEndTime>0</dstEndTime>'
    "<dstOffset>0</dstOffset><dstStartTime>0</dstStartTime><quality>good</quality><tzOffset>0</tzOffset></Time>",
    "/edev": f'<EndDeviceList {NS} href="/edev" all="0" results="0" ><fresh>yes</fresh></EndDeviceList>',
}


class _OddServer(BaseHTTPRequestHandler):
    """Plain HTTP; what is no document of the table is refused in HTML."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._answer(200, "application/sep+xml", DOCUMENTS.get(self.path.partition("?")[0]))

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self._answer(403, "text/html", "<html>no</html>")

    def _answer(self, status: int, kind: str, text: str | None) -> None:
        body = (text or "<html>nothing here</html>").encode()
        self.send_response(status if text else 404)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: Any) -> None:
        """Nothing is logged."""


@pytest.fixture(scope="module")
def odd():
    """The dashboard of a DER whose server sends odd documents."""
    with ExitStack() as stack:
        server = stack.enter_context(ThreadingHTTPServer(("127.0.0.1", 0), _OddServer))
        server.daemon_threads = True
        stack.callback(server.shutdown)
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        argv = ("--csip_enc", "no", "--csip_server_port", str(server.server_port))
        ports = ("--website_port", "0", "--csip_website_port", "0", "--mb_port", "0")
        url = stack.enter_context(program("dersim", "sim", *argv, *ports)).ready()["dashboard"]
        address = f"{url}/api/dersim/conversation"
        eventually("an odd Time is read", lambda: get_json(f"{address}?cause=time+sample")["matches"])
        yield url


def rows(page):
    return page.locator("tbody tr.pick")


def ids(page):
    return [int(each) for each in rows(page).evaluate_all("all => all.map(each => each.dataset.id)")]


@pytest.mark.parametrize(("width", "dark"), [(1360, False), (1360, True), (390, False)])
def test_the_verdict_filter_finds_an_invalid_document_and_marks_the_line(
    odd, open_page, picture, width, dark
):
    from playwright.sync_api import expect

    page = open_page(odd, width=width, dark=dark).page
    go(page, "conversation")
    page.select_option("#by-verdict", "violations,invalid")
    expect(page.locator("p[role=status]")).to_contain_text("match")
    page.locator("tbody tr.pick:has-text('/tm')").first.click()
    expect(page.locator("tr[aria-selected=true] td[data-title=Status]")).to_have_text("200, not used")
    line = page.locator(".document .wrong")
    expect(line).to_contain_text("<quality>good</quality>")
    assert line.get_attribute("data-line") == "6"
    expect(line.locator(".no")).to_contain_text("6 \u2717")
    expect(page.locator(".document .why")).to_contain_text("'good' is not a whole number")
    expect(page.locator("dd b")).to_have_text("invalid")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    picture(page, f"conversation-invalid-{width}{'-dark' if dark else ''}")


def test_what_violates_the_schema_and_was_read_all_the_same_says_what_was_dropped(odd, open_page):
    from playwright.sync_api import expect

    page = open_page(f"{odd}/#conversation/?verdict=violations").page
    rows(page).first.click()
    expect(page.locator(".document .wrong")).to_contain_text("<fresh>yes</fresh>")
    expect(page.locator(".findings li")).to_contain_text(["Unexpected child", "fresh is not known here"])


def test_filters_and_the_open_row_stay_while_new_rows_arrive_and_the_address_leads_back(odd, open_page):
    from playwright.sync_api import expect

    page = open_page(odd).page
    go(page, "conversation")
    page.fill("#by-cause", "time sample")
    expect(page.locator("p[role=status]")).to_contain_text("match")
    rows(page).first.click()
    opened = page.locator("tr[aria-selected=true]").get_attribute("data-id")
    count = rows(page).count()
    expect(rows(page)).not_to_have_count(count, timeout=40_000)
    assert page.locator("tr[aria-selected=true]").get_attribute("data-id") == opened
    assert {each.strip() for each in page.locator("tbody td[data-title=Cause]").all_inner_texts()} == {
        "time sample"
    }
    assert page.url.endswith(f"#conversation/{opened}?cause=time+sample")
    again = open_page(page.url).page
    again.wait_for_selector(".document")
    assert again.locator("tr[aria-selected=true]").get_attribute("data-id") == opened
    assert again.input_value("#by-cause") == "time sample"


def test_pause_holds_the_list_and_going_on_loses_no_row(odd, open_page):
    from playwright.sync_api import expect

    page = open_page(odd).page
    go(page, "conversation")
    page.click("button:text-is('Pause')")
    page.wait_for_selector("button[aria-pressed=true]:text-is('Go on')")
    before = ids(page)
    address = f"{odd}/api/dersim/conversation"
    eventually("more exchanges", lambda: get_json(address)["held"] >= len(before) + 3)
    assert ids(page) == before
    page.click("button:text-is('Go on')")
    expect(rows(page)).not_to_have_count(len(before))
    shown = ids(page)  # once: rows go on coming
    assert shown == list(range(max(shown), 0, -1))


def test_the_exports_have_the_filters_of_the_page(odd, open_page):
    page = open_page(f"{odd}/#conversation/?verdict=invalid&resource=tm").page
    rows(page).first.wait_for()
    href = page.locator("a:text-is('Export JSONL')").get_attribute("href")
    lines = httpx.get(odd + href, trust_env=False).text.splitlines()
    assert lines
    assert all('"verdict": "invalid"' in each for each in lines)


def test_a_counter_of_the_csip_page_leads_to_its_requests(odd, open_page):
    page = open_page(odd).page
    page.goto(f"{odd}/#csip")
    page.locator("dt:text-is('errors') + dd a").click()
    rows(page).first.wait_for()
    assert page.input_value("#by-status") == "4xx,5xx,none"
    assert {each[0] for each in page.locator("td[data-title=Status]").all_inner_texts()} == {"4"}


def test_older_rows_come_when_asked_for(start_demo, open_page):
    demo = start_demo("-N", "12")
    eventually("more than a page", lambda: demo.ask("/api/dersim/conversation")["held"] > 230)
    page = open_page(f"{demo.url}/#conversation/?all=1").page
    page.click("button:text-is('Show older')")
    rows(page).nth(220).wait_for()
    shown = ids(page)  # once: rows go on coming
    assert shown == list(range(max(shown), min(shown) - 1, -1))
    assert len(set(rows(page).locator("td[data-title=DER]").all_inner_texts())) > 1


def test_the_body_is_compared_with_the_last_one_at_its_address(demo, open_page):
    from playwright.sync_api import expect

    query = "cause=time+sample"
    eventually(
        "two Times", lambda: demo.ask(f"/api/dersim/conversation?{query}")["matches"] > 1, timeout_s=50
    )
    page = open_page(f"{demo.url}/#conversation/?{query}").page
    rows(page).first.click()
    expect(page.locator("pre .del", has_text="<currentTime>")).to_contain_text("- ")
    expect(page.locator("pre .add", has_text="<currentTime>")).to_contain_text("+ ")
    assert "Received: Time" in page.locator("h3").all_inner_texts()
    opened = page.locator("tr[aria-selected=true]").get_attribute("data-id")
    page.locator("button", has_text="exchange ").click()
    expect(page.locator(f"tr[data-id='{opened}'][aria-selected]")).to_have_count(0)
    assert f"/{opened}?" not in page.url
