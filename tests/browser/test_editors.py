"""The editors of the Grid support page in a real browser, against a live demo."""

import pytest
from tests.browser.conftest import PHONE, Demo
from tests.browser.pages import go
from tests.interop.processes import program

sync_api = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed: tox -e browser")
expect = sync_api.expect

#: Q at 1.05 pu depends on every part of it.
VOLT_VAR = {
    "curve": [[92, 44], [98, 0], [102, 0], [108, -44]],
    "y_ref_type": 1,
    "open_loop_s": 2.5,
    "v_ref": 99.0,
    "autonomous_v_ref": True,
    "autonomous_v_ref_s": 400.0,
    "ramp_dec_pct_s": 12.5,
}
VALUES = {
    "opModVoltVar": VOLT_VAR,
    "opModWattPF": {
        "curve": [[0, 1.0, "inject"], [100, 0.93, "inject"]], "y_ref_type": 0, "open_loop_s": 3.0,
    },
    "opModVoltWatt": {"curve": [[106, 100], [110, 20]], "y_ref_type": 7, "open_loop_s": 8.0},
    "opModFreqDroop": {
        "db_of_hz": 0.04, "db_uf_hz": 0.05, "k_of": 0.03, "k_uf": 0.02, "open_loop_s": 4.0, "p_min_w": 500.0,
    },
    "opModHVRTMustTrip": {"curve": [[0.2, 125.0], [10, 125.0], [10, 113.33333333333333]], "y_ref_type": 4},
    "opModFixedVar": {"percent": -12.345678901234, "ref": "setMaxW"},
    "opModMaxLimW": 61.7,
}  # fmt: skip


def modes_of(demo):
    document = demo.ask("/api/dersim/functions")
    return {mode["mode"]: mode for function in document["functions"] for mode in function["modes"]}


def facts(demo):
    acting = {name: (each["in_force"] or {}).get("value") for name, each in modes_of(demo).items()}
    defaults = {
        name: each["by_default"]["value"] for name, each in modes_of(demo).items() if each["by_default"]
    }
    metrics = demo.ask("/api/dersim/overview")["metrics"]
    return {**defaults, **{name: value for name, value in acting.items() if value is not None}}, metrics


def open_editor(page, mode):
    editor = page.locator(f"[data-mode={mode}]")
    if editor.get_attribute("open") is None:
        editor.locator("summary").click()
    return editor


def press_set(editor):
    editor.get_by_role("button", name="Set").first.click()
    editor.locator(".done").wait_for()


class Alone(Demo):
    """A DER without a utility, whose events would begin and end meanwhile."""

    def __init__(self, child):
        super().__init__()
        self.url = child.ready()["dashboard"]


@pytest.fixture(scope="module")
def alone(chromium):
    with program("dersim", "sim", "--without", "csip,csip_ui,modbus", "--website_port", "0") as child:
        yield Alone(child)


@pytest.fixture
def steady(alone):
    """The DER at 1.05 pu and constant sun, with nothing set over REST; as it was at the end."""
    demo = alone
    names = ("voltage_pu", "frequency_hz", "irradiance_w_m2")
    was = demo.ask("/api/dersim/inputs")
    inputs = {name: was[name] for name in names}
    demo.ask("/api/dersim/inputs", {"voltage_pu": 1.05, "frequency_hz": 60, "irradiance_w_m2": 700})
    yield demo
    set_here = [name for name, mode in modes_of(demo).items() if mode["rest"] is not None]
    if set_here:
        demo.ask("/api/dersim/setpoints", {"modes": dict.fromkeys(set_here)})
    demo.ask("/api/dersim/inputs", inputs)


def settled(page, demo):
    """What acts, P and Q, once three samples of the power are the same."""
    last = []
    for _ in range(40):
        acting, metrics = facts(demo)
        now = (round(metrics["power_kw"], 3), round(metrics["reactive_power_kvar"], 3))
        last = [*last[-2:], now]
        if last == 3 * [now]:
            return acting, now
        page.wait_for_timeout(1100)
    raise AssertionError("the power does not settle")


def test_setting_every_editor_unedited_changes_nothing(steady, open_page):
    steady.ask("/api/dersim/setpoints", {"modes": {**VALUES, "opModFixedVar": None}})
    page = open_page(steady.url).page
    go(page, "grid")
    before, power = settled(page, steady)
    assert before["opModWattPF"] == {**VALUES["opModWattPF"], "v_ref": None}
    for name in before:
        press_set(open_editor(page, name))
    after, power_after = settled(page, steady)
    assert after == before
    assert power_after == pytest.approx(power, abs=0.005)


def test_an_unedited_curve_keeps_its_reference_and_v_ref(steady, open_page):
    steady.ask("/api/dersim/setpoints", {"modes": {"opModVoltVar": {**VOLT_VAR, "autonomous_v_ref": False}}})
    page = open_page(steady.url).page
    go(page, "grid")
    before, (_, q) = settled(page, steady)
    assert q < -1.5
    press_set(open_editor(page, "opModVoltVar"))
    after, (_, q_after) = settled(page, steady)
    assert after == before
    assert q_after == pytest.approx(q, abs=0.005)


def test_a_fixed_var_and_its_reference_are_kept(steady, open_page):
    steady.ask("/api/dersim/setpoints", {"modes": {"opModFixedVar": VALUES["opModFixedVar"]}})
    page = open_page(steady.url).page
    go(page, "grid")
    press_set(open_editor(page, "opModFixedVar"))
    assert modes_of(steady)["opModFixedVar"]["rest"] == VALUES["opModFixedVar"]


def test_the_result_in_var_follows_reference_and_points(steady, open_page):
    steady.ask("/api/dersim/setpoints", {"modes": {"opModVoltVar": VOLT_VAR}})
    page = open_page(steady.url).page
    go(page, "grid")
    editor = open_editor(page, "opModVoltVar")
    first = editor.locator("tbody tr").first.locator("td.n")
    expect(first).to_have_text("4400")  # 44 % of setMaxW, 10 kW
    editor.get_by_label("opModVoltVar yRefType").select_option(label="% of setMaxVar")
    expect(first).to_have_text("1936")  # of 4.4 kvar
    editor.get_by_label("opModVoltVar point 1 y").fill("50")
    expect(first).to_have_text("2200")
    assert modes_of(steady)["opModVoltVar"]["rest"]["y_ref_type"] == 1


def test_what_acts_by_default_is_marked(steady, open_page):
    page = open_page(steady.url).page
    go(page, "grid")
    for mode in ("opModHVRTMustTrip", "opModLVRTMomentaryCessation", "setESDelay"):
        expect(page.locator(f"[data-mode={mode}] summary .pill")).to_have_text("1547 default")


def test_what_is_typed_survives_news_and_can_be_undone(steady, open_page):
    page = open_page(steady.url).page
    go(page, "grid")
    editor = open_editor(page, "opModMaxLimW")
    field = editor.get_by_label("opModMaxLimW", exact=True)
    field.fill("33")
    steady.ask("/api/dersim/setpoints", {"modes": {"opModMaxLimW": 77}})
    expect(editor.locator("summary")).to_contain_text("77 %")
    expect(field).to_have_value("33")
    expect(editor).to_contain_text("Edited, not set yet.")
    editor.get_by_role("button", name="Undo").click()
    expect(field).to_have_value("77")


def test_a_number_out_of_range_is_told_at_its_field_and_not_sent(steady, open_page):
    page = open_page(steady.url, width=PHONE).page
    go(page, "grid")
    editor = open_editor(page, "opModMaxLimW")
    field = editor.get_by_label("opModMaxLimW", exact=True)
    for text, words in (("140", "140 is outside 0 to 100 %"), ("", "A number is needed")):
        field.fill(text)
        editor.get_by_role("button", name="Set").click()
        expect(editor.locator(".fault:visible")).to_contain_text(words)
        expect(field).to_be_focused()
    assert modes_of(steady)["opModMaxLimW"]["rest"] is None


def test_a_refusal_is_told_in_the_editor_and_the_curve_stays(steady, open_page):
    watched = open_page(steady.url)
    page = watched.page
    go(page, "grid")
    editor = open_editor(page, "opModLVRTMustTrip")
    point = editor.get_by_label("opModLVRTMustTrip point 1 y")
    point.fill("99")
    editor.get_by_role("button", name="Set the curve").click()
    expect(editor.locator(".trouble")).to_contain_text("y must not fall with time")
    expect(point).to_have_value("99")
    watched.forgive("400")


def test_inputs_keep_a_refused_number_and_the_exact_other_phases(steady, open_page):
    volts = [1.0123456, 1.0223456, 1.0323456]
    steady.ask("/api/dersim/inputs", {"voltage_pu": volts})
    page = open_page(steady.url, width=PHONE).page
    go(page, "inputs")
    expect(page.locator("#in-b")).to_have_value("1.0223")
    page.uncheck("#together")
    page.fill("#in-frequency_hz", "600")
    page.press("#in-frequency_hz", "Tab")
    expect(page.locator(".fault:visible")).to_have_text("600 is outside 30 to 90 Hz.")
    page.fill("#in-a", "1.03")
    page.press("#in-a", "Tab")
    page.wait_for_selector(".done:has-text('Changed')")
    assert steady.ask("/api/dersim/inputs")["voltage_pu"] == [1.03, *volts[1:]]
    expect(page.locator("#in-frequency_hz")).to_have_value("600")
    page.get_by_role("button", name="Nominal").click()
    expect(page.locator("#in-frequency_hz")).to_have_value("60")


def test_the_csip_page_shows_settings_and_status_in_words(demo, open_page):
    page = open_page(demo.url, width=PHONE).page
    go(page, "csip")
    power = page.locator("tr:has(td:text-is('setMaxW'))").first
    expect(power).to_contain_text("10000 W")
    expect(power).to_contain_text("10000 * 10^0")
    expect(page.locator("tr:has(td:text-is('alarmStatus'))").first).to_contain_text("no alarm")
    expect(page.locator("tr:has(p:text-is('modesSupported'))").first).to_contain_text("opModVoltVar")
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
