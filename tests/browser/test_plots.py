"""The plots by mouse, fingers and keys: crosshair, zoom and pan, gaps, events, labels that do not collide.

A plot of made-up samples is put into the page of a demo, so that the value at each instant is known here.
"""

import re
from datetime import UTC, datetime

import pytest
from tests.browser.pages import go

sync_api = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed: tox -e browser")

BEGIN_S = 1_780_000_000
#: `count` samples, one a second, with the sample's number as power; `lost`: the numbers that are not there.
MAKE = """async ({begin, count, lost, bands}) => {
    const {Plot} = await import('/static/js/plot.js');
    const kept = [...Array(count).keys()].filter(k => !lost.includes(k));
    const past = {time: kept.map(k => new Date((begin + k) * 1000).toISOString())};
    const plot = window.plot = new Plot({seconds: 14400, label: 'Test'});
    for (const key of plot.samples.keys) past[key] = kept.map(k => key === 'soc_pct' ? null : k);
    document.querySelector('#page').replaceChildren(plot.node);
    plot.setBands(bands.map(each => ({kind: 'control', text: '', ...each, start: (begin + each.start) * 1000,
        end: each.end === null ? null : (begin + each.end) * 1000})));
    plot.setHistory(past);
    const time = k => new Date((begin + k) * 1000).toISOString();
    window.tick = k => plot.append({time: time(k), metrics: {power_kw: k}});
}"""
#: Every text that a canvas shows, with its box; a canvas that is cleared forgets its texts.
RECORD = """
    const {fillText, clearRect} = CanvasRenderingContext2D.prototype;
    window.texts = new Map();
    CanvasRenderingContext2D.prototype.clearRect = function (...rest) {
        window.texts.set(this.canvas, []);
        return clearRect.apply(this, rest);
    };
    CanvasRenderingContext2D.prototype.fillText = function (text, x, y) {
        const {actualBoundingBoxLeft: l, actualBoundingBoxRight: r, actualBoundingBoxAscent: a,
            actualBoundingBoxDescent: d} = this.measureText(text);
        window.texts.get(this.canvas)?.push([text, x - l, y - a, x + r, y + d]);
        return fillText.call(this, text, x, y);
    };
"""


@pytest.fixture
def plot_page(demo, open_page):
    """`plot_page(count, lost=(), bands=(), ...) -> page` that shows a plot of made-up samples."""

    def make(count=601, *, lost=(), bands=(), script="", **look):
        page = open_page(demo.url, **look).page
        page.wait_for_selector("#live:has-text('Live')")
        page.wait_for_selector(".plot .legend button")
        page.evaluate(f"() => {{{script}}}")
        page.evaluate(MAKE, {"begin": BEGIN_S, "count": count, "lost": list(lost), "bands": list(bands)})
        frame(page)
        return page

    return make


def frame(page):
    """Until what was asked to be drawn is drawn."""
    page.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")


def clock(number):
    return datetime.fromtimestamp(BEGIN_S + number, UTC).astimezone().strftime("%H:%M:%S")


def canvas(page):
    return page.locator("canvas.over")


def x_of(page, number, count=601):
    """Where the sample of this number is in the window, px from the left of the page."""
    box = canvas(page).bounding_box()
    return box["x"] + 50 + (box["width"] - 64) * number / (count - 1)


def told(page):
    """What the legend tells of the power."""
    frame(page)
    return page.locator(".legend button:has-text('P ')").inner_text()


def at(page):
    frame(page)
    return page.locator(".at").inner_text()


def shown(page):
    """First and last number of the shown part; None while the plot follows live."""
    times = re.match(r"(\d\d:\d\d:\d\d) to (\d\d:\d\d:\d\d); live values wait", at(page))
    if times is None:
        return None
    start = page.evaluate("plot.viewport.window()")
    numbers = [each / 1000 - BEGIN_S for each in start]
    assert [clock(int(number)) for number in numbers] == list(times.groups())
    return numbers


def hover(page, number):
    box = canvas(page).bounding_box()
    page.mouse.move(x_of(page, number), box["y"] + box["height"] / 3)
    frame(page)


def test_the_mouse_reads_every_value_at_that_instant(plot_page):
    page = plot_page()
    assert told(page) == "P 600.00 kW"
    hover(page, 300)
    assert (told(page), at(page)) == ("P 300.00 kW", f"At {clock(300)}")
    values = page.locator(".legend button:visible").all_inner_texts()
    assert ", ".join(values) == (
        "P 300.00 kW, Site 300.00 kW, Q 300.00 kvar, S 300.00 kVA, I 300.00 A, V L-L 300.0 V, V L-N 300.0 V"
    )
    page.mouse.move(5, 5)
    frame(page)
    assert (told(page), at(page)) == ("P 600.00 kW", "")


def test_the_keys_read_values_zoom_pan_and_return(plot_page):
    page = plot_page()
    canvas(page).focus()
    page.keyboard.press("ArrowLeft")
    assert at(page) == f"At {clock(599)}"
    assert "P 599.00 kW" in canvas(page).get_attribute("aria-label")
    page.keyboard.press("Home")
    assert (told(page), at(page)) == ("P 0.00 kW", f"At {clock(0)}")
    page.keyboard.press("+")
    start, end = shown(page)
    assert (start, round(end)) == (0, 420)
    page.keyboard.press("Shift+ArrowRight")
    assert shown(page)[0] == pytest.approx(420 / 8, abs=1)
    page.keyboard.press("Escape")
    page.keyboard.press("0")
    assert (shown(page), at(page)) == (None, "")


def test_a_finger_reads_values_and_two_fingers_zoom(plot_page, chromium, demo):
    page = plot_page(width=390)
    touch = page.context.new_cdp_session(page)

    def fingers(kind, *numbers):
        y = canvas(page).bounding_box()["y"] + 60
        points = [{"x": x_of(page, number), "y": y, "id": k} for k, number in enumerate(numbers)]
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
        frame(page)

    canvas(page).scroll_into_view_if_needed()
    fingers("touchStart", 200)
    fingers("touchMove", 450)
    assert at(page).startswith("At ")
    assert float(told(page).split()[1]) == pytest.approx(450, abs=3)
    fingers("touchEnd")
    assert at(page).startswith("At ")  # can be read when the finger is gone
    fingers("touchStart", 250, 350)
    fingers("touchMove", 100, 500)
    start, end = shown(page)
    assert end - start == pytest.approx(150, rel=0.05)
    assert (start + end) / 2 == pytest.approx(300, abs=5)
    fingers("touchEnd")
    before = shown(page)
    fingers("touchStart", 300)
    fingers("touchMove", 100)
    fingers("touchEnd")
    assert shown(page)[0] == pytest.approx(before[0] + 200 * (before[1] - before[0]) / 600, abs=2)


def test_the_wheel_zooms_where_the_pointer_is_and_live_waits(plot_page):
    page = plot_page()
    hover(page, 450)
    page.mouse.wheel(0, -600)
    start, end = shown(page)
    assert end - start == pytest.approx(600 * 1.0015**-600, rel=0.02)
    assert (450 - start) / (end - start) == pytest.approx(450 / 600, abs=0.01)
    page.evaluate("tick(601)")
    page.mouse.move(5, 5)
    assert shown(page) == [start, end]
    assert told(page) == "P 601.00 kW"  # the newest value is told, the picture stays
    page.get_by_role("button", name="Go live").click()
    assert shown(page) is None
    page.evaluate("tick(602)")
    frame(page)
    assert page.evaluate("plot.viewport.window()[1]") == (BEGIN_S + 602) * 1000


def test_a_wheel_that_would_zoom_out_of_everything_scrolls_the_page(plot_page):
    page = plot_page()
    page.evaluate("document.body.style.paddingBottom = '2000px'")
    hover(page, 300)
    page.mouse.wheel(0, 300)
    page.wait_for_function("() => scrollY > 0")
    assert shown(page) is None


def drag(page, start, end):
    hover(page, start)
    page.mouse.down()
    hover(page, end)
    page.mouse.up()
    page.mouse.move(5, 5)


def test_a_drag_picks_a_part_and_then_pans(plot_page):
    page = plot_page()
    drag(page, 200, 350)
    assert shown(page) == pytest.approx([200, 350], abs=2)
    drag(page, 400, 200)
    assert shown(page) == pytest.approx([250, 400], abs=2)
    canvas(page).dblclick()
    assert shown(page) is None


def test_the_buttons_zoom_pan_and_stop_at_the_ends(plot_page):
    page = plot_page()
    assert page.get_by_role("button", name="Zoom out").is_disabled()
    for _ in range(2):
        page.get_by_role("button", name="Zoom in").click()
    start, end = shown(page)
    assert (start + end) / 2 == pytest.approx(300, abs=1)
    for _ in range(9):
        page.get_by_role("button", name="Earlier").click()
    assert shown(page)[0] == 0
    for _ in range(20):
        page.get_by_role("button", name="Zoom in").click()
    start, end = shown(page)
    assert end - start == pytest.approx(5)
    page.get_by_role("button", name="Go live").click()
    assert shown(page) is None


def gaps(page):
    found = page.evaluate("plot.samples.gaps(-Infinity, Infinity)")
    return [[each / 1000 - BEGIN_S for each in gap] for gap in found]


def test_where_samples_are_missing_is_a_gap_without_a_value(plot_page):
    page = plot_page(lost=range(201, 260))
    assert gaps(page) == [[200, 260]]
    hover(page, 230)
    assert at(page) in [f"At {clock(number)}: no data" for number in (229, 230)]
    assert not re.search(r"\d", told(page))


def test_a_gap_in_the_live_values_shows_once_it_differs_from_a_slower_pace(plot_page):
    page = plot_page()
    page.evaluate("[620, 621].forEach(tick)")
    assert gaps(page) == []
    page.evaluate("tick(622)")
    assert gaps(page) == [[600, 620]]
    page.evaluate("[623, 624, 625, 626].forEach(tick)")
    assert gaps(page) == [[600, 620]]


def test_a_row_without_values_is_a_gap(plot_page):
    """So the history tells that the process was stopped, and simulated time with it."""
    page = plot_page()
    page.evaluate("plot.samples.append(plot.samples.newest + 500, {})")
    page.evaluate("[601, 602, 603].forEach(tick)")
    assert gaps(page) == [[600, 601]]


@pytest.mark.parametrize("step", [2, 3, 60])
def test_a_slower_pace_is_no_gap(plot_page, step):
    page = plot_page()
    for number in range(1, 9):
        page.evaluate(f"tick(600 + {number * step})")
        assert gaps(page) == []


BANDS = (
    {"lane": "opModMaxLimW", "text": "40 %", "start": 100, "end": 200},
    {"lane": "Trip", "text": "over-voltage", "kind": "trip", "start": 420, "end": None},
)


def test_events_are_bands_with_their_names(plot_page, open_page):
    page = plot_page(bands=BANDS)
    hover(page, 150)
    assert at(page) == f"At {clock(150)}: opModMaxLimW 40 %"
    hover(page, 500)
    assert at(page) == f"At {clock(500)}: Trip over-voltage"
    page.get_by_role("button", name="Table").click()
    rows = page.locator(".twin table").last.locator("tbody tr").all_inner_texts()
    assert [row.split("\t")[:2] for row in rows] == [["opModMaxLimW", "40 %"], ["Trip", "over-voltage"]]
    assert [row.split("\t")[2:] for row in rows] == [[clock(100), clock(200)], [clock(420), "still"]]


def test_more_kinds_of_events_than_there_is_room_for_are_counted(plot_page):
    bands = [{"lane": f"opMod{k}", "start": 10 * k, "end": 10 * k + 5} for k in range(15)]
    page = plot_page(script=RECORD, bands=bands)
    texts = page.evaluate("window.texts.get(plot.under).map(each => each[0])")
    assert sum(text.startswith("opMod") for text in texts) == 12
    assert "and 3 more, in the table" in texts


def test_table_and_csv_hold_what_is_shown(plot_page, tmp_path):
    page = plot_page()
    drag(page, 100, 160)
    page.get_by_role("button", name="Table").click()
    first = page.locator(".twin table").first.locator("tbody tr").first.inner_text().split("\t")
    assert first[0] == clock(round(shown(page)[1] - 0.5))
    with page.expect_download() as download:
        page.get_by_role("button", name="CSV").click()
    download.value.save_as(tmp_path / "plot.csv")
    head, *lines = (tmp_path / "plot.csv").read_text().splitlines()
    assert head.startswith("time,power_kw,available_power_kw,site_power_kw,reactive_power_kvar")
    assert len(lines) == pytest.approx(60, abs=2)
    time, power = lines[0].split(",")[:2]
    assert datetime.fromisoformat(time).timestamp() - BEGIN_S == float(power)


@pytest.mark.parametrize("width", [390, 820, 1360])
@pytest.mark.parametrize("count", [61, 901, 14401])
def test_no_label_covers_another(plot_page, width, count):
    bands = [{"lane": f"opMod{k}", "text": "40 %", "start": 7 * k, "end": 7 * k + 5} for k in range(8)] * 2
    page = plot_page(count, bands=bands, width=width, script=RECORD)
    hover(page, 300)
    boxes = page.evaluate("[plot.under, plot.canvas].map(each => window.texts.get(each))")
    assert sum(map(len, boxes)) > 20
    width_shown = canvas(page).bounding_box()["width"]
    for texts in boxes:
        for k, (text, left, top, right, bottom) in enumerate(texts):
            assert left >= -1, text
            assert right <= width_shown + 1, text
            for other, l2, t2, r2, b2 in texts[:k]:
                apart = left >= r2 or l2 >= right or top >= b2 or t2 >= bottom
                assert apart, f"{text!r} and {other!r}"


#: An expression of the samples that the pages hold, as a function.
HELD = "last => import('/static/js/held.js').then(({heldSamples}) => heldSamples()).then(held => %s)"


def test_a_restart_of_the_simulator_is_a_gap(start_demo, open_page):
    demo = start_demo()
    watched = open_page(demo.url)
    page = watched.page
    go(page, "overview")
    page.wait_for_function(HELD % "held.length > 8", timeout=60_000)
    demo.stop()
    page.wait_for_selector("#live:has-text('Connection lost')")
    oldest, newest = page.evaluate(HELD % "[held.oldest, held.newest]")
    page.wait_for_function("last => Date.now() > last + 6000", arg=newest)
    demo.start()
    page.wait_for_selector("#live:has-text('Live')")
    gap = "held.gaps(-Infinity, Infinity).some(([start, end]) => start <= last + 2000 && end > last + 5000)"
    page.wait_for_function(HELD % gap, arg=newest)
    assert page.evaluate(HELD % "held.oldest") == oldest
    watched.forgive("ERR_", "WebSocket")
