"""The lab page: the walkthrough of the user's page, step by step, with the real programs."""

from __future__ import annotations

import os
import re

import httpx
import pytest
from tests.interop.processes import eventually, get_json, program

FIRST = "IEEE 2030.5 Server"
SECOND = "DER Simulator"


@pytest.fixture
def lab(chromium):
    with program("dersim", "lab", "--port", "0") as child:
        url = child.ready()["lab"]
        # On a build machine the usual ports may be taken; what the walkthrough clicks stays at its default.
        settle(url, "server", {"--port": "0", "--admin_port": "0"})
        settle(url, "simulator", {"--website_port": "0", "--csip_website_port": "0", "--mb_port": "0"})
        yield url
        assert child.stop(20) == 0


def settle(url, key, values):
    answer = httpx.put(f"{url}/api/lab/programs/{key}/settings", json={"values": values}, trust_env=False)
    assert answer.status_code == 200, answer.text


def state_of(url, key):
    return next(each for each in get_json(f"{url}/api/lab/state")["programs"] if each["program"] == key)


def panel(page, title):
    return page.locator(".program:visible").filter(has_text=title)


def test_the_walkthrough(lab, open_page, picture):
    from playwright.sync_api import expect

    page = open_page(lab).page
    menu = page.get_by_role("navigation", name="Simulators")

    # 1. Select IEEE 2030.5 Server from the Simulators menu.
    menu.get_by_role("link", name=FIRST).click()
    expect(panel(page, FIRST)).to_be_visible()
    picture(page, "lab-1-menu")

    # 2. Click the settings gear to configure the CSIP Server settings.
    page.get_by_role("button", name=f"Settings of {FIRST}").click()
    dialog = page.get_by_role("dialog", name=f"{FIRST} settings")
    expect(dialog.get_by_role("textbox", name="Host", exact=True)).to_have_value("127.0.0.1")
    picture(page, "lab-2-server-settings", whole=False)

    # 3. Click OK to accept the default settings.
    dialog.get_by_role("button", name="OK").click()
    expect(dialog).to_be_hidden()

    # 4. Click the green button to start the server.
    start = panel(page, FIRST).get_by_role("button", name="Start")
    assert is_green(start)
    start.click()
    expect(panel(page, FIRST).get_by_role("status")).to_have_text("Running")
    expect(page.get_by_role("log", name=f"Log of {FIRST}")).to_contain_text("dersim ready utility=https://")
    picture(page, "lab-4-server-runs")

    # 5. Select DER Simulator from the Simulators menu.
    menu.get_by_role("link", name=SECOND).click()
    expect(panel(page, SECOND)).to_be_visible()
    expect(page.locator("#dashboards")).to_be_hidden()

    # 6. Click the settings gear.
    page.get_by_role("button", name=f"Settings of {SECOND}").click()
    dialog = page.get_by_role("dialog", name=f"{SECOND} settings")

    # 7. To activate Encrypt IEEE 2030.5, click Yes: << Using Default >> certs; click OK.
    dialog.get_by_role("group", name="Encrypt IEEE 2030.5", exact=True).get_by_label("Yes").click()
    for flag in ("--csip_cert", "--csip_key", "--csip_root_cert"):
        field = dialog.locator(f"[data-flag='{flag}'] input")
        expect(field).to_have_attribute("placeholder", "<< Using Default >>")
        expect(field).to_have_value("")
    picture(page, "lab-7-simulator-settings", whole=False)
    dialog.get_by_role("button", name="OK").click()
    expect(dialog).to_be_hidden()

    # 8. Click the green button to start the DER Simulator.
    start = panel(page, SECOND).get_by_role("button", name="Start")
    assert is_green(start)
    start.click()
    expect(panel(page, SECOND).get_by_role("status")).to_have_text("Running")
    simulator = state_of(lab, "simulator")
    assert "--use_test_pki_certs" in simulator["command"]
    assert "--use_test_pki_certs" in state_of(lab, "server")["command"]
    dashboard = simulator["addresses"]["dashboard"]
    client = eventually("the client finds the lab's server", lambda: connected(dashboard))
    assert client["server"] == state_of(lab, "server")["addresses"]["utility"]
    assert client["registration"] == {"present": True, "verified": True}
    picture(page, "lab-8-both-run")

    # 9. The dashboard looks as it should, on each tab.
    with page.context.expect_page() as opened:
        page.get_by_role("link", name="Open the dashboard").click()
    board = opened.value
    expect(board.locator("#live")).to_have_text("Live")
    tabs = board.get_by_role("navigation", name="Pages").locator('a[href^="#"]')  # the others are other sites
    for name in tabs.all_inner_texts():
        tabs.get_by_text(name, exact=True).click()
        expect(board).to_have_title(re.compile(f"^{name} . dersim$"))
        expect(board.locator("#page section").first).to_be_visible()
        expect(board.locator("#page .trouble:visible")).to_have_count(0)
    tabs.get_by_text("CSIP Client", exact=True).click()
    expect(board.locator("#page")).to_contain_text("connected")
    board.close()

    # And back again: both stop cleanly, and say so.
    for title, key in ((SECOND, "simulator"), (FIRST, "server")):
        pid = state_of(lab, key)["pid"]
        menu.get_by_role("link", name=title).click()
        panel(page, title).get_by_role("button", name="Stop").click()
        expect(panel(page, title).get_by_role("status")).to_have_text("Stopped")
        expect(panel(page, title)).to_contain_text("exit code 0 (a clean stop)")
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)
    expect(page.locator("#dashboards")).to_be_hidden()


def connected(dashboard):
    client = get_json(f"{dashboard}/api/dersim/csip-client")
    return client if client["state"] == "connected" else None


def is_green(button):
    """Its background, as drawn: more green than anything else."""
    color = button.evaluate("node => getComputedStyle(node).backgroundColor")
    red, green, blue = (int(part) for part in color.removeprefix("rgb(").removesuffix(")").split(",")[:3])
    return green > red and green > blue


def test_a_wrong_value_is_shown_at_its_field_and_nothing_is_taken(lab, open_page, picture):
    from playwright.sync_api import expect

    watched = open_page(lab)
    page = watched.page
    page.get_by_role("button", name=f"Settings of {FIRST}").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("textbox", name="Port", exact=True).fill("eighty")
    dialog.get_by_role("button", name="OK").click()
    expect(dialog.locator("[data-flag='--port'] .wrong")).to_contain_text("'eighty'")
    expect(dialog.get_by_role("textbox", name="Port", exact=True)).to_be_focused()
    picture(page, "lab-wrong-value", whole=False)
    dialog.get_by_role("button", name="Cancel").click()
    assert "eighty" not in state_of(lab, "server")["command"]
    watched.forgive("status of 400")


def test_a_program_that_cannot_run_says_why(lab, open_page, picture):
    from playwright.sync_api import expect

    settle(
        lab,
        "simulator",
        {
            "--csip_cert": "/nowhere/cert.pem",
            "--website_port": "0",
            "--csip_website_port": "0",
            "--mb_port": "0",
        },
    )
    page = open_page(f"{lab}/#simulator").page
    panel(page, SECOND).get_by_role("button", name="Start").click()
    expect(panel(page, SECOND).get_by_role("status")).to_have_text("Ended")
    expect(panel(page, SECOND)).to_contain_text("exit code 2")
    expect(page.get_by_role("log", name=f"Log of {SECOND}").locator(".error").first).to_contain_text(
        "--csip_cert"
    )
    picture(page, "lab-cannot-run")


def test_restored_defaults_and_a_kept_secret(lab, open_page):
    from playwright.sync_api import expect

    page = open_page(lab).page
    gear = page.get_by_role("button", name=f"Settings of {FIRST}")
    gear.click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("PIN", exact=True).fill("123455")
    dialog.get_by_role("group", name="Encrypt IEEE 2030.5", exact=True).get_by_label("No").click()
    expect(dialog.locator("[data-flag='--cert'] input")).to_have_attribute("placeholder", "none")
    dialog.get_by_role("button", name="OK").click()
    expect(dialog).to_be_hidden()
    expect(panel(page, FIRST)).to_contain_text("--enc no --pin ******")
    gear.click()
    expect(page.get_by_label("PIN", exact=True)).to_have_value("")
    page.get_by_role("button", name="OK").click()
    expect(panel(page, FIRST)).to_contain_text("--pin ******")
    gear.click()
    page.get_by_role("button", name="Restore defaults").click()
    page.get_by_role("button", name="OK").click()
    expect(panel(page, FIRST)).not_to_contain_text("--pin")
    expect(panel(page, FIRST)).not_to_contain_text("--enc")


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [390, 1360], ids=["phone", "desktop"])
def test_pictures(lab, open_page, picture, width, dark):
    from playwright.sync_api import expect

    page = open_page(lab, width=width, dark=dark).page
    expect(page.locator("#live")).to_have_text("Live")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.get_by_role("button", name=f"Settings of {FIRST}").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    picture(page, f"lab-settings-{width}-{'dark' if dark else 'light'}", whole=False)
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_a_lab_that_went_away_is_shown_and_heals(chromium, open_page):
    from playwright.sync_api import expect

    with program("dersim", "lab", "--port", "0") as first:
        url = first.ready()["lab"]
        watched = open_page(url)
        expect(watched.page.locator("#live")).to_have_text("Live")
        assert first.stop() == 0
    expect(watched.page.locator("#live")).to_contain_text("Connection lost")
    expect(watched.page.locator("body.stale .trouble:visible").first).to_contain_text(
        "All values below are from"
    )
    with program("dersim", "lab", "--port", url.rpartition(":")[2]) as second:
        second.ready()
        # Well before a question for news would have come back by itself.
        expect(watched.page.locator("#live")).to_have_text("Live", timeout=15_000)
        watched.page.close()
        assert second.stop() == 0
    watched.forgive("ERR_CONNECTION_REFUSED", "ERR_CONNECTION_RESET", "ERR_EMPTY_RESPONSE")
