"""Tools that others have written steer a DER of every type through Modbus TCP.

pysunspec2, py20305's SunSpec connector, and clients that do what evcc and Home Assistant document.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
import trio
from tests.interop.steering import OUT_PF_ENA, OUT_PF_SET, OUT_PF_SF, Evcc, FroniusModbus, reaches
from tests.sunspec.conftest import serving, tool

from dersim.plugin.builtin import DEVICE_TYPES

KINDS = [kind.name for kind in DEVICE_TYPES]
STORAGE = [kind for kind in KINDS if kind.startswith(("Batt", "Hybrid"))]
#: DC power of a charge of 1 W and of a discharge of 1 W on the AC side.
CHARGED, DISCHARGED = 0.96, 1 / 0.96


async def session(kind: str, act: Callable[[int], None]) -> Any:
    """Run `act(port)` in a thread beside a DER of this type, whose time runs twenty times as fast."""
    async with serving(device_type=kind, tick_s=0.5, rate=20) as running:
        with trio.fail_after(50):
            await trio.to_thread.run_sync(act, running.port)
        return running.device


def asks_for(port: int, watts: float) -> None:
    """Let 704 ask for an active power, as the user's own schedule would."""
    device = tool(port)
    device.scan()
    controls = device.models[704][0]
    controls.WSetMod.value, controls.WSet.cvalue, controls.WSetEna.value = 1, watts, 1
    controls.write()
    device.close()


@pytest.mark.parametrize("kind", KINDS)
async def test_evcc_curtails(kind: str) -> None:
    def act(port: int) -> None:
        evcc = Evcc(port)
        free = evcc.ac_w()
        asks_for(port, 7_000)
        reaches("free", evcc.ac_w, 7_000)
        evcc.curtail(30)
        limit = 0.3 * (15_000 if kind.startswith("Hybrid") else 10_000)
        reaches("curtailed", evcc.ac_w, limit)
        evcc.curtail(100)
        reaches("free again", evcc.ac_w, 7_000)
        assert free == pytest.approx(0 if kind.startswith("Batt") else 7_005, abs=15)
        evcc.close()

    await session(kind, act)


@pytest.mark.parametrize("kind", STORAGE)
async def test_evcc_holds_charges_and_lets_go(kind: str) -> None:
    def act(port: int) -> None:
        evcc = Evcc(port)
        sun_w = 7_005 if kind.startswith("Hybrid") else 0
        assert evcc.soc() == pytest.approx(50, abs=0.1)
        asks_for(port, sun_w + 3_000)
        reaches("the user's schedule", evcc.battery_w, 3_000 * DISCHARGED)
        evcc.hold()
        reaches("hold", evcc.battery_w, 0)
        evcc.normal()
        reaches("normal", evcc.battery_w, 3_000 * DISCHARGED)
        asks_for(port, sun_w - 3_000)
        reaches("the user's schedule charges", evcc.battery_w, -3_000 * CHARGED)
        evcc.hold_charge()
        reaches("no charge", evcc.battery_w, 0)
        evcc.normal()
        reaches("normal again", evcc.battery_w, -3_000 * CHARGED)
        evcc.close()

    await session(kind, act)


@pytest.mark.parametrize("kind", STORAGE)
async def test_evcc_charges_from_the_grid_until_its_watchdog_stops(kind: str) -> None:
    def act(port: int) -> None:
        evcc = Evcc(port)
        free_w = evcc.ac_w()

        def refreshed(look: Callable[[], float]) -> float:
            evcc.charge(80, watchdog_s=30)
            return look()

        reaches("charge", lambda: refreshed(evcc.battery_w), -8_000 * CHARGED)
        reaches("seen at the terminals", lambda: refreshed(evcc.ac_w), free_w - 8_000)
        reaches("reverted", evcc.battery_w, 0)
        reaches("seen at the terminals", evcc.ac_w, free_w)
        assert evcc.soc() > 50.1
        evcc.close()

    device = await session(kind, act)
    assert not {"InWRte", "OutWRte"} & set(device.setpoints.values())


@pytest.mark.parametrize("kind", STORAGE)
async def test_home_assistant_forces_both_directions_and_blocks_them(kind: str) -> None:
    def act(port: int) -> None:
        fronius, meter = FroniusModbus(port), Evcc(port)
        found = fronius.storage()
        assert (found["max_charge"], found["control_mode"], found["charge_status"]) == (10_000, 0, 6)
        assert (found["charging_power"], found["discharging_power"], found["grid_charging"]) == (100, 100, 1)
        fronius.change(2, 100, -50)  # charge from the grid
        reaches("grid charge", meter.battery_w, -5_000 * CHARGED)
        assert fronius.storage()["charge_status"] == 4
        assert fronius.storage()["discharging_power"] == -50
        fronius.change(1, -40, 100)  # discharge to the grid
        reaches("grid discharge", meter.battery_w, 4_000 * DISCHARGED)
        assert fronius.storage()["charge_status"] == 3
        fronius.change(3, 100, 0)  # block discharging
        reaches("blocked", meter.battery_w, 0)
        fronius.change(3, 0, -50)
        reaches("blocked both", meter.battery_w, 0)
        fronius.minimum_reserve(60)
        fronius.change(1, -40, 100)
        reaches("the reserve is kept", meter.battery_w, 0)
        assert fronius.storage()["minimum_reserve"] == 60
        fronius.change(0, 100, 100)
        assert fronius.storage()["control_mode"] == 0
        fronius.close()
        meter.close()

    await session(kind, act)


@pytest.mark.parametrize("kind", KINDS)
async def test_a_power_factor_below_0_injects(kind: str) -> None:
    def act(port: int) -> None:
        client = Evcc(port)
        asks_for(port, 6_000)
        client.put(123, OUT_PF_SET, -0.9, OUT_PF_SF)
        client.put(123, OUT_PF_ENA, 1)
        injected = 6_000 * (1 / 0.81 - 1) ** 0.5
        ac = next(each for each in (103, 102, 101) if each in client.models)
        reaches("injects", lambda: client.point(ac, 20, 21), injected, within=30)
        client.put(123, OUT_PF_SET, 0.9, OUT_PF_SF)
        reaches("absorbs", lambda: client.point(ac, 20, 21), -injected, within=30)
        client.close()

    await session(kind, act)


@pytest.mark.parametrize("kind", KINDS)
async def test_pysunspec2_reads_every_model_and_steers_by_123_and_124(kind: str) -> None:
    def act(port: int) -> None:
        device = tool(port)
        device.scan()
        models = [each for each in device.models if isinstance(each, int)]
        for model in models:
            device.models[model][0].read()
        assert (124 in models) == (kind in STORAGE)
        limit, measured = device.models[123][0], device.models[701][0]
        limit.WMaxLimPct.cvalue, limit.WMaxLim_Ena.value = 20, 1
        limit.write()
        if 124 in models:
            storage, battery = device.models[124][0], device.models[802][0]
            storage.StorCtl_Mod.value, storage.OutWRte.cvalue = 2, -30
            storage.write()

            def battery_w() -> float:
                battery.read()
                return float(battery.W.cvalue)

            # Under the limit of 3 kW the hybrid's battery takes what the sun gives beyond it.
            charge_w = 7_005 - 3_000 if kind.startswith("Hybrid") else 3_000
            reaches("charging", battery_w, -charge_w * CHARGED)
            storage.read()
            assert (storage.StorCtl_Mod.value, storage.OutWRte.cvalue, storage.ChaSt.value) == (2, -30, 4)
        else:

            def ac_w() -> float:
                measured.read()
                return float(measured.W.cvalue)

            reaches("limited", ac_w, 2_000)
        device.close()

    await session(kind, act)


@pytest.mark.parametrize("kind", KINDS)
async def test_py20305_reads_and_steers(kind: str) -> None:
    sunspec = pytest.importorskip(
        "py20305.connectors.sunspec_core", reason="py20305 is not installed: pip install dersim[test]"
    )

    async def drive(port: int) -> None:
        connector = sunspec.SunSpecModbusConnector(port=port, scan_retry_delay=0.1)
        nameplate = await connector.fetch_nameplate()
        assert nameplate["WMaxRtg"]["value"] * 10 ** nameplate["WMaxRtg"]["multiplier"] in (10_000, 15_000)
        assert (await connector.fetch_status())["connectStatus"]["value"] == 1
        assert "WMax" in await connector.fetch_configuration()
        await connector.update_fixed_w({"WSetEna": 1, "WSetMod": 0, "WSet": 40.0})
        await reach(connector, 4_000 if "Hybrid" not in kind else 6_000)
        if kind in STORAGE:
            await connector.update_fixed_w({"WSetEna": 1, "WSetMod": 0, "WSet": -50.0})
            await reach(connector, -5_000)
            await connector.update_load_lim({"load_lim_mode_enable": 1, "load_lim_w": 2_000})
            await reach(connector, -1_000)
        else:
            await connector.update_p_lim({"p_lim_mode_enable": 1, "p_lim_w": 25})
            await reach(connector, 2_500)

    async def reach(connector: Any, watts: float) -> None:
        for _ in range(500):
            seen = (await connector.fetch_monitoring())["W"]
            if abs(seen - watts) <= 15:
                return
        raise AssertionError(f"{seen} W and not {watts} W")

    await session(kind, lambda port: asyncio.run(drive(port)))
