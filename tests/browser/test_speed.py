"""How fast the plots are: the first of them, and an update of four hours.

Other programs may run on the machine. So an update is counted in CPU of the browser's process, and the bound
of the first plot is as much wider as programs share a processor. Measured figures: docs/performance.md.
"""

import os
import statistics

import pytest
from tests.browser.conftest import PATIENCE_MS

pytest.importorskip("playwright.sync_api", reason="Playwright is not installed: tox -e browser")

FIRST_PLOT_MS = 1000
UPDATE_MS = 50
ROUNDS, LOADS, TICKS = 3, 5, 60
#: Four hours of samples, one each 1.5 s.
SAMPLES, STEP_S = 9600, 1.5

#: Puts a plot of four hours into the page.
MAKE = """async ({count, step}) => {
    const {Plot} = await import('/static/js/plot.js');
    const plot = new Plot({seconds: 14400, label: 'Speed'});
    const now = Date.now();
    const time = k => new Date(now + k * step * 1000).toISOString();
    const past = {time: [...Array(count).keys()].map(k => time(k - count))};
    for (const key of plot.samples.keys)
        past[key] = past.time.map((_, k) => 7 + Math.sin(k / 50) + Math.random() / 5);
    document.querySelector('#page').replaceChildren(plot.node);
    plot.setHistory(past);
    window.drawn = () => new Promise(done => requestAnimationFrame(() => setTimeout(done)));
    window.speed = {plot, time, next: 0};
    await drawn();
    await drawn();
}"""
#: For each of so many new samples the ms until it is drawn, and the tasks of more than 50 ms meanwhile.
UPDATES = """async ticks => {
    const {plot, time} = speed;
    const tasks = [];
    new PerformanceObserver(list => tasks.push(...list.getEntries())).observe({type: 'longtask'});
    const took = [];
    for (let k = 0; k < ticks; k++) {
        const metrics = Object.fromEntries(plot.samples.keys.map(key => [key, 7 + Math.random()]));
        const begin = performance.now();
        plot.append({time: time(speed.next++), metrics});
        await drawn();
        took.push(performance.now() - begin);
    }
    return {took, tasks: tasks.length, held: plot.samples.length};
}"""


def first_plot_ms(chromium, url):
    """From navigation to the first plot with samples, in a browser that holds nothing of it."""
    context = chromium.new_context(viewport={"width": 1360, "height": 900})
    try:
        page = context.new_page()
        page.goto(url)
        page.wait_for_function(
            "() => performance.getEntriesByName('first-plot').length > 0", timeout=PATIENCE_MS
        )
        return page.evaluate("performance.getEntriesByName('first-plot')[0].startTime")
    finally:
        context.close()


def crowd():
    """How many programs share a processor: 1 on a machine that has nothing else to do."""
    return max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))


def test_the_first_plot_is_there_within_a_second(demo, chromium):
    bound_ms, medians = FIRST_PLOT_MS * crowd(), []
    for _ in range(ROUNDS):
        medians.append(statistics.median(first_plot_ms(chromium, demo.url) for _ in range(LOADS)))
        print(f"first plot: median of {LOADS} loads {medians[-1]:.0f} ms")
        if medians[-1] <= bound_ms:
            break
    assert min(medians) <= bound_ms


@pytest.mark.parametrize("width", [1360, 390])
def test_four_hours_of_six_traces_are_updated_within_50_ms(demo, open_page, width):
    page = open_page(demo.url, width=width).page
    page.wait_for_selector(".plot .legend button")
    page.evaluate(MAKE, {"count": SAMPLES, "step": STEP_S})
    meter = page.context.new_cdp_session(page)
    meter.send("Performance.enable")

    def cpu_ms():
        metrics = meter.send("Performance.getMetrics")["metrics"]
        return 1000 * next(each["value"] for each in metrics if each["name"] == "ProcessTime")

    begin_ms = cpu_ms()
    found = page.evaluate(UPDATES, TICKS)
    update_ms = (cpu_ms() - begin_ms) / TICKS
    print(
        f"update at {width} px: {update_ms:.1f} ms of CPU, median {statistics.median(found['took']):.1f} ms, "
        f"longest {max(found['took']):.1f} ms, long tasks {found['tasks']}"
    )
    assert found["held"] >= SAMPLES
    assert update_ms <= UPDATE_MS
