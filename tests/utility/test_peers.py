"""Two clients with one certificate are a violation, told once; one that connects again is none."""

import itertools

import pytest

from dersim.utility import peers

TEXT = "LFDI {} is used on two connections at a time: two clients with one certificate?"


def ask(lab, client, *ports, each_s=2.0):
    """A request on each of these connections, so many seconds apart."""
    for port in ports:
        client.peer = f"127.0.0.1:{port}"
        assert client.ask("GET", "/dcap").status == 200
        lab.now += each_s


def violations(lab):
    return lab.admin("GET", "/violations")[1]


def test_two_clients_with_one_lfdi_are_one_violation(lab, client):
    ask(lab, client, *[1, 2] * 20)
    assert violations(lab) == {TEXT.format(client.lfdi): 1}
    [line] = [line for line in lab.log.lines if "violates" in line]
    assert line.startswith("Warning connections of 127.0.0.1:1 and 127.0.0.1:2: ")
    [shown] = lab.admin("GET", "/end-devices")[1]
    assert (shown["violations"], shown["violation_texts"]) == (1, [TEXT.format(client.lfdi)])


def test_it_is_told_again_when_it_begins_again(lab, client):
    ask(lab, client, *[1, 2] * 20)
    lab.now += peers.QUIET_S + 1
    ask(lab, client, *[1, 2] * 20)
    assert violations(lab) == {TEXT.format(client.lfdi): 2}


def test_three_clients_are_noticed_and_so_are_those_that_connect_again(lab, client):
    ask(lab, client, *[1, 2, 3] * 10, *itertools.chain.from_iterable((9, n, 9, n) for n in range(20, 40)))
    assert violations(lab) == {TEXT.format(client.lfdi): 1}


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
    assert violations(lab) == {}


def test_two_clients_that_alternate_for_a_moment_are_not_told(lab, client):
    ask(lab, client, *[1, 2] * 10, each_s=0.2)
    assert violations(lab) == {}


def test_two_devices_on_two_connections_are_fine(lab):
    one, other = lab.client(b"one"), lab.client(b"other")
    for _ in range(20):
        ask(lab, one, 1)
        ask(lab, other, 2)
    assert violations(lab) == {}
