"""HTTP behaviour that all addresses share."""

import json

import pytest

from dersim.pages.responses import MAX_BODY_BYTES
from dersim.web.api import overview


async def test_errors_are_problem_documents_with_a_hint(open_site):
    async with open_site() as site:
        answer = await site("GET", "/api/dersim/nothing")
    assert answer.status == 404
    assert answer.headers["content-type"] == "application/problem+json"
    problem = json.loads(answer.body)
    assert problem["type"] == "urn:dersim:problem:not-found"
    assert problem["instance"] == "/api/dersim/nothing"
    assert problem["hint"]


@pytest.mark.parametrize(
    ("method", "target", "body", "headers", "status", "words"),
    [
        ("GET", "/api/dersim/overview?device=2", b"", (), 404, "device 1 is the only one"),
        ("GET", "/api/dersim/overview?device=x", b"", (), 400, "a whole number"),
        ("GET", "/api/dersim/overview?device=", b"", (), 400, "a whole number"),
        ("GET", "/api/dersim/logs?after=3112554800875696553984", b"", (), 400, "is needed"),
        ("GET", "/api/dersim/history?of=", b"", (), 400, "not one of device, fleet"),
        ("GET", "/api/dersim/overview?devise=1", b"", (), 400, "it takes device"),
        ("GET", "/api/dersim/overview?device=1&device=2", b"", (), 400, "more than once"),
        ("GET", "/api/dersim/history?seconds=nan", b"", (), 400, "seconds='nan'"),
        ("DELETE", "/api/dersim/overview", b"", (), 405, "Method Not Allowed"),
        ("POST", "/api/dersim/commands", b"{", (), 400, "not JSON"),
        ("POST", "/api/dersim/commands", b"", (), 415, "not application/json"),
        ("POST", "/api/dersim/commands", b"a=1", (("Content-Type", "text/plain"),), 415, "text/plain"),
        ("POST", "/api/dersim/commands", b'{"command": "fly"}', (), 400, "start, stop, reset"),
        ("POST", "/api/dersim/commands", b'{"command": "stop", "x": 1}', (), 400, "x is not known"),
        ("POST", "/api/dersim/commands", b"[]", (), 400, "not an object"),
        ("POST", "/api/dersim/commands", b"[" * 30_000, (), 400, "nested deeper than 20 levels"),
        ("POST", "/api/dersim/commands", b" " * (MAX_BODY_BYTES + 1), (), 413, "Too Large"),
        ("POST", "/api/dersim/commands", b'{"command": "\xff"}', (), 400, "not JSON"),
    ],
)
async def test_bad_requests_say_what_is_wrong(open_site, method, target, body, headers, status, words):
    async with open_site() as site:
        answer = await site(method, target, body=body, headers=headers)
    assert answer.status == status
    problem = json.loads(answer.body)
    assert words in problem["detail"]
    assert problem["status"] == status


async def test_a_field_error_points_at_the_field(open_site):
    async with open_site() as site:
        answer = await site("POST", "/api/dersim/csip/log-event-burst", body=b'{"count": 0}')
    assert json.loads(answer.body)["errors"] == [{"pointer": "/count", "detail": "0 is outside 1 to 1000"}]


async def test_an_unchanged_document_is_answered_304_without_a_body(open_site):
    async with open_site() as site:
        first = await site("GET", "/api/dersim/overview")
        again = await site("GET", "/api/dersim/overview", headers=[("If-None-Match", first.headers["etag"])])
        site.context.fleet.step()
        changed = await site(
            "GET", "/api/dersim/overview", headers=[("If-None-Match", first.headers["etag"])]
        )
    assert (again.status, again.body) == (304, b"")
    assert changed.status == 200


async def test_answers_carry_the_security_headers_and_no_server_name(open_site):
    async with open_site() as site:
        for target in ("/api/dersim/overview", "/nowhere"):
            answer = await site("GET", target)
            assert "default-src 'self'" in answer.headers["content-security-policy"]
            assert "unsafe" not in answer.headers["content-security-policy"]
            assert answer.headers["x-content-type-options"] == "nosniff"
            assert "server" not in answer.headers
            assert "access-control-allow-origin" not in answer.headers


async def test_a_foreign_host_is_refused(open_site):
    async with open_site() as site:
        answer = await site("GET", "/api/dersim/overview", host="evil.example")
        assert answer.status == 421
        assert (await site("GET", "/api/dersim/overview", host="localhost:8111")).status == 200
        assert (await site("GET", "/api/dersim/overview", host="[::1]:8111")).status == 200
    async with open_site(allow_host=("lab.example",)) as site:
        assert (await site("GET", "/api/dersim/overview", host="lab.example")).status == 200


async def test_a_foreign_page_cannot_post(open_site):
    body = b'{"command": "stop"}'
    async with open_site() as site:
        target = "/api/dersim/commands"
        evil = await site("POST", target, body=body, headers=[("Origin", "http://evil.example")])
        null = await site("POST", target, body=body, headers=[("Origin", "null")])
        silent = await site("POST", target, body=body, headers=[("Sec-Fetch-Site", "cross-site")])
        own = await site("POST", target, body=body, headers=[("Origin", f"http://127.0.0.1:{site.port}")])
    assert [evil.status, null.status, silent.status, own.status] == [403, 403, 403, 200]
    assert site.context.fleet.devices[0].commands == ["stop"]


async def test_cors_only_for_those_named(open_site):
    origin = ("Origin", "http://app.example")
    async with open_site(cors_origin=("http://app.example",)) as site:
        preflight = await site("OPTIONS", "/api/dersim/commands", headers=[origin])
        answer = await site("GET", "/api/dersim/overview", headers=[origin])
        other = await site("GET", "/api/dersim/overview", headers=[("Origin", "http://else.example")])
    assert preflight.status == 204
    assert answer.headers["access-control-allow-origin"] == "http://app.example"
    assert "access-control-allow-origin" not in other.headers


async def test_a_token_is_asked_and_taken_as_bearer_or_cookie(open_site):
    async with open_site(token="s3cret") as site:
        none = await site("GET", "/api/dersim/overview")
        wrong = await site("GET", "/api/dersim/overview", headers=[("Authorization", "Bearer other")])
        right = await site("GET", "/api/dersim/overview", headers=[("Authorization", "Bearer s3cret")])
        visit = await site("GET", "/?token=s3cret")
        cookie = visit.headers["set-cookie"]
        by_cookie = await site("GET", "/api/dersim/overview", headers=[("Cookie", cookie.partition(";")[0])])
        bad_visit = await site("GET", "/?token=no")
        plain_visit = await site("GET", "/")
    assert [none.status, wrong.status, right.status] == [401, 401, 200]
    assert none.headers["www-authenticate"].startswith("Bearer")
    assert (visit.status, visit.headers["location"]) == (303, "/")
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    assert by_cookie.status == 200
    assert [bad_visit.status, plain_visit.status] == [401, 401]


async def test_static_files_stay_within_their_folder(open_site):
    async with open_site() as site:
        for target in (
            "/static/../app.py",
            "/static/%2e%2e/app.py",
            "/static//etc/passwd",
            "/static/nothing.js",
        ):
            assert (await site("GET", target)).status == 404


async def test_a_bug_in_a_handler_is_a_500_and_one_log_line_and_no_traceback(open_site, monkeypatch, capsys):
    def broken(device):
        raise KeyError("volts")

    monkeypatch.setattr(overview, "entry", broken)
    async with open_site() as site:
        answer = await site("GET", "/api/dersim/overview")
        assert (await site("GET", "/api/dersim/inputs")).status == 200
        told = site.context.log.entries(["WS"], "Error")
        detail = site.context.log.entries(["WS"])[-1]
    assert answer.status == 500
    problem = json.loads(answer.body)
    assert problem["type"] == "urn:dersim:problem:internal"
    assert "volts" not in answer.body.decode()
    assert [entry.message for entry in told] == ["GET /api/dersim/overview: unexpected KeyError('volts')"]
    assert "in broken" in detail.message
    assert "Traceback" not in capsys.readouterr().err


async def test_a_device_beyond_the_fleet_is_a_404_with_the_range(open_site):
    async with open_site(count=20) as site:
        for path in ("overview", "setpoints", "history", "nameplate"):
            answer = await site("GET", f"/api/dersim/{path}?device=77")
            assert answer.status == 404
            assert json.loads(answer.body)["detail"] == "device 77 does not exist; this fleet has 1 to 20"


async def test_devices_are_addressed_by_their_own_numbers(open_site):
    async with open_site(count=3, first=4) as site:
        named = {
            query: json.loads((await site("GET", f"/api/dersim/nameplate{query}")).body)
            for query in ("", "?device=4", "?device=6", "?device=1", "?device=7")
        }
        info = json.loads((await site("GET", "/api/dersim/server-info")).body)
        metrics = (await site("GET", "/metrics")).body.decode()
    assert [named[query]["device"] for query in ("", "?device=4", "?device=6")] == [4, 4, 6]
    for query in ("?device=1", "?device=7"):
        assert named[query]["detail"] == f"device {query[-1]} does not exist; this fleet has 4 to 6"
    assert (info["devices"], info["first_device"]) == (3, 4)
    assert '{device="6"}' in metrics
    assert 'device="1"' not in metrics
