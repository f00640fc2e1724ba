"""The control function in a DER, the lines of the port, and the registers, each by itself."""

from argparse import Namespace
from types import SimpleNamespace

import pytest
import trio
from dersim_site_meter import register_control_functions
from dersim_site_meter.export_limit import LIMIT, LOAD
from dersim_site_meter.meter_port import MeterPort
from dersim_site_meter.registers import DEFINITION, SiteRegisters

from dersim.fences import Fences
from dersim.grid.conditions import Conditions
from dersim.grid.inputs import Inputs
from dersim.grid.site_load import SiteLoad
from dersim.logbuffer import LogBuffer
from dersim.plugin import (
    FUNCTION_TYPES,
    ConfigError,
    ManualClock,
    SetpointChange,
    SetpointSource,
    Verdict,
    make_device,
)
from dersim.plugin.candidates import find
from dersim.plugin.loader import PluginSet


@pytest.fixture(scope="module", autouse=True)
def _activated():
    PluginSet([each for each in find() if each.name == "site-meter"]).register(Namespace())


@pytest.fixture
def device():
    clock = ManualClock()
    made = make_device(clock=clock, functions=(*FUNCTION_TYPES, *register_control_functions()))
    made.clock = clock
    made.step(0.0)
    return made


def ask(device, mode, value):
    return device.setpoints.submit(SetpointChange(SetpointSource.REST, mode, value))[0].verdict


def test_the_export_is_held_at_the_limit_and_the_load_comes_on_top(device):
    assert ask(device, LIMIT, 1000.0) is Verdict.ACCEPTED
    device.step(1.0)
    assert device.state.p_w == 1000
    ask(device, LOAD, 2500.0)
    device.step(60.0)
    assert device.state.p_w == 3500
    ask(device, LIMIT, None)
    device.step(600.0)
    assert device.state.p_w > 4000


def test_the_load_behind_the_meter_of_dersim_counts_too():
    inputs = Inputs(Conditions()._replace(load_w=(500.0, 500.0, 500.0)), site=SiteLoad(3))
    made = make_device(inputs=inputs, functions=(*FUNCTION_TYPES, *register_control_functions()))
    made.step(0.0)
    ask(made, LIMIT, 1000.0)
    assert made.state.p_w == 2500
    ask(made, LOAD, 700.0)
    made.step(60.0)
    registers = SiteRegisters(made, lambda: 0.0)
    assert registers.read() == {"LimEna": 1, "LimW": 1000, "LoadW": 2200, "ExportW": 1000}


def test_a_limit_out_of_range_is_refused(device):
    assert ask(device, LIMIT, -1.0) is Verdict.OUT_OF_RANGE
    assert ask(device, LOAD, 2e6) is Verdict.OUT_OF_RANGE


def test_the_registers_show_what_acts_and_a_write_acts(device):
    registers = SiteRegisters(device, device.clock.now_s)
    assert registers.read()["LimEna"] == 0
    assert registers.write({"LimEna": 1, "LimW": 1500}, SetpointSource.MODBUS) == {LIMIT: 1500}
    ask(device, LIMIT, 1200.0)
    ask(device, LOAD, 300.0)
    device.step(1.0)
    assert registers.read() == {"LimEna": 1, "LimW": 1200, "LoadW": 300, "ExportW": 1200}
    assert registers.write({"LimEna": 0}, SetpointSource.MODBUS) == {LIMIT: None}
    with pytest.raises(ConfigError, match="LimW is 2000000 W; give at most 1000000 W"):
        registers.write({"LimW": 2_000_000}, SetpointSource.MODBUS)
    assert {point["name"] for point in DEFINITION["group"]["points"]} == {"ID", "L", *registers.read()}


def meter(device):
    log = LogBuffer()
    return MeterPort(
        SimpleNamespace(device=device, options=Namespace(site_port=0), fences=Fences(log), log=log)
    )


@pytest.mark.parametrize(
    ("line", "answer"),
    [
        ("limit 1000", "ok"),
        ("limit off", "ok"),
        ("load 20", "ok"),
        ("load -1", "error say read, load W, limit W or limit off"),
        ("", "error say read, load W, limit W or limit off"),
        ("read it", "error say read, load W, limit W or limit off"),
    ],
)
def test_a_line_has_an_answer(device, line, answer):
    assert meter(device).answer(line) == answer


def test_what_the_der_refuses_is_told_with_the_reason(device):
    assert meter(device).answer("load 9999999").startswith("error siteLoadW")


async def test_the_port_serves_lines_until_it_is_cancelled(device):
    port = meter(device)
    address = (await port.bind())["site_meter"]
    host, number = address.split(":")
    async with trio.open_nursery() as nursery:
        nursery.start_soon(port.run)
        stream = await trio.open_tcp_stream(host, int(number))
        await stream.send_all(b"limit 1000\nload 500\nre")
        await stream.send_all(b"ad\n")
        seen = b""
        while seen.count(b"\n") < 3:
            seen += await stream.receive_some()
        assert seen == b"ok\nok\nlimit 1000 load 500 export 500\n"
        assert port.status().detail == f"port {number}, 1 client(s)"
        await stream.aclose()
        nursery.cancel_scope.cancel()
    assert (await port.bind())["site_meter"] == address
    with pytest.raises(ConfigError, match=f"--site_port {number}: cannot listen"):
        await meter_at(device, int(number)).bind()
    await port.aclose()


def meter_at(device, number):
    other = meter(device)
    other._port = number
    return other


async def test_a_line_without_end_closes_the_connection(device):
    port = meter(device)
    host, number = (await port.bind())["site_meter"].split(":")
    async with trio.open_nursery() as nursery:
        nursery.start_soon(port.run)
        stream = await trio.open_tcp_stream(host, int(number))
        await stream.send_all(b"x" * 200)
        assert await stream.receive_some() == b""
        await stream.aclose()
        nursery.cancel_scope.cancel()
