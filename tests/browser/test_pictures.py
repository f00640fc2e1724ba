"""The pictures of docs/dashboard.md and docs/server.md: pages of demos that have run for some time.

They go to a folder `docs` beside the other screenshots; to renew those in the repository:

    DERSIM_PICTURES=docs/images tox -e browser -- -k pictures
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from tests.interop.processes import ROOT, eventually

pytest.importorskip("playwright.sync_api", reason="Playwright is not installed: tox -e browser")

from tests.browser.pages import PAGES, go

WIDTH = 1200
#: What a long page shows of itself, px.
MOST_HEIGHT = 1500
MOST_BYTES = 150_000
#: The fleet's table is there with -N only.
SHOWN = [name for name in PAGES if name != "fleet"]


@pytest.fixture
def folder(screenshots: Path) -> Path:
    chosen = os.environ.get("DERSIM_PICTURES")
    path = ROOT / chosen if chosen else screenshots / "docs"
    path.mkdir(parents=True, exist_ok=True)
    return path


def take(page: Any, path: Path, most_height: int = MOST_HEIGHT) -> None:
    """A picture with as few colours as it needs: 60 kB rather than 200."""
    image_of = pytest.importorskip("PIL.Image", reason="Pillow is not installed: tox -e browser")
    page.wait_for_timeout(500)  # lets the plots settle; nothing is judged by it
    height = min(most_height, page.evaluate("document.documentElement.scrollHeight"))
    page.screenshot(
        path=path,
        full_page=True,
        clip={"x": 0, "y": 0, "width": WIDTH, "height": height},
        animations="disabled",
    )
    with image_of.open(path) as image:
        fewer = image.convert("RGB").quantize(
            128, method=image_of.Quantize.MEDIANCUT, dither=image_of.Dither.NONE
        )
    fewer.save(path, optimize=True)
    assert path.stat().st_size < MOST_BYTES, path.name


def test_pictures_for_the_docs(start_demo, open_page, folder):
    demo = start_demo("--rate", "4")

    def several_are_over():
        controls = demo.ask("/api/dersim/timeline")["controls"]
        return len([each for each in controls if each["phase"] == "completed"]) >= 4

    page = open_page(demo.url, width=WIDTH).page
    page.wait_for_selector("#live:has-text('Live')")
    eventually("four controls that are over", several_are_over, timeout_s=120, every_s=1)
    for name in SHOWN:
        go(page, name)
        if name == "conversation":
            page.locator("tbody tr.pick:has-text('POST')").first.click()
        if name == "timeline":
            page.locator("svg .bar").first.click()
        take(page, folder / f"{name}.png")
    fleet = start_demo("-N", "12")
    page = open_page(fleet.url, width=WIDTH).page
    page.wait_for_selector("#live:has-text('Live')")
    go(page, "fleet")
    take(page, folder / "fleet.png")
    page = open_page(demo.facts["csip_ui"], width=WIDTH).page
    page.wait_for_selector("summary:has-text('EndDevice /edev/')")
    take(page, folder / "csip-ui.png")
    page.evaluate("location.hash = 'resources'")
    page.wait_for_selector("td:text-is('rtgMaxW')")
    take(page, folder / "csip-ui-resources.png")


@pytest.mark.skipif(
    "DERSIM_PICTURES" not in os.environ, reason="test_utility_page.py judges the same; 25 s for pictures"
)
def test_pictures_of_the_utility_for_the_docs(start_demo, open_page, folder):
    """Its devices, the form of a control, and a control on its devices."""
    fleet = start_demo("-N", "12")
    utility = fleet.facts["utility_admin"]
    order = {"modes": {"opModMaxLimW": 40}, "duration_s": 600, "description": "evening peak"}
    page = open_page(utility, width=WIDTH).page
    page.locator("tr[data-lfdi]", has_text="kW").nth(11).wait_for()
    mrid = fleet.ask("/api/utility/groups/1/controls", order, base=utility)["mRID"]
    page.evaluate("location.hash = 'controls/new'")
    page.get_by_label("Mode to add").select_option("opModVoltVar")
    page.wait_for_selector("pre:has-text('opModVoltVar')")
    take(page, folder / "utility-publish.png")
    page.evaluate("mrid => { location.hash = `controls/${mrid}`; }", mrid)
    page.get_by_text("12 started", exact=True).wait_for()
    take(page, folder / "utility-control.png")
    page.evaluate("location.hash = 'devices'")
    page.locator("tr[data-lfdi]").nth(11).wait_for()
    take(page, folder / "utility-devices.png")


@pytest.mark.skipif(
    "DERSIM_PICTURES" not in os.environ, reason="test_utility_views.py judges the same; a minute for pictures"
)
def test_pictures_of_what_devices_report_for_the_docs(start_demo, open_page, folder):
    """A timeline with some controls that are over, and an exchange compared with the one before."""
    demo = start_demo("-N", "3", "--rate", "8")
    utility = demo.facts["utility_admin"]

    def several_are_over():
        orders = demo.ask("/api/utility/timeline", base=utility)["orders"]
        return len([each for each in orders if each["status_text"] == "completed"]) >= 8

    eventually("eight controls that are over", several_are_over, timeout_s=50, every_s=1)
    for name, sign in (("timeline", "svg .bar"), ("conversation", "tbody tr:has-text('DERStatus')")):
        page = open_page(f"{utility}/#{name}", width=WIDTH).page
        page.locator(sign).first.click()
        take(page, folder / f"utility-{name}.png")
