"""The power of a device under test by SunSpec over Modbus, over real sockets."""

import io
import socket

import pytest
import trio
from tests.sunspec.conftest import serving

from dersim.conformance import modbus
from dersim.conformance.evidence import Evidence, Sample
from dersim.conformance.modbus import Address, Meter, address
from dersim.conformance.stage import Stage
from dersim.errors import ConfigError
from dersim.logbuffer import LogBuffer


class Clock:
    """Seconds since 1970 that rise by themselves."""

    def now_s(self):
        return 1_800_000_000.0 + trio.current_time()


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("192.0.2.7:502", Address("192.0.2.7", 502, 1)),
        ("inverter:1502:3", Address("inverter", 1502, 3)),
        ("[::1]:502:247", Address("::1", 502, 247)),
    ],
)
def test_addresses(text, found):
    assert address(text) == found


@pytest.mark.parametrize(
    "text",
    ["", "inverter", ":502", "a:b", "a:0", "a:70000", "a:1:256", "a:1:2:3", "[::1]x:1", "a:123456", "[::1]"],
)
def test_what_is_no_address_is_one_line(text):
    with pytest.raises(ConfigError, match=r"^--modbus .*: (HOST:PORT|a port)"):
        address(text)


async def observed(meter, enough, scale=0.1):
    """The samples of a run, once there are enough."""
    stage = Stage(Clock(), LogBuffer(stream=io.StringIO()), "AB" * 20, None, scale=scale)
    with trio.fail_after(10):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(meter.observe, stage)
            while not enough(stage.evidence):  # noqa: ASYNC110 - a thread and a real device bring them
                await trio.sleep(0.01)
            nursery.cancel_scope.cancel()
    return stage.evidence


async def test_w_var_volts_and_hertz_are_those_of_the_terminals():
    async with serving() as served:
        served.device.inputs.set(irradiance_w_m2=1800.0, voltage_pu=1.02, frequency_hz=60.0)
        meter = Meter(Address("127.0.0.1", served.port), lambda _: None)
        await meter.open()
        assert meter.model == 701
        evidence = await observed(meter, lambda evidence: len(evidence.samples) >= 2)
        last, state = evidence.samples[-1], served.device.state
        assert last.p_w == pytest.approx(state.p_w, abs=10)
        assert last.q_var == pytest.approx(state.q_var, abs=10)
        assert last.voltage_v in (pytest.approx(state.voltage_ll_v[0]), pytest.approx(state.voltage_ln_v[0]))
        assert last.frequency_hz == pytest.approx(60.0, abs=0.02)
        assert evidence.power() == evidence.samples
        meter.close()


async def test_a_device_without_model_701_is_read_by_its_inverter_model(monkeypatch):
    monkeypatch.setattr(modbus, "MODELS", {key: names for key, names in modbus.MODELS.items() if key != 701})
    async with serving() as served:
        meter = Meter(Address("127.0.0.1", served.port), lambda _: None)
        await meter.open()
        assert meter.model in (101, 102, 103)
        sample = (await observed(meter, lambda evidence: evidence.samples)).samples[0]
        assert None not in sample
        meter.close()


async def test_a_lost_device_is_told_once_and_found_again(monkeypatch):
    monkeypatch.setattr(modbus, "RETRY_S", 0.01)
    told = []
    async with serving() as served:
        meter = Meter(Address("127.0.0.1", served.port), told.append)
        await meter.open()
    with socket.create_server(("127.0.0.1", 0)) as free:
        meter.where = Address("127.0.0.1", free.getsockname()[1])
    evidence = await observed(meter, lambda evidence: evidence.facts.get("meter_lost"))
    assert len(told) == 1
    assert "is lost" in told[0]
    async with serving() as served:
        meter.where = Address("127.0.0.1", served.port)
        evidence = await observed(meter, lambda evidence: evidence.samples)
    assert evidence.samples
    meter.close()


async def test_no_device_is_one_line():
    with socket.create_server(("127.0.0.1", 0)) as free:
        where = Address("127.0.0.1", free.getsockname()[1])
    with pytest.raises(ConfigError, match=rf"--modbus {where}: .*connection refused"):
        await Meter(where, lambda _: None).open()


def test_own_readings_count_only_while_the_meter_was_lost(monkeypatch):
    evidence = Evidence(0.0)
    seen = [Sample(float(at), 1.0, 0.0) for at in range(10)]
    told = [Sample(float(at), 2.0, 0.0) for at in (5, 11, 14, 30)]
    evidence.samples = [*seen, Sample(20.0, 1.0, 0.0)]
    monkeypatch.setattr(Evidence, "metered", lambda _: told)
    assert evidence.power() == evidence.samples
    evidence.facts["meter_lost"] = "no answer"
    assert [each.time_s for each in evidence.power() if each.p_w == 2.0] == [14.0, 30.0]
