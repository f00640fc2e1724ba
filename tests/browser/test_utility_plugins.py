"""The page of a utility with a plug-in: a document of a device is set and removed, a view is in the menu."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.browser.axe import violations
from tests.interop.processes import get_json, program

PAGE = (Path(__file__).parents[2] / "docs" / "plugins.md").read_text()
FUSE = re.search(r"`fuse\.py`:\n\n```python\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
LFDI = "381431F974955A7649CB34B19F705069DFE0DA8C"
VIEW = """
import { getPlain } from "/static/js/api.js";
import { card, h, show } from "/static/js/dom.js";

export function mount(root) {
  const told = h("p", {});
  show(root, card("Fuses", told));
  getPlain("/api/fuse/fuses").then(({ known, devices }) => {
    told.textContent = `${known} of ${devices} are known`;
  });
}
"""
PANEL = """

@hookimpl
def register_server_panels(options):
    from pathlib import Path

    from dersim.plugin import Panel

    return [Panel("fuse", "Fuses", str(Path(__file__).with_name("fuse.js")))]
"""


@pytest.fixture(scope="module")
def utility(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server with the plug-in of docs/plugins.md and a view, and one device."""
    assert FUSE is not None
    place = tmp_path_factory.mktemp("fuse")
    (place / "fuse.py").write_text(FUSE[1] + PANEL)
    (place / "fuse.js").write_text(VIEW)
    facts = place / "fuse-1.dist-info"
    facts.mkdir()
    (facts / "METADATA").write_text("Metadata-Version: 2.1\nName: fuse\nVersion: 1\n")
    (facts / "entry_points.txt").write_text("[dersim]\nfuse = fuse\n")
    paths = os.pathsep.join(filter(None, (str(place), os.environ.get("PYTHONPATH"))))
    argv = ("dersim", "server", "--plugins", "fuse", "--enc", "no", "--port", "0", "--admin_port", "0")
    with program(*argv, env={**os.environ, "PYTHONPATH": paths}) as server:
        line = server.wait_line("^dersim ready")
        url = dict(pair.split("=", 1) for pair in line.split()[2:])["utility_admin"]
        httpx.post(f"{url}/api/utility/end-devices", json={"lfdi": LFDI}, trust_env=False).raise_for_status()
        yield url


def test_the_document_of_a_device_is_set_refused_and_removed(utility: str, open_page: Any) -> None:
    from playwright.sync_api import expect

    watched = open_page(f"{utility}/#devices/{LFDI}")
    page = watched.page
    card = page.locator(".card", has_text="Main fuse")
    ampere = card.get_by_label("ampere")
    ampere.fill("35")
    card.get_by_label("place").fill("hall")
    card.get_by_role("button", name="Set").click()
    expect(card.get_by_text("It is set")).to_be_visible()
    device = f"{utility}/api/utility/end-devices/{LFDI}"
    assert get_json(device)["resources"] == {"fuse": {"ampere": 35, "place": "hall"}}
    assert violations(page, "a device") == []
    ampere.fill("6")
    card.get_by_role("button", name="Set").click()
    expect(card.get_by_text("a fuse of 6 A; at least 16 A are needed")).to_be_visible()
    card.get_by_role("button", name="Remove").click()
    expect(ampere).to_have_value("")
    assert get_json(device)["resources"] == {}
    watched.forgive("resources/fuse")


def test_a_view_of_a_plugin_is_in_the_menu(utility: str, open_page: Any) -> None:
    from playwright.sync_api import expect

    page = open_page(utility).page
    page.get_by_role("link", name="Fuses").click()
    expect(page.get_by_text("0 of 1 are known")).to_be_visible()
    assert page.title().startswith("Fuses")
    page.get_by_role("link", name="Devices").click()
    expect(page.locator("tr[data-lfdi]")).to_have_count(1)
