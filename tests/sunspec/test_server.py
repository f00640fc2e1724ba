"""The listener over real sockets: tools, probes, half requests, floods; one never disturbs another."""

import errno
import socket
import time

import pytest
import trio
from tests.sunspec.conftest import Bench, make_server, serving, tool
from tests.sunspec.test_pdu import mbap

from dersim.errors import ConfigError
from dersim.setpoint_sources import SetpointSource

READ = mbap(bytes.fromhex("039c400002"))
ANSWER = mbap(bytes.fromhex("030453756e53"))


async def ask(stream, request=READ):
    await stream.send_all(request)
    with trio.fail_after(10):
        return await stream.receive_some(1000)


async def test_pysunspec2_scans_writes_adopts_and_sees_the_power_follow():
    def session(port):
        device = tool(port)
        device.scan()
        models = [each for each in device.models if isinstance(each, int)]
        for model in models:
            device.models[model][0].read()
        limit, measured = device.models[704][0], device.models[701][0]
        limit.WMaxLimPct.cvalue, limit.WMaxLimPctEna.value = 40, 1
        limit.write()
        curve = device.models[705][0]
        one = curve.Crv[1]
        one.ActPt.value, one.DeptRef.value, one.RspTms.cvalue = 2, 1, 0
        for point, (volts, var) in zip(one.Pt, ((95, 30), (105, 30)), strict=False):
            point.V.cvalue, point.Var.cvalue = volts, var
        curve.Ena.value = 1
        curve.write()
        curve.AdptCrvReq.value = 2
        curve.write()
        curve.read()
        adopted = (curve.AdptCrvRslt.value, curve.Crv[0].ActPt.value, curve.Crv[0].Pt[1].V.cvalue)
        seen = []
        end_s = time.monotonic() + 10
        while time.monotonic() < end_s:
            measured.read()
            seen.append((measured.W.cvalue, measured.Var.cvalue))
            if seen[-1] == (4000, 1320):
                break
        device.close()
        return models, adopted, seen[-1]

    async with serving() as running:
        with trio.fail_after(30):
            models, adopted, seen = await trio.to_thread.run_sync(session, running.port)
        assert models == [block.model_id for block in running.server.unit.blocks]
        assert adopted == (1, 2, 105)
        assert seen == (4000, 1320)
        sources = {item.mode: item.source for item in running.device.setpoints.in_force()}
        assert sources == {"opModMaxLimW": SetpointSource.MODBUS, "opModVoltVar": SetpointSource.MODBUS}


async def test_a_reversion_fires_while_nobody_asks():
    async with serving() as running:
        running.server.apply_points(704, {"WMaxLimPctRvrtTms": 1})
        running.server.apply_points(704, {"WMaxLimPctRvrt": 60, "WMaxLimPctEnaRvrt": 1})
        running.server.apply_points(704, {"WMaxLimPct": 20, "WMaxLimPctEna": 1})
        assert running.device.setpoints.value("opModMaxLimW") == 20
        with trio.fail_after(10):
            while running.device.setpoints.value("opModMaxLimW") != 60:
                await running.server.timers.wait_changed()


async def test_sixty_clients_at_once_and_probes_in_between():
    async with serving() as running:
        streams = [await running.connect() for _ in range(60)]
        for _ in range(20):  # as Home Assistant looks whether the port is open
            await (await running.connect()).aclose()
        for _ in range(2):
            for stream in streams:
                assert await ask(stream) == ANSWER
        assert await ask(await running.connect()) == ANSWER


async def test_a_failing_connection_disturbs_nobody():
    async with serving() as running:
        good = await running.connect()
        assert await ask(good) == ANSWER
        for garbage in (b"GET / HTTP/1.1\r\n\r\n", b"\0" * 300, b"\xff" * 12, READ[:9]):
            bad = await running.connect()
            await bad.send_all(garbage)
            if garbage != READ[:9]:
                with trio.fail_after(10):
                    assert await bad.receive_some(100) == b""
            await bad.aclose()
        reset = await running.connect()
        reset.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        await reset.send_all(READ[:5])
        await reset.aclose()
        assert await ask(good) == ANSWER


async def test_half_a_request_is_shut_out_in_time(monkeypatch):
    from dersim.sunspec import connections

    async with serving() as running:
        connection = running.server._connections
        connection._limits = connections.Limits(message_s=0.05)
        slow = await running.connect()
        await slow.send_all(READ[:9])
        with trio.fail_after(10):
            assert await slow.receive_some(100) == b""
        idle = await running.connect()
        assert await ask(idle) == ANSWER  # an idle connection has no such limit
        with trio.move_on_after(0.2):
            await idle.receive_some(1)
        assert await ask(idle) == ANSWER


async def test_a_thousand_connections_and_the_newest_is_served():
    async with serving() as running:
        for _ in range(1000):
            newest = await running.connect()
        assert await ask(newest) == ANSWER
        assert len(running.server._connections) <= 256


async def test_a_new_connection_at_the_limit_closes_the_one_that_has_been_idle_longest():
    from dersim.sunspec import connections

    async with serving() as running:
        running.server._connections._limits = connections.Limits(connections=3)
        first, second, third = [await running.connect() for _ in range(3)]
        for stream in (first, second, third, first):  # so that the second has been idle longest
            assert await ask(stream) == ANSWER
        newest = await running.connect()
        assert await ask(newest) == ANSWER
        with trio.fail_after(10):
            assert await second.receive_some(1) == b""
        for stream in (first, third, newest):
            assert await ask(stream) == ANSWER
        assert len(running.server._connections) == 3


async def test_without_free_file_descriptors_the_idlest_makes_room_and_one_line_says_so(monkeypatch):
    from dersim.sunspec import connections

    accept, failures = trio.SocketListener.accept, iter(range(20))

    async def scarce(listener):
        if next(failures, None) is not None:
            raise OSError(errno.EMFILE, "Too many open files")
        return await accept(listener)

    monkeypatch.setattr(connections, "_ACCEPT_PAUSE_S", 0.0)
    async with serving() as running:
        await trio.testing.wait_all_tasks_blocked()
        monkeypatch.setattr(trio.SocketListener, "accept", scarce)
        idle = await running.connect()  # the accept that waits already is the last to succeed
        with trio.fail_after(5):
            assert await idle.receive_some(1) == b""
        assert await ask(await running.connect()) == ANSWER
        lines = [each.message for each in running.log.entries(level="Error")]
        assert lines == ["connections refused: Too many open files"]


async def test_few_file_descriptors_mean_few_modbus_connections(monkeypatch):
    from dersim.sunspec import connections

    monkeypatch.setattr(connections, "connection_limit", lambda most: min(most, 5))
    async with serving() as running:
        for _ in range(20):
            newest = await running.connect()
        assert await ask(newest) == ANSWER
        assert len(running.server._connections) <= 5


async def test_an_unexpected_error_ends_its_modbus_connection_alone():
    async with serving() as running:
        good, bad = await running.connect(), await running.connect()
        assert await ask(good) == ANSWER
        unit = running.server.unit
        read = unit.read
        unit.read = lambda *_: 1 / 0
        with trio.fail_after(10):
            await bad.send_all(READ)
            assert await bad.receive_some(100) == b""
        unit.read = read
        assert await ask(good) == ANSWER
        assert await ask(await running.connect()) == ANSWER
        assert running.server._context.fences.counts == {"modbus_connection": 1}


def test_an_unexpected_error_of_a_reversion_timer_ends_neither_the_request_nor_the_other_timers():
    bench = Bench()
    fired = []
    broken, good = bench.server.timers.add(lambda: 1 / 0), bench.server.timers.add(lambda: fired.append(1))
    broken.start(5)
    good.start(5)
    bench.clock.time_s += 6
    assert bench.read(701, "W") == 7005
    assert fired == [1]
    assert bench.server._context.fences.counts == {"modbus_timer": 1}


async def test_a_client_that_does_not_read_is_let_go(monkeypatch):
    from dersim.sunspec import connections

    async with serving() as running:
        running.server._connections._limits = connections.Limits(answer_s=0.1)
        deaf = await running.connect()
        flood = mbap(bytes.fromhex("039c40007d")) * 200

        async def talk():
            while True:
                await deaf.send_all(flood)

        with trio.fail_after(20), pytest.raises(trio.BrokenResourceError):
            await talk()
        assert await ask(await running.connect()) == ANSWER


async def test_a_busy_port_is_one_line():
    async with serving() as running:
        bench = Bench()
        server, _ = make_server(bench.device, bench.clock, "--mb_port", str(running.port))
        with pytest.raises(ConfigError, match=f"{running.port}: cannot listen: the port is busy"):
            await server.bind()


async def test_the_port_rises_with_the_device_and_no_means_no():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    second = Bench(number=2)
    server, _ = make_server(second.device, second.clock, "--mb_port", str(port - 1))
    assert await server.bind() == {"modbus": f"127.0.0.1:{port}"}
    await server.aclose()
    off, _ = make_server(second.device, second.clock, "--mb_enable", "no")
    assert await off.bind() == {}
    assert off.status().state == "disabled"


async def test_refused_writes_are_logged_once_with_a_reason():
    async with serving() as running:
        stream = await running.connect()
        for _ in range(5):
            assert (await ask(stream, mbap(bytes.fromhex("069c420001"))))[-2:] == b"\x86\x02"
        warnings = [e.message for e in running.log.entries(level="Warning", limit=100)]
        assert warnings == ["function 6 refused with exception 2: 1.ID cannot be written"]
