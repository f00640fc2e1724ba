"""What went over the wire as pcapng: read, put together and decrypted by others' rules."""

import errno
import itertools
import shutil
from functools import partial

import pytest
import trio
from tests.http11 import captures

from dersim import http11
from dersim.errors import UtilityUnreachable
from dersim.http11 import Response
from dersim.http11.pcapng import pcapng
from dersim.http11.recorder import Recorder
from dersim.http11.sockets import ClientSocket

PIN = b"<Registration><pIN>123455</pIN></Registration>"


@pytest.fixture
def recorder():
    made = Recorder()
    yield made
    made.key_log.close()


@pytest.fixture
async def serve(nursery):
    async def start(context=None, body=PIN, host="127.0.0.1"):
        async def answer(request):
            return Response(200, body=body + request.body)

        (listener,) = await trio.open_tcp_listeners(0, host=host)
        nursery.start_soon(lambda: http11.serve(answer, [listener], tls=context, log=lambda _: None))
        return host, listener.socket.getsockname()[1]

    return start


@pytest.fixture
def connect(recorder):
    def make(address, context=None, device=1):
        wrap = partial(recorder.record, device=device, context=context)
        return http11.Endpoint(*address, context, wrap=wrap).connection()

    return make


def read(recorder, device=None):
    capture = captures.read(pcapng(recorder.recording(device), "test"))
    clients = list(dict.fromkeys(p.source for p in capture.packets if p.flags == captures.SYN))
    return capture, clients


@pytest.mark.parametrize("suite", [captures.CCM8, captures.GCM])
async def test_the_secrets_in_the_file_decrypt_its_records(
    serve, connect, recorder, client_context, server_context, suite
):
    if suite == captures.GCM:
        server_context.set_ciphers("ECDHE-ECDSA-AES128-GCM-SHA256")
    server = await serve(server_context)
    connection = connect(server, client_context)
    for number in range(3):
        await connection.request("PUT", f"/edev/{number}", body=b"<a>%d</a>" % number)
    capture, (client,) = read(recorder)
    sent, received, used = captures.decrypted(capture, client, server)
    assert used == suite
    assert sent.startswith(b"PUT /edev/0 HTTP/1.1\r\n")
    assert sent.endswith(b"<a>2</a>")
    assert received.count(PIN) == 3
    assert "PINs included, is readable" in capture.comment
    assert "the secrets of their TLS sessions" in capture.comment
    await connection.aclose()


async def test_a_resumed_connection_is_decrypted_too(
    serve, connect, recorder, client_context, server_context
):
    server = await serve(server_context)
    connection = connect(server, client_context)
    for _ in range(3):
        await connection.request("GET", "/dcap")
        await connection.aclose()
    capture, clients = read(recorder)
    assert len(clients) == len(capture.secrets) == 3
    for client in clients:
        assert captures.decrypted(capture, client, server)[1].endswith(PIN)


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
async def test_plain_http_of_both_ip_versions_needs_no_secrets(serve, connect, recorder, host):
    server = await serve(host=host, body=b"x" * 100_000)
    connection = connect(server)
    await connection.request("POST", "/mup", body=b"y" * 70_000)
    await connection.aclose()
    capture, (client,) = read(recorder)
    streams = capture.streams()
    assert streams[client, server].endswith(b"y" * 70_000)
    assert streams[server, client].endswith(b"x" * 100_000 + b"y" * 70_000)
    assert capture.secrets == {}
    assert "PINs included, is readable" in capture.comment
    assert "secrets" not in capture.comment
    assert [p.flags & 0b111 for p in capture.packets[:2]] == [captures.SYN, captures.SYN]
    assert [p.source for p in capture.packets if p.flags & captures.FIN] == [client, server]
    assert capture.packets == sorted(capture.packets, key=lambda p: p.time_ns)


async def test_who_closes_first_sends_the_first_fin(connect, recorder, nursery):
    async def hang_up(stream):
        await stream.receive_some()

    (listener,) = await trio.open_tcp_listeners(0, host="127.0.0.1")
    nursery.start_soon(trio.serve_listeners, hang_up, [listener])
    server = listener.socket.getsockname()
    with pytest.raises(UtilityUnreachable):
        await connect(server).request("POST", "/")
    capture, (client,) = read(recorder)
    assert [p.source for p in capture.packets if p.flags & captures.FIN] == [server, client]


async def test_the_ders_are_told_apart(serve, connect, recorder):
    server = await serve()
    made = [connect(server, device=number) for number in (1, 2)]
    for number, connection in enumerate(made, 1):
        await connection.request("GET", f"/der/{number}")
    capture, (client,) = read(recorder, device=2)
    assert capture.streams()[client, server].startswith(b"GET /der/2 ")
    assert capture.packets[0].comment == f"DER 2, connection to 127.0.0.1:{server[1]}"
    for connection in made:
        await connection.aclose()


async def test_a_full_buffer_drops_the_oldest_exchanges_and_says_so(
    serve, connect, client_context, server_context, recorder
):
    recorder.limit_bytes = 40_000
    server = await serve(server_context, body=b"x" * 2_000)
    connection = connect(server, client_context)
    for number in range(40):
        await connection.request("GET", f"/{number}")
        assert recorder.size().held_bytes <= recorder.limit_bytes
    capture, (client,) = read(recorder)
    sent = [p for p in capture.packets if p.source == client and p.data]
    hello, finished, *requests = sent
    assert (hello.data[0], finished.data[0], requests[0].data[0]) == (22, 22, 23)
    assert len(requests) < 20
    gap = requests[0].sequence - finished.sequence - len(finished.data)
    assert gap >= (40 - len(requests)) * len(requests[0].data) * 0.9
    assert requests[0].comment.startswith(f"the buffer was full: {40 - len(requests)} exchanges (")
    for earlier, later in itertools.pairwise(requests):
        assert later.sequence == earlier.sequence + len(earlier.data)
    assert "MiB was full" in capture.comment
    assert 'ignore "mac failed"' in capture.comment
    await connection.aclose()


async def test_closed_connections_go_whole(serve, connect, recorder):
    recorder.limit_bytes = 20_000
    server = await serve(body=b"x" * 1_000)
    for number in range(30):
        connection = connect(server)
        await connection.request("GET", f"/{number}")
        await connection.aclose()
    capture, clients = read(recorder)
    assert 3 < len(clients) < 15
    assert capture.streams()[clients[-1], server].startswith(b"GET /29 ")
    assert "connections and 0 exchanges" in capture.comment


async def test_where_no_more_files_may_be_open_the_connection_fails_in_words(
    serve, connect, recorder, client_context, server_context, monkeypatch
):
    def refuse(context):
        raise OSError(errno.EMFILE, "Too many open files")

    monkeypatch.setattr(recorder.key_log, "watch", refuse)
    with pytest.raises(UtilityUnreachable, match=r"\(connect\): too many open files"):
        await connect(await serve(server_context), client_context).request("GET", "/")


def test_what_is_no_socket_is_left_alone(recorder):
    stream = trio.testing.memory_stream_pair()[0]
    assert recorder.record(stream, 1) is stream


async def test_without_a_recorder_nothing_is_recorded_and_no_secret_is_logged(
    serve, client_context, server_context
):
    server = await serve(server_context)
    stream = await http11.Endpoint(*server, client_context).open()
    assert type(stream.transport) is ClientSocket
    assert client_context.shared.keylog_filename is None
    await stream.aclose()


@pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is not installed")
async def test_wireshark_shows_the_documents(
    serve, connect, recorder, client_context, server_context, tmp_path
):
    server = await serve(server_context)
    connection = connect(server, client_context)
    await connection.request("GET", "/edev/1/rg")
    await connection.aclose()
    file = tmp_path / "x.pcapng"
    file.write_bytes(pcapng(recorder.recording(), "test"))
    flags = [
        "-o",
        "tcp.check_checksum:TRUE",
        "-o",
        "ip.check_checksum:TRUE",
        "-d",
        f"tcp.port=={server[1]},tls",
    ]
    ran = await trio.run_process(
        ["tshark", "-r", str(file), "-V", *flags], capture_stdout=True, capture_stderr=True
    )
    assert b"GET /edev/1/rg HTTP/1.1" in ran.stdout
    assert b"123455" in ran.stdout
    assert b"[Bad" not in ran.stdout
    assert b"Malformed" not in ran.stdout
