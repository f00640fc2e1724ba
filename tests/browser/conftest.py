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
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import httpx
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
PHONE, DESKTOP = 390, 1360
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


class Watched:
    """One page of a browser, and what its console and its requests say."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.errors: list[str] = []
        self._forgiven: tuple[str, ...] = ()
        self.foreign: set[str] = set()
        page.set_default_timeout(PATIENCE_MS)
        page.on("console", self._heard)
        page.on("pageerror", lambda error: self.errors.append(f"exception: {error}"))
        page.on("request", self._asked)

    def _heard(self, message: Any) -> None:
        if message.type in ("error", "warning"):
            self.errors.append(f"{message.type}: {message.text} ({message.location.get('url')})")
            self.forgive()

    def _asked(self, request: Any) -> None:
        parts = urlsplit(request.url)
        if parts.scheme in ("http", "https", "ws", "wss") and parts.hostname != "127.0.0.1":
            self.foreign.add(request.url)

    def forgive(self, *words: str) -> None:
        """Leave out what a test brought about on purpose, also what is heard of it later."""
        self._forgiven += words
        self.errors = [each for each in self.errors if not any(word in each for word in self._forgiven)]


@pytest.fixture
def open_page(chromium: Browser) -> Iterator[Any]:
    """`open_page(url, width=DESKTOP, dark=False) -> Watched`; at the end none may have met an error."""
    contexts, all_watched = [], []

    def open_it(url: str, *, width: int = DESKTOP, dark: bool = False) -> Watched:
        context = chromium.new_context(
            viewport={"width": width, "height": 844 if width == PHONE else 900},
            color_scheme="dark" if dark else "light",
            reduced_motion="reduce",
        )
        contexts.append(context)
        watched = Watched(context.new_page())
        all_watched.append(watched)
        watched.page.goto(url)
        return watched

    yield open_it
    for context in contexts:
        context.close()
    assert [each.errors for each in all_watched if each.errors] == []
    assert [each.foreign for each in all_watched if each.foreign] == []


@pytest.fixture(scope="session")
def screenshots() -> Path:
    """The folder that the pictures go to."""
    folder = Path(os.environ.get("DERSIM_SCREENSHOTS") or ROOT / "build" / "screenshots")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture(scope="session")
def picture(screenshots: Path) -> Any:
    """`picture(page, name)` writes name.png; `whole`: the page beyond the window too."""

    def take(page: Page, name: str, *, whole: bool = True) -> None:
        page.screenshot(path=screenshots / f"{name}.png", full_page=whole, animations="disabled")

    return take


class Demo:
    """`dersim sim --demo` on free ports; started again it has the ports that it had before."""

    def __init__(self, *flags: str) -> None:
        self._flags = flags
        self._stack = ExitStack()
        self.child: Program | None = None
        self.facts: dict[str, str] = {}

    def start(self) -> None:
        again = {
            "--website_port": self.facts.get("dashboard"),
            "--csip_website_port": self.facts.get("csip_ui"),
        }
        ports = [word for flag, url in again.items() if url for word in (flag, url.rpartition(":")[2])]
        argv = ("dersim", "sim", "--demo", *FREE_PORTS, *self._flags, *ports)
        self.child = self._stack.enter_context(program(*argv))
        self.facts = self.child.ready(60)
        self.url = self.facts["dashboard"]

    def stop(self) -> int:
        """Its exit code."""
        child, self.child = self.child, None
        try:
            return child.stop() if child is not None else 0
        finally:
            self._stack.close()

    def ask(self, path: str, body: Any = None, *, base: str | None = None) -> Any:
        """GET a JSON document, or POST one."""
        url = (base or self.url) + path
        if body is None:
            return get_json(url)
        response = httpx.post(url, json=body, timeout=10, trust_env=False)
        response.raise_for_status()
        return response.json()


@pytest.fixture(scope="session")
def start_demo(chromium: Browser) -> Iterator[Any]:
    """`start_demo(*flags) -> Demo`, running; stopped at the end where the test did not."""
    with ExitStack() as stack:

        def start(*flags: str) -> Demo:
            demo = Demo(*flags)
            stack.callback(demo.stop)
            demo.start()
            return demo

        yield start


@pytest.fixture(scope="session")
def demo(start_demo: Any) -> Iterator[Demo]:
    """One for all tests that leave it as it was."""
    running = start_demo()
    child = running.child
    yield running
    assert running.stop() == 0, child.told()
