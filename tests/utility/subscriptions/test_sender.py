"""Notifications over TLS and without, on memory streams: connections, back-off, slow and dead subscribers."""

import functools
import itertools
import json

import pytest
import trio
from tests.utility.subscriptions.subscribing import wish

from dersim import http11, pki, tls
from dersim.http11 import Response
from dersim.ieee2030_5 import MEDIA_TYPE, Edition, decode, encode
from dersim.ieee2030_5 import resources as r
from dersim.memory_net import MemoryNet
from dersim.modes import modes_from_json
from dersim.utility import certificates
from dersim.utility.config import UtilityConfig
from dersim.utility.programs import ControlOrder
from dersim.utility.server import UtilityServer
from dersim.utility.subscriptions import sender

T = 1_700_000_000.0


class Log:
    def __init__(self):
        self.lines = []

    def log(self, level, module, message, device=0):
        self.lines.append(f"{level} {message}")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return pki.create(tmp_path_factory.mktemp("pki"), 2)


def body_of(resource, uri):
    return encode(wish(resource, notificationURI=uri), Edition.E2018)


class Listener:
    """A client's server: what it was sent, by path. waits_s: before each answer."""

    def __init__(self, status=201, waits_s=0.0, headers=()):
        self.status, self.waits_s, self.headers = status, waits_s, headers
        self.requests = []
        self.came = trio.Event()

    async def answer(self, request):
        await trio.sleep(self.waits_s)
        self.requests.append((trio.current_time(), request))
        self.came.set()
        return Response(self.status, self.headers)

    @property
    def told(self):
        return [decode(each.body, r.Notification, strict=True).resource for _, each in self.requests]


class Hosts:
    """The network of the subscribers, by host name; those that nobody has made refuse."""

    def __init__(self, nursery, folder):
        self.nets = {}
        self.connects = 0
        self._nursery, self._folder = nursery, folder

    def add(self, host, listener, number=1):
        net = self.nets[host] = MemoryNet()
        context = None
        if self._folder is not None:
            pair = (self._folder / f"{kind}_{number}.pem" for kind in ("cert", "key"))
            context = tls.server_context(*pair, self._folder / "cert_root.pem")

        async def serve():
            await http11.serve(listener.answer, [net], tls=context)

        self._nursery.start_soon(serve)
        return listener

    async def open_tcp(self, host, port):
        self.connects += 1
        if host not in self.nets:
            raise OSError(111, "Connection refused")
        return await self.nets[host].open_tcp(host, port)


class World:
    """A server on memory streams with one client, which subscribes for whatever host."""

    def __init__(self, nursery, folder=None, **config):
        self.log = Log()
        files = {"encrypted": False}
        if folder is not None:
            files = dict(zip(("certificate", "key", "root"), certificates.of_folder(folder), strict=True))
        config = {"notify_hosts": "anywhere", "notify_gap_s": 0.0, **files, **config}
        self.server = UtilityServer(UtilityConfig(**config), lambda: T + trio.current_time(), self.log)
        self.hosts = Hosts(nursery, folder)
        self.server.sender.open_tcp = self.hosts.open_tcp
        self.head_end = self.server.head_end
        self.head_end.provision("AB" * 20, None)
        self.scheme = "http" if folder is None else "https"
        nursery.start_soon(self.server.serve, [MemoryNet()])

    def subscribe(self, host, *, lfdi=None, resource="/derp/2/derc"):
        body = body_of(resource, f"{self.scheme}://{host}/ntfy?a=1")
        headers = (("content-type", MEDIA_TYPE),)
        answer = self.server.answer(http11.Request("POST", "/edev/1/sub", headers, body, lfdi, "192.0.2.1:1"))
        assert answer.status == 201, answer

    def publish(self):
        order = ControlOrder(modes_from_json({"opModMaxLimW": 40}), int(self.head_end.now_s()) + 9_000, 60)
        self.head_end.publish(self.head_end.programs.get(2), order)
        self.server._notify()


def certificate(folder, number):
    context = tls.client_context(
        folder / f"cert_{number}.pem", folder / f"key_{number}.pem", folder / "cert_root.pem"
    )
    return context.certificate_der


async def test_mutual_tls_with_the_servers_certificate_on_one_kept_connection(
    folder, nursery, autojump_clock
):
    world = World(nursery, folder)
    await trio.testing.wait_all_tasks_blocked()
    client = certificate(folder, 1)
    world.server.answer(http11.Request("GET", "/dcap", (), b"", client, "192.0.2.1:1"))
    listener = world.hosts.add("sub.example", Listener())
    headers = (("content-type", MEDIA_TYPE),)
    body = body_of("/derp/2/derc", "https://sub.example/ntfy?a=1")
    answer = world.server.answer(http11.Request("POST", "/edev/2/sub", headers, body, client, "192.0.2.1:1"))
    assert answer.status == 201
    for number in (1, 2):
        world.publish()
        await trio.sleep(1)
        assert [each.Resource.all for each in listener.told] == list(range(1, number + 1))
    request = listener.requests[0][1]
    assert (request.method, request.target) == ("POST", "/ntfy?a=1")
    assert request.header("content-type") == MEDIA_TYPE
    assert request.peer_certificate_der == world.server._tls.certificate_der
    assert world.hosts.connects == 1


async def test_on_sockets_from_the_subscription_to_the_notification(folder, nursery):
    files = dict(zip(("certificate", "key", "root"), certificates.of_folder(folder), strict=True))
    server = UtilityServer(
        UtilityConfig(port=0, admin_port=0, **files), lambda: T + trio.current_time(), Log()
    )
    await server.bind()
    nursery.start_soon(server.run)
    listener, bound = Listener(), await http11.bind("127.0.0.1", 0, flag="")
    paths = (folder / "cert_2.pem", folder / "key_2.pem", folder / "cert_root.pem")
    listening = functools.partial(http11.serve, listener.answer, bound, tls=tls.server_context(*paths))
    nursery.start_soon(listening)
    paths = (folder / "cert_1.pem", folder / "key_1.pem", folder / "cert_root.pem")
    client = http11.Endpoint("127.0.0.1", server.port, tls.client_context(*paths)).connection()
    await client.request("GET", "/dcap")
    uri = f"https://127.0.0.1:{http11.address(bound)[1]}/ntfy"
    posted = await client.request(
        "POST", "/edev/1/sub", headers=(("content-type", MEDIA_TYPE),), body=body_of("/derp/2/derc", uri)
    )
    assert (posted.status, posted.header("location")) == (201, "/edev/1/sub/1")
    operator = http11.Endpoint("127.0.0.1", server.admin_port).connection()
    order = json.dumps({"modes": {"opModMaxLimW": 40}, "start_in_s": 900, "duration_s": 60}).encode()
    answer = await operator.request(
        "POST",
        "/api/utility/programs/2/controls",
        headers=(("content-type", "application/json"),),
        body=order,
    )
    assert answer.status == 201
    with trio.fail_after(10):
        await listener.came.wait()
    [told] = listener.told
    assert told.Resource.DERControl[0].mRID == json.loads(answer.body)["mRID"]
    for connection in (client, operator):
        await connection.aclose()
    nursery.cancel_scope.cancel()


async def test_a_listener_that_closes_after_each_answer_is_told_all_the_same(nursery, autojump_clock):
    world = World(nursery)
    await trio.testing.wait_all_tasks_blocked()
    listener = world.hosts.add("sub", Listener(headers=(("connection", "close"),)))
    world.subscribe("sub")
    for number in (1, 2, 3):
        world.publish()
        await trio.sleep(1)
        assert (len(listener.requests), world.hosts.connects) == (number, number)


async def test_connections_that_nobody_needs_are_closed(nursery, autojump_clock, monkeypatch):
    monkeypatch.setattr(sender, "KEPT_S", 20.0)
    monkeypatch.setattr(sender, "SWEEP_S", 5.0)
    world = World(nursery)
    await trio.testing.wait_all_tasks_blocked()
    listener = world.hosts.add("sub", Listener())
    world.subscribe("sub")
    world.publish()
    await listener.came.wait()
    await trio.sleep(1)
    assert (world.server.sender._kept, len(world.server.sender._destinations)) == (1, 1)
    await trio.sleep(30)
    assert (world.server.sender._kept, len(world.server.sender._destinations)) == (0, 0)


async def test_a_listener_with_a_certificate_of_another_ca_is_told_nothing(
    folder, tmp_path, nursery, autojump_clock
):
    world = World(nursery, folder)
    await trio.testing.wait_all_tasks_blocked()
    client = certificate(folder, 1)
    world.server.answer(http11.Request("GET", "/dcap", (), b"", client, "192.0.2.1:1"))
    listener = Listener()
    Hosts.add(world.hosts, "sub.example", listener)
    other = pki.create(tmp_path / "other", 1)
    foreign = Hosts(nursery, other)
    foreign.add("sub.example", listener)
    world.hosts.nets = foreign.nets
    body = body_of("/derp/2/derc", "https://sub.example/")
    headers = (("content-type", MEDIA_TYPE),)
    world.server.answer(http11.Request("POST", "/edev/2/sub", headers, body, client, "192.0.2.1:1"))
    world.publish()
    await trio.sleep(3)
    [record] = world.head_end.subscriptions
    assert (listener.requests, record.failures) == ([], 1)
    assert "tls" in record.last_answer


async def test_a_slow_subscriber_and_dead_ones_delay_nobody(nursery, autojump_clock):
    world = World(nursery)
    await trio.testing.wait_all_tasks_blocked()
    slow = world.hosts.add("slow", Listener(waits_s=9.0))
    listeners = [world.hosts.add(f"host{number}", Listener()) for number in range(20)]
    world.subscribe("slow")
    for number in range(20):
        world.subscribe(f"dead{number}")
        world.subscribe(f"host{number}")
    began_s = trio.current_time()
    world.publish()
    for listener in listeners:
        await listener.came.wait()
    assert trio.current_time() - began_s < 0.5
    await slow.came.wait()
    assert trio.current_time() - began_s >= 9


async def test_a_host_that_cannot_be_reached_is_tried_once_for_all_that_waits(nursery, autojump_clock):
    world = World(nursery)
    await trio.testing.wait_all_tasks_blocked()
    for path in ("/derp", "/derp/2/derc", "/edev/1/fsa", "/edev/1", "/edev", "/derp/1/dderc", "/derp/1/derc"):
        world.subscribe("dead", resource=path)
    world.head_end.set_poll_rates({"derp": 7, "edev": 7, "fsa": 7})
    world.publish()
    await trio.sleep(1)
    assert 1 <= world.hosts.connects <= 4
    assert {record.failures for record in world.head_end.subscriptions if record.failed} == {1}


async def test_what_failed_comes_when_the_listener_is_back(nursery, autojump_clock):
    world = World(nursery)
    await trio.testing.wait_all_tasks_blocked()
    world.subscribe("late")
    world.publish()
    await trio.sleep(100)
    late = world.hosts.add("late", Listener())
    with trio.fail_after(200):
        await late.came.wait()
    [told] = late.told
    assert told.Resource.all == 1


async def test_what_the_gap_holds_back_comes_at_its_end(nursery, autojump_clock):
    world = World(nursery, notify_gap_s=30.0)
    await trio.testing.wait_all_tasks_blocked()
    listener = world.hosts.add("sub", Listener())
    world.subscribe("sub")
    for _ in range(5):
        world.publish()
        await trio.sleep(1)
    await trio.sleep(40)
    assert [each.Resource.all for each in listener.told] == [1, 5]
    assert listener.requests[1][0] - listener.requests[0][0] == pytest.approx(30, abs=0.1)


async def test_nothing_is_told_that_is_not_in_the_state_file(nursery, autojump_clock):
    world = World(nursery)
    may = False

    async def saved():
        return may

    world.server.sender._saved = saved
    await trio.testing.wait_all_tasks_blocked()
    listener = world.hosts.add("sub", Listener())
    world.subscribe("sub")
    world.publish()
    await trio.sleep(5)
    assert listener.requests == []
    may = True
    await trio.sleep(5)
    assert len(listener.requests) == 1


async def test_what_was_told_goes_to_the_state_file_at_once(nursery, autojump_clock):
    world = World(nursery)
    await trio.testing.wait_all_tasks_blocked()
    listener = world.hosts.add("sub", Listener())
    world.subscribe("sub")
    journal = world.head_end.journal
    journal.on = True  # nobody takes from it but this test
    world.publish()
    await listener.came.wait()
    await trio.testing.wait_all_tasks_blocked()
    [record] = world.head_end.subscriptions
    [kept] = [each for each in journal.take().changes if each.kind == "subscription"]
    assert json.loads(kept.document)["told"] == record.told
    assert record.sent == 1


async def test_others_have_their_turn_while_many_resources_are_looked_at(nursery, autojump_clock):
    world = World(nursery)
    await trio.testing.wait_all_tasks_blocked()
    for number in range(60):
        world.subscribe(f"host/{number}")
    looked, turns = [], []
    prepare = world.server.notifier.prepare

    def look(record, now_s):
        looked.append(record)
        return prepare(record, now_s)

    world.server.notifier.prepare = look
    world.head_end.create_program("new", 9)  # for the list of programs; the subscribers are to another
    world.server._notify()
    for _ in range(200):
        await trio.lowlevel.checkpoint()
        turns.append(len(looked))
    assert turns[-1] == 60
    assert (
        max(later - earlier for earlier, later in itertools.pairwise([0, *turns])) <= 2 * sender.OF_ONE_HOST
    )
