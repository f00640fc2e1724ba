"""Faults of the network: what a client of http11 sees of each, and what a server carries out."""

from __future__ import annotations

import pytest
import trio

from dersim import http11
from dersim.errors import ConfigError, UtilityUnreachable
from dersim.http11 import Request, Response
from dersim.memory_net import MemoryNet
from dersim.testing.stream_faults import PLACES, StreamFault, StreamFaults

BODY = b"0123456789" * 5


class Net:
    """A server that counts what it carries out, and clients by number."""

    def __init__(self, nursery: trio.Nursery) -> None:
        self.faults = StreamFaults(seed=3)
        self.net = MemoryNet()
        self.carried_out = 0
        nursery.start_soon(http11.serve, self._answer, [self.net])

    async def _answer(self, _request: Request) -> Response:
        self.carried_out += 1
        return Response(200, (), BODY)

    def client(self, number: int = 1) -> http11.Connection:
        opener = self.faults.opener(number, self.net.open_tcp)
        return http11.Endpoint("server.test", 80, open_tcp=opener).connection()


@pytest.fixture
def net(nursery):
    return Net(nursery)


async def failure(connection, method="GET"):
    with pytest.raises(UtilityUnreachable) as caught:
        await connection.request(method, "/x")
    return str(caught.value)


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("unknown_name", "(resolve): the name server.test is not known"),
        ("slow_name", "(connect): no answer within 10 s"),
        ("refused", "(connect): connection refused"),
        ("no_connection", "(connect): no answer within 10 s"),
    ],
)
async def test_no_connection_is_made(autojump_clock, net, kind, words):
    planted = net.faults.plant(StreamFault(kind))
    connection = net.client()
    assert words in await failure(connection)
    assert (planted.acted, net.carried_out, net.faults.open) == (1, 0, 0)
    planted.remove()
    assert (await connection.request("GET", "/x")).body == BODY


@pytest.mark.parametrize("at", PLACES[:3])
@pytest.mark.parametrize(
    ("kind", "words"), [("reset", "broke"), ("close", "in mid-response"), ("silence", "silent for 10 s")]
)
async def test_an_answer_ends_at_its_place_after_the_request_was_carried_out(
    autojump_clock, net, kind, at, words
):
    net.faults.plant(StreamFault(kind, at, duration_s=15))
    connection = net.client()
    assert words in await failure(connection, "POST")
    assert (net.carried_out, net.faults.open) == (1, 0)
    await trio.sleep(20)
    assert (await connection.request("POST", "/x")).body == BODY


@pytest.mark.parametrize("kind", ["reset", "close"])
async def test_a_get_on_a_kept_connection_that_has_ended_is_sent_once_more_and_a_post_is_not(
    autojump_clock, net, kind
):
    planted = net.faults.plant(StreamFault(kind, "after"))
    connection = net.client()
    assert (await connection.request("GET", "/x")).body == BODY
    assert (await connection.request("GET", "/x")).body == BODY
    await failure(connection, "POST")
    assert (net.carried_out, planted.acted, connection.connects) == (2, 2, 2)


@pytest.mark.parametrize(
    ("fault", "from_s", "to_s"),
    [
        (StreamFault("latency", amount=3), 3, 3),
        (StreamFault("bandwidth", amount=100), 1.2, 2.2),
        (StreamFault("split"), 0, 0),
        (StreamFault("slow", amount=25), 4, 8),
        (StreamFault("loss", amount=0.9), 0.4, 60),
    ],
)
async def test_a_slow_network_gives_the_same_answer_later(autojump_clock, net, fault, from_s, to_s):
    net.faults.plant(fault)
    begun_s = trio.current_time()
    assert (await net.client().request("GET", "/x", timeout_s=120)).body == BODY
    assert from_s <= trio.current_time() - begun_s <= to_s


async def test_one_byte_a_second_ends_at_the_deadline_of_the_request(autojump_clock, net):
    net.faults.plant(StreamFault("slow"))
    assert "not done within 30 s" in await failure(net.client())


async def test_a_fault_meets_its_client_in_its_time_and_is_drawn_for_each_client_alone(autojump_clock, net):
    drawn = [StreamFaults(5), StreamFaults(5)]
    for faults in drawn:
        faults.plant(StreamFault("reset", probability=0.5))
        faults.plant(StreamFault("close", client=2, start_in_s=10))

    def acts(faults, client):
        return [each.fault.kind for each in faults.acting(client)]

    alone = [acts(drawn[0], 1) for _ in range(40)]
    beside = [(acts(drawn[1], 2), acts(drawn[1], 1))[1] for _ in range(40)]
    assert alone == beside
    assert 8 < len([each for each in alone if each]) < 32
    await trio.sleep(10)
    assert "close" in acts(drawn[0], 2)
    assert "close" not in acts(drawn[0], 1)


async def test_all_connections_break_at_once(autojump_clock, net):
    one, two = net.client(1), net.client(2)
    for connection in (one, two):
        await connection.request("GET", "/x")
    assert net.faults.open == 2
    net.faults.break_all()
    for connection in (one, two):
        await failure(connection, "POST")
    assert (net.faults.open, net.carried_out) == (0, 2)


async def test_an_amount_that_cannot_be_is_refused(autojump_clock, net):
    with pytest.raises(ConfigError, match=r"loss: an amount above 0, at most 0\.9"):
        net.faults.plant(StreamFault("loss", amount=1.0))
