"""Connecting: the phases of failure, TLS between our own client and server, resumption, a day of polls."""

import errno
import os
import ssl

import pytest
import trio
import trio.testing

from dersim import http11, pki, tls
from dersim.errors import UtilityUnreachable
from dersim.http11 import Limits, Response


async def ok(request):
    return Response(200, body=request.peer_certificate_der or b"plain")


@pytest.fixture
def serve(net, nursery):
    def start(context, handler=ok, **limits):
        lines = []
        nursery.start_soon(
            lambda: http11.serve(handler, [net], tls=context, limits=Limits(**limits), log=lines.append)
        )
        return lines

    return start


async def test_mutual_tls_shows_each_side_the_others_certificate(
    net, serve, client_context, server_context, autojump_clock
):
    serve(server_context)
    connection = net.endpoint(client_context).connection()
    response = await connection.request("GET", "/dcap")
    assert response.body == client_context.certificate_der
    assert connection.peer_certificate_der == server_context.certificate_der


async def test_a_day_of_polls_needs_one_handshake(net, serve, client_context, server_context, autojump_clock):
    serve(server_context)
    connection = net.endpoint(client_context).connection()
    for _ in range(288):
        assert (await connection.request("GET", "/dcap")).status == 200
        await trio.sleep(300)
    assert trio.current_time() >= 86_400
    assert net.opened == connection.connects == 1


async def test_a_new_connection_resumes_the_session(
    net, serve, client_context, server_context, autojump_clock
):
    serve(server_context)
    connection = net.endpoint(client_context).connection()
    for _ in range(2):
        assert (await connection.request("GET", "/")).body == client_context.certificate_der
        await connection.aclose()
    stream = await net.endpoint(client_context).open()
    assert stream.session_reused


async def test_a_session_that_the_server_does_not_take_is_dropped(
    net, serve, folder, client_context, server_context, autojump_clock
):
    """The server has forgotten whom it accepted and closes the connection; a full handshake follows."""
    lines = serve(server_context)
    connection = net.endpoint(client_context).connection()
    await connection.request("GET", "/")
    await connection.aclose()
    server_context._accepted.clear()
    assert (await connection.request("GET", "/")).body == client_context.certificate_der
    assert net.opened == 3
    assert "no full handshake has accepted" in lines[0]


async def test_a_session_that_is_answered_with_an_alert_is_dropped(
    net, serve, client_context, server_context, autojump_clock
):
    serve(server_context)
    endpoint = net.endpoint(client_context)
    await trio.aclose_forcefully(await endpoint.open())
    open_tcp, alerts = net.open_tcp, [bytes([21, 3, 3, 0, 2, 2, 40])]

    async def with_alert(host, port):
        if not alerts:
            return await open_tcp(host, port)
        ours, theirs = trio.testing.memory_stream_pair()
        await theirs.send_all(alerts.pop())
        return ours

    endpoint._open_tcp = with_alert
    stream = await endpoint.open()
    assert not alerts
    assert not stream.session_reused


@pytest.mark.parametrize("letter", [letter for letter, case in pki.COMM_004.items() if not case.accept])
async def test_a_refused_client_gets_nothing_from_the_handler(net, serve, tmp_path, autojump_clock, letter):
    chains = pki.create_conformance_chains(tmp_path)
    root = tmp_path / "cert_root.pem"
    called = []

    async def handler(request):
        called.append(request)
        return Response(200)

    lines = serve(tls.server_context(*chains["B"], root), handler)
    bad = net.endpoint(tls.client_context(*chains[letter], root)).connection()
    if letter in "DEF":  # OpenSSL accepts these chains; our own check comes after the handshake
        refused = await bad.request("GET", "/dcap")
        assert refused.status == 403
        assert b"IEEE 2030.5" in refused.body
    else:
        with pytest.raises(UtilityUnreachable):
            await bad.request("GET", "/dcap")
    assert not called
    assert lines[0].startswith("(memory): TLS refused: ")
    good = net.endpoint(tls.client_context(*chains["C"], root)).connection()
    assert (await good.request("GET", "/dcap")).status == 200


async def test_a_refused_server_is_phase_tls_and_never_asked_in_plain(net, serve, tmp_path, autojump_clock):
    chains = pki.create_conformance_chains(tmp_path)
    root = tmp_path / "cert_root.pem"
    serve(tls.server_context(*chains["D"], root))
    connection = net.endpoint(tls.client_context(*chains["B"], root)).connection()
    with pytest.raises(UtilityUnreachable, match=r"server\.test:8443 \(tls\): .*extendedKeyUsage") as caught:
        await connection.request("GET", "/dcap")
    assert caught.value.phase == "tls"
    assert net.opened == 1


async def test_a_handshake_that_stalls_ends_after_tls_s(net, client_context, autojump_clock):
    connection = net.endpoint(client_context).connection()
    with pytest.raises(UtilityUnreachable, match=r"\(tls\): no handshake within 10 s"):
        await connection.request("GET", "/")


async def test_a_handshake_without_free_descriptors_says_so(net, client_context, autojump_clock, monkeypatch):
    def no_memory_file(_name):
        raise OSError(errno.EMFILE, "Too many open files")

    client_context.shared.loaded = None
    monkeypatch.setattr(os, "memfd_create", no_memory_file)
    with pytest.raises(UtilityUnreachable, match=r"\(tls\): too many open files") as caught:
        await net.endpoint(client_context).connection().request("GET", "/")
    assert caught.value.phase == "tls"
    assert caught.value.no_descriptors


async def test_a_client_that_stalls_in_the_handshake_is_closed(net, serve, server_context, autojump_clock):
    lines = serve(server_context, handshake_s=10)
    client = await net.open_tcp("", 0)
    assert await client.receive_some() == b""
    assert lines == ["(memory): no TLS handshake within 10 s"]


async def test_tls_to_a_plain_server_is_phase_tls(net, serve, client_context, autojump_clock):
    serve(None)
    with pytest.raises(UtilityUnreachable, match=r"\(tls\): .*plain HTTP port"):
        await net.endpoint(client_context).connection().request("GET", "/")


async def test_plain_http_to_a_tls_server_is_redirected_and_told(net, serve, server_context, autojump_clock):
    lines = serve(server_context)
    assert (await net.endpoint().connection().request("GET", "/")).status == 301
    assert "plain HTTP on the TLS port" in lines[0]


async def test_a_connect_that_stalls_ends_after_connect_s(autojump_clock):
    async def open_tcp(host, port):
        await trio.sleep_forever()

    connection = http11.Endpoint("h", 1, open_tcp=open_tcp).connection()
    with pytest.raises(UtilityUnreachable, match=r"h:1 \(connect\): no answer within 10 s") as caught:
        await connection.request("GET", "/")
    assert caught.value.phase == "connect"


async def test_a_closed_port_is_phase_connect():
    (listener,) = await http11.bind("127.0.0.1", 0)
    _, port = http11.address([listener])
    await listener.aclose()
    with pytest.raises(UtilityUnreachable, match=rf"127\.0\.0\.1:{port} \(connect\): connection refused"):
        await http11.Endpoint("127.0.0.1", port).connection().request("GET", "/")


async def test_a_name_that_cannot_be_is_phase_resolve():
    with pytest.raises(UtilityUnreachable) as caught:
        await http11.Endpoint("a..b", 80).connection().request("GET", "/")
    assert caught.value.phase == "resolve"
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("host", "port", "with_tls", "header"),
    [
        ("h", 80, False, "h"),
        ("h", 443, False, "h:443"),
        ("h", 443, True, "h"),
        ("h", 8443, True, "h:8443"),
        ("::1", 8443, True, "[::1]:8443"),
    ],
)
def test_the_host_header(client_context, host, port, with_tls, header):
    assert http11.Endpoint(host, port, client_context if with_tls else None).host_header == header


async def test_real_sockets_end_to_end(nursery, client_context, server_context):
    listeners = await http11.bind("localhost", 0)
    nursery.start_soon(lambda: http11.serve(ok, listeners, tls=server_context))
    host, port = http11.address(listeners)
    connections = [http11.Endpoint(host, port, client_context).connection() for _ in range(20)]

    async def ask(connection):
        for _ in range(3):
            assert (await connection.request("GET", "/")).body == client_context.certificate_der

    with trio.fail_after(30):
        async with trio.open_nursery() as asking:
            for connection in connections:
                asking.start_soon(ask, connection)
    assert [connection.connects for connection in connections] == [1] * 20
    for connection in connections:
        await connection.aclose()


async def raw_client(net, context):
    """A client of the standard library that insists on a close_notify."""
    stream = trio.SSLStream(
        await net.open_tcp("", 0), context, server_hostname="server.test", https_compatible=False
    )
    await stream.do_handshake()
    return stream


async def read_to_close_notify(stream):
    """All bytes up to the close_notify; trio.BrokenResourceError if there is none."""
    data = b""
    while more := await stream.receive_some():
        data += more
    return data


def plain_client(folder, name):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.load_cert_chain(folder / f"cert{name}.pem", folder / f"key{name}.pem")
    context.load_verify_locations(folder / "cert_root.pem")
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(tls.CIPHERS)
    return context


async def test_the_server_sends_close_notify_before_it_closes(net, serve, folder, server_context):
    serve(server_context)
    client = await raw_client(net, plain_client(folder, ""))
    await client.send_all(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    assert (await read_to_close_notify(client)).startswith(b"HTTP/1.1 200 ")


async def test_the_server_sends_close_notify_after_a_refused_request(
    net, serve, folder, server_context, autojump_clock
):
    serve(server_context)
    client = await raw_client(net, plain_client(folder, ""))
    await client.send_all(b"GET /\r\n\r\n")
    assert (await read_to_close_notify(client)).startswith(b"HTTP/1.1 400 ")


async def test_an_idle_connection_is_closed_with_close_notify(
    net, serve, folder, server_context, autojump_clock
):
    serve(server_context, idle_s=60)
    client = await raw_client(net, plain_client(folder, ""))
    await client.send_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    assert (await read_to_close_notify(client)).startswith(b"HTTP/1.1 200 ")
    assert trio.current_time() >= 60


@pytest.mark.parametrize("letter", "DEF")
async def test_a_chain_that_our_own_check_refuses_gets_403_with_the_reason_and_close_notify(
    net, serve, tmp_path, letter, autojump_clock
):
    chains = pki.create_conformance_chains(tmp_path)
    called = []

    async def handler(request):
        called.append(request)
        return Response(200)

    lines = serve(tls.server_context(*chains["B"], tmp_path / "cert_root.pem"), handler)
    client = await raw_client(net, plain_client(tmp_path, f"_{letter}"))
    await client.send_all(b"GET /dcap HTTP/1.1\r\nHost: x\r\n\r\n")
    answer = await read_to_close_notify(client)
    assert answer.startswith(b"HTTP/1.1 403 ")
    reason = {"D": b"extendedKeyUsage", "E": b"nameConstraints", "F": b"policyMappings"}[letter]
    assert reason in answer.partition(b"\r\n\r\n")[2]
    assert not called
    assert reason.decode() in lines[0]


@pytest.mark.parametrize(
    ("closes", "words"),
    [(False, "no handshake within 10 s"), (True, "the connection broke during the handshake")],
)
async def test_a_peer_without_a_handshake_is_unreachable(client_context, autojump_clock, closes, words):
    async def open_tcp(_host, _port):
        ours, theirs = trio.testing.memory_stream_pair()
        if closes:
            await trio.aclose_forcefully(theirs)
        peers.append(theirs)
        return ours

    peers = []
    endpoint = http11.Endpoint("127.0.0.1", 8443, client_context, open_tcp=open_tcp)
    with pytest.raises(UtilityUnreachable, match=words) as caught:
        await endpoint.connection().request("GET", "/dcap", timeout_s=60)
    assert caught.value.phase == "tls"
