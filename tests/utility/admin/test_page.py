"""The page of the admin port: its files, from here alone, compressed and revalidated."""

import gzip

import pytest

from dersim.http11 import Request


def ask(lab, path, **headers):
    sent = {"host": "localhost", **{name.replace("_", "-"): value for name, value in headers.items()}}
    return lab.server.answer_admin(Request("GET", path, tuple(sent.items()), b"", None, ""))


def test_the_page_loads_nothing_from_elsewhere(lab):
    page = ask(lab, "/")
    assert (page.status, page.header("content-type")) == (200, "text/html; charset=utf-8")
    policy = page.header("content-security-policy")
    assert "default-src 'none'; script-src 'self'; style-src 'self'" in policy
    assert b"://" not in page.body


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("js/utility.js", "text/javascript"),
        ("js/pages/api.js", "text/javascript"),
        ("css/style.css", "text/css"),
        ("icon.svg", "image/svg+xml"),
    ],
)
def test_its_own_files_and_those_of_all_sites_are_served(lab, name, kind):
    file = ask(lab, f"/static/{name}")
    assert (file.status, file.header("content-type").partition(";")[0]) == (200, kind)


@pytest.mark.parametrize(("path", "view"), [("/docs", "/#api"), ("/redoc", "/#api"), ("/faults", "/#faults")])
def test_addresses_of_earlier_versions_lead_to_a_view(lab, path, view):
    answer = ask(lab, path)
    assert (answer.status, answer.header("location")) == (302, view)


def test_a_file_is_compressed_where_the_browser_takes_gzip_and_304_where_it_has_it(lab):
    plain, packed = ask(lab, "/static/js/dom.js"), ask(lab, "/static/js/dom.js", accept_encoding="gzip, br")
    assert packed.header("content-encoding") == "gzip"
    assert gzip.decompress(packed.body) == plain.body
    assert plain.header("content-encoding") is None
    tags = plain.header("etag"), packed.header("etag")
    assert tags[0] != tags[1]
    assert ask(lab, "/static/js/dom.js", if_none_match=tags[0]).status == 304
    again = ask(lab, "/static/js/dom.js", if_none_match=tags[1], accept_encoding="gzip")
    assert (again.status, again.body) == (304, b"")


def test_the_page_is_refused_as_the_rest_is(lab):
    assert ask(lab, "/", origin="http://example.com").status == 403
    assert ask(lab, "/static/js/utility.js", sec_fetch_site="cross-site").status == 403
