"""Planted faults by the operator's REST."""

import pytest


def test_planted_listed_and_removed(lab, client):
    status, planted = lab.admin("POST", "/faults", {"kind": "status", "status": 503, "duration_s": 60})
    assert status == 201
    assert (planted["id"], planted["state"], planted["remaining_s"]) == (1, "active", 60)
    assert client.ask("GET", "/tm").status == 503
    lab.now += 20
    assert [(each["id"], each["remaining_s"]) for each in lab.admin("GET", "/faults")[1]] == [(1, 40)]
    status, removed = lab.admin("DELETE", "/faults/1")
    assert (status, removed["state"]) == (200, "over")
    assert client.ask("GET", "/tm").status == 200
    assert [each["state"] for each in lab.admin("GET", "/faults")[1]] == ["over"]


def test_a_mistake_has_its_pointer(lab):
    status, problem = lab.admin("POST", "/faults", {"kind": "xml", "flaw": "truncatd"})
    assert status == 400
    assert problem["errors"][0]["pointer"] == "/flaw"
    assert "did you mean truncated?" in problem["detail"]


@pytest.mark.parametrize("number", ["7", "x", "0", "9" * 30])
def test_an_unknown_fault_is_404(lab, number):
    assert lab.admin("DELETE", f"/faults/{number}")[0] == 404


@pytest.mark.parametrize("fault", [{"kind": "tls_alert"}, {"kind": "certificate"}])
def test_a_fault_of_tls_on_a_plain_server_is_refused(make_lab, fault):
    status, problem = make_lab(encrypted=False).admin("POST", "/faults", fault)
    assert (status, problem["errors"][0]["pointer"]) == (400, "/kind")
