"""HTTP of the 2030.5 port (CORE-001, CORE-002): methods, statuses, headers; CORE-004 on a real list."""

import pytest

from dersim.ieee2030_5 import decode
from dersim.ieee2030_5 import resources as r
from dersim.utility.tree import ROUTES, find

READ_ONLY = [
    "/dcap",
    "/tm",
    "/edev/1",
    "/edev/1/rg",
    "/derp",
    "/derp/1/dderc",
    "/derp/1/derc",
    "/rsps",
    "/upt",
]


def error_of(response):
    """The Error body's reasonCode, and the reason in words."""
    return decode(response.body, r.Error, strict=True).resource.reasonCode, response.body.decode()


@pytest.mark.parametrize("path", READ_ONLY)
@pytest.mark.parametrize("method", ["PUT", "POST", "DELETE", "PATCH", "OPTIONS"])
def test_a_method_that_is_not_allowed_is_405_with_allow(client, path, method):
    response = client.ask(method, path, b"<x/>", content_type="application/sep+xml")
    assert response.status == 405
    assert response.header("allow") == "GET, HEAD"


@pytest.mark.parametrize(
    ("path", "allow"),
    [
        ("/edev", "GET, HEAD, POST"),
        ("/edev/1/der/1/ders", "GET, HEAD, PUT"),
        ("/mup", "GET, HEAD, POST"),
        ("/mup/1", "GET, HEAD, POST, DELETE"),
        ("/rsps/1/rsp", "GET, HEAD, POST"),
        ("/edev/1/lel", "GET, HEAD, POST"),
    ],
)
def test_allow_names_what_the_resource_takes(client, path, allow):
    assert client.ask("PATCH", path).header("allow") == allow


@pytest.mark.parametrize("path", ["/dcap", "/edev", "/nowhere"])
def test_an_invented_method_is_501(client, path):
    assert client.ask("FOO", path).status == 501


@pytest.mark.parametrize(
    "path",
    ["/", "", "/dcap/", "/edev/01", "/edev/0", "/edev/-1", "/edev/1/der/2", "/edev/x", "/edev/٣", "//dcap"],
)
def test_an_unknown_path_is_404(client, path):
    response = client.ask("GET", path)
    assert response.status == 404
    assert error_of(response)[1].startswith("<!-- ")


def test_head_has_the_headers_of_get(client):
    assert client.ask("HEAD", "/dcap") == client.ask("GET", "/dcap")


def test_a_request_without_host_is_answered(client):
    # HTTP/1.0, which needs none; the HTTP layer refuses an HTTP/1.1 request without it.
    assert client.ask("GET", "/dcap", host=None).status == 200


@pytest.mark.parametrize(
    ("path", "status"),
    [("/%64cap", 200), ("/%64%63%61%70", 200), ("/edev%2F1", 404), ("/edev/%31", 200), ("/edev/%2a", 404)],
)
def test_a_percent_encoded_path_is_decoded(client, path, status):
    client.get("/dcap")
    assert client.ask("GET", path).status == status


def test_a_decoded_path_is_the_one_of_the_hrefs(client):
    client.get("/dcap")
    assert client.get("/edev/%31/der").href == "/edev/1/der"


@pytest.mark.parametrize(
    ("accept", "status"),
    [
        (None, 200),
        ("application/sep+xml", 200),
        ("application/sep+xml; level=+S1", 200),
        ("text/html, application/xhtml+xml, */*;q=0.8", 200),
        ("application/sep-exi", 406),
        ("text/html", 406),
    ],
)
def test_only_xml_is_sent(client, accept, status):
    assert client.ask("GET", "/dcap", accept=accept).status == status


@pytest.mark.parametrize(
    ("kind", "status"),
    [("application/sep-exi; level=+S1", 415), ("application/json", 415), ("text/plain", 415)],
)
def test_only_xml_is_read(client, kind, status):
    client.get("/dcap")
    assert client.ask("PUT", "/edev/1/der/1/ders", b"x", content_type=kind).status == status


def test_a_missing_content_type_does_no_harm(client):
    client.get("/dcap")
    response = client.ask("PUT", "/edev/1/der/1/ders", b"<DERStatus/>")
    assert response.status == 400


@pytest.mark.parametrize("query", ["s=x", "l=-1", "a=now"])
def test_a_query_that_cannot_be_read_is_400_and_says_so(client, query):
    response = client.ask("GET", f"/edev?{query}")
    assert response.status == 400
    assert "query parameter" in error_of(response)[1]


def test_a_target_beyond_255_bytes_is_400(client):
    assert client.ask("GET", "/dcap?" + "x" * 300).status == 400


def test_an_absolute_target_is_read_as_its_path(client):
    assert client.ask("GET", "https://127.0.0.1:8443/dcap").status == 200
    assert client.ask("GET", "https://127.0.0.1:8443").status == 404


def test_a_reason_cannot_break_out_of_its_comment(client):
    response = client.ask("GET", "/edev?s=-->%3Cscript--")
    assert response.status == 400
    assert error_of(response)[0] == 1


def test_no_two_shapes_of_path_are_one():
    assert find("/edev/12/fsa/1")[1] == (12, 1)
    assert find("/edev/*") is None
    assert all("?" not in path for path in ROUTES)


NOW = 1_700_000_000


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("?s=0", [0]),
        ("", [0]),
        (f"?a={NOW + 60}", []),
        ("?l=0", []),
        ("?l=1000", [0, 1, 2, 3]),
        (f"?s=3&a={NOW + 60}", []),
        ("?s=1&l=1&s=2", [1]),
        ("?l=0&l=2", []),
        (f"?s=1&a={NOW + 60}&a={NOW + 86_400}", []),
        ("?l=1&b=2", [0]),
    ],
)
def test_core_004_on_the_end_device_list(make_lab, query, expected):
    lab = make_lab(encrypted=False, registration="known")
    for number in range(4):
        lab.now = NOW + 10 * number
        lab.admin("POST", "/end-devices", {"lfdi": f"{number:040x}"})
    newest_first = [f"{number:040X}" for number in (3, 2, 1, 0)]
    listed = lab.plain().get(f"/edev{query}", r.EndDeviceList)
    assert (listed.all, listed.results) == (4, len(expected))
    assert [device.lFDI for device in listed.EndDevice] == [newest_first[i] for i in expected]


def test_what_has_not_changed_is_not_encoded_again(lab, client):
    first = client.ask("GET", "/derp/1/derc?l=255").body
    assert client.ask("GET", "/derp/1/derc?s=0&l=255").body is first
    assert lab.client(b"another").ask("GET", "/derp/1/derc?l=255").body is first
    program = lab.head_end.programs.get(1)
    program.changed()
    assert client.ask("GET", "/derp/1/derc?l=255").body is not first


def test_a_changed_poll_rate_shows_at_once(lab, client):
    assert client.get("/derp").pollRate == 10
    assert lab.admin("PUT", "/poll-rates", {"derp": 5, "dcap": 7})[0] == 200
    assert client.get("/derp").pollRate == 5
    assert client.get("/dcap").pollRate == 7


def test_time_is_utc_in_whole_seconds(lab, client):
    lab.now = NOW + 0.9
    time = client.get("/tm", r.Time)
    assert (time.currentTime, time.quality, time.tzOffset, time.dstOffset) == (NOW, 7, 0, 0)
    lab.now = NOW + 1.0
    assert client.get("/tm").currentTime == NOW + 1
