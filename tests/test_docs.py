"""The pages of docs/: no link leads nowhere, and no picture lies about unused or weighs too much."""

import re

import pytest
from tests.interop.processes import ROOT

PAGES = sorted([ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").glob("*.md")])
PICTURES = sorted((ROOT / "docs" / "images").iterdir())
LINK = re.compile(r"\]\(([^)\s]+)\)")
MOST_BYTES = 150_000


def anchors(page):
    """The anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page):
    for target in LINK.findall(page.read_text(encoding="utf-8")):
        if "://" in target:
            continue
        path, _, anchor = target.partition("#")
        there = page.parent / path if path else page
        assert there.exists(), target
        assert not anchor or anchor in anchors(there), target


@pytest.mark.parametrize("picture", PICTURES, ids=lambda picture: picture.name)
def test_pictures_are_shown_and_light(picture):
    assert any(f"images/{picture.name})" in page.read_text(encoding="utf-8") for page in PAGES)
    assert picture.stat().st_size < MOST_BYTES
    assert picture.read_bytes().startswith(b"<svg " if picture.suffix == ".svg" else b"\x89PNG")
