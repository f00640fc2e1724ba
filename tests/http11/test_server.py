"""The server against clients that do what clients do."""

import errno
import tracemalloc

import h11
import pytest
import trio
import trio.testing

from dersim import http11
from dersim.errors import ConfigError
from dersim.http11 import Limits, Request, Response, response_bytes


async def echo(request: Request) -> Response:
    return Response(
        200, (("content-type", "text/plain"),), f"{request.method} {request.target} ".encode() + request.body
    )


class Served:
    """A running server over memory streams."""

    def __init__(self, net, nursery):
        self.net = net
        self.nursery = nursery
        self.lines: list[str] = []
        self.scope = trio.CancelScope()
        self.ended = trio.Event()

    def start(self, handler=echo, tls=None, **limits):
        async def run():
            with self.scope:
                await http11.serve(
                    handler, [self.net], tls=tls, limits=Limits(**limits), log=self.lines.append
                )
            self.ended.set()

        self.nursery.start_soon(run)
        return self

    async def client(self):
        return await self.net.open_tcp("", 0)


@pytest.fixture
def served(net, nursery):
    return Served(net, nursery)


async def read_all(stream):
    data = b""
    while more := await stream.receive_some():
        data += more
    return data


async def read_response(stream):
    """One response with a Content-Length: its head and its body."""
    data = b""
    while b"\r\n\r\n" not in data:
        more = await stream.receive_some()
        assert more, data
        data += more
    head, _, body = data.partition(b"\r\n\r\n")
    length = next(
        int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")
    )
    while len(body) < length:
        body += await stream.receive_some()
    return head, body


async def test_answers_with_what_http_asks_for(served):
    client = await served.start().client()
    await client.send_all(b"POST /a?s=0&l=1 HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc")
    head, body = await read_response(client)
    assert head.startswith(b"HTTP/1.1 200 ")
    assert b"\r\ndate: " in head.lower()
    assert body == b"POST /a?s=0&l=1 abc"


async def test_the_handler_sees_lower_case_headers_and_no_certificate_without_tls(served):
    seen = []

    async def handler(request):
        seen.append(request)
        return Response(204)

    client = await served.start(handler).client()
    await client.send_all(b"GET / HTTP/1.1\r\nHost: x\r\nACCEPT: application/sep+xml\r\n\r\n")
    assert (await client.receive_some()).startswith(b"HTTP/1.1 204 ")
    assert seen[0].header("accept") == "application/sep+xml"
    assert seen[0].peer_certificate_der is None


@pytest.mark.parametrize("status", [200, 204, 304])
@pytest.mark.parametrize("method", [b"GET", b"HEAD"])
async def test_no_body_where_http_has_none(served, status, method):
    async def handler(request):
        return Response(status, body=b"body")

    client = await served.start(handler).client()
    await client.send_all(method + b" / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    head, _, body = (await read_all(client)).partition(b"\r\n\r\n")
    assert body == (b"body" if status == 200 and method == b"GET" else b"")
    assert (b"content-length: 4" in head.lower()) == (status == 200)


async def test_pipelined_requests_are_answered_in_order(served):
    client = await served.start().client()
    requests = b"".join(b"GET /%d HTTP/1.1\r\nHost: x\r\n\r\n" % number for number in range(50))
    await client.send_all(requests + b"GET /last HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    answer = await read_all(client)
    bodies = [part.partition(b"\r\n\r\n")[2] for part in answer.split(b"HTTP/1.1 200")[1:]]
    assert bodies == [b"GET /%d " % number for number in range(50)] + [b"GET /last "]


async def test_a_method_that_http_does_not_know_is_the_handlers_business(served):
    async def handler(request):
        return Response(501 if request.method == "FOO" else 200)

    client = await served.start(handler).client()
    await client.send_all(b"FOO / HTTP/1.1\r\nHost: x\r\n\r\n")
    assert (await client.receive_some()).startswith(b"HTTP/1.1 501 ")


async def test_a_client_that_waits_for_100_continue_gets_it(served):
    client = await served.start().client()
    await client.send_all(b"PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n")
    assert (await client.receive_some()).startswith(b"HTTP/1.1 100 ")
    await client.send_all(b"ab")
    assert (await read_response(client))[1] == b"PUT / ab"


@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        (b"GET / HTTP/1.1\r\n\r\n", 400),  # CORE-002: no Host
        (b"GET / HTTP/1.1\r\nHost: x\r\nBad header\r\n\r\n", 400),  # CORE-001: a bad header
        (b"GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 400),
        (b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n", 501),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 400),  # TLS to a plain port
        (b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 40_000, 431),
        (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1001\r\n\r\n", 413),
        (
            b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
            + b"190\r\n" + b"x" * 400 + b"\r\n" + b"190\r\n" + b"x" * 400 + b"\r\n"
            + b"190\r\n" + b"x" * 400 + b"\r\n",
            413,
        ),
    ],
)  # fmt: skip
async def test_a_request_that_cannot_be_taken_is_answered_and_closed(
    served, autojump_clock, request_bytes, status
):
    called = []

    async def handler(request):
        called.append(request)
        return Response(200)

    client = await served.start(handler, body_bytes=1000).client()
    await client.send_all(request_bytes)
    answer = await read_all(client)
    assert answer.startswith(f"HTTP/1.1 {status} ".encode())
    assert b"connection: close" in answer.lower()
    assert not called
    assert served.lines


# --- edges of HTTP, each by its name ----------------------------------------


async def answer_to(served, data, **limits):
    """All that the server sends for these bytes until it closes."""
    client = await served.start(**limits).client()
    await client.send_all(data)
    return await read_all(client)


async def test_http_1_0_without_a_host_is_served_and_closed(served):
    answer = await answer_to(served, b"GET /old HTTP/1.0\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert answer.endswith(b"GET /old ")
    assert b"connection: close" in answer.lower()


@pytest.mark.parametrize("blank", [b"\r\n", b"\n", b"\r\n\r\n\r\n"])
async def test_blank_lines_before_a_request_are_skipped(served, blank):
    one = b"GET /a HTTP/1.1\r\nHost: x\r\n\r\n"
    last = b"GET /b HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    answer = await answer_to(served, blank + one + blank + last)
    assert answer.count(b"HTTP/1.1 200 ") == 2
    assert answer.endswith(b"GET /b ")


async def test_a_blank_line_in_single_bytes_is_skipped(served):
    client = await served.start().client()
    for byte in b"\r\n\r\nGET /slow HTTP/1.1\r\nHost: x\r\n\r\n":
        await client.send_all(bytes([byte]))
    assert (await read_response(client))[1] == b"GET /slow "


async def test_blank_lines_alone_are_ended_like_a_slow_head(served, autojump_clock):
    client = await served.start(head_s=10).client()
    await client.send_all(b"\r\n\r\n")
    assert (await read_all(client)).startswith(b"HTTP/1.1 408 ")
    assert trio.current_time() < 15


@pytest.mark.parametrize("version", [b"2.0", b"3.0", b"0.9"])
async def test_another_major_version_is_505(served, autojump_clock, version):
    preface = b"PRI * HTTP/" + version + b"\r\n\r\nSM\r\n\r\n"
    answer = await answer_to(served, preface)
    assert answer.startswith(b"HTTP/1.1 505 ")
    assert b"HTTP/" + version + b" is not supported" in answer
    assert b"bytearray" not in answer


@pytest.mark.parametrize("length", [8_193, 40_000])
async def test_a_target_that_is_too_long_is_414(served, autojump_clock, length):
    answer = await answer_to(served, b"GET /" + b"a" * length + b" HTTP/1.1\r\nHost: x\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 414 ")
    assert b"connection: close" in answer.lower()


async def test_a_target_without_an_end_is_414(served, autojump_clock):
    assert (await answer_to(served, b"GET /" + b"a" * 40_000)).startswith(b"HTTP/1.1 414 ")


async def test_too_long_a_chunk_header_is_not_a_target_that_is_too_long(served, autojump_clock):
    head = b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    assert (await answer_to(served, head + b"1;" + b"a" * 40_000)).startswith(b"HTTP/1.1 431 ")


async def test_transfer_encoding_with_a_content_length_is_answered_and_closed(served, autojump_clock):
    request = (
        b"POST /both HTTP/1.1\r\nHost: x\r\nContent-Length: 60\r\nTransfer-Encoding: chunked\r\n\r\n"
        b"3\r\nabc\r\n0\r\n\r\n"
    )
    answer = await answer_to(served, request + b"GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n")
    assert answer.count(b"HTTP/1.1 ") == 1
    assert answer.endswith(b"POST /both abc")
    assert b"connection: close" in answer.lower()


@pytest.mark.parametrize(
    "data",
    [
        b"SM\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nbad header\r\n\r\n",
        b"\x16\x03\x01\x02\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nabc\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\n" + b"y" * 20_000 + b"\r\n\r\n",
    ],
)
async def test_an_error_text_shows_no_python(served, autojump_clock, data):
    answer = await answer_to(served, data)
    body = answer.partition(b"\r\n\r\n")[2]
    for text in (body, served.lines[0].encode()):
        assert b"bytearray" not in text
        assert b"b'" not in text
        assert len(text) < 300


async def test_a_body_in_one_byte_chunks_takes_little_memory(served):
    count = 12_000
    head = b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    client = await served.start().client()
    data = head + b"1\r\nx\r\n" * count + b"0\r\n\r\n"
    tracemalloc.start()
    try:
        for start in range(0, len(data), 16_384):
            await client.send_all(data[start : start + 16_384])
        _, body = await read_response(client)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert len(body) == len(b"POST / ") + count
    assert peak < 500_000  # a list of the chunks took 0.8 MB for these 12 kB


# --- deadlines, under a virtual clock ----------------------------------------


async def test_slow_clients_are_shut_out_while_another_is_served(served, autojump_clock):
    served.start(head_s=10, body_s=20)
    good = await served.client()
    ends = {}

    async def slow(number, sent):
        client = await served.client()
        await client.send_all(sent)

        async def drip():
            while True:
                await trio.sleep(1)
                await client.send_all(b"x")

        async with trio.open_nursery() as nursery:
            nursery.start_soon(_ignoring_breaks, drip)
            answer = await read_all(client)
            ends[number] = (trio.current_time() - start_s, answer[:12])
            nursery.cancel_scope.cancel()

    async def keep_asking():
        for _ in range(100):
            await good.send_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            asked_s = trio.current_time()
            await read_response(good)
            assert trio.current_time() - asked_s < 0.01
            await trio.sleep(0.5)

    start_s = trio.current_time()
    with trio.fail_after(60):
        async with trio.open_nursery() as nursery:
            for number in range(100):
                nursery.start_soon(slow, number, b"GET / HTTP/1.1\r\nHost: x\r\nX: ")
            for number in range(100, 120):
                nursery.start_soon(slow, number, b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 500\r\n\r\n")
            nursery.start_soon(keep_asking)
    assert all(answer == b"HTTP/1.1 408" for _, answer in ends.values())
    assert max(after_s for number, (after_s, _) in ends.items() if number < 100) < 12
    assert max(after_s for after_s, _ in ends.values()) < 22


async def _ignoring_breaks(function):
    try:
        await function()
    except (trio.BrokenResourceError, trio.ClosedResourceError):
        return


async def test_a_client_that_says_nothing_is_closed(served, autojump_clock):
    client = await served.start(head_s=10).client()
    assert await read_all(client) == b""
    assert trio.current_time() == pytest.approx(10, abs=0.1)


async def test_an_idle_connection_is_closed_after_idle_s_and_not_before(served, autojump_clock):
    client = await served.start(head_s=10, idle_s=100).client()
    for _ in range(3):
        await client.send_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        await read_response(client)
        await trio.sleep(99)
    assert await read_all(client) == b""
    assert trio.current_time() == pytest.approx(3 * 99 + 1, abs=0.1)


async def test_a_client_that_never_reads_is_given_up(net, nursery, autojump_clock):
    send, receive = trio.testing.memory_stream_pair()
    blocked = trio.StapledStream(_Blocked(), receive.receive_stream)
    lines = []

    class Once(trio.abc.Listener):
        done = False

        async def accept(self):
            if self.done:
                await trio.sleep_forever()
            self.done = True
            return blocked

        async def aclose(self):
            pass

    nursery.start_soon(lambda: http11.serve(echo, [Once()], limits=Limits(send_s=20), log=lines.append))
    await send.send_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    await trio.sleep(21)
    assert lines == ["(memory): the client did not take its response in 20 s"]


class _Blocked(trio.abc.SendStream):
    async def send_all(self, data):
        await trio.sleep_forever()

    async def wait_send_all_might_not_block(self):
        await trio.sleep_forever()

    async def aclose(self):
        pass


# --- limits, stop, bugs ----------------------------------------


async def test_at_the_limit_the_longest_idle_connection_makes_room(served, autojump_clock):
    served.start(connections=2)
    clients = [await served.client() for _ in range(2)]
    for client in clients:
        await client.send_all(b"GET /old HTTP/1.1\r\nHost: x\r\n\r\n")
        await read_response(client)
    third = await served.client()
    await third.send_all(b"GET /new HTTP/1.1\r\nHost: x\r\n\r\n")
    assert (await read_response(third))[1] == b"GET /new "
    assert await read_all(clients[0]) == b""
    await clients[1].send_all(b"GET /still HTTP/1.1\r\nHost: x\r\n\r\n")
    assert (await read_response(clients[1]))[1] == b"GET /still "


async def test_a_stop_closes_what_is_idle_and_lets_the_rest_finish(served, autojump_clock):
    asked, go_on = trio.Event(), trio.Event()

    async def handler(request):
        if request.target == "/slow":
            asked.set()
            await go_on.wait()
        return Response(200, body=b"done")

    served.start(handler, grace_s=5)
    idle, new, busy = [await served.client() for _ in range(3)]
    await idle.send_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    await read_response(idle)
    await busy.send_all(b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\n")
    await asked.wait()
    start_s = trio.current_time()
    served.scope.cancel()
    assert await read_all(idle) == b""
    assert await read_all(new) == b""
    assert trio.current_time() == start_s
    go_on.set()
    head, body = await read_response(busy)
    assert b"connection: close" in head.lower()
    assert body == b"done"
    await served.ended.wait()
    assert trio.current_time() - start_s < 1


async def test_a_stop_ends_stuck_requests_after_the_grace(served, autojump_clock):
    async def handler(request):
        await trio.sleep_forever()

    client = await served.start(handler, grace_s=2).client()
    await client.send_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    await trio.sleep(1)
    start_s = trio.current_time()
    served.scope.cancel()
    await served.ended.wait()
    assert trio.current_time() - start_s == pytest.approx(2)
    assert await read_all(client) == b""


async def raise_a_bug(request):
    raise ZeroDivisionError("a bug")


async def answer_with_a_bad_header(request):
    return Response(200, (("location", "/a\r\nx: y"),))


@pytest.mark.parametrize(
    ("handler", "error"),
    [(raise_a_bug, ZeroDivisionError), (answer_with_a_bad_header, h11.LocalProtocolError)],
)
async def test_a_bug_in_the_handler_answers_500_and_goes_up(net, autojump_clock, handler, error):
    client = await net.open_tcp("", 0)
    await client.send_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    with pytest.raises(BaseExceptionGroup) as caught:
        await http11.serve(handler, [net])
    assert caught.group_contains(error)
    assert (await read_all(client)).startswith(b"HTTP/1.1 500 ")


@pytest.mark.parametrize(
    "sent", [b"", b"GET /", b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nab"]
)
async def test_a_client_that_goes_away_disturbs_nobody(served, sent):
    served.start()
    leaving, staying = await served.client(), await served.client()
    await leaving.send_all(sent)
    await leaving.aclose()
    await trio.testing.wait_all_tasks_blocked()
    await staying.send_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    assert (await read_response(staying))[1] == b"GET / "


async def test_running_out_of_file_descriptors_is_survived(served, autojump_clock):
    accept = served.net.accept
    failures = [OSError(errno.EMFILE, "Too many open files")] * 3

    async def failing():
        if failures:
            raise failures.pop()
        return await accept()

    served.net.accept = failing
    client = await served.start().client()
    await client.send_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    assert (await read_response(client))[1] == b"GET / "
    assert served.lines == ["connections refused: Too many open files"]


# --- listening ----------------------------------------


async def test_bind_picks_a_free_port_and_refuses_a_busy_one():
    listeners = await http11.bind("127.0.0.1", 0)
    host, port = http11.address(listeners)
    assert host == "127.0.0.1"
    with pytest.raises(ConfigError, match=rf"127\.0\.0\.1:{port}: cannot listen: the port is busy"):
        await http11.bind("127.0.0.1", port)
    for listener in listeners:
        await listener.aclose()


async def test_bind_to_a_name_gives_one_port():
    listeners = await http11.bind("localhost", 0)
    assert len({listener.socket.getsockname()[1] for listener in listeners}) == 1
    for listener in listeners:
        await listener.aclose()


@pytest.mark.parametrize(
    ("host", "port", "reason"),
    [("192.0.2.1", 0, "not one of this machine"), ("127.0.0.1", 70_000, "0 to 65535")],
)
async def test_bind_names_what_is_wrong(host, port, reason):
    with pytest.raises(ConfigError, match=reason):
        await http11.bind(host, port)


async def test_a_stop_before_it_has_begun_is_a_stop(net, autojump_clock):
    with trio.fail_after(5):
        with trio.CancelScope() as scope:
            scope.cancel()
            await http11.serve(echo, [net])
        assert scope.cancelled_caught


# --- responses written without h11 ----------------------------------------


@pytest.mark.parametrize("status", [200, 201, 204, 301, 304, 404, 503, 599])
@pytest.mark.parametrize(
    "headers",
    [
        (),
        (("content-type", "application/sep+xml"), ("etag", '"0f3c"')),
        (("Location", "/mup/1"), ("retry-after", "30")),
        (("x-empty", ""),),
        (("x_under-1", "a"),),
    ],
)
def test_a_response_is_written_as_h11_writes_it(monkeypatch, status, headers):
    monkeypatch.setattr(response_bytes, "_date", lambda: "Sat, 28 Nov 2026 19:20:41 GMT")
    response = Response(status, headers, b"body")
    ours, is_last = response_bytes.whole(response, "GET", closing=False)
    monkeypatch.setattr(response_bytes, "_lines", lambda status, headers: None)
    assert (ours, is_last) == response_bytes.whole(response, "GET", closing=False)


@pytest.mark.parametrize("header", [("a b", "x"), ("x", "a\nb"), ("x", " a"), ("x", "\x00"), ("", "x")])
def test_a_header_that_http_forbids_is_not_written(header):
    with pytest.raises(h11.LocalProtocolError):
        response_bytes.whole(Response(200, (header,)), "GET", closing=False)
