"""The static pages: their policy, and where they may reach."""

import re

import pytest

from dersim.pages.statics import SHARED
from dersim.plugin.panel import Panel
from dersim.web.site_pages import STATIC

FOLDERS = (STATIC, SHARED)
SOURCES = sorted(p for folder in FOLDERS for kind in ("js", "css", "html") for p in folder.rglob(f"*.{kind}"))


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.name)
def test_nothing_comes_from_elsewhere_and_nothing_is_inline(path):
    text = path.read_text(encoding="utf-8").replace("http://www.w3.org/2000/svg", "")
    assert not re.search(r"https?://(?!\$)", text)
    assert "eval(" not in text
    assert "innerHTML" not in text
    if path.suffix == ".html":
        assert not re.search(r"<style|style=|<script(?![^>]*\bsrc=)|\son[a-z]+=", text)


@pytest.mark.parametrize(
    "path", [path for path in SOURCES if path.suffix == ".js"], ids=lambda path: path.name
)
def test_every_module_that_is_imported_is_there(path):
    for name in re.findall(r"""(?:from|import\()\s*["'](\.[^"']+)["']""", path.read_text(encoding="utf-8")):
        home = STATIC if path.is_relative_to(STATIC) else SHARED
        at = (path.parent / name).resolve().relative_to(home)
        assert any((folder / at).is_file() for folder in FOLDERS), name


@pytest.mark.parametrize("site_name", ["dashboard", "csip_ui"])
async def test_each_site_opens_with_its_page(open_site, site_name):
    async with open_site(site_name) as site:
        page = await site("GET", "/")
        script = re.search(rb'src="(/static/js/\w+\.js)"', page.body)[1].decode()
        module = await site("GET", script)
        again = await site("GET", script, headers=[("If-None-Match", module.headers["etag"])])
        docs = await site("GET", "/docs")
    assert page.headers["content-type"].startswith("text/html")
    assert (module.status, module.headers["content-type"]) == (200, "text/javascript; charset=utf-8")
    assert (again.status, again.body) == (304, b"")
    assert (docs.status, docs.headers["location"]) == (302, "/#api")


async def test_a_plug_ins_panel_is_served_and_nothing_beside_it(open_site, tmp_path):
    module = tmp_path / "panel.js"
    module.write_text("export function mount() {}")
    (tmp_path / "secret.js").write_text("secret")
    panel = Panel("weather", "Weather", str(module))
    async with open_site(panels=(panel,)) as site:
        served = await site("GET", "/panels/weather.js")
        other = await site("GET", "/panels/secret.js")
        climb = await site("GET", "/panels/..%2fsecret.js")
    assert served.body == b"export function mount() {}"
    assert (other.status, climb.status) == (404, 404)


async def test_the_folder_of_a_panel_is_served_and_nothing_beside_it(open_site, tmp_path):
    module, folder = tmp_path / "panel.js", tmp_path / "map"
    module.write_text("export function mount() {}")
    folder.mkdir()
    (folder / "draw.js").write_text("export const draw = 1;")
    (folder / "map.png").write_bytes(b"png")
    (tmp_path / "secret.js").write_text("secret")
    panel = Panel("weather", "Weather", str(module), folder=str(folder))
    async with open_site(panels=(panel,)) as site:
        script = await site("GET", "/panels/weather/draw.js")
        image = await site("GET", "/panels/weather/map.png")
        climb = await site("GET", "/panels/weather/..%2fsecret.js")
        none = await site("GET", "/panels/weather/none.js")
    assert script.headers["content-type"].startswith("text/javascript")
    assert (image.body, image.headers["content-type"]) == (b"png", "image/png")
    assert (climb.status, none.status) == (404, 404)
