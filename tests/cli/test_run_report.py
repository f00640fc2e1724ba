"""What a run tells of itself: how the DERs connect, and the line of each minute."""

import gc
import io
import re
from types import SimpleNamespace

import pytest
import trio
import trio.testing

from dersim.cli.run_report import FleetView, RunReport
from dersim.cli.terminal import Look, Terminal
from dersim.device import Device
from dersim.fences import Fences
from dersim.fleet import Fleet
from dersim.logbuffer import LogBuffer
from dersim.plugin.builtin import make_device
from dersim.plugin.services import CsipService, Services
from dersim.setpoint_sources import SetpointSource
from dersim.setpoints import InForce

READY = "dersim ready dashboard=http://127.0.0.1:8111 modbus=127.0.0.1:8502 modbus_2=127.0.0.1:8503"


@pytest.fixture(autouse=True)
def collectable():
    """What a run keeps from the collector belongs to the tests that follow."""
    yield
    gc.unfreeze()


class Client:
    def __init__(self):
        self.state, self.requests, self.errors = "discovering", 0, 0

    def counts(self):
        return {"requests": self.requests, "errors": self.errors}


class Run:
    """A run of `count` DERs with their clients, told on a terminal or, without one, in the log alone."""

    def __init__(self, count=2, *, look=None, csip=True):
        self.screen, self.piped = io.StringIO(), io.StringIO()
        self.log = LogBuffer(stream=self.piped)
        services, self.clients = Services(), []
        self.in_force = {number: [] for number in range(1, count + 1)}
        devices = [
            SimpleNamespace(
                number=number,
                seen=SimpleNamespace(p_w=4000.0),
                setpoints=SimpleNamespace(in_force=lambda number=number: self.in_force[number]),
            )
            for number in self.in_force
        ]
        for device in devices if csip else []:
            self.clients.append(Client())
            services.offer(CsipService, self.clients[-1], device.number)
        view = FleetView(SimpleNamespace(devices=devices), services, Fences(self.log))
        terminal = None if look is None else Terminal(self.screen, look)
        self.report = RunReport(view, self.log, terminal, None)

    def connect_all(self):
        for client in self.clients:
            client.state = "connected"

    def messages(self):
        return [entry.message for entry in self.log.entries()]


PERSON = Look(interactive=True, colour=False, moves=True)


async def test_in_a_pipe_it_tells_the_beginning_and_the_end_of_joining(autojump_clock, nursery, capsys):
    run = Run(2)
    nursery.start_soon(run.report.run)
    run.report.announce(READY)
    await trio.testing.wait_all_tasks_blocked()
    assert run.messages() == ["2 DERs connect to their server"]
    await trio.sleep(2.9)
    run.connect_all()
    await trio.sleep(300)
    assert run.messages()[1:] == ["all 2 connected after 3.0 s"]
    assert capsys.readouterr().out == READY + "\n"
    assert run.screen.getvalue() == ""


async def test_in_a_pipe_a_single_der_is_told_as_it_always_was(autojump_clock, nursery, capsys):
    run = Run(1)
    nursery.start_soon(run.report.run)
    run.report.announce(READY)
    run.connect_all()
    await trio.sleep(300)
    assert run.messages() == []


async def test_ders_that_a_fleet_file_keeps_away_are_told_apart(autojump_clock, nursery):
    run = Run(3)
    nursery.start_soon(run.report.run)
    run.report.announce(READY)
    run.clients[1].state = "away"
    await trio.sleep(2.9)
    assert len(run.messages()) == 1
    run.clients[0].state = run.clients[2].state = "connected"
    await trio.sleep(1)
    assert run.messages()[1:] == ["2 connected, 1 away after 3.0 s"]
    nothing = run.report._view.count()
    assert "connected 2 of 3, 1 away | " in run.report.line(nothing, nothing)


async def test_the_table_comes_at_the_start_and_again_when_all_are_connected(autojump_clock, nursery, capsys):
    run = Run(2, look=PERSON)
    nursery.start_soon(run.report.run)
    run.report.announce(READY)
    assert run.screen.getvalue().count("dashboard  http://127.0.0.1:8111\n") == 1
    await trio.sleep(3)
    assert "0/2" in run.screen.getvalue()
    run.connect_all()
    await trio.sleep(1)
    assert run.screen.getvalue().count("dashboard  http://127.0.0.1:8111\n") == 2


async def test_a_line_a_minute_tells_connections_controls_power_requests_and_errors(
    autojump_clock, nursery, capsys
):
    run = Run(2, look=PERSON)
    run.connect_all()
    nursery.start_soon(run.report.run)
    run.report.announce(READY)
    await trio.sleep(30)
    run.clients[0].requests, run.clients[1].requests, run.clients[1].errors = 30, 12, 1
    control = InForce("opModMaxLimW", 40.0, SetpointSource.CSIP, "control C5", 0.0, None)
    default = control._replace(source=SetpointSource.CSIP_DEFAULT, detail="default")
    run.in_force = {1: [control, default], 2: [control]}
    await trio.sleep(32)
    run.clients[0].requests = 32
    run.clients[0].state = "retrying"
    await trio.sleep(60)
    lines = [line.partition(" ")[2] for line in run.screen.getvalue().splitlines() if " kW " in line]
    assert lines == [
        "connected 2 of 2 | 1 control in force | P 8.00 kW | 42 requests, 1 error in the last minute"
        " | http://127.0.0.1:8111",
        "connected 1 of 2 | 1 control in force | P 8.00 kW | 2 requests, 0 errors in the last minute"
        " | http://127.0.0.1:8111",
    ]
    assert "kW" not in run.piped.getvalue(), "the line is in the terminal only"


async def test_without_a_server_the_bar_goes_after_a_minute_for_the_lines(autojump_clock, nursery, capsys):
    run = Run(2, look=PERSON)
    nursery.start_soon(run.report.run)
    run.report.announce(READY)
    await trio.sleep(125)
    assert run.messages() == ["2 DERs connect to their server"]
    told = run.screen.getvalue()
    assert "connected 0 of 2 | " in told
    assert told.count("  dashboard ") == 1
    run.connect_all()
    await trio.sleep(2)
    assert re.fullmatch(r"all 2 connected after 12\d\.\d s", run.messages()[1])
    assert run.screen.getvalue().count("  dashboard ") == 2


async def test_without_csip_nothing_joins(autojump_clock, nursery, capsys):
    run = Run(2, look=PERSON, csip=False)
    nursery.start_soon(run.report.run)
    run.report.announce(READY)
    await trio.sleep(61)
    assert run.messages() == []
    assert (
        "2 DERs, CSIP off | 0 controls in force | P 8.00 kW | http://127.0.0.1:8111\n"
        in run.screen.getvalue()
    )


async def test_a_terminal_that_cannot_move_its_cursor_has_no_bar(autojump_clock, nursery, capsys):
    run = Run(2, look=Look(interactive=True, colour=False, moves=False))
    nursery.start_soon(run.report.run)
    run.report.announce(READY)
    await trio.sleep(3)
    assert "\x1b" not in run.screen.getvalue()


def test_the_sum_of_power_is_that_of_the_states_and_builds_none(monkeypatch):
    devices = [make_device(number) for number in (1, 2, 3)]
    for device in devices:
        device.step(1_000.0)
    devices[1].fail("a test")
    expected_kw = sum(device.state.p_w for device in devices) / 1000
    assert expected_kw > 0
    monkeypatch.setattr(Device, "state", property(lambda device: pytest.fail("a state was built")))
    view = FleetView(Fleet(devices), Services(), Fences(LogBuffer(stream=io.StringIO())))
    assert view.power_kw() == expected_kw
