"""opendnp3, a master of other authors, on a running DER."""

from __future__ import annotations

import socket
import struct
import time

import httpx
import pytest
from certificates import Ca
from processes import run_dersim

pytest.importorskip("opendnp3", reason="yadnp3 (opendnp3) is not installed: pip install 'dersim-dnp3[test]'")
import opendnp3
from master import Master


@pytest.fixture(scope="module")
def master(running):
    one = Master(running.dnp3)
    one.until("its start", lambda: ("STARTUP_INTEGRITY_POLL", "SUCCESS") in one.application.done)
    yield one
    one.close()


def sun(running, w_m2):
    running.post("dersim/inputs", {"irradiance_w_m2": w_m2})


def test_an_integrity_poll_reads_all_inputs(running, master):
    values = master.integrity()
    served = running.get("dnp3/points")
    inputs = {each["point"] for each in served if each["point"][:2] in ("AI", "BI", "CT")}
    assert inputs <= values.keys()
    assert values["AI4"] == (10000, True)
    assert values["AI537"][0] == pytest.approx(running.power_w(), abs=20)
    assert values["AI48"][1] is False  # no battery
    assert values["AI547"] == (2771, True)


def test_a_change_of_the_sun_is_an_event(running, master):
    master.poll_events()
    sun(running, 300)
    seen = dict.fromkeys(("AI537", "AI43"))

    def all_seen():
        for point, value, _time in master.poll_events():
            seen[point] = value
        return seen["AI537"] is not None and seen["AI537"] < 3000 and seen["AI43"] is not None

    master.until("events of the power", all_seen)
    assert seen["AI537"] == pytest.approx(running.power_w(), abs=20)
    sun(running, 800)


@pytest.mark.parametrize("select", [False, True], ids=["direct operate", "select before operate"])
def test_a_limit_moves_the_power_and_all_that_shows_it(running, master, select):
    percent = 30 if select else 45
    assert master.command(88, percent * 10, select=select) == "SUCCESS"
    assert master.command(17, True, select=select) == "SUCCESS"
    try:
        master.until("the limit", lambda: abs(running.power_w() - percent * 100) < 2)
        points = running.get("dersim/grid-support?model=701")["points"]
        assert points["W"] == pytest.approx(percent * 100, abs=2)
        assert running.get("dersim/grid-support?model=704")["points"]["WMaxLimPct"] == percent
        [held] = running.get("dersim/setpoints")["in_force"]
        assert (held["mode"], held["source"]) == ("opModMaxLimW", "dnp3")
        values = master.integrity()
        assert (values["AI537"][0], values["AI149"], values["BI69"]) == (
            pytest.approx(percent * 100, abs=2),
            (percent * 10, True),
            (1, True),
        )
    finally:
        assert master.command(17, False) == "SUCCESS"
    master.until("no limit", lambda: running.power_w() > 6000)


def test_what_cannot_be_is_answered_with_the_right_status(master):
    assert master.command(88, 5000) == "OUT_OF_RANGE"
    assert master.command(210, 0) == "OUT_OF_RANGE"
    assert master.command(9999, 1) == "NOT_SUPPORTED"
    assert master.command(99, True) == "NOT_SUPPORTED"
    assert master.command(88, 40.5, floating=True) == "SUCCESS"  # a float is in the unit
    assert master.command(88, 500.0, floating=True) == "OUT_OF_RANGE"


def test_an_index_that_is_not_there_sets_the_indication(master):
    master.read(30, 60000, 60001)
    assert master.application.iin[1] & 0x04  # a parameter is wrong
    master.read(30, 536, 537)
    assert not master.application.iin[1]


def test_the_last_command_is_told_to_the_page(running, master):
    master.command(210, 0)
    [row] = [each for each in running.get("dnp3/points") if each["point"] == "AO210"]
    assert row["command"]["status"] == "OUT_OF_RANGE"
    assert row["command"]["master"] == 4
    assert row["command"]["reason"] == "0 is outside 0.8 to 1"


def test_the_conversation_is_decoded(running, master):
    master.command(88, 400)
    lines = running.get("dnp3/conversation?limit=2000")
    functions = [each["function"] for each in lines]
    assert {"read", "direct operate", "response"} <= set(functions)
    asked = next(each for each in reversed(lines) if each["function"] == "direct operate")
    assert asked["objects"] == ["AO88 400"]
    answered = next(each for each in lines if each["id"] > asked["id"])
    assert answered["objects"] == ["AO88 400: SUCCESS"]


def crc(octets):
    table = 0
    for octet in octets:
        table ^= octet
        for _ in range(8):
            table = table >> 1 ^ 0xA6BC if table & 1 else table >> 1
    return struct.pack("<H", ~table & 0xFFFF)


def frame(fragment, source):
    """A link frame with unconfirmed user data; one segment."""
    payload = b"\xc0" + fragment
    header = bytes([0x05, 0x64, 5 + len(payload), 0xC4]) + struct.pack("<HH", 1, source)
    blocks = b"".join(payload[k : k + 16] + crc(payload[k : k + 16]) for k in range(0, len(payload), 16))
    return header + crc(header) + blocks


EVENTS = b"\x01\x3c\x02\x06\x3c\x03\x06\x3c\x04\x06"


def ask(peer, fragment, source):
    peer.sendall(frame(fragment, source))
    peer.settimeout(5)
    octets = peer.recv(65536)
    while True:
        peer.settimeout(0.3)
        try:
            more = peer.recv(65536)
        except TimeoutError:
            return octets
        octets += more


def test_no_event_is_lost_with_a_response(running, master):
    host, port = running.dnp3.split(":")

    def connect():
        return socket.create_connection((host, int(port)), timeout=5)

    with connect() as peer:
        ask(peer, b"\xc0" + EVENTS, 5)  # the master is known
        sun(running, 200)
        time.sleep(1.5)
        first = ask(peer, b"\xc1" + EVENTS, 5)
    # Its connection broke, and it confirmed nothing: the events come again.
    with connect() as peer:
        again = ask(peer, b"\xc2" + EVENTS, 5)
        assert len(first) > 60
        assert len(again) >= len(first)
        peer.sendall(frame(b"\xc2\x00", 5))
        time.sleep(0.2)
        assert len(ask(peer, b"\xc3" + EVENTS, 5)) < len(first) / 2
    # The other master has its own.
    assert [each for each in master.poll_events() if each[0] == "AI537"]


def test_a_master_that_is_not_allowed_is_not_answered(running):
    host, port = running.dnp3.split(":")
    with socket.create_connection((host, int(port)), timeout=5) as peer:
        peer.sendall(frame(b"\xc0" + EVENTS, 77))
        peer.settimeout(0.5)
        with pytest.raises(TimeoutError):
            peer.recv(10)
    messages = [each["message"] for each in running.get("dersim/logs?modules=DNP3")["logs"]]
    assert any("master 77 is not one of --dnp3_remote_addr 4, 5" in each for each in messages)


@pytest.mark.slow
def test_what_is_reported_unasked():
    with run_dersim("--dnp3_unsolicited", "yes", "--dnp3_remote_addr", "any") as running:
        one = Master(running.dnp3, 9, unsolicited=True)
        try:
            one.until("its start", lambda: ("ENABLE_UNSOLICITED", "SUCCESS") in one.application.done)
            before = len(one.heard.events)
            sun(running, 250)
            one.until(
                "events", lambda: [e for e in one.heard.events[before:] if e[0] == "AI537" and e[1] < 3000]
            )
        finally:
            one.close()
        metrics = httpx.get(running.urls["dashboard"] + "/metrics", timeout=10, trust_env=False).text
        assert 'dersim_dnp3_masters{device="1"}' in metrics


@pytest.mark.slow
def test_tls_with_certificates_on_both_sides(tmp_path):
    ca = Ca(tmp_path)
    own, allowed, other = ca.pair("outstation"), ca.pair("master-1"), ca.pair("master-2")
    flags = ("--dnp3_cert", str(own.cert), "--dnp3_key", str(own.key), "--dnp3_root_cert", str(ca.root))
    with run_dersim("--dnp3_enc", "yes", *flags, "--dnp3_peers", "master-1") as running:

        def over_tls(pair):
            return Master(running.dnp3, tls=opendnp3.TLSConfig(str(ca.root), str(pair.cert), str(pair.key)))

        one = over_tls(allowed)
        try:
            one.until("its start", lambda: ("STARTUP_INTEGRITY_POLL", "SUCCESS") in one.application.done)
            assert one.command(88, 400) == "SUCCESS"
        finally:
            one.close()
        one = over_tls(other)
        try:
            one.until(
                "the refusal",
                lambda: [
                    each
                    for each in running.get("dersim/logs?modules=DNP3&level=Warning")["logs"]
                    if "master-2" in each["message"] and "--dnp3_peers" in each["message"]
                ],
            )
            assert not one.heard.values
        finally:
            one.close()


def test_the_page_and_its_addresses_are_there(running):
    page = httpx.get(running.urls["dashboard"] + "/panels/dnp3/dnp3.js", timeout=10, trust_env=False).text
    assert "export function mount" in page
    document = httpx.get(running.urls["dashboard"] + "/openapi.json", timeout=10, trust_env=False).json()
    assert {"/api/dnp3/points", "/api/dnp3/masters", "/api/dnp3/conversation"} <= document["paths"].keys()
    assert running.get("dnp3/masters")["masters"] is not None
