"""The listener: mutual TLS, whose certificates are taken, and what hostile peers cost."""

import pytest
import trio
from tests.csip.conftest import TlsWorld, plant
from tests.csip.subscriptions.conftest import FSA, XML, SubscribedWorld

from dersim import tls
from dersim.errors import ConfigError, UtilityUnreachable
from dersim.http11 import Endpoint
from dersim.ieee2030_5 import Edition, encode
from dersim.ieee2030_5 import resources as r
from dersim.memory_net import MemoryNet
from dersim.plugin.services import Services

URL = "https://127.0.0.1:9999"


class Peer:
    """Who posts to the listener, with the certificate `name` of the test PKI."""

    def __init__(self, net, certificates, name="cert_server"):
        key = certificates / f"{name.replace('cert', 'key')}.pem"
        context = tls.client_context(certificates / f"{name}.pem", key, certificates / "cert_root.pem")
        self.connection = Endpoint("127.0.0.1", 9999, context, open_tcp=net.open_tcp).connection()

    async def post(self, uri, body, headers=XML):
        return await self.connection.request(
            "POST", uri.removeprefix(URL), headers=headers, body=body, timeout_s=60
        )


@pytest.fixture
async def secure(nursery, world, tls_world: TlsWorld):
    """A client that has subscribed by TLS, and the network of its listener."""
    subscribed = SubscribedWorld(world, URL)
    flags = ("--use_test_pki_certs", str(tls_world.folder), "--csip_subscriptions", "yes")
    listener = subscribed.offer_listener("--csip_enc", "yes", *flags)
    world.server.use_tls(tls_world.certificates)
    client = world.make("--csip_enc", "yes", *flags)
    await client.bind()
    who = client.identity()
    plant(world.server, who.lfdi, who.sfdi)
    subscribed.plant()
    world.begin()
    net = MemoryNet()
    nursery.start_soon(listener.serve, [net])
    await trio.sleep(2)
    return subscribed, net


def notification(subscribed, **more):
    fields = {"subscribedResource": FSA, "status": 0, "subscriptionURI": subscribed.href_of(FSA)}
    return encode(r.Notification(**{**fields, **more}), Edition.E2023)


async def test_the_server_that_we_talk_to_is_answered_201(autojump_clock, secure, certificates):
    subscribed, net = secure
    answer = await Peer(net, certificates).post(
        subscribed.posted[0].notificationURI, notification(subscribed)
    )
    assert answer.status == 201
    assert subscribed.world.client.snapshot()["counters"]["notifications"] == 1
    assert subscribed.listener.status().detail.endswith("1 notification(s), 0 refused")


async def test_another_certificate_of_the_same_root_is_403(autojump_clock, secure, certificates):
    subscribed, net = secure
    uri = subscribed.posted[0].notificationURI
    answer = await Peer(net, certificates, "cert_2").post(uri, notification(subscribed))
    assert answer.status == 403
    assert subscribed.world.client.snapshot()["counters"]["notifications_refused"] == 1
    assert subscribed.world.logged("refused with 403", "the server that we talk to has")


async def test_after_a_refused_notification_polls_come_as_before(autojump_clock, secure, certificates):
    """A server whose client side has a certificate of its own would notify us in vain."""
    subscribed, net = secure
    server = subscribed.world.server
    await trio.sleep(60)
    reads = len(server.times(FSA))
    uri = subscribed.posted[0].notificationURI
    await Peer(net, certificates, "cert_2").post(uri, notification(subscribed))
    await trio.sleep(60)
    assert len(server.times(FSA)) >= reads + 5
    assert subscribed.world.logged("a notification was refused: polling as before")
    await Peer(net, certificates).post(uri, notification(subscribed))
    await trio.sleep(15)
    reads = len(server.times(FSA))
    await trio.sleep(60)
    assert len(server.times(FSA)) == reads


async def test_another_certificate_of_ours_ends_the_subscriptions_of_the_old_one(
    autojump_clock, secure, tls_world, certificates
):
    subscribed, net = secure
    old = subscribed.posted[0].notificationURI
    for name in ("cert", "key"):
        (tls_world.folder / f"{name}.pem").write_bytes((certificates / f"{name}_2.pem").read_bytes())
    subscribed.world.client.rediscover()
    await trio.sleep(5)
    assert not subscribed.subscriptions
    assert (await Peer(net, certificates).post(old, b"")).status == 404


async def test_a_server_elsewhere_that_is_told_a_loopback_address_is_warned_of(subscribed):
    for flags, warned in (((), 1), (("--csip_notify_url", "https://192.0.2.9:9443"), 1)):
        listener = subscribed.offer_listener("--csip_server_ip", "192.0.2.1", *flags)
        await listener.bind()
        assert len(subscribed.world.logged("192.0.2.1 cannot reach http")) == warned
        subscribed.world.services = Services()
        for each in listener._listeners:
            await each.aclose()


async def test_a_certificate_of_another_root_gets_no_connection(
    autojump_clock, secure, certificates, tmp_path
):
    from dersim import pki

    subscribed, net = secure
    other = pki.create(tmp_path / "other", 1)
    (other / "cert_root.pem").write_bytes((certificates / "cert_root.pem").read_bytes())
    with pytest.raises(UtilityUnreachable):
        await Peer(net, other).post(subscribed.posted[0].notificationURI, notification(subscribed))


async def test_ten_megabytes_are_refused_before_they_are_read(autojump_clock, secure, certificates):
    subscribed, net = secure
    peer = Peer(net, certificates)
    try:
        answer = await peer.post(subscribed.posted[0].notificationURI, b" " * 10_000_000)
    except UtilityUnreachable:
        pass  # the connection may break while we send
    else:
        assert answer.status == 413
    again = await Peer(net, certificates).post(subscribed.posted[0].notificationURI, notification(subscribed))
    assert again.status == 201


async def test_a_peer_that_is_silent_is_dropped_and_others_are_served(autojump_clock, secure, certificates):
    subscribed, net = secure
    silent = await net.open_tcp("", 0)
    await silent.send_all(b"\x16\x03\x01")
    answer = await Peer(net, certificates).post(
        subscribed.posted[0].notificationURI, notification(subscribed)
    )
    assert answer.status == 201
    await trio.sleep(12)
    assert await silent.receive_some(1) == b""
    assert subscribed.world.logged("no TLS handshake within 10 s")


async def test_a_body_that_never_ends_costs_its_connection_alone(autojump_clock, secure, certificates):
    subscribed, net = secure
    uri = subscribed.posted[0].notificationURI.removeprefix(URL)
    pair = [certificates / f"{name}_server.pem" for name in ("cert", "key")]
    context = tls.client_context(*pair, certificates / "cert_root.pem")
    stream = await tls.client_handshake(await net.open_tcp("", 0), context, "127.0.0.1", endpoint="x")
    head = f"POST {uri} HTTP/1.1\r\nhost: x\r\ncontent-length: 900\r\n\r\n<No"
    await stream.send_all(head.encode())
    with trio.move_on_after(40) as scope:
        got = bytes(await stream.receive_some(1000))
        assert got.startswith(b"HTTP/1.1 408")
    assert not scope.cancelled_caught


async def test_without_tls_the_listener_serves_at_once(autojump_clock, nursery, subscribed, controls_of):
    await subscribed.start("--csip_subscriptions", "yes")
    net = MemoryNet()
    nursery.start_soon(subscribed.listener.serve, [net])
    connection = Endpoint("127.0.0.1", 9999, None, open_tcp=net.open_tcp).connection()
    target = subscribed.posted[0].notificationURI.removeprefix(subscribed.url)
    answer = await connection.request("POST", target, headers=XML, body=notification(subscribed))
    assert answer.status == 201
    assert (await connection.request("GET", "/", headers=())).status == 404


async def test_bind_tells_the_address_and_url_flag_what_servers_are_told(subscribed):
    listener = subscribed.offer_listener("--csip_notify_url", "https://192.0.2.5:9443/lab/")
    addresses = await listener.bind()
    assert addresses["csip_notify"].startswith("http://127.0.0.1:")
    assert listener.hub.url_of("t") == "https://192.0.2.5:9443/lab/dersim/notify/t"
    for each in listener._listeners:
        await each.aclose()


@pytest.mark.parametrize("url", ["", "ftp://x", "http://", "https://x?y", "https://" + "x" * 250])
async def test_a_bad_url_is_refused(subscribed, url):
    with pytest.raises(ConfigError, match="--csip_notify_url"):
        subscribed.offer_listener("--csip_notify_url", url)


async def test_a_behind_proxy_path_is_found_by_its_own_part(autojump_clock, subscribed):
    subscribed.url = "http://127.0.0.1:9999/lab"
    await subscribed.start("--csip_subscriptions", "yes")
    uri = subscribed.posted[0].notificationURI
    assert uri.startswith("http://127.0.0.1:9999/lab/dersim/notify/")
    assert subscribed.listener.hub.is_ours(uri)
    assert not subscribed.listener.hub.is_ours("http://127.0.0.1:9999/other/x")
