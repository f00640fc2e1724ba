"""What a browser loads: compressed for all pages of a site in turn, and as written for the first of them."""

import re
from pathlib import Path

import pytest
from tests.interop.processes import ROOT

from dersim.pages.compression import pack

#: Both for what is transferred when every page is opened, and for what the first page has to parse.
BUDGET_BYTES = 150_000
SOURCES = ROOT / "src" / "dersim"
#: Site -> its page, and the module of what it opens with, None where that is not loaded by itself.
SITES = {
    "dashboard": ("web/static/dashboard.html", "web/static/js/pages/overview.js"),
    "csip_ui": ("web/static/csip_ui.html", "web/static/js/pages/csip.js"),
    "lab": ("lab/static/lab.html", None),
    "fleet": ("fleet_run/static/fleet.html", None),
    "utility": ("utility/admin/static/index.html", "utility/admin/static/js/views/devices.js"),
    "conformance": ("conformance/live/static/page.html", None),
}
_LINKS = re.compile(r"""(?:src|href)="(/(?:static|lab|fleet|conformance)/[^"]+\.(?:js|css))\"""")
_IMPORTS = re.compile(r"""(?:\bfrom|^import)\s*["'](\.{0,2}/[^"']+)["']""", re.MULTILINE)
_LAZY = re.compile(r"""\bimport\(["']([^"']+)["']\)""")


def served(address: str, page: str) -> Path:
    """The file that the site of this page serves under this address."""
    _, folder, name = address.split("/", 2)
    own = "utility/admin" if page.startswith("utility") else "web"
    rooms = {"lab": ("lab",), "fleet": ("fleet_run",), "conformance": ("conformance/live",)}.get(
        folder, (own, "pages")
    )
    return next(path for room in rooms if (path := SOURCES / room / "static" / name).is_file())


def loaded(page: str, *, every_page: bool, first: str | None = None) -> set[Path]:
    """Scripts and styles that a browser loads with this page; `every_page`: once all of them were opened."""
    waiting = _LINKS.findall((SOURCES / page).read_text())
    assert waiting
    if first is not None:
        waiting.append("/static/" + first.partition("/static/")[2])
    seen: dict[str, Path] = {}
    while waiting:
        address = waiting.pop()
        if address in seen:
            continue
        path = seen[address] = served(address, page)
        if path.suffix == ".js":
            text = path.read_text()
            names = _IMPORTS.findall(text) + (_LAZY.findall(text) if every_page else [])
            waiting += [_joined(address, name) for name in names]
    return set(seen.values())


def _joined(address: str, name: str) -> str:
    parts = [] if name.startswith("/") else address.split("/")[1:-1]
    for part in name.strip("/").split("/"):
        if part == "..":
            parts.pop()
        elif part != ".":
            parts.append(part)
    return "/" + "/".join(parts)


@pytest.mark.parametrize("site", SITES)
def test_all_pages_together_transfer_at_most_150_kb(site):
    files = loaded(SITES[site][0], every_page=True)
    sent = sum(len(pack(path.read_bytes())) for path in files)
    assert sent <= BUDGET_BYTES, f"{sent} bytes of {len(files)} files"


@pytest.mark.parametrize("site", SITES)
def test_the_first_page_loads_at_most_150_kb_before_compression(site):
    page, first = SITES[site]
    files = loaded(page, every_page=False, first=first)
    raw = sum(path.stat().st_size for path in files)
    assert raw <= BUDGET_BYTES, f"{raw} bytes of {len(files)} files"


def test_every_script_and_style_is_loaded_by_some_page():
    """So that the figures above leave nothing out."""
    found = set().union(*(loaded(page, every_page=True) for page, _ in SITES.values()))
    there = {path for kind in ("js", "css") for path in SOURCES.glob(f"**/static/**/*.{kind}")}
    assert there == found


def test_a_page_is_loaded_when_it_is_opened():
    first = loaded(SITES["dashboard"][0], every_page=False, first=SITES["dashboard"][1])
    pages = [path.name for path in first if path.parent.name == "pages"]
    assert pages == ["overview.js"]


def test_the_modules_of_the_overview_are_named_in_the_page():
    """A browser then fetches them at once; each import that it finds by itself is a turn more."""
    page, first = SITES["dashboard"]
    named = re.findall(r'rel="modulepreload" href="([^"]+)"', (SOURCES / page).read_text())
    scripts = {path for path in loaded(page, every_page=False, first=first) if path.suffix == ".js"}
    entry = {path for path in scripts if path.name == "dashboard.js"}
    wrong = {served(address, page) for address in named} ^ (scripts - entry)
    assert not wrong, f"{page}: name these as modulepreload, or no longer"
    assert len(named) == len(set(named))


def test_nothing_is_loaded_from_elsewhere():
    for package in ("pages", "web", "lab", "fleet_run", "utility/admin", "conformance/live"):
        for page in (ROOT / "src/dersim" / package / "static").rglob("*.html"):
            text = page.read_text()
            assert "//" not in text.replace("<!doctype html>", ""), page
            assert "style=" not in text, page
            assert "<script>" not in text, page


def transferred(chromium, url: str, pages: tuple[str, ...]) -> tuple[int, int]:
    """Bytes of scripts and styles on the wire, and as written, when the pages are opened in turn."""
    context = chromium.new_context()
    page = context.new_page()
    try:
        page.goto(url)
        for name in pages:
            page.evaluate("name => { location.hash = name; }", name)
            page.wait_for_selector(f"nav a[aria-current][href='#{name}']", state="attached")
            # No wait_for_function: the page's policy forbids the eval that it polls with.
            page.wait_for_selector("#page div > *", state="attached")
        entries = page.evaluate(
            """() => performance.getEntriesByType('resource')
                .filter(each => /\\.(js|css)$/.test(new URL(each.name).pathname))
                .map(each => [each.encodedBodySize, each.decodedBodySize])"""
        )
    finally:
        context.close()
    return sum(sent for sent, _ in entries), sum(raw for _, raw in entries)


def test_a_browser_transfers_at_most_150_kb_for_all_pages_of_the_dashboard(demo, chromium):
    from tests.browser.pages import PAGES

    sent, raw = transferred(chromium, demo.url, PAGES)
    assert sent < raw / 2
    assert sent <= BUDGET_BYTES
    _, first = transferred(chromium, demo.url, ("overview",))
    assert first <= BUDGET_BYTES
    print(f"weight: {sent / 1000:.0f} kB for all pages, {first / 1000:.0f} kB as written for the overview")
