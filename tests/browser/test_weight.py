"""What a browser has to load, without a browser."""

from tests.interop.processes import ROOT

#: 150 kB until the overview showed PV and battery of a hybrid each by itself.
BUDGET_BYTES = 160_000


def test_scripts_and_styles_of_all_pages_stay_light():
    folders = [ROOT / "src/dersim" / package / "static" for package in ("pages", "web", "lab")]
    files = [path for folder in folders for path in folder.rglob("*") if path.suffix in (".js", ".css")]
    assert len(files) > 10
    assert sum(path.stat().st_size for path in files) <= BUDGET_BYTES


def test_nothing_is_loaded_from_elsewhere():
    for package in ("pages", "web", "lab"):
        for page in (ROOT / "src/dersim" / package / "static").rglob("*.html"):
            text = page.read_text()
            assert "//" not in text.replace("<!doctype html>", ""), page
            assert "style=" not in text, page
            assert "<script>" not in text, page
