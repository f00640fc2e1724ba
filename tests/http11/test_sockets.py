"""Our sockets: as trio's own where it matters, and one turn of the event loop per request."""

import socket

import pytest
import trio
import trio.testing

from dersim import http11
from dersim.http11.sockets import ClientSocket, ServerSocket


@pytest.fixture
async def pair():
    """Our socket and trio's own at the other end."""
    (listener,) = await trio.open_tcp_listeners(0, host="127.0.0.1")
    async with listener:
        ours = await trio.open_tcp_stream("127.0.0.1", listener.socket.getsockname()[1])
        theirs = await listener.accept()
    async with ours, theirs:
        yield ClientSocket(ours), theirs


async def test_more_than_the_socket_takes_at_once_arrives_whole(pair):
    ours, theirs = pair
    message = bytes(range(256)) * 40_000
    received = bytearray()
    with trio.fail_after(20):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(ours.send_all, message)
            while len(received) < len(message):
                received += await theirs.receive_some()
    assert received == message


async def test_it_tells_without_waiting_that_something_has_come(pair):
    ours, theirs = pair
    assert not ours.is_readable()
    await theirs.send_all(b"x")
    await trio.lowlevel.wait_readable(ours._socket)
    assert ours.is_readable()
    assert await ours.receive_some() == b"x"
    assert not ours.is_readable()
    await theirs.aclose()
    await trio.lowlevel.wait_readable(ours._socket)
    assert ours.is_readable()
    assert await ours.receive_some() == b""


async def test_a_reset_breaks_it_and_names_the_cause(pair):
    ours, theirs = pair
    theirs.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
    await theirs.aclose()
    with pytest.raises(trio.BrokenResourceError) as caught:
        await ours.receive_some()
    assert isinstance(caught.value.__cause__, ConnectionResetError)
    with pytest.raises(trio.BrokenResourceError):
        await ours.send_all(b"x")


async def test_a_closed_one_is_not_taken_for_another_with_its_number(pair):
    ours, _ = pair
    await ours.aclose()
    for use in (ours.send_all(b"x"), ours.receive_some()):
        with pytest.raises(trio.ClosedResourceError):
            await use


async def test_closing_wakes_whoever_waits(pair):
    ours, _ = pair

    async def wait():
        with pytest.raises(trio.ClosedResourceError):
            await ours.receive_some()

    with trio.fail_after(10):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(wait)
            await trio.testing.wait_all_tasks_blocked()
            await ours.aclose()


async def test_it_is_cancelled_before_it_sends(pair):
    ours, theirs = pair
    with trio.CancelScope() as scope:
        scope.cancel()
        await ours.send_all(b"x")
    assert scope.cancelled_caught
    await ours.send_all(b"y")
    assert await theirs.receive_some() == b"y"


class Turns(trio.abc.Instrument):
    """Counts the turns that one task takes."""

    def __init__(self, task):
        self.task, self.count = task, 0

    def before_task_step(self, task):
        self.count += task is self.task


async def test_a_request_on_a_kept_connection_takes_one_turn(nursery, client_context, server_context):
    async def answer(request):
        return http11.Response(200, (), b"x" * 5000)

    listeners = await http11.bind("127.0.0.1", 0)
    nursery.start_soon(lambda: http11.serve(answer, listeners, tls=server_context))
    connection = http11.Endpoint(*http11.address(listeners), client_context).connection()
    await connection.request("GET", "/")
    turns = Turns(trio.lowlevel.current_task())
    trio.lowlevel.add_instrument(turns)
    for _ in range(10):
        await connection.request("PUT", "/", body=b"y" * 500)
    trio.lowlevel.remove_instrument(turns)
    # Head and body may come in two pieces where the machine is busy.
    assert 10 <= turns.count <= 20
    await connection.aclose()


async def test_a_client_that_does_not_read_has_the_servers_deadline(pair, autojump_clock):
    ours, _ = pair
    with pytest.raises(trio.TooSlowError):
        await ServerSocket(ours.stream, send_s=20).send_all(bytes(20_000_000))
    assert trio.current_time() == pytest.approx(20, abs=1)


async def test_many_requests_in_one_piece_do_not_hold_up_another_client(nursery):
    """Both have come before the server looks; a checkpoint between the requests lets the other one in."""
    order = []

    async def handler(request):
        order.append(request.target)
        return http11.Response(204)

    listeners = await http11.bind("127.0.0.1", 0)
    host, port = http11.address(listeners)
    many, single = [await trio.open_tcp_stream(host, port) for _ in range(2)]
    await many.send_all(b"GET /many HTTP/1.1\r\nHost: x\r\n\r\n" * 100)
    await single.send_all(b"GET /single HTTP/1.1\r\nHost: x\r\n\r\n")
    nursery.start_soon(http11.serve, handler, listeners)
    with trio.fail_after(20):
        await single.receive_some()
        while len(order) <= 100:
            await many.receive_some()
    assert order.index("/single") < 20
    await many.aclose()
    await single.aclose()
    nursery.cancel_scope.cancel()
