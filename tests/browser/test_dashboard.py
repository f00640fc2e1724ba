"""The dashboard in a real browser, against a live demo."""

import json
import re

import pytest
from tests.browser.pages import PAGES, SIGNS, go
from tests.interop.processes import eventually

sync_api = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed: tox -e browser")

#: Tile -> (metric, decimals).
TILES = {
    "Active power": ("power_kw", 2),
    "Reactive power": ("reactive_power_kvar", 2),
    "Voltage L-L": ("voltage_ll_v", 1),
    "Current": ("current_a", 2),
    "Frequency": ("frequency_hz", 3),
    "Available": ("available_power_kw", 2),
}


@pytest.mark.parametrize(("width", "dark"), [(1360, False), (1360, True), (390, True)])
def test_every_page_opens_without_an_error_or_a_foreign_request(demo, open_page, screenshots, width, dark):
    watched = open_page(demo.url, width=width, dark=dark)
    page = watched.page
    page.wait_for_selector("#live:has-text('Live')")
    for name in PAGES:
        go(page, name)
        page.wait_for_timeout(300)  # lets the picture settle; nothing is judged by it
        page.screenshot(path=screenshots / f"{name}-{width}{'-dark' if dark else ''}.png", full_page=True)
        overflow = page.evaluate(
            "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )
        assert overflow <= 0, f"{name} is {overflow} px wider than the window"
    # That there was no error and no foreign request, `open_page` sees to.


def test_the_tiles_show_what_the_api_says(demo, open_page):
    page = open_page(demo.url).page
    go(page, "overview")

    def alike():
        """Page and API are asked in one go, until both speak of the same tick."""
        tiles, metrics = page.evaluate(
            """async () => {
                const answer = await (await fetch('/api/dersim/overview')).json();
                const tiles = [...document.querySelectorAll('.tile')];
                return [Object.fromEntries(tiles.map(t => [t.children[0].textContent,
                    t.children[1].textContent.replace('\u2212', '-')])), answer.metrics];
            }"""
        )
        told = {name: f"{metrics[key]:.{digits}f}" for name, (key, digits) in TILES.items()}
        return told == {name: tiles[name] for name in TILES}

    eventually("the tiles show what the API says", alike, every_s=0.05)
    client = demo.ask("/api/dersim/csip-client")
    state = page.locator(".tile:has(.name:text-is('CSIP')) .value")
    sync_api.expect(state).to_have_text(client["state"].capitalize())
    assert client["sfdi"] in page.locator(".who").inner_text()


def test_a_control_appears_in_the_timeline_acts_and_ends(demo, open_page):
    page = open_page(demo.url).page
    go(page, "timeline")
    utility = demo.facts["utility_admin"]
    programs = demo.ask("/api/utility/programs", base=utility)
    mine = min(programs, key=lambda program: program["primacy"])
    control = {"modes": {"opModMaxLimW": 25}, "start_in_s": 12, "duration_s": 6, "response_required": 7}
    mrid = demo.ask(f"/api/utility/programs/{mine['id']}/controls", control, base=utility)["mRID"]
    demo.ask("/api/dersim/csip/rediscover", {})
    row = page.locator(f"tr[data-mrid='{mrid}']")
    row.locator("td:text-is('scheduled')").wait_for()
    row.locator("td:text-is('active')").wait_for(timeout=30_000)
    page.locator(".bar[aria-label*='opModMaxLimW 25 %']").first.click()
    page.wait_for_selector(f"dd:has-text('{mrid}')")
    row.locator("td:text-is('completed')").wait_for(timeout=30_000)


def test_a_curve_edited_in_the_page_becomes_the_setpoint(demo, open_page):
    page = open_page(demo.url).page
    go(page, "grid")
    editor = page.locator("[data-mode=opModWattVar]")
    editor.locator("summary").click()
    point = editor.get_by_label("opModWattVar point 3 y")
    point.fill("-30")
    point.press("Tab")
    editor.get_by_role("button", name="Set the curve").click()
    page.wait_for_selector(".done:has-text('opModWattVar')")
    document = demo.ask("/api/dersim/functions")
    (mode,) = [m for f in document["functions"] for m in f["modes"] if m["mode"] == "opModWattVar"]
    assert mode["rest"]["curve"] == [[0, 0], [50, 0], [100, -30]]
    shown = demo.ask("/api/dersim/grid-support?model=712")["points"]
    assert -30 in [value for name, value in shown.items() if name.endswith(".Var")]
    editor.get_by_role("button", name="Withdraw").click()
    page.wait_for_selector(".done:has-text('withdrawn')")


def test_an_input_changed_in_the_page_changes_the_power(demo, open_page):
    from playwright.sync_api import expect

    page = open_page(demo.url).page
    go(page, "inputs")
    expect(page.locator("#in-irradiance_w_m2")).not_to_have_value("")
    page.fill("#in-irradiance_w_m2", "300")
    page.press("#in-irradiance_w_m2", "Tab")
    page.wait_for_selector(".done:has-text('Changed')")
    assert demo.ask("/api/dersim/inputs")["irradiance_w_m2"] == 300
    with page.expect_response(lambda answer: answer.request.method == "POST"):
        page.check("#in-emergency_local")
    assert demo.ask("/api/dersim/overview")["status"]["alarms"] == ["EMERGENCY_LOCAL"]
    with page.expect_response(lambda answer: answer.request.method == "POST"):
        page.uncheck("#in-emergency_local")
    assert demo.ask("/api/dersim/inputs")["emergency_local"] is False
    page.click("text=Nominal")
    page.fill("#in-irradiance_w_m2", "9999")
    page.press("#in-irradiance_w_m2", "Tab")
    page.wait_for_selector(".fault:has-text('9999')")
    assert demo.ask("/api/dersim/inputs", {"irradiance_w_m2": 800})["irradiance_w_m2"] == 800


def test_the_logs_filter_by_module_and_level(demo, open_page):
    from playwright.sync_api import expect

    page = open_page(demo.url).page
    go(page, "logs")
    page.wait_for_selector("#log-module option[value=CSIP]", state="attached")
    page.select_option("#log-module", "CSIP")
    expect(page.locator(".logs thead th")).to_have_count(4)
    page.wait_for_selector(".logs tbody tr:has-text('PUT')")
    expect(page.locator(".logs tbody tr", has_text="answered")).to_have_count(0)
    page.click("button:text-is('Error')")
    page.locator(".logs tbody td:text-is('Info')").first.wait_for(state="detached")


def test_an_exchange_opens_with_pretty_xml_and_no_pin(demo, open_page):
    page = open_page(demo.url).page
    go(page, "conversation")
    page.fill("#by-resource", "/rg")
    page.wait_for_selector("p[role=status]:has-text('match')")
    page.locator("tbody tr.pick:visible").first.click()
    page.wait_for_selector("pre:has-text('<pIN>masked</pIN>')")
    assert "111115" not in page.content()


def test_a_lost_connection_shows_and_heals(start_demo, open_page, picture):
    demo = start_demo()
    try:
        watched = open_page(demo.url)
        page = watched.page
        page.wait_for_selector("#live:has-text('Live')")
        page.wait_for_selector(SIGNS["overview"])
        assert demo.stop() == 0
        page.wait_for_selector("#live:has-text('Connection lost')")
        page.wait_for_selector(".trouble:has-text('All values below are from then.')")
        look = "getComputedStyle(document.querySelector('.tile .value')).fontStyle"
        assert page.evaluate(look) == "italic"
        picture(page, "stale")
        demo.start()
        page.wait_for_selector("#live:has-text('Live')", timeout=30_000)
        page.locator(".trouble:visible").wait_for(state="detached")
        assert page.evaluate(look) == "normal"
        page.wait_for_selector(SIGNS["overview"])
        page.close()
        watched.forgive("ERR_CONNECTION_REFUSED", "ERR_CONNECTION_RESET", "ERR_EMPTY_RESPONSE")
    finally:
        demo.stop()


def test_an_answer_that_breaks_off_is_a_loss_too(demo, open_page):
    page = open_page(demo.url).page
    told = page.evaluate(
        """async () => {
            const { getPlain } = await import('/static/js/api.js');
            const broken = () => new ReadableStream({ start: (c) => c.error(new TypeError('broken')) });
            const headers = { 'content-type': 'application/json' };
            window.fetch = async () => new Response(broken(), { headers });
            return getPlain('/x').catch((error) => [error.status, error.message]);
        }"""
    )
    assert told == [0, f"{demo.url.split('/')[2]} does not answer."]


def test_silence_on_the_stream_is_a_loss_too(demo, open_page):
    page = open_page("about:blank").page
    page.clock.install()
    page.route_web_socket("**/telemetry/ws*", lambda socket: None)
    page.goto(demo.url)
    page.wait_for_selector("#live:has-text('Connecting')")
    page.clock.run_for(16_000)
    page.wait_for_selector("#live:has-text('Connection lost')")


def test_a_device_that_does_not_exist_says_so(demo, open_page, picture):
    watched = open_page(f"{demo.url}/?device=77")
    page = watched.page
    page.wait_for_selector("#live:has-text('No such device')")
    page.wait_for_selector(".trouble:text-is('Device 77 does not exist; device 1 is the only one.')")
    picture(page, "no-such-device")
    page.click("button:text-is('Open device 1')")
    page.wait_for_selector("#live:has-text('Live')")
    page.wait_for_selector(SIGNS["overview"])
    watched.forgive("404", "WebSocket")


def test_a_device_that_comes_with_another_run_is_opened(demo, open_page):
    watched = open_page("about:blank")
    page = watched.page
    page.clock.install()
    page.goto(f"{demo.url}/?device=77")
    page.wait_for_selector("#live:has-text('No such device')")
    assert page.locator("select[aria-label=Device]").is_hidden()
    page.route(
        "**/api/dersim/*device=77*",
        lambda route: route.continue_(url=route.request.url.replace("device=77", "device=1")),
    )
    page.route_web_socket("**/telemetry/ws*", lambda socket: None)
    page.clock.run_for(16_000)
    page.wait_for_selector("#live:has-text('Connecting')")
    watched.forgive("404", "WebSocket")


def test_a_run_that_asks_for_a_token_says_so(demo, open_page):
    watched = open_page("about:blank")
    page = watched.page
    page.clock.install()
    page.goto(demo.url)
    page.wait_for_selector("#live:has-text('Live')")
    page.route("**/api/dersim/csip-client*", lambda route: route.fulfill(status=401, json={}))
    page.clock.run_for(16_000)
    page.wait_for_selector(".trouble:has-text('asks for its token now')")
    watched.forgive("401")


def test_an_instant_is_written_alike_on_all_pages(demo, open_page):
    page = open_page(demo.url).page
    for name in ("overview", "csip", "timeline", "conversation", "grid", "logs", "analytics"):
        go(page, name)
        if name not in ("grid", "analytics"):
            page.wait_for_selector("time", state="attached")
        found = page.evaluate(
            """() => [...document.querySelectorAll('#page time')].map(
                each => [each.dateTime, each.title, each.textContent,
                    new Date(each.dateTime).toLocaleTimeString('en-GB')])"""
        )
        for iso, title, shown, local in found:
            assert title == iso.replace("T", " ").replace("Z", " UTC"), name
            assert shown in (local, f"{local}.{iso[20:23]}"), name
        bare = re.findall(r"\d{4}-\d\d-\d\dT[\d:.]+Z", page.locator("#page").inner_text())
        assert name == "logs" or not bare


@pytest.mark.parametrize("dark", [False, True])
def test_contrast_is_at_least_four_and_a_half(demo, open_page, dark):
    page = open_page(demo.url, dark=dark).page
    page.wait_for_selector(".card")
    ratios = page.evaluate(
        """() => {
            const css = getComputedStyle(document.documentElement);
            const light = (hex) => {
                const c = [1, 3, 5].map(i => parseInt(hex.slice(i, i + 2), 16) / 255)
                    .map(v => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
                return 0.2126 * c[0] + 0.7152 * c[1] + 0.0722 * c[2];
            };
            const value = (name) => css.getPropertyValue(name).trim();
            const ratio = (a, b) => {
                const [x, y] = [light(value(a)), light(value(b))].sort((p, q) => q - p);
                return (x + 0.05) / (y + 0.05);
            };
            const out = {};
            for (const back of ['--bg', '--card', '--soft'])
                for (const front of ['--text', '--muted', '--good', '--warn', '--bad', '--accent'])
                    out[`${front} on ${back}`] = ratio(front, back);
            for (const trace of ['--c-p', '--c-q', '--c-s', '--c-i', '--c-vll', '--c-vln'])
                out[`${trace} on --card`] = ratio(trace, '--card');
            out['--on-accent on --accent'] = ratio('--on-accent', '--accent');
            return out;
        }"""
    )
    assert {name: round(r, 2) for name, r in ratios.items() if r < 4.5} == {}


def test_the_keyboard_reaches_content_and_pages(demo, open_page):
    page = open_page(demo.url).page
    page.wait_for_selector("#live:has-text('Live')")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "page"
    page.locator("nav a[href='#logs']").focus()
    page.keyboard.press("Enter")
    page.wait_for_selector(SIGNS["logs"])


def test_the_management_ui_shows_its_four_things(demo, open_page, screenshots):
    page = open_page(demo.facts["csip_ui"]).page
    page.wait_for_selector("summary:has-text('EndDevice /edev/')")
    sfdi = demo.ask("/api/dersim/csip-client")["sfdi"]
    assert page.locator("dt:text-is('sFDI') + dd").inner_text() == sfdi
    page.wait_for_selector("h2:has-text('Active controls')")
    page.wait_for_selector("h2:has-text('Default control')")
    page.screenshot(path=screenshots / "csip-ui.png", full_page=True)
    page.evaluate("location.hash = 'resources'")
    for name in ("rtgMaxW", "setMaxW", "inverterStatus", "statWAvail"):
        page.wait_for_selector(f"td:text-is('{name}')")
    page.screenshot(path=screenshots / "csip-ui-resources.png", full_page=True)
    told = json.dumps(demo.ask("/api/csip/end-devices", base=demo.facts["csip_ui"]))
    assert "111115" not in told
