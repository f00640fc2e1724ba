"""What a page of another site can do to somebody who has a dashboard open: nothing.

Such a page runs in the user's browser and so reaches loopback. It may post forms and JSON, open WebSockets,
fetch, embed, follow links, and give its own name the address 127.0.0.1 (DNS rebinding). Both web sites.
"""

import json

import pytest

from dersim.pages.guard import Guard
from dersim.pages.problems import Problem
from dersim.web.api import ROUTES

SITES = ("dashboard", "csip_ui")
EVIL = "http://evil.example"
CROSS = [("Sec-Fetch-Site", "cross-site")]
#: What a browser says of itself at a subresource, a script's fetch, a frame.
EMBEDDED = [
    [*CROSS, ("Sec-Fetch-Mode", "no-cors"), ("Sec-Fetch-Dest", "image")],
    [*CROSS, ("Sec-Fetch-Mode", "cors"), ("Sec-Fetch-Dest", "empty"), ("Origin", EVIL)],
    [*CROSS, ("Sec-Fetch-Mode", "navigate"), ("Sec-Fetch-Dest", "iframe")],
    [*CROSS, ("Sec-Fetch-Mode", "websocket"), ("Sec-Fetch-Dest", "websocket"), ("Origin", EVIL)],
]
LINK = [*CROSS, ("Sec-Fetch-Mode", "navigate"), ("Sec-Fetch-Dest", "document")]


def of(site_name, method):
    return [route for route in ROUTES if site_name in route.sites and route.method == method]


@pytest.mark.parametrize("site_name", SITES)
async def test_no_address_can_be_posted_to_from_elsewhere(open_site, site_name):
    async with open_site(site_name) as site:
        for route in of(site_name, "POST"):
            for headers in (
                [("Origin", EVIL)],
                [("Origin", "null")],
                [("Origin", f"http://127.0.0.1:{site.port + 1}")],
                [("Origin", f"file://127.0.0.1:{site.port}")],
                CROSS,
                [("Sec-Fetch-Site", "same-site")],
            ):
                answer = await site("POST", route.path, body=b"{}", headers=headers)
                assert answer.status == 403, (route.path, headers)
                assert json.loads(answer.body)["type"] == "urn:dersim:problem:foreign-origin"
        assert site.client.asked == []
        assert not site.stopped.is_set()


@pytest.mark.parametrize("site_name", SITES)
async def test_what_a_form_can_send_is_not_taken(open_site, site_name):
    """A form needs no leave of ours (no preflight), but it can only send three types of content."""
    async with open_site(site_name) as site:
        for route in of(site_name, "POST"):
            if route.request is None:
                continue  # nothing is read from the body; the Origin is what guards these
            for kind in (
                "text/plain",
                "application/x-www-form-urlencoded",
                "multipart/form-data; boundary=x",
            ):
                answer = await site(
                    "POST", route.path, body=b'{"command":"stop"}', headers=[("Content-Type", kind)]
                )
                assert answer.status == 415, (route.path, kind)


@pytest.mark.parametrize("site_name", SITES)
async def test_a_rebound_name_gets_nothing(open_site, site_name):
    """The page's own origin resolves to us: Origin equals Host, only the name is not ours."""
    async with open_site(site_name) as site:
        port = site.port
        for host in (f"evil.example:{port}", "evil.example", f"127.0.0.1.evil.example:{port}", "localhost.",
                     "localhost@evil.example", "[::1]evil.example"):  # fmt: skip
            for target in ("/", "/api/dersim/csip-client", "/openapi.json", "/static/js/api.js", "/nothing"):
                answer = await site("GET", target, host=host, headers=[("Origin", f"http://{host}")])
                assert answer.status == 421, (host, target)


@pytest.mark.parametrize("site_name", SITES)
async def test_pages_elsewhere_cannot_make_us_work_but_may_link_here(open_site, site_name):
    async with open_site(site_name) as site:
        for route in of(site_name, "GET"):
            for headers in EMBEDDED:
                assert (await site("GET", route.path, headers=headers)).status == 403, route.path
        assert (await site("GET", "/", headers=LINK)).status == 200
        own = [("Sec-Fetch-Site", "same-origin"), ("Sec-Fetch-Mode", "cors"), ("Sec-Fetch-Dest", "empty")]
        assert (await site("GET", "/api/dersim/csip-client", headers=own)).status == 200


@pytest.mark.parametrize("site_name", SITES)
async def test_no_answer_may_be_read_embedded_or_framed_elsewhere(open_site, site_name):
    async with open_site(site_name) as site:
        for target in ("/", "/api/dersim/csip-client", "/openapi.json", "/static/js/api.js", "/nothing"):
            answer = await site("GET", target, headers=[("Origin", EVIL)])
            assert "access-control-allow-origin" not in answer.headers
            assert answer.headers["cross-origin-resource-policy"] == "same-origin"
            policy = dict(
                directive.strip().partition(" ")[::2]
                for directive in answer.headers["content-security-policy"].split(";")
            )
            assert policy["frame-ancestors"] == "'none'"
            assert policy["default-src"] == "'self'"
            assert "unsafe-inline" not in answer.headers["content-security-policy"]
        preflight = [("Origin", EVIL), ("Access-Control-Request-Method", "POST")]
        asked = await site("OPTIONS", "/api/dersim/csip/rediscover", headers=preflight)
        assert asked.status >= 400
        assert not [name for name in asked.headers if name.startswith("access-control")]


async def test_pages_named_by_cors_origin_may_ask(open_site):
    app = "http://app.example"
    async with open_site(cors_origin=(app,)) as site:
        headers = [*CROSS, ("Sec-Fetch-Mode", "cors"), ("Sec-Fetch-Dest", "empty"), ("Origin", app)]
        assert (await site("GET", "/api/dersim/overview", headers=headers)).status == 200
        given = await site("POST", "/api/dersim/commands", body=b'{"command": "stop"}', headers=headers)
        assert given.status == 200
        assert given.headers["access-control-allow-origin"] == app


@pytest.mark.parametrize("site_name", SITES)
async def test_no_address_answers_without_the_token(open_site, site_name):
    async with open_site(site_name, token="s3cret") as site:
        for method in ("GET", "POST"):
            for target in (
                *(route.path for route in of(site_name, method)),
                "/docs",
                "/static/js/api.js",
                "/x",
            ):
                for headers in (
                    [],
                    [("Authorization", "Basic czNjcmV0")],
                    [("Authorization", "Bearer")],
                    [("Authorization", "Bearer s3cre")],
                    [("Authorization", "Bearer s3cret2")],
                    [("Cookie", "dersim_token=")],
                    [("Cookie", "dersim_token=S3CRET; other=s3cret")],
                ):
                    answer = await site(method, target, headers=headers)
                    assert answer.status == 401, (method, target, headers)
                    assert b"s3cret" not in answer.body
        # Not in the query either, but for the first visit.
        assert (await site("GET", "/api/dersim/csip-client?token=s3cret")).status == 401
        assert not site.stopped.is_set()


async def test_tokens_are_compared_in_constant_time(open_site, monkeypatch):
    compared = []
    monkeypatch.setattr(
        "dersim.pages.guard.secrets.compare_digest", lambda a, b: compared.append((a, b)) or a == b
    )
    async with open_site(token="s3cret") as site:
        await site("GET", "/api/dersim/overview", headers=[("Authorization", "Bearer guess")])
        await site("GET", "/?token=guess")
        await site("GET", "/api/dersim/overview", headers=[("Cookie", "dersim_token=guess")])
    assert compared == [(b"guess", b"s3cret")] * 3


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_the_browsers_own_word_counts_where_no_origin_is_sent(site):
    with pytest.raises(Problem, match="a page of another site asked"):
        Guard().check_origin(None, "127.0.0.1:8111", site)
    Guard().check_origin(None, "127.0.0.1:8111", "same-origin")
