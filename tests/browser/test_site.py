"""A site with a load: on the overview, in its plot, and as an input."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from tests.browser.axe import violations
from tests.browser.pages import go
from tests.interop.processes import get_json, program

sync_api = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed: tox -e browser")

ALONE = ("dersim", "sim", "--without", "csip,csip_ui,modbus", "--website_port", "0", "--site_load", "3000")


@pytest.fixture(scope="module")
def site(chromium: Any) -> Iterator[str]:
    """The dashboard of a DER with a load of 3 kW behind its meter, without a utility."""
    with program(*ALONE) as child:
        yield child.ready()["dashboard"]
        assert child.stop() == 0


def tile(page: Any, value: str) -> None:
    """Wait until the tile of the site shows a value."""
    shown = page.locator(".tile", has=page.locator(".name:text-is('Site')"))
    shown.locator(f".value:text-is('{value}')").wait_for()


@pytest.mark.parametrize(("width", "dark"), [(1360, False), (390, True)])
def test_the_load_is_set_on_the_page_and_the_site_imports(
    site: str, open_page: Any, picture: Any, width: int, dark: bool
) -> None:
    page = open_page(f"{site}/#inputs", width=width, dark=dark).page
    field = page.locator("#in-load_w")
    sync_api.expect(field).not_to_have_value("")
    field.fill("9000")
    field.press("Tab")
    page.wait_for_selector(".done:has-text('Changed')")
    assert get_json(f"{site}/api/dersim/site")["load_kw"] == 9
    assert violations(page, "inputs") == []
    picture(page, f"site-inputs-{width}")
    go(page, "overview")
    tile(page, "\u22122.00")
    page.wait_for_selector("h2:has-text('Site meter')")
    page.locator("button", has_text="Site").wait_for()
    assert violations(page, "overview") == []
    picture(page, f"site-overview-{width}")
    go(page, "inputs")
    page.locator("#in-load_w").fill("3000")
    page.locator("#in-load_w").press("Tab")
    go(page, "overview")
    tile(page, "4.00")


def test_without_a_load_nothing_of_a_site_is_shown(demo: Any, open_page: Any) -> None:
    page = open_page(demo.url).page
    go(page, "overview")
    page.wait_for_selector(".tile:has-text('Active power')")
    sync_api.expect(page.locator(".tile .name:text-is('Site')")).to_be_hidden()
    sync_api.expect(page.locator("h2:text-is('Site meter')")).to_be_hidden()
    go(page, "inputs")
    sync_api.expect(page.locator("#in-load_w")).to_be_hidden()
