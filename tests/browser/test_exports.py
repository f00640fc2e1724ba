"""What the Conversation page hands out: a command of curl, and with --pcap a file for Wireshark."""

import shlex

from tests.http11 import captures


def open_conversation(demo, open_page):
    page = open_page(f"{demo.url}/#conversation").page
    page.wait_for_selector("tbody tr.pick")
    return page


def test_an_exchange_is_copied_as_a_command_with_this_runs_certificate(demo, open_page):
    page = open_conversation(demo, open_page)
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.locator("tbody tr.pick").first.click()
    page.click("button:text-is('Copy as curl')")
    page.wait_for_selector("button:text-is('Copied')")
    words = shlex.split(page.evaluate("navigator.clipboard.readText()"))
    assert words[0] == "curl"
    assert words[words.index("--cert") + 1].endswith("/cert.pem")
    assert page.locator("text=Export pcapng").count() == 0


def test_the_file_for_wireshark_is_offered_with_its_warning(start_demo, open_page):
    demo = start_demo("--pcap")
    page = open_conversation(demo, open_page)
    page.wait_for_selector("text=PINs are readable in it")
    with page.expect_download() as waiting:
        page.click("text=Export pcapng")
    assert waiting.value.suggested_filename == "export.pcapng"
    capture = captures.read(waiting.value.path().read_bytes())
    assert capture.secrets
    assert "PINs included, is readable" in capture.comment
    page.goto("about:blank")  # which does not notice that the simulator goes
    assert demo.stop() == 0
