"""A client that leaves and joins again, and one whose connection is cut: the DER runs on."""

from __future__ import annotations

import trio
from tests.csip.conftest import START_S, control, mrid


async def test_a_client_that_leaves_closes_its_connection_and_asks_nothing_more(autojump_clock, world):
    client = await world.start(for_s=20)
    assert client.state == "connected"
    client.presence.leave("leaves, for 300 s", 300)
    await trio.sleep(1)
    asked, shown = len(world.server.seen), client.snapshot()
    assert (shown["state"], shown["last_error"], round(shown["retry_in_s"])) == (
        "away",
        "leaves, for 300 s",
        299,
    )
    assert not client.lifecycle.session._connections
    await trio.sleep(298)
    assert len(world.server.seen) == asked
    client.presence.join()
    await trio.sleep(2)
    assert client.state == "connected"
    assert world.server.seen[asked].path == "/dcap"
    assert client.snapshot()["last_error"] is None


async def test_controls_begin_and_end_while_the_client_is_away_and_are_answered_after(autojump_clock, world):
    client = await world.ready()
    start = int(START_S + 7.3 + 60)
    world.add_control(control(1, start, 120))
    world.begin()
    await trio.sleep(20)
    client.presence.leave("leaves", 300)
    await trio.sleep(60)
    assert client.state == "away"
    assert "opModMaxLimW" in {
        each.mode for each in world.device.setpoints.in_force() if each.detail == mrid(1)
    }
    await trio.sleep(120)
    assert not [each for each in world.device.setpoints.in_force() if each.detail == mrid(1)]
    assert len(world.server.bodies("/rsp")) == 1  # received
    client.presence.join()
    await trio.sleep(5)
    bodies = world.server.bodies("/rsp")
    assert [body.split(b"<status>")[1][:1] for body in bodies] == [b"1", b"2", b"3"]


async def test_a_der_that_joins_later_asks_nothing_until_then(autojump_clock, world):
    client = await world.ready()
    client.presence.leave("joins later, for 60 s", 60)
    world.begin()
    await trio.sleep(59)
    assert (client.state, world.server.seen) == ("away", [])
    client.presence.join()
    await trio.sleep(2)
    assert client.state == "connected"


async def test_a_client_that_waits_to_try_again_leaves_at_once(autojump_clock, world):
    client = await world.ready()
    world.server.away = True
    world.begin()
    await trio.sleep(5)
    assert client.state == "retrying"
    client.presence.leave("leaves", 60)
    await trio.sleep(0.1)
    assert client.state == "away"


class Breakable(trio.abc.Stream):
    """A memory stream that can be broken, as a socket can."""

    def __init__(self, inner: trio.StapledStream) -> None:
        self.inner, self.broken = inner, False

    def shut(self) -> None:
        self.broken = True
        self.inner.receive_stream.put_eof()

    async def send_all(self, data) -> None:
        if self.broken:
            raise trio.BrokenResourceError
        await self.inner.send_all(data)

    async def receive_some(self, max_bytes=None) -> bytes:
        return await self.inner.receive_some(max_bytes)

    async def wait_send_all_might_not_block(self) -> None:
        await self.inner.wait_send_all_might_not_block()

    async def aclose(self) -> None:
        await self.inner.aclose()


def breakable(open_tcp):
    async def open_breakable(host: str, port: int) -> trio.abc.Stream:
        return Breakable(await open_tcp(host, port))

    return open_breakable


async def test_a_cut_breaks_the_connection_and_the_client_connects_again_after_it(autojump_clock, world):
    world.server.open_tcp = breakable(world.server.open_tcp)
    client = await world.ready()
    client.presence.can_be_cut()
    world.begin()
    await trio.sleep(20)
    assert (client.state, world.server.connections) == ("connected", 1)
    asked = len(world.server.seen)
    client.presence.cut("comms loss of 60 s")
    await trio.sleep(60)
    assert client.state == "retrying"
    assert client.snapshot()["last_error"].endswith("(connect): comms loss of 60 s")
    assert (len(world.server.seen), world.server.connections) == (asked, 1)
    assert not [entry for entry in world.log.entries() if entry.level == "Warning"]
    assert world.device.state.p_w > 0
    client.presence.restore()
    await trio.sleep(12)
    assert (client.state, world.server.connections) == ("connected", 2)


async def test_a_request_under_way_is_cut_too(autojump_clock, world):
    async def hang(request):
        await trio.sleep_forever()

    world.server.open_tcp = breakable(world.server.open_tcp)
    client = await world.ready()
    world.server.answers["GET", "/edev"] = hang
    client.presence.can_be_cut()
    world.begin()
    await trio.sleep(5)
    assert client.state == "discovering"
    client.presence.cut("comms loss")
    await trio.sleep(0.1)
    assert client.state == "retrying"
