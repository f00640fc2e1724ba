"""The page of the feeder plug-in: voltages over distance and time, the diagram, what a control changes."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.browser.axe import LOOKS, violations
from tests.browser.conftest import DESKTOP, PHONE
from tests.browser.test_pictures import WIDTH, folder, take  # noqa: F401 - `folder` is a fixture
from tests.browser.test_speed import crowd
from tests.interop.processes import eventually, program

pytest.importorskip("playwright.sync_api", reason="Playwright is not installed: tox -e browser")
pytest.importorskip(
    "dersim_feeder", reason="dersim-feeder is not installed: pip install ./plugins/dersim-feeder"
)

import yaml
from dersim_feeder import DATA
from playwright.sync_api import expect

#: Volt-Var a minute of simulated time after the start, Volt-Watt a minute after that, for a minute.
SCENARIO = """
poll_rates: {dcap: 30, edev: 30, fsa: 30, derp: 30, der: 60, mup: 60}
programs:
  - {name: unity power factor, primacy: 90, default: {opModFixedPFInjectW: {pf: 1.0, excitation: inject}}}
  - {name: Volt-Var, primacy: 50}
  - {name: Volt-Watt, primacy: 40}
controls:
  - name: Volt-Var of category B
    program: Volt-Var
    start_s: 60
    duration_s: 36000
    modes: {opModVoltVar: {curve: [[92, 44], [98, 0], [102, 0], [108, -44]], open_loop_s: 5}}
  - name: Volt-Watt above 1.03
    program: Volt-Watt
    start_s: 120
    duration_s: 60
    modes: {opModVoltWatt: {curve: [[103, 100], [106, 20]], open_loop_s: 10}}
"""
BAND = ["0.950", "0.975", "1.000", "1.025", "1.050"]


@pytest.fixture(scope="module")
def feeder(start_demo: Any, tmp_path_factory: Any) -> Iterator[Any]:
    """Thirty DERs on thirty customers, once Volt-Var acts and Volt-Watt has come and gone."""
    path: Path = tmp_path_factory.mktemp("feeder") / "scenario.yaml"
    path.write_text(SCENARIO)
    flags = ("--feeder", "bundled-30", "-N", "30", "--rate", "60", "--scenario", str(path))
    running = start_demo(*flags)
    both = "two that began, one that ended"
    eventually(both, lambda: len(running.ask("/api/feeder/markers")) == 3, timeout_s=240, every_s=1)
    yield running
    child = running.child
    assert running.stop() == 0, child.told()


@pytest.fixture
def show(feeder: Any, open_page: Any) -> Any:
    """`show(width, dark) -> Page`: the feeder's page, by the menu."""

    def opened(width: int = DESKTOP, dark: bool = False) -> Any:
        page = open_page(feeder.url, width=width, dark=dark).page
        if width == PHONE:
            page.get_by_role("button", name="Menu").click()
        page.get_by_role("link", name="Feeder", exact=True).click()
        card(page, "The day so far").locator("svg").nth(3).wait_for()  # what is drawn last
        return page

    return opened


def card(page: Any, title: str) -> Any:
    return page.locator("section.card").filter(has=page.get_by_role("heading", name=title, exact=True))


def texts(picture: Any) -> list[str]:
    return [each.replace("\u2212", "-") for each in picture.locator("text").all_text_contents()]


def fact(page: Any, name: str) -> str:
    told = page.locator(f".kv dt:text-is('{name}') + dd")
    return told.inner_text().replace("\u2212", "-")


def shown_as_told(feeder: Any, page: Any) -> Any:
    """What the API told when the page showed the same: a second is a minute here."""

    def same() -> Any:
        now = feeder.ask("/api/feeder/overview")
        shown = float(fact(page, "Highest voltage").split()[0]), fact(page, "Curtailed").split()[-2]
        alike = shown[0] == pytest.approx(now["highest"]["pu"], abs=5e-4)
        return now if alike and shown[1] == f"{now['curtailed_kwh']:.2f}" else None

    return eventually("the page shows what the API tells", same)


def test_the_facts_are_those_of_the_api_with_their_units(feeder: Any, show: Any) -> None:
    page = show()
    now = shown_as_told(feeder, page)
    assert re.fullmatch(r"exports \d+\.\d kW, imports \d+\.\d kvar", fact(page, "At the head"))
    assert re.fullmatch(r"deliver \d+\.\d kW, take \d+\.\d kvar", fact(page, "30 DERs"))
    assert re.fullmatch(r"\d\.\d\d kW, today \d+\.\d kWh", fact(page, "Losses"))
    assert re.fullmatch(r"\d+\.\d kW, in all \d\.\d\d kWh", fact(page, "Curtailed"))
    assert now["curtailed_kwh"] > 0.0
    assert re.fullmatch(r"1\d\d % of 50 kVA at fir", fact(page, "Highest loading"))
    assert now["highest"]["pu"] > 1.05
    assert fact(page, "Highest voltage").split()[-1].startswith("fir-end-c-")
    rows = card(page, "Transformers").locator("tbody tr")
    cells = [row.locator("td").all_inner_texts() for row in rows.all()]
    assert cells[0][0] == "fir"
    assert {name for name, *_ in cells} == {"fir", "oak", "elm"}  # oak and elm are nearly as much loaded
    most = [float(highest) for *_, highest in cells]
    assert most == sorted(most, reverse=True)
    assert "kVA" in card(page, "Transformers").locator("thead").inner_text()
    assert rows.nth(0).locator("td.bad").count() == 2


def test_the_profile_has_the_band_and_stands_beside_the_one_before(feeder: Any, show: Any) -> None:
    page = show()
    profiles = card(page, "Voltage over distance")
    pictures = profiles.locator("svg")
    expect(pictures).to_have_count(2)
    before, now = (pictures.nth(k) for k in (0, 1))
    for each in (before, now):
        assert set(BAND) <= set(texts(each))
        assert {"Distance from the head, km", "Voltage, pu"} <= set(texts(each))
        dashed = each.locator("polyline[stroke-dasharray]")
        assert dashed.count() == 2
        assert each.locator("circle").count() == 30
    tops = [
        float(re.search(r"to (\d\.\d+) pu", each.get_attribute("aria-label"))[1]) for each in (before, now)
    ]
    assert tops[0] > tops[1] + 0.003
    boxes = [each.bounding_box() for each in (before, now)]
    assert boxes[0]["y"] == boxes[1]["y"]
    assert boxes[0]["x"] + boxes[0]["width"] <= boxes[1]["x"]
    assert "DER 10 at fir-end-c" in " ".join(now.locator("circle title").all_text_contents())
    choice = profiles.get_by_label("Voltages before")
    assert "opModVoltVar began on 30 DERs" in choice.locator("option:checked").inner_text()
    choice.select_option("")
    expect(pictures).to_have_count(1)


def test_the_day_has_axes_with_titles_and_the_names_of_controls(show: Any) -> None:
    page = show()
    pictures = card(page, "The day so far").locator("svg").all()
    titles = ["Voltage, pu", "kW, kvar", "Power, kW", "% of its rating"]
    assert len(pictures) == len(titles)
    for picture, title in zip(pictures, titles, strict=True):
        assert title in texts(picture)
        assert any(each.startswith("Time of day, ") for each in texts(picture))
        assert {"VoltVar"} <= set(texts(picture))
        assert picture.locator("polyline[stroke-dasharray='2 3']").count() == 1  # Volt-Watt has ended
    assert page.get_by_role("link", name="history").get_attribute("download") == "feeder-history.csv"


def test_a_mark_of_the_diagram_leads_to_its_der(show: Any) -> None:
    page = show()
    diagram = page.get_by_role("group", name="One-line diagram")
    assert diagram.get_by_role("link").count() == 30
    mark = diagram.get_by_role("link", name=re.compile("^DER 10 at fir-end-c"))
    words = mark.get_attribute("aria-label")
    assert re.search(r"1\.0[56]\d\d pu", words)
    mark.focus()
    mark.press("Enter")
    page.wait_for_selector("nav a[aria-current][href='#overview']", state="attached")
    expect(page.get_by_label("Device", exact=True)).to_have_value("10")


def test_what_is_beyond_its_limits_is_red_in_the_diagram(show: Any) -> None:
    page = show()
    red = page.evaluate(
        """() => {
            const probe = document.createElement('i');
            probe.style.color = 'var(--bad)';
            document.body.append(probe);
            const bad = getComputedStyle(probe).color;
            probe.remove();
            const texts = [...document.querySelectorAll('[aria-label="One-line diagram"] text')];
            return texts.filter(each => getComputedStyle(each).fill === bad).map(each => each.textContent);
        }"""
    )
    assert any(re.fullmatch(r"fir 1\d\d %", each) for each in red)
    assert all(re.fullmatch(r"(fir 1\d\d %)|(DER \d+: 1\.0[56]\d pu)", each) for each in red)
    assert len(red) >= 5


def test_a_der_is_found_by_its_number(show: Any) -> None:
    page = show()
    diagram = card(page, "Diagram")
    diagram.get_by_label("Find DER").fill("27")
    diagram.get_by_label("Find DER").press("Tab")
    expect(diagram.get_by_role("status")).to_contain_text(
        re.compile(r"DER 27 is at fir-end-c-\d, 1\.0\d+ pu")
    )
    diagram.get_by_label("Show").select_option("fir")
    expect(diagram.get_by_role("link")).to_have_count(10)
    diagram.get_by_role("button", name="Open DER 27").click()
    expect(page.get_by_label("Device", exact=True)).to_have_value("27")


#: Of each picture: texts that reach beyond it, and pairs of texts that cover one another.
OVERLAPS = """() => {
    const wrong = [];
    for (const svg of document.querySelectorAll('#page svg')) {
        const frame = svg.getBoundingClientRect();
        const boxes = [...svg.querySelectorAll('text')].filter(each => each.textContent).map(each => {
            const {left, right, top, bottom} = each.getBoundingClientRect();
            return {left, right, top: top + 2, bottom: bottom - 2, text: each.textContent};
        });
        for (const a of boxes) {
            if (a.left < frame.left - 1 || a.right > frame.right + 1) wrong.push(`cut off: ${a.text}`);
            for (const b of boxes) {
                const meet = a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
                if (a !== b && meet) wrong.push(`${a.text} over ${b.text}`);
            }
        }
    }
    return wrong;
}"""


@pytest.mark.parametrize(("width", "dark"), LOOKS)
def test_it_is_accessible_and_fits(show: Any, picture: Any, width: int, dark: bool) -> None:
    page = show(width, dark)
    assert violations(page, "feeder") == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate(OVERLAPS) == []
    picture(page, f"feeder-{width}-{'dark' if dark else 'light'}")


def test_the_tables_are_files(feeder: Any, show: Any) -> None:
    page = show()
    with page.expect_download() as begun:
        page.get_by_role("link", name="buses", exact=True).click()
    lines = begun.value.path().read_text().splitlines()
    assert len(lines) == 1 + sum(len(each["nodes"]) for each in feeder.ask("/api/feeder/buses"))
    assert json.dumps(lines[0]).count("pu") >= 3


#: Before the page begins: what holds it for more than 50 ms.
LISTEN = """window.longTasks = [];
new PerformanceObserver(list => longTasks.push(...list.getEntries().map(each => each.duration)))
    .observe({type: 'longtask', buffered: true});"""
#: A page that answers later than this is felt to hang, ms.
LONGEST_MS, FIRST_PICTURE_MS = 200, 3000
MOST_ELEMENTS = 3000


@pytest.mark.slow
def test_a_thousand_ders_are_shown_and_one_of_them_is_found(open_page: Any, picture: Any) -> None:
    """The bounds are as much wider as programs share a processor."""
    flags = (
        "--without",
        "csip,csip_ui,modbus",
        "--website_port",
        "0",
        "--feeder",
        "bundled-1000",
        "-N",
        "1000",
    )
    with program("dersim", "sim", *flags, "--start_clock_time", "12:00") as child:
        watched = open_page("about:blank")
        page = watched.page
        page.add_init_script(LISTEN)
        page.goto(f"{child.ready(60)['dashboard']}/#panel-feeder")
        diagram = page.get_by_role("group", name="One-line diagram")
        diagram.wait_for()
        first_ms = page.evaluate("performance.now()")
        card(page, "The day so far").locator("svg").nth(3).wait_for()
        page.wait_for_timeout(10_000)  # three updates
        longest_ms = max(page.evaluate("longTasks"), default=0)
        elements = page.evaluate("document.querySelectorAll('*').length")
        print(f"first picture {first_ms:.0f} ms, longest task {longest_ms:.0f} ms, {elements} elements")
        picture(page, "feeder-1000")
        assert diagram.get_by_role("button").count() == 50
        card(page, "Diagram").get_by_label("Find DER").fill("777")
        card(page, "Diagram").get_by_label("Find DER").press("Tab")
        expect(diagram.get_by_role("link")).to_have_count(20)
        assert page.evaluate(OVERLAPS) == []
        picture(page, "feeder-1000-found")
        page.get_by_role("button", name="Open DER 777").click()
        expect(page.get_by_label("Device", exact=True)).to_have_value("777")
        page.close()
        assert elements < MOST_ELEMENTS
        assert first_ms <= FIRST_PICTURE_MS * crowd()
        assert longest_ms <= LONGEST_MS * crowd()
        assert child.stop(60) == 0


#: The story of the demo, quicker: each control ten minutes after the one before.
STARTS_S = {1800: 600, 4200: 1200, 6600: 1800}


@pytest.mark.skipif(
    "DERSIM_PICTURES" not in os.environ, reason="minutes for a picture; the others judge the page"
)
def test_picture_for_the_docs(start_demo: Any, open_page: Any, folder: Path, tmp_path: Path) -> None:  # noqa: F811 - the fixture
    story = yaml.safe_load((DATA / "story-street.yaml").read_text())
    for control in story["controls"]:
        control["start_s"] = STARTS_S[control["start_s"]]
    scenario = tmp_path / "story.yaml"
    scenario.write_text(yaml.safe_dump(story))
    demo = start_demo("--feeder", "bundled-30", "-N", "30", "--rate", "60", "--scenario", str(scenario))

    def the_limit_acts() -> bool:
        markers, history = demo.ask("/api/feeder/markers"), demo.ask("/api/feeder/history")
        return len(markers) == 3 and history["time"][-1] > markers[-1]["time"][:14] + "04"

    eventually("the limit of the street", the_limit_acts, timeout_s=600, every_s=2)
    page = open_page(f"{demo.url}/#panel-feeder", width=WIDTH).page
    card(page, "The day so far").locator("svg").nth(3).wait_for(timeout=120_000)
    foot = card(page, "The day so far").bounding_box()
    take(page, folder / "feeder.png", most_height=int(foot["y"] + foot["height"] + 12))
