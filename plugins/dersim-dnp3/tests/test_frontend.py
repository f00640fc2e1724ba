"""The listener of a DER: busy ports, many connections, errors that nobody foresaw, and the library's log."""

from __future__ import annotations

import io
import logging
from argparse import Namespace

import pytest
import trio
from dersim_dnp3.frontend import OutstationServer
from py1815.application import build_request, class_header
from py1815.link import build

from dersim.clock import SimClock
from dersim.fences import Fences
from dersim.logbuffer import LogBuffer
from dersim.plugin import ConfigError, Fleet, FrontendContext, make_device
from dersim.plugin.services import Services

POLL = build_request(1, sequence=3, body=class_header(0))


def context_of(fail_fast=False, **changes):
    clock = SimClock(tick_s=1.0)
    clock.start()
    device = make_device(clock=clock)
    device.step(clock.now_s())
    log = LogBuffer(stream=io.StringIO())
    options = {
        "dnp3_host": "127.0.0.1",
        "dnp3_port": 0,
        "dnp3_outstation_addr": 1,
        "dnp3_remote_addr": (4,),
        "dnp3_profile": None,
        "dnp3_unsolicited": False,
        "dnp3_deadband": 1.0,
        "dnp3_enc": False,
        "dnp3_peers": frozenset(),
        **dict.fromkeys(("dnp3_cert", "dnp3_key", "dnp3_root_cert"), ""),
    }
    context = FrontendContext(
        options=Namespace(**{**options, **changes}),
        fleet=Fleet([device]),
        clock=clock,
        log=log,
        services=Services(),
        stop=lambda: None,
        device=device,
        fences=Fences(log, fail_fast=fail_fast),
    )
    context.add_routes = context.routes.of("dnp3", "dnp3")
    return context


def messages(context, level="Info"):
    return [each.message for each in context.log.entries(level=level)]


@pytest.fixture
async def served(nursery):
    context = context_of()
    server = OutstationServer(context)
    where = (await server.bind())["dnp3"]
    nursery.start_soon(server.run)
    return context, server, where


@pytest.fixture
async def call():
    streams = []

    async def open_one(where):
        host, port = where.rsplit(":", 1)
        streams.append(await trio.open_tcp_stream(host, int(port)))
        return streams[-1]

    yield open_one
    for each in streams:
        await trio.aclose_forcefully(each)


async def ask(stream, fragment=POLL, source=4):
    await stream.send_all(build(0xC4, 1, source, b"\xc0" + fragment))
    with trio.fail_after(10):
        return await stream.receive_some(4096)


async def test_a_busy_port_is_told_in_one_line(served):
    _context, _server, where = served
    port = int(where.rsplit(":", 1)[1])
    with pytest.raises(ConfigError, match=f"--dnp3_port 127.0.0.1:{port}: cannot listen: the port is busy"):
        await OutstationServer(context_of(dnp3_port=port)).bind()


async def test_a_wider_listener_without_tls_is_warned_of():
    context = context_of(dnp3_host="0.0.0.0")
    server = OutstationServer(context)
    await server.bind()
    await server.aclose()
    assert messages(context, "Warning") == [
        "0.0.0.0 without TLS: whoever reaches it may command the DERs; see --dnp3_enc"
    ]


async def test_a_connection_without_a_master_makes_room(served, call):
    _context, server, where = served
    master = await call(where)
    assert await ask(master)
    for _ in range(20):
        await call(where)
    await trio.sleep(0.2)
    assert len(server.connections) <= 16
    assert await ask(master)  # it is still there


async def test_a_master_that_comes_back_takes_the_place_of_its_old_connection(served, call):
    context, server, where = served
    first = await call(where)
    assert await ask(first)
    second = await call(where)
    assert await ask(second)
    with trio.fail_after(10):
        while await first.receive_some(100):
            pass
    await trio.sleep(0.1)
    assert [each.connected for each in server.masters.all()] == [True]
    assert await ask(second)
    assert any("come back over another connection" in each for each in messages(context))


async def test_an_error_ends_one_connection_alone(served, call, monkeypatch):
    context, server, where = served
    master = await call(where)
    assert await ask(master)
    [association] = server.masters.all()
    whole = association.session.receive
    monkeypatch.setattr(association.session, "receive", lambda _octets: 1 / 0)
    assert not await ask(master)  # closed
    monkeypatch.setattr(association.session, "receive", whole)
    assert await ask(await call(where))
    assert context.fences.counts == {"dnp3_connection": 1}
    [line] = messages(context, "Error")
    assert "a connection: unexpected ZeroDivisionError" in line


async def test_the_library_speaks_in_our_log_and_only_while_it_runs(served, call):
    context, _server, where = served
    await ask(await call(where))
    await trio.testing.wait_all_tasks_blocked(0.05)
    logging.getLogger("py1815.session").warning("dnp3: a line of the library")
    assert "dnp3: a line of the library" in messages(context, "Warning")
    for number in range(100):
        logging.getLogger("py1815.session").warning("dnp3: line %d", number)
    assert len(messages(context, "Warning")) <= 31


async def test_nothing_of_the_library_is_taken_before_it_runs():
    OutstationServer(context_of())
    assert logging.getLogger("py1815").propagate
