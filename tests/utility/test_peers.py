"""Two clients with one certificate are told once; one that connects again is not told."""

import itertools

import pytest

from dersim.utility import peers

ASKED = ": two clients with one certificate, or one that keeps several?"


def ask(lab, client, *ports, each_s=2.0):
    """A request on each of these connections, so many seconds apart."""
    for port in ports:
        client.peer = f"127.0.0.1:{port}"
        assert client.ask("GET", "/dcap").status == 200
        lab.now += each_s


def told(lab):
    assert lab.admin("GET", "/violations")[1] == {}
    found = [line for line in lab.log.lines if line.endswith(ASKED)]
    assert lab.head_end.shared_lfdis == len(found)
    return found


def test_two_clients_with_one_lfdi_are_told_once(lab, client):
    ask(lab, client, *[1, 2] * 20)
    [line] = told(lab)
    who = f"LFDI {client.lfdi} is used on the connections of 127.0.0.1:1 and 127.0.0.1:2 at a time"
    assert line == f"Warning {who}{ASKED}"
    [shown] = lab.admin("GET", "/end-devices")[1]
    assert (shown["violations"], shown["violation_texts"]) == (0, [])


def test_it_is_told_again_when_it_begins_again(lab, client):
    ask(lab, client, *[1, 2] * 20)
    lab.now += peers.QUIET_S + 1
    ask(lab, client, *[1, 2] * 20)
    assert len(told(lab)) == 2


def test_three_clients_are_noticed_and_so_are_those_that_connect_again(lab, client):
    ask(lab, client, *[1, 2, 3] * 10, *itertools.chain.from_iterable((9, n, 9, n) for n in range(20, 40)))
    assert len(told(lab)) == 1


@pytest.mark.parametrize(
    "ports",
    [
        [1] * 30,
        range(1, 40),  # a connection for each request
        [1, 1, 1, 2, 2, 2, 3, 3, 3],  # connects again and again
        [1, 1, 2, 2, 1, 1, 1],  # a short visit with the same certificate
    ],
)
def test_a_client_that_connects_again_is_one_client(lab, client, ports):
    ask(lab, client, *ports)
    assert told(lab) == []


def test_two_clients_that_alternate_for_a_moment_are_not_told(lab, client):
    ask(lab, client, *[1, 2] * 10, each_s=0.2)
    assert told(lab) == []


def test_two_devices_on_two_connections_are_fine(lab):
    one, other = lab.client(b"one"), lab.client(b"other")
    for _ in range(20):
        ask(lab, one, 1)
        ask(lab, other, 2)
    assert told(lab) == []
