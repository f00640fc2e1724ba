"""The telemetry stream: snapshot, one push per step, and slow readers."""

import io
import json
from types import SimpleNamespace

import pytest
import trio
from tests.web.conftest import StandInDevice
from wsproto import ConnectionType, WSConnection
from wsproto.events import AcceptConnection, CloseConnection, Ping, RejectConnection, Request, TextMessage

from dersim.fences import Fences
from dersim.logbuffer import LogBuffer
from dersim.web.telemetry import MAILBOX_PLACES, Mailbox, Telemetry

WS = "/api/dersim/telemetry/ws"


class Listener:
    """A WebSocket client."""

    def __init__(self, stream):
        self.stream = stream
        self.ws = WSConnection(ConnectionType.CLIENT)

    async def open(self, port, target, headers):
        host = f"127.0.0.1:{port}"
        await self.stream.send_all(self.ws.send(Request(host=host, target=target, extra_headers=headers)))
        return await self.event()

    async def event(self):
        with trio.fail_after(30):
            while True:
                for event in self.ws.events():
                    if not isinstance(event, Ping):
                        return event
                self.ws.receive_data(await self.stream.receive_some(65536) or None)

    async def document(self):
        text = ""
        while True:
            event = await self.event()
            assert isinstance(event, TextMessage)
            text += event.data
            if event.message_finished:
                return json.loads(text)


async def listen(site, target="/api/dersim/telemetry/ws", headers=()):
    listener = Listener(await trio.open_tcp_stream("127.0.0.1", site.port))
    return listener, await listener.open(site.port, target, list(headers))


@pytest.mark.parametrize("path", ["/api/dersim/telemetry/ws", "/api/dersim/ws/telemetry"])
async def test_a_snapshot_at_once_then_one_push_per_step(open_site, path):
    async with open_site(count=2) as site:
        listener, accepted = await listen(site, f"{path}?device=2")
        assert isinstance(accepted, AcceptConnection)
        first = await listener.document()
        overview = json.loads((await site("GET", "/api/dersim/overview?device=2")).body)
        assert first == overview
        for k in range(3):
            site.context.fleet.step(p_w=1000.0 * k)
            document = await listener.document()
            assert document["metrics"]["power_kw"] == k
            assert document["device"] == 2
        await listener.stream.aclose()


@pytest.mark.parametrize(
    ("target", "headers", "status"),
    [
        ("/api/dersim/telemetry/ws", [("Origin", "http://evil.example")], 403),
        ("/api/dersim/telemetry/ws", [("Sec-Fetch-Site", "cross-site")], 403),
        ("/api/dersim/telemetry/ws?device=7", [], 404),
        ("/api/dersim/telemetry/ws?device=x", [], 400),
        ("/api/dersim/nothing/ws", [], 404),
    ],
)
async def test_refusals(open_site, target, headers, status):
    async with open_site() as site:
        listener, answer = await listen(site, target, headers)
        assert isinstance(answer, RejectConnection)
        assert answer.status_code == status
        assert site.frontend.telemetry.listeners == 0
        await listener.stream.aclose()


async def test_a_foreign_host_cannot_listen(open_site):
    async with open_site() as site:
        stream = await trio.open_tcp_stream("127.0.0.1", site.port)
        ws = WSConnection(ConnectionType.CLIENT)
        await stream.send_all(ws.send(Request(host="evil.example", target="/api/dersim/telemetry/ws")))
        assert b" 403 " in await stream.receive_some(100)
        await stream.aclose()


async def test_the_token_is_asked_of_listeners_too(open_site):
    async with open_site(token="s3cret") as site:
        without, refused = await listen(site)
        with_it, accepted = await listen(site, headers=[("Cookie", "dersim_token=s3cret")])
        assert refused.status_code == 401
        assert isinstance(accepted, AcceptConnection)
        await without.stream.aclose()
        await with_it.stream.aclose()


async def test_a_listener_that_talks_and_hangs_up_is_forgotten(open_site):
    async with open_site() as site:
        listener, _ = await listen(site)
        for _ in range(50):
            await listener.stream.send_all(listener.ws.send(TextMessage("hello")))
        await listener.document()
        assert site.frontend.telemetry.listeners == 1
        await listener.stream.aclose()
        with trio.fail_after(30):
            while site.frontend.telemetry.listeners:
                await trio.testing.wait_all_tasks_blocked(0.001)


async def test_the_oldest_gives_way():
    mailbox = Mailbox()
    for k in range(MAILBOX_PLACES + 3):
        mailbox.put(str(k))
    assert mailbox.dropped == 3
    assert [await mailbox.get() for _ in range(MAILBOX_PLACES)] == ["3", "4", "5", "6"]
    mailbox.close()
    assert await mailbox.get() is None


@pytest.mark.parametrize(
    ("count", "steps"), [(10, 80), pytest.param(50, 300, marks=[pytest.mark.slow, pytest.mark.timeout(600)])]
)
async def test_many_listeners_half_of_them_stuck(open_site, count, steps):
    """Those that read miss nothing; what waits for the stuck is bounded; the fleet never waits."""
    async with open_site(count=20) as site:
        reading, stuck = [], []
        for k in range(count):
            listener, accepted = await listen(site)
            assert isinstance(accepted, AcceptConnection)
            await listener.document()
            (reading if k % 2 else stuck).append(listener)
        for step in range(steps):
            site.context.fleet.step(p_w=float(step))
            for listener in reading:
                assert (await listener.document())["metrics"]["power_kw"] == step / 1000
        boxes = [box for boxes in site.frontend.telemetry._mailboxes.values() for box in boxes]
        assert len(boxes) == count
        assert max(len(box._waiting) for box in boxes) <= MAILBOX_PLACES
        for listener in (*reading, *stuck):
            await listener.stream.aclose()


async def test_who_stays_when_another_leaves_goes_on_hearing(autojump_clock):
    tick, ticks = trio.open_memory_channel(0)
    device = StandInDevice(1)
    documents = iter(["one's first", "other's first", "a step"])
    telemetry = Telemetry(
        SimpleNamespace(devices=[device], wait_step=ticks.receive),
        lambda _device: next(documents),
        Fences(LogBuffer(stream=io.StringIO())),
    )
    one, other = telemetry.subscribe(device), telemetry.subscribe(device)
    telemetry.unsubscribe(device, one)
    assert await other.get() == "other's first"
    async with trio.open_nursery() as nursery:
        nursery.start_soon(telemetry.run)
        await tick.send(None)
        with trio.fail_after(1):
            assert await other.get() == "a step"
        nursery.cancel_scope.cancel()
    assert telemetry.listeners == 1


async def test_an_unexpected_error_in_a_websocket_ends_it_alone(open_site, monkeypatch):
    async with open_site(count=2) as site:
        well, _ = await listen(site, f"{WS}?device=2")
        await well.document()
        telemetry = site.frontend.telemetry
        monkeypatch.setattr(telemetry, "_document", broken_for(1, telemetry._document))
        ill, accepted = await listen(site, f"{WS}?device=1")
        assert isinstance(accepted, AcceptConnection)
        closing = await ill.event()
        assert isinstance(closing, CloseConnection)
        assert closing.code == 1011
        site.context.fleet.step()
        assert (await well.document())["device"] == 2
        assert site.context.fences.counts == {"web_socket": 1}
        [line] = site.context.log.entries(level="Error")
        assert line.message == f"WS {WS}: unexpected ZeroDivisionError('division by zero')"
        for listener in (well, ill):
            await listener.stream.aclose()


async def test_a_document_that_cannot_be_made_costs_its_readers_a_step_and_others_nothing(
    open_site, monkeypatch
):
    async with open_site(count=2) as site:
        ill, _ = await listen(site, f"{WS}?device=1")
        well, _ = await listen(site, f"{WS}?device=2")
        for listener in (ill, well):
            await listener.document()
        telemetry = site.frontend.telemetry
        with monkeypatch.context() as patch:
            patch.setattr(telemetry, "_document", broken_for(1, telemetry._document))
            site.context.fleet.step(p_w=1.0)
            assert (await well.document())["metrics"]["power_kw"] == 0.001
        site.context.fleet.step(p_w=2.0)
        assert (await ill.document())["metrics"]["power_kw"] == 0.002
        assert site.context.fences.counts == {"web_telemetry": 1}
        for listener in (well, ill):
            await listener.stream.aclose()


def broken_for(number, document):
    return lambda device: document(device) if device.number != number else 1 / 0
