"""Whom a planted fault meets, how often, until when; and that it is told as ours."""

import pytest

from dersim.errors import ConfigError
from dersim.utility.faults.book import MAX_LIVE
from dersim.utility.faults.plans import fault_from


def statuses(client, path, times):
    return [client.ask("GET", path).status for _ in range(times)]


def test_a_count_ends_it(lab, client, plant):
    fault = plant("status", status=503, count=2)
    assert statuses(client, "/tm", 4) == [503, 503, 200, 200]
    assert fault.over == "it has acted 2 time(s)"
    assert not lab.head_end.faults.may_act


def test_it_begins_and_ends_by_the_servers_clock(lab, client, plant):
    fault = plant("status", status=500, start_in_s=10, duration_s=5)
    found = []
    for _ in range(20):
        found.append((client.ask("GET", "/tm").status, fault.state(lab.now)))
        lab.now += 1
    assert [status for status, _ in found] == [200] * 10 + [500] * 5 + [200] * 5
    assert [state for _, state in found] == ["waiting"] * 10 + ["active"] * 5 + ["over"] * 5
    assert any("planted fault #1 (status 500) begins" in line for line in lab.log.lines)
    assert any("planted fault #1 (status 500) is over: its 5 s" in line for line in lab.log.lines)


def test_the_countdown_is_told_while_it_lasts(lab, client, plant):
    fault = plant("gone", duration_s=60, count=3, start_in_s=10)
    assert fault.to_json(lab.now)["begins_in_s"] == 10
    lab.now += 25
    client.ask("GET", "/tm")
    shown = fault.to_json(lab.now)
    assert (shown["state"], shown["remaining_s"], shown["remaining_count"]) == ("active", 45, 2)
    assert (shown["acted"], shown["words"]) == (1, "gone 404")


@pytest.mark.parametrize(
    ("scope", "met"),
    [
        ({"path": "/derp/*"}, {"/derp/1", "/derp/1/derc"}),
        ({"path": "/derp"}, {"/derp"}),
        ({"path": "*"}, {"/derp", "/derp/1", "/derp/1/derc", "/tm"}),
        ({"path": "/*/derc"}, {"/derp/1/derc"}),
        ({"method": "PUT"}, set()),
        ({"method": "GET", "path": "/tm"}, {"/tm"}),
    ],
)
def test_paths_and_methods(client, plant, scope, met):
    plant("status", status=500, **scope)
    paths = ["/derp", "/derp/1", "/derp/1/derc?s=0&l=5", "/tm?x=/derp"]
    assert {path.partition("?")[0] for path in paths if client.ask("GET", path).status == 500} == met


def test_one_device_by_number_or_lfdi(lab, plant):
    one, other = lab.client(b"one"), lab.client(b"other")
    for each in (one, other):
        each.ask("GET", "/dcap")
    fault = plant("status", status=500, device=2)
    assert (one.ask("GET", "/tm").status, other.ask("GET", "/tm").status) == (200, 500)
    lab.head_end.faults.remove(fault)
    plant("status", status=500, device=one.lfdi)
    assert (one.ask("GET", "/tm").status, other.ask("GET", "/tm").status) == (500, 200)


def test_the_same_seed_is_the_same_run_whatever_other_devices_do(make_lab):
    def run(seed, others):
        lab = make_lab()
        lab.head_end.faults.plant(
            fault_from({"kind": "status", "status": 500, "probability": 0.4, "seed": seed})
        )
        client, rest = lab.client(b"one"), lab.client(b"others")
        found = []
        for number in range(40):
            for _ in range(others * number % 3):
                rest.ask("GET", "/tm")
            found.append(client.ask("GET", "/tm").status)
        return found

    assert run(1, 0) == run(1, 1) == run(1, 2)
    assert run(1, 0) != run(2, 0)
    assert 8 <= run(1, 0).count(500) <= 24


def test_every_act_is_logged_and_marked_as_ours(lab, client, plant):
    plant("status", status=503, retry_after_s=30, path="/tm", count=2, note="rehearsal")
    response = client.ask("GET", "/tm")
    assert response.header("x-dersim-planted-fault") == "#1 status 503, Retry-After 30 s"
    assert any(
        line.startswith(
            "Warning planted fault #1 (status 503, Retry-After 30 s) for /tm, 2 time(s), rehearsal"
        )
        for line in lab.log.lines
    )
    assert any(f"acts on GET /tm of {client.lfdi}, 1 of 2" in line for line in lab.log.lines)
    client.ask("GET", "/dcap")
    logged = lab.admin("GET", "/requests")[1]
    assert [each["planted_faults"] for each in logged] == [["#1 status 503, Retry-After 30 s"], []]
    assert logged[0]["status"] == 503


def test_a_removed_fault_acts_no_more(lab, client, plant):
    fault = plant("gone")
    assert client.ask("GET", "/tm").status == 404
    lab.head_end.faults.remove(fault)
    assert client.ask("GET", "/tm").status == 200
    assert fault.to_json(lab.now)["over_because"] == "it was removed"
    assert [each.number for each in lab.head_end.faults] == [1]


def test_several_faults_act_together(client, plant):
    plant("list", lie="all_too_high", path="/derp")
    plant("xml", flaw="bom", path="/derp")
    body = client.ask("GET", "/derp?l=5").body
    assert body.startswith(b"\xef\xbb\xbf")
    assert b'all="5"' in body


def test_there_is_a_bound(lab, plant):
    for _ in range(MAX_LIVE):
        plant("gone", path="/nowhere")
    with pytest.raises(ConfigError, match="remove one first"):
        plant("gone")


def test_without_a_fault_nothing_is_marked(client):
    assert client.ask("GET", "/tm").header("x-dersim-planted-fault") is None


def test_a_head_is_left_alone_after_it_is_carried_out(client, plant):
    plant("xml", flaw="truncated")
    assert client.ask("HEAD", "/tm").header("x-dersim-planted-fault") is None


def test_an_error_in_a_fault_ends_one_request(make_lab):
    lab = make_lab(fail_fast=False)
    fault = lab.head_end.faults.plant(fault_from({"kind": "gone", "path": "/tm"}))
    fault.action.before = None  # cannot be called
    client = lab.client()
    assert client.ask("GET", "/tm").status == 500
    assert client.ask("GET", "/dcap").status == 200
    assert lab.server.fences.counts == {"utility_fault": 1}


def test_the_log_says_whom_a_fault_meets(lab, plant):
    plant("no_handshake", duration_s=5)
    plant("gone", path="/derp/*", method="GET", device=7, start_in_s=3, probability=0.5, note="try")
    plant("gone", device=8)
    said = [line.split(") for ")[1] for line in lab.log.lines if ") for " in line]
    assert said == [
        "new connections, for 5 s",
        "GET /derp/* of device 7, from 3 s on, with probability 0.5, try",
        "device 8",
    ]
