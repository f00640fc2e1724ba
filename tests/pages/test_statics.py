"""Static files: compressed where the browser takes it, kept in memory, revalidated by their tags."""

import gzip

import pytest
from quart_trio import QuartTrio

from dersim.pages.guard import Guard
from dersim.pages.middleware import add_guard
from dersim.pages.statics import add_folders

SCRIPT = "export const a = 1;\n" * 200


@pytest.fixture
def script(tmp_path):
    path = tmp_path / "a.js"
    path.write_text(SCRIPT)
    return path


@pytest.fixture
async def site(script):
    app = QuartTrio(__name__, static_folder=None)
    add_guard(app, Guard(cors_origins=frozenset({"http://grafana.example"})))
    add_folders(app, "static", script.parent)
    async with app.test_app() as running:
        yield running.test_client()


async def get(site, **headers):
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    answer = await site.get("/static/a.js", headers=named)
    return answer, await answer.get_data()


@pytest.mark.parametrize("accepted", ["gzip, deflate, br, zstd", "*", "gzip;q=0.5"])
async def test_a_script_is_compressed_where_the_browser_takes_gzip(site, accepted):
    answer, body = await get(site, Accept_Encoding=accepted)
    assert answer.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(body).decode() == SCRIPT
    assert len(body) < len(SCRIPT) / 10
    assert answer.headers["Content-Length"] == str(len(body))
    assert answer.headers["Content-Type"] == "text/javascript; charset=utf-8"
    assert answer.headers["Cache-Control"] == "no-cache"


@pytest.mark.parametrize(
    "headers", [{}, {"Accept_Encoding": "identity"}, {"Accept_Encoding": "gzip;q=0, br"}]
)
async def test_a_script_is_plain_where_the_client_takes_no_gzip(site, headers):
    answer, body = await get(site, **headers)
    assert "Content-Encoding" not in answer.headers
    assert body.decode() == SCRIPT
    assert answer.headers["Vary"] == "Accept-Encoding"


async def test_each_encoding_is_revalidated_by_its_own_tag(site):
    plain, _ = await get(site)
    packed, _ = await get(site, Accept_Encoding="gzip")
    assert plain.headers["ETag"] != packed.headers["ETag"]
    again, body = await get(site, Accept_Encoding="gzip", If_None_Match=packed.headers["ETag"])
    assert (again.status_code, body) == (304, b"")
    assert again.headers["ETag"] == packed.headers["ETag"]
    assert (again.headers["Vary"], again.headers["Cache-Control"]) == ("Accept-Encoding", "no-cache")
    other, body = await get(site, If_None_Match=packed.headers["ETag"])
    assert (other.status_code, body.decode()) == (200, SCRIPT)


async def test_a_page_of_another_origin_and_the_encoding_both_vary_the_answer(site):
    answer, _ = await get(site, Accept_Encoding="gzip", Origin="http://grafana.example")
    assert set(answer.vary) == {"Accept-Encoding", "Origin"}


async def test_a_file_that_changed_is_read_again(site, script):
    before, _ = await get(site, Accept_Encoding="gzip")
    script.write_text("export const b = 2;\n" * 300)
    after, body = await get(site, Accept_Encoding="gzip", If_None_Match=before.headers["ETag"])
    assert after.status_code == 200
    assert gzip.decompress(body).startswith(b"export const b")


async def test_a_file_that_gzip_would_make_larger_stays_plain(site, script):
    script.write_text("x")
    answer, body = await get(site, Accept_Encoding="gzip")
    assert ("Content-Encoding" in answer.headers, body) == (False, b"x")
