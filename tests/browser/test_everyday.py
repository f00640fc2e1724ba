"""The tasks of every day with a fleet of 20, on a phone and on a desktop, each with a picture."""

import pytest
from tests.browser.conftest import DESKTOP, PHONE
from tests.browser.pages import SIGNS, go

sync_api = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed: tox -e browser")
expect = sync_api.expect

pytestmark = pytest.mark.parametrize("width", [PHONE, DESKTOP])
OVERFLOW = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


@pytest.fixture(scope="module")
def fleet(start_demo):
    running = start_demo("-N", "20")
    yield running
    running.stop()


@pytest.fixture
def shown(picture):
    """`shown(page, name)`: takes the picture; nothing may be wider than the window."""

    def take(page, name, **how):
        assert page.evaluate(OVERFLOW) <= 0, name
        picture(page, f"everyday-{name}-{page.viewport_size['width']}", **how)

    return take


def tile(page, name):
    return page.locator(".tile", has=page.locator(f".name:text-is('{name}')"))


def limit_all(fleet, percent, seconds):
    """The utility's control for all DERs; its mRID."""
    utility = fleet.facts["utility_admin"]
    programs = fleet.ask("/api/utility/programs", base=utility)
    first = min(programs, key=lambda program: program["primacy"])
    control = {"modes": {"opModMaxLimW": percent}, "duration_s": seconds, "response_required": 7}
    return fleet.ask(f"/api/utility/programs/{first['id']}/controls", control, base=utility)["mRID"]


def test_why_is_it_at_40_percent(fleet, open_page, shown, width):
    page = open_page(f"{fleet.url}/?device=7", width=width).page
    page.wait_for_selector(SIGNS["overview"])
    mrid = limit_all(fleet, 40, 25)
    expect(tile(page, "Limit in force").locator(".value")).to_have_text("40 %")
    expect(tile(page, "Limit in force").locator(".unit")).to_contain_text("CSIP")
    row = page.locator("tr", has=page.get_by_text("opModMaxLimW", exact=True)).first
    expect(row).to_contain_text("40 %")
    expect(row).to_contain_text(f"{mrid[-4:]} (operator, primacy 5)")
    expect(page.locator("dt:text-is('P') + dd")).to_have_text("40 % by opModMaxLimW (CSIP event), 4.0 kW")
    shown(page, "why")


def test_the_last_status_and_its_verdict(fleet, open_page, shown, width):
    page = open_page(f"{fleet.url}/?device=7#conversation", width=width).page
    page.get_by_label("Resource").fill("DERStatus")
    page.get_by_label("Method").select_option("PUT")
    newest = page.locator("tbody tr.pick").first
    expect(newest).to_contain_text("DERStatus")
    expect(newest).to_contain_text("valid")
    newest.click()
    expect(page.locator("dt:text-is('Verdict') + dd")).to_have_text("valid")
    expect(page.locator("pre.document").first).to_contain_text("<inverterStatus>")
    shown(page, "status")


def test_the_fields_of_a_filter_are_of_one_height(fleet, open_page, width):
    page = open_page(f"{fleet.url}/#conversation", width=width).page
    page.wait_for_selector(".filters label")
    heights = page.locator(".filters :is(input[type=search], select)").evaluate_all(
        "fields => fields.map((field) => field.getBoundingClientRect().height)"
    )
    assert len(set(heights)) == 1
    page.close()


def test_a_curve_is_edited(fleet, open_page, shown, width):
    page = open_page(f"{fleet.url}/?device=7#grid", width=width).page
    editor = page.locator("[data-mode=opModVoltVar]")
    editor.locator("svg").first.wait_for()
    point = editor.get_by_label("opModVoltVar point 4 y")
    point.fill("-30")
    point.press("Tab")
    editor.get_by_role("button", name="Set", exact=False).first.click()
    editor.locator(".done").wait_for()
    shown(page, "curve", whole=False)
    functions = fleet.ask("/api/dersim/functions?device=7")["functions"]
    (mode,) = (each for function in functions for each in function["modes"] if each["mode"] == "opModVoltVar")
    assert mode["rest"]["curve"][3] == [108, -30]
    editor.get_by_role("button", name="Withdraw").click()
    editor.locator(".done:has-text('withdrawn')").wait_for()


def test_it_trips_and_comes_back(fleet, open_page, shown, width):
    quick = {"setESDelay": 12, "setESRampTms": 4, "setSoftGradW": 50}
    fleet.ask("/api/dersim/setpoints?device=3", {"modes": quick})
    page = open_page(f"{fleet.url}/?device=3#inputs", width=width).page
    volts = page.get_by_label("Voltage A, pu", exact=True).first
    expect(volts).not_to_have_value("")
    volts.fill("1.3")
    volts.press("Tab")
    go(page, "overview")
    expect(tile(page, "Limit in force").locator(".value")).to_have_text("Tripped")
    expect(tile(page, "Inverter").locator(".unit")).to_contain_text("Waits for voltage")
    expect(tile(page, "Inverter").locator(".unit")).to_contain_text("Alarms: over voltage")
    shown(page, "tripped")
    go(page, "inputs")
    page.get_by_role("button", name="Nominal").click()
    go(page, "overview")
    expect(tile(page, "Inverter").locator(".unit")).to_contain_text("Returns in")
    shown(page, "returns")
    expect(tile(page, "Inverter").locator(".value")).to_have_text("Running")


def test_one_of_twenty_is_picked(fleet, open_page, shown, width):
    page = open_page(f"{fleet.url}/#fleet", width=width).page
    expect(page.locator("table.cards tbody tr")).to_have_count(20)
    shown(page, "fleet")
    seventh = page.locator("table.cards tbody tr").nth(6)
    name = seventh.get_by_role("link").inner_text()
    seventh.get_by_role("link").click()
    page.wait_for_selector(SIGNS["overview"])
    expect(page.get_by_role("heading", level=1)).to_have_text(name)
    expect(page.get_by_label("Device", exact=True)).to_have_value("7")
    assert "device=7" in page.url
    lfdi = fleet.ask("/api/dersim/csip-client?device=7")["lfdi"]
    go(page, "csip")
    expect(page.locator("dt:text-is('LFDI') + dd")).to_have_text(lfdi)
    shown(page, "seventh")


def test_a_burst_of_log_events_is_sent(fleet, open_page, shown, width):
    page = open_page(f"{fleet.url}/?device=5#csip", width=width).page
    counter = page.locator("dt:text-is('log events') + dd")
    before = int(counter.inner_text())
    page.get_by_label("Events", exact=True).fill("3")
    page.get_by_label("Seconds between them").fill("0.5")
    page.get_by_role("button", name="Send the burst").click()
    page.wait_for_selector(".done:has-text('The burst has begun.')")
    expect(counter).to_have_text(str(before + 3))
    shown(page, "burst", whole=False)


def test_the_process_is_stopped_and_started_again(fleet, open_page, shown, width):
    watched = open_page(f"{fleet.url}/?device=7", width=width)
    page = watched.page
    page.wait_for_selector(SIGNS["overview"])
    assert fleet.stop() == 0
    page.wait_for_selector("#live:has-text('Connection lost')")
    page.wait_for_selector("body.stale .trouble:has-text('All values below are from then.')")
    shown(page, "stopped")
    fleet.start()
    page.wait_for_selector("#live:has-text('Live')", timeout=60_000)
    page.wait_for_selector("body:not(.stale)")
    expect(tile(page, "CSIP").locator(".value")).to_have_text("Connected")
    shown(page, "again", whole=False)
    page.close()
    watched.forgive("ERR_CONNECTION_REFUSED", "ERR_CONNECTION_RESET", "ERR_EMPTY_RESPONSE")
