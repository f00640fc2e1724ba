"""Hostile clients of the dashboard of a real process: the physics and the other clients do not notice."""

import contextlib
import json
import socket
import time

import httpx
import pytest
from tests.interop.processes import eventually, get_json
from tests.process_faults.running import SIM_PORTS, cpu_share, open_files, program

pytestmark = pytest.mark.slow
TOKEN = "correct-horse-battery"
UPGRADE = (
    "GET /api/dersim/telemetry/ws HTTP/1.1\r\nHost: {host}:{port}\r\nUpgrade: websocket\r\n"
    "Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)


@pytest.fixture(scope="module")
def site():
    with program("dersim", "sim", *SIM_PORTS, "--without", "csip") as sim:
        yield sim, sim.ready()["dashboard"]
        assert "internal error" not in "".join(sim.err)
        assert sim.stop() == 0


def where(url):
    host, _, port = url.rpartition("/")[2].rpartition(":")
    return host, int(port)


def is_well(url):
    began = time.monotonic()
    assert get_json(f"{url}/api/dersim/overview")
    return time.monotonic() - began < 2


def test_a_hundred_websockets_of_which_half_read_nothing(site):
    sim, url = site
    before = open_files(sim)
    host, port = where(url)
    with contextlib.ExitStack() as held:
        readers = []
        for number in range(100):
            peer = held.enter_context(socket.socket())
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096 if number % 2 else 65536)
            peer.connect((host, port))
            peer.sendall(UPGRADE.format(host=host, port=port).encode())
            peer.settimeout(10)
            if number % 2 == 0:
                readers.append(peer)
        time.sleep(3)
        firsts = [peer.recv(65536) for peer in readers]
        taken = [each for each in firsts if each.startswith(b"HTTP/1.1 101")]
        refused = [each for each in firsts if not each.startswith(b"HTTP/1.1 101")]
        assert all(each.startswith((b"HTTP/1.1 503", b"HTTP/1.1 429")) for each in refused)
        assert len(taken) >= 20
        assert is_well(url)
        assert cpu_share(sim, 2.0) < 0.9
    eventually("the descriptors are free", lambda: open_files(sim) <= before + 2, timeout_s=30)


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 100_000,
        b'{"a":' * 50_000 + b"1" + b"}" * 50_000,
        b'{"voltage_pu": ' + b"9" * 100_000 + b"}",
        json.dumps({f"k{n}": n for n in range(20_000)}).encode(),
        b'{"voltage_pu": 1e999}',
        b'"\\ud800"',
    ],
    ids=["depth", "objects", "digits", "keys", "infinite", "surrogate"],
)
def test_json_that_is_a_bomb_is_refused(site, body):
    _, url = site
    answer = httpx.post(
        f"{url}/api/dersim/inputs",
        content=body,
        headers={"Content-Type": "application/json"},
        trust_env=False,
    )
    assert answer.status_code in (400, 413, 422)
    assert is_well(url)


@pytest.mark.parametrize(
    "ranges",
    [
        "bytes=" + ",".join(f"{n}-{n}" for n in range(2_000)),
        "bytes=0-,0-,0-,0-",
        "bytes=-1",
        "bytes=9-1",
        "x",
    ],
    ids=["many", "overlapping", "last", "backwards", "odd"],
)
def test_ranges_are_no_way_to_get_more_than_the_whole(site, ranges):
    _, url = site
    whole = httpx.get(f"{url}/openapi.json", trust_env=False)
    answer = httpx.get(f"{url}/openapi.json", headers={"Range": ranges}, trust_env=False)
    assert answer.status_code in (200, 206, 400, 416, 431)
    assert len(answer.content) <= len(whole.content)
    assert is_well(url)


def test_guesses_of_the_token_get_nothing_and_cost_little():
    flags = ("--website_ip", "127.0.0.1", "--token", TOKEN)
    with program("dersim", "sim", *SIM_PORTS, "--without", "csip", *flags) as sim:
        url = sim.ready()["dashboard"]
        with httpx.Client(trust_env=False, timeout=10, base_url=url) as client:

            def code_of(token):
                headers = {"Authorization": f"Bearer {token}"}
                return client.get("/api/dersim/overview", headers=headers).status_code

            assert {code_of(f"{TOKEN[:-1]}{number}") for number in range(500)} <= {401, 403, 429}
            assert code_of(TOKEN) == 200
        assert TOKEN not in "".join(sim.err)
        assert len(sim.err) < 100
        assert sim.stop() == 0
