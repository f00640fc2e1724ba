"""The client's connection against servers that do what servers do."""

import contextlib
import socket
import struct
import tracemalloc

import pytest
import trio
import trio.testing

from dersim import http11
from dersim.errors import LocalProtocolError, RemoteProtocolError, UtilityUnreachable

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


async def read_head(stream):
    data = b""
    while b"\r\n\r\n" not in data:
        more = await stream.receive_some()
        if not more:
            return None
        data += more
    return data


def answering(*answers, then=None):
    """A script that answers each request with the next of `answers`, then does `then`."""

    async def script(stream):
        for answer in answers:
            if await read_head(stream) is None:
                return
            await stream.send_all(answer)
        if then is not None:
            await then(stream)

    return script


async def close(stream):
    await stream.aclose()


async def close_after_request(stream):
    await read_head(stream)
    await stream.aclose()


async def reset(stream):
    stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    await stream.aclose()


async def reset_after_request(stream):
    await read_head(stream)
    await reset(stream)


async def hold(stream):
    await trio.sleep_forever()


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (OK, (200, b"ok")),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok", (200, b"ok")),
        (b"HTTP/1.1 201 Created\r\nlocation: /a/1\r\nContent-Length: 0\r\n\r\n", (201, b"")),
        (b"HTTP/1.1 204 No Content\r\n\r\n", (204, b"")),
        (b"HTTP/1.1 304 Not Modified\r\n\r\n", (304, b"")),
        (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nA: b\r\n\r\n" + OK, (200, b"ok")),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
            b"3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nTrailer: x\r\n\r\n",
            (200, b"abcde"),
        ),
        (
            b"HTTP/1.1 400 Bad Request\r\nContent-Type: text/html\r\nContent-Length: 3\r\n\r\n<p>",
            (400, b"<p>"),
        ),
    ],
)
async def test_reads_what_servers_send_and_keeps_the_connection(scripted, answer, expected):
    connection = scripted.connection(answering(answer, OK, then=hold))
    response = await connection.request("GET", "/dcap")
    assert (response.status, response.body) == expected
    assert (await connection.request("GET", "/dcap")).body == b"ok"
    assert scripted.connections == 1


async def test_reads_http_1_0_until_the_close(scripted):
    old = answering(b"HTTP/1.0 200 OK\r\nContent-Type: a/b\r\n\r\nall of it", then=close)
    connection = scripted.connection(old, old)
    for _ in range(2):
        assert (await connection.request("GET", "/")).body == b"all of it"
    assert scripted.connections == 2


async def test_head_has_no_body(scripted):
    connection = scripted.connection(
        answering(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", OK, then=hold)
    )
    assert (await connection.request("HEAD", "/")).body == b""
    assert (await connection.request("GET", "/")).body == b"ok"


async def test_header_names_are_lower_case_and_values_may_be_latin_1(scripted):
    connection = scripted.connection(
        answering(b"HTTP/1.1 200 OK\r\nLOCATION: /mup/1\r\nX-A: \xe9\r\nContent-Length: 0\r\n\r\n")
    )
    response = await connection.request("GET", "/")
    assert response.header("location") == "/mup/1"
    assert response.header("x-a") == "é"
    assert response.header("absent") is None


async def test_sends_host_length_and_body(scripted):
    seen = []

    async def script(stream):
        data = await read_head(stream)
        while not data.endswith(b"<x/>"):
            data += await stream.receive_some()
        await stream.send_all(OK)
        seen.extend([data, await read_head(stream)])
        await stream.send_all(OK)

    connection = scripted.connection(script)
    await connection.request("POST", "/mup", headers=(("Content-Type", "application/sep+xml"),), body=b"<x/>")
    await connection.request("PUT", "/empty")
    first, second = seen
    assert first.startswith(b"POST /mup HTTP/1.1\r\n")
    assert f"Host: 127.0.0.1:{scripted.port}".encode() in first
    assert b"Content-Length: 4" in first
    assert second.startswith(b"PUT /empty HTTP/1.1\r\n")
    assert b"Content-Length: 0" in second


@pytest.mark.parametrize("target", ["/a\r\nX: y", "/a b", "", "/\u00e9", "/\x00"])
async def test_a_target_that_http_forbids_is_not_sent(scripted, target):
    connection = scripted.connection(answering(OK))
    with pytest.raises(LocalProtocolError, match="cannot be sent"):
        await connection.request("GET", target)
    assert scripted.connections == 0


@pytest.mark.parametrize(
    "answer",
    [
        b"SSH-2.0-OpenSSH\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nBroken header\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"a" * 65536 + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\nxx",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2000001\r\n\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\n" * 100,
    ],
)
async def test_what_cannot_be_used_is_a_protocol_error_and_closes(scripted, answer):
    connection = scripted.connection(answering(answer, then=hold), answering(OK), max_body_bytes=2_000_000)
    with pytest.raises(RemoteProtocolError):
        await connection.request("GET", "/")
    assert (await connection.request("GET", "/")).body == b"ok"
    assert scripted.connections == 2


async def test_an_endless_chunked_body_is_cut_off(scripted):
    async def endless(stream):
        await read_head(stream)
        await stream.send_all(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while True:
            await stream.send_all(b"1000\r\n" + bytes(0x1000) + b"\r\n")

    connection = scripted.connection(endless, max_body_bytes=100_000)
    with pytest.raises(RemoteProtocolError, match="larger than 100000"):
        await connection.request("GET", "/")


async def test_a_body_in_one_byte_chunks_takes_little_memory(scripted):
    count = 12_000

    async def answer(stream):
        await stream.receive_some()
        await stream.send_all(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        for _ in range(0, count, 1000):
            await stream.send_all(b"1\r\nx\r\n" * 1000)
        await stream.send_all(b"0\r\n\r\n")

    tracemalloc.start()
    try:
        response = await scripted.connection(answer).request("GET", "/")
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert response.body == b"x" * count
    assert peak < 500_000


@pytest.mark.parametrize(
    "answer",
    [
        b"SSH-2.0-x\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n",
    ],
)
async def test_an_error_text_shows_no_python(scripted, answer):
    async def script(stream):
        await stream.receive_some()
        await stream.send_all(answer)

    with pytest.raises(RemoteProtocolError) as caught:
        await scripted.connection(script).request("GET", "/")
    assert "bytearray" not in str(caught.value)
    assert "b'" not in str(caught.value)


async def test_bytes_behind_a_response_are_not_the_next_response(scripted):
    forged = b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged"
    connection = scripted.connection(answering(OK + forged, then=hold), answering(OK))
    assert (await connection.request("GET", "/")).body == b"ok"
    assert (await connection.request("GET", "/")).body == b"ok"
    assert scripted.connections == 2


# --- a server that goes away ----------------------------------------


@pytest.mark.parametrize("leave", [close, reset])
@pytest.mark.parametrize("method", ["GET", "POST", "PUT"])
async def test_an_idle_connection_found_closed_costs_nothing(scripted, leave, method):
    gone = trio.Event()

    async def leave_and_tell(stream):
        await leave(stream)
        gone.set()

    seen = []

    async def second(stream):
        seen.append(await read_head(stream))
        await stream.send_all(OK)

    connection = scripted.connection(answering(OK, then=leave_and_tell), second)
    await connection.request("GET", "/")
    await gone.wait()
    assert (await connection.request(method, "/x", body=b"" if method == "GET" else b"1")).status == 200
    assert len(seen) == 1


@pytest.mark.parametrize("leave", [close_after_request, reset_after_request])
@pytest.mark.parametrize(("method", "is_retried"), [("GET", True), ("PUT", True), ("POST", False)])
async def test_a_request_lost_on_a_kept_connection(scripted, leave, method, is_retried):
    connection = scripted.connection(answering(OK, then=leave), answering(OK))
    await connection.request("GET", "/")
    if is_retried:
        assert (await connection.request(method, "/x")).status == 200
        assert scripted.connections == 2
    else:
        with pytest.raises(UtilityUnreachable) as caught:
            await connection.request(method, "/x")
        assert caught.value.phase == "receive"
        assert scripted.connections == 1


@pytest.mark.parametrize("leave", [close_after_request, reset_after_request])
async def test_a_fresh_connection_is_not_tried_twice(scripted, leave):
    connection = scripted.connection(leave)
    with pytest.raises(UtilityUnreachable, match=r"127\.0\.0\.1:\d+ \(receive\): "):
        await connection.request("GET", "/")
    assert scripted.connections == 1


async def test_it_is_retried_only_once(scripted):
    connection = scripted.connection(answering(OK, then=close_after_request), close_after_request)
    await connection.request("GET", "/")
    with pytest.raises(UtilityUnreachable):
        await connection.request("GET", "/")
    assert scripted.connections == 2


@pytest.mark.parametrize("leave", [close, reset])
@pytest.mark.parametrize("sent", [5, 20, 37, len(OK) - 1])
async def test_a_response_that_has_begun_is_not_asked_for_again(scripted, sent, leave):
    taken = trio.Event()

    async def leave_later(stream):
        # A reset discards what its receiver has not read yet.
        await taken.wait()
        await leave(stream)

    connection = scripted.connection(answering(OK, OK[:sent], then=leave_later), answering(OK))
    await connection.request("GET", "/")
    async with trio.open_nursery() as nursery:

        async def ask():
            with pytest.raises(UtilityUnreachable) as caught:
                await connection.request("GET", "/")
            assert caught.value.phase == "receive"

        nursery.start_soon(ask)
        await trio.testing.wait_all_tasks_blocked(0.05)
        taken.set()
    assert scripted.connections == 1


async def test_a_cancelled_request_does_not_leave_its_response_behind(scripted):
    started = trio.Event()

    async def late(stream):
        await read_head(stream)
        started.set()
        await trio.sleep_forever()

    connection = scripted.connection(late, answering(OK))
    async with trio.open_nursery() as nursery:
        nursery.start_soon(connection.request, "GET", "/old")
        await started.wait()
        nursery.cancel_scope.cancel()
    assert (await connection.request("GET", "/new")).body == b"ok"
    assert scripted.connections == 2


async def test_requests_of_several_tasks_take_turns(scripted):
    async def echo(stream):
        while (head := await read_head(stream)) is not None:
            target = head.split(b" ")[1]
            await stream.send_all(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(target), target))

    connection = scripted.connection(echo)
    async with trio.open_nursery() as nursery:

        async def ask(number):
            response = await connection.request("GET", f"/{number}")
            assert response.body == f"/{number}".encode()

        for number in range(20):
            nursery.start_soon(ask, number)
    assert scripted.connections == 1


# --- a server that is slow, under a virtual clock ----------------------------------------


async def drip(stream, data, every_s):
    for index in range(len(data)):
        await trio.sleep(every_s)
        await stream.send_all(data[index : index + 1])
    await trio.sleep_forever()


@pytest.mark.parametrize(
    ("sent", "every_s", "after_s", "message"),
    [
        (b"", 1, 10, "silent for 10 s"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n", 0, 10, "silent for 10 s"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n" + b"x" * 100, 1, 30, "not done within 30 s"),
        (b"HTTP/1.1 200 OK\r\nX: " + b"y" * 100, 9, 30, "not done within 30 s"),
    ],
)
async def test_a_slow_server_has_deadlines(net, autojump_clock, sent, every_s, after_s, message):
    connection = net.endpoint().connection()

    async def server():
        stream = await net.accept()
        await read_head(stream)
        with contextlib.suppress(trio.BrokenResourceError):  # the client has given up
            await drip(stream, sent, every_s)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(server)
        start_s = trio.current_time()
        with pytest.raises(UtilityUnreachable, match=message) as caught:
            await connection.request("GET", "/")
        assert caught.value.phase == "receive"
        assert trio.current_time() - start_s == pytest.approx(after_s)
        nursery.cancel_scope.cancel()


async def test_a_server_that_does_not_read_is_given_up(net, autojump_clock):
    """Phase send: the network takes nothing more."""
    connection = http11.Connection(_StuckStream.open, "stuck.test")
    with pytest.raises(UtilityUnreachable, match=r"stuck.test \(send\): not done within 10 s"):
        await connection.request("PUT", "/", body=b"x")


class _StuckStream(trio.abc.Stream):
    @classmethod
    async def open(cls):
        return cls()

    async def send_all(self, data):
        await trio.sleep_forever()

    async def wait_send_all_might_not_block(self):
        await trio.sleep_forever()

    async def receive_some(self, max_bytes=None):
        await trio.sleep_forever()

    async def aclose(self):
        await trio.lowlevel.checkpoint()
