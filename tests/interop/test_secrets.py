"""No token, PIN or key comes out of a running program, whatever it is asked, on its three ports.

A live demo with a token of its own; and one whose client was given the wrong PIN, which fails over it.
"""

from __future__ import annotations

import functools
import json
import re

import httpx
import pytest
from tests.interop.processes import CERTS, eventually, program

TOKEN = "t0ken-that-must-not-come-out"
#: The demo's own PIN, and the wrong one.
PIN, WRONG_PIN = "111115", "246882"
FREE_PORTS = [
    word
    for flag in ("--csip_server_port", "--admin_port", "--website_port", "--csip_website_port", "--mb_port")
    for word in (flag, "0")
]
BEARER = {"Authorization": f"Bearer {TOKEN}"}
ADMIN_PATHS = ("end-devices", "programs", "responses", "mirror-usage-points", "log-events", "poll-rates",
               "violations", "requests?limit=5000", "nothing", "requests?limit=x")  # fmt: skip


@functools.cache
def key_lines() -> frozenset[str]:
    """The lines of the private keys in use, but for the first and last."""
    lines = {line for path in CERTS.glob("*key*.pem") for line in path.read_text().splitlines()}
    return frozenset(line for line in lines if len(line) > 30 and "-----" not in line)


def secrets_in(text: str) -> list[str]:
    """Which secrets a text holds. Six digits may stand in a longer number or in hex digits by chance."""
    found = [line[:12] for line in key_lines() if line in text]
    found += [pin for pin in (PIN, WRONG_PIN) if re.search(rf"(?<![0-9A-Za-z.:]){pin}(?![0-9A-Za-z])", text)]
    return found + [word for word in (TOKEN, "PRIVATE KEY") if word in text]


def told_by(facts: dict[str, str]) -> dict[str, str]:
    """Every document of every port, and some of their errors."""
    told = {}
    with httpx.Client(headers=BEARER, timeout=30, trust_env=False) as client:
        for site in (facts["dashboard"], facts["csip_ui"]):
            paths = client.get(f"{site}/openapi.json").json()["paths"]
            targets = [path for path, methods in paths.items() if "get" in methods]
            targets += [
                "/",
                "/nothing",
                "/api/dersim/overview?device=x",
                "/api/dersim/logs?level=Debug&limit=10000",
            ]
            exchanges = client.get(f"{site}/api/dersim/conversation").json()["exchanges"]
            targets += [f"/api/dersim/conversation/exchange?id={each['id']}" for each in exchanges]
            for target in targets:
                answer = client.get(site + target)
                told[site + target] = f"{answer.headers}\n{answer.text}"
            for path in (path for path, methods in paths.items() if "post" in methods and "stop" not in path):
                answer = client.post(site + path, json={"no such": "field"})
                told[f"POST {site}{path}"] = f"{answer.headers}\n{answer.text}"
        for path in ADMIN_PATHS:
            told[path] = client.get(f"{facts['utility_admin']}/api/utility/{path}").text
    return told


# The wrong PIN every day: `test_bundle.py`.
@pytest.mark.parametrize(
    ("more", "state"),
    [((), "connected"), pytest.param(("--csip_pin", WRONG_PIN), "failed", marks=pytest.mark.slow)],
)
def test_nothing_tells_a_token_a_pin_or_a_key(more, state):
    with program(
        "dersim", "sim", "--demo", *FREE_PORTS, "--token", TOKEN, "--log_level", "debug", *more
    ) as child:
        facts = child.ready()
        where = f"{facts['dashboard']}/api/dersim/csip-client"
        assert httpx.get(where, trust_env=False).status_code == 401

        def client_state():
            return httpx.get(where, headers=BEARER, trust_env=False).json()["state"]

        eventually(state, lambda: client_state() == state)
        told = told_by(facts)
        assert child.stop() == 0
    # The Registration was read, and its PIN masked: the test looks at what it is about.
    exchanges = [
        json.loads(text.split("\n", 1)[1]) for where, text in told.items() if "exchange?id=" in where
    ]
    assert any("<pIN>masked" in each["response_body"] for each in exchanges)
    assert any(
        "<pIN>masked" in text or "&lt;pIN>masked" in text for where, text in told.items() if "export" in where
    )
    assert "******" in told["requests?limit=5000"]
    for where, text in (*told.items(), ("stderr", "\n".join(child.err)), ("stdout", "\n".join(child.out))):
        assert secrets_in(text) == [], where
    assert len(key_lines()) > 10
