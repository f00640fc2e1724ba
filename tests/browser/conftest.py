"""A real browser before a real simulator.

Debian's Chromium (`apt-get install chromium`), driven by Playwright for Python, which `tox -e browser`
brings. Without DERSIM_BROWSER=yes, which that environment sets, these tests are skipped.

Every page that a test opens is watched: an error on its console, an exception in its scripts, or a request to
anywhere but this machine fails the test. Screenshots go to DERSIM_SCREENSHOTS, by default build/screenshots.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
from tests.interop.processes import ROOT, Program, get_json, program

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

NAMES = ("chromium", "chromium-browser", "google-chrome")
#: Chromium looks for updates and for Google's hosts at every start otherwise.
FLAGS = [
    "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip
FREE_PORTS = (
    "--csip_server_port", "0", "--admin_port", "0", "--website_port", "0", "--csip_website_port", "0",
    "--mb_port", "0",
)  # fmt: skip
SIZES = {"desktop": {"width": 1360, "height": 900}, "phone": {"width": 390, "height": 844}}
PATIENCE_MS = 30_000


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    if os.environ.get("DERSIM_BROWSER") != "yes":
        pytest.skip("a real browser: tox -e browser (sets DERSIM_BROWSER=yes)")
    api = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed: tox -e browser")
    path = os.environ.get("DERSIM_CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
    if path is None:
        pytest.skip("no Chromium: apt-get install chromium, or DERSIM_CHROMIUM=/path/to/it")
    # Chromium refuses its sandbox to root, whom build machines often are.
    flags = FLAGS + (["--no-sandbox"] if os.geteuid() == 0 else [])
    with api.sync_playwright() as playwright:
        api.expect.set_options(timeout=PATIENCE_MS)
        browser = playwright.chromium.launch(executable_path=path, args=flags)
        yield browser
        browser.close()


class Visitor:
    """One page of a browser, watched."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.complaints: list[str] = []
        self.strangers: set[str] = set()
        page.set_default_timeout(PATIENCE_MS)
        page.on("console", self._heard)
        page.on("pageerror", lambda error: self.complaints.append(f"exception: {error}"))
        page.on("request", self._asked)

    def _heard(self, message: Any) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(f"{message.type}: {message.text} ({message.location.get('url')})")

    def _asked(self, request: Any) -> None:
        parts = urlsplit(request.url)
        if parts.scheme in ("http", "https", "ws", "wss") and parts.hostname != "127.0.0.1":
            self.strangers.add(request.url)

    def forgive(self, words: str) -> None:
        """Leave out what a test brought about on purpose."""
        self.complaints = [each for each in self.complaints if words not in each]


@pytest.fixture
def visit(chromium: Browser) -> Iterator[Any]:
    """`visit(url, size="desktop", scheme="light") -> Visitor`; at the end none may have had a complaint."""
    contexts, visitors = [], []

    def open_page(url: str, *, size: str = "desktop", scheme: str = "light") -> Visitor:
        context = chromium.new_context(viewport=SIZES[size], color_scheme=scheme, reduced_motion="reduce")
        contexts.append(context)
        visitor = Visitor(context.new_page())
        visitors.append(visitor)
        visitor.page.goto(url)
        return visitor

    yield open_page
    for context in contexts:
        context.close()
    assert [each.complaints for each in visitors if each.complaints] == []
    assert set().union(*(each.strangers for each in visitors)) == set()


@pytest.fixture(scope="session")
def picture() -> Any:
    """`picture(page, name)` writes build/screenshots/name.png."""
    folder = Path(os.environ.get("DERSIM_SCREENSHOTS") or ROOT / "build" / "screenshots")
    folder.mkdir(parents=True, exist_ok=True)

    def take(page: Page, name: str, *, whole: bool = True) -> None:
        page.screenshot(path=folder / f"{name}.png", full_page=whole, animations="disabled")

    return take


class Demo:
    """A running `dersim sim --demo`."""

    def __init__(self, child: Program) -> None:
        self.child = child
        ready = child.ready()
        self.dashboard, self.csip_ui = ready["dashboard"], ready["csip_ui"]
        self.admin = ready["utility_admin"] + "/api/utility"

    def get(self, path: str) -> Any:
        """One document of the REST API, `overview` for instance."""
        return get_json(f"{self.dashboard}/api/dersim/{path}")


@contextmanager
def running_demo(*more: str) -> Iterator[Demo]:
    with program("dersim", "sim", "--demo", *FREE_PORTS, *more) as child:
        yield Demo(child)
        assert child.stop() == 0


@pytest.fixture(scope="session")
def demo(chromium: Browser) -> Iterator[Demo]:
    with running_demo() as running:
        yield running
