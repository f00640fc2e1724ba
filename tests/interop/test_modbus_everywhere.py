"""A write on Modbus is seen everywhere: in the physics, over REST, and by the 2030.5 server.

pysunspec2 writes into a running `dersim sim`; the companion server tells what the CSIP client PUT.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sunspec2.modbus.client import SunSpecModbusClientDeviceTCP
from tests.interop.processes import CERTS, eventually, get_json, program


class Everywhere:
    """One inverter seen from its three sides."""

    def __init__(self, modbus: str, api: str, admin: str) -> None:
        self.tool = SunSpecModbusClientDeviceTCP(
            slave_id=1, ipaddr="127.0.0.1", ipport=int(modbus.rpartition(":")[2]), timeout=5
        )
        self.tool.scan()
        self.api, self.admin = f"{api}/api/dersim", f"{admin}/api/utility"

    def write(self, model: int, **values: float) -> None:
        """Points of the top of a model, by name and in plain units, one request each."""
        for name, value in values.items():
            point = self.tool.models[model][0].points[name]
            point.cvalue = value
            point.write()

    def curve(self, model: int, group: Any, x: str, y: str, pairs: list[tuple[float, float]]) -> int:
        """Write a curve into a set and adopt set 2; the result."""
        group.ActPt.cvalue = len(pairs)
        for point, (one, other) in zip(group.Pt, pairs, strict=False):
            getattr(point, x).cvalue, getattr(point, y).cvalue = one, other
        whole = self.tool.models[model][0]
        whole.write()
        whole.AdptCrvReq.value = 2
        whole.write()
        whole.read()
        result: int = whole.AdptCrvRslt.value
        return result

    def read(self, model: int, name: str) -> Any:
        point = self.tool.models[model][0].points[name]
        point.read()
        return point.cvalue

    def overview(self) -> Any:
        return get_json(f"{self.api}/overview")

    def power_kw(self) -> float:
        return float(self.overview()["metrics"]["power_kw"])

    def in_force(self) -> dict[str, tuple[Any, str]]:
        found = get_json(f"{self.api}/setpoints")["in_force"]
        return {item["mode"]: (item["value"], item["source"]) for item in found}

    def der(self, part: str) -> Any:
        """What the server was last told: settings or status."""
        devices = get_json(f"{self.admin}/end-devices")
        return next((d["der"].get(part) for d in devices if d["der"].get(part)), {}) or {}

    def told(self, what: str, part: str, look: Callable[[Any], bool]) -> None:
        """Wait until the server was told; it polls the DER's resources every 10 s."""
        eventually(f"{what} at the server", lambda: look(self.der(part)))


@pytest.fixture(scope="module")
def inverter(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Everywhere]:
    folder: Path = tmp_path_factory.mktemp("modbus")
    with program("dersim", "server", "--port", "0", "--admin_port", "0") as server:
        at = server.ready()
        flags = [
            "--csip_server_port",
            at["utility"].rpartition(":")[2],
            "--csip_cert",
            str(CERTS / "cert_1.pem"),
        ]
        flags += ["--csip_key", str(CERTS / "key_1.pem"), "--csip_root_cert", str(CERTS / "cert_root.pem")]
        ports = ("--mb_port", "0", "--website_port", "0", "--csip_website_port", "0")
        with program("dersim", "sim", *flags, *ports, cwd=folder) as sim:
            ready = sim.ready()
            one = Everywhere(ready["modbus"], ready["dashboard"], at["utility_admin"])
            yield one
            one.tool.close()


def value_of(quantity: Any) -> float:
    return float(quantity["value"] * 10 ** quantity["multiplier"])


def test_a_limit_and_its_reversion(inverter: Everywhere) -> None:
    inverter.told("a first status", "status", bool)
    free = inverter.power_kw()
    inverter.write(704, WMaxLimPctRvrtTms=10, WMaxLimPct=40, WMaxLimPctEna=1)
    assert inverter.in_force()["opModMaxLimW"] == (40.0, "modbus")
    eventually("4 kW over REST", lambda: inverter.power_kw() == pytest.approx(4.0))
    assert inverter.read(701, "W") == 4000
    inverter.told("a derated inverter", "status", lambda s: s and s["inverterStatus"]["value"] == 5)
    eventually("reverted", lambda: inverter.power_kw() == pytest.approx(free, abs=0.01))
    assert inverter.in_force()["opModMaxLimW"] == (100.0, "csip-default")
    assert inverter.read(704, "WMaxLimPct") == 100


def test_adoption_that_succeeds_and_fails(inverter: Everywhere) -> None:
    volt_var = inverter.tool.models[705][0]
    volt_var.read()
    volt_var.Ena.value, volt_var.Crv[1].DeptRef.value, volt_var.Crv[1].RspTms.cvalue = 1, 1, 0
    assert inverter.curve(705, volt_var.Crv[1], "V", "Var", [(95, 30), (105, 30)]) == 1
    curve, source = inverter.in_force()["opModVoltVar"]
    assert (curve["curve"], source) == ([[95, 30], [105, 30]], "modbus")
    reactive = lambda: inverter.overview()["metrics"]["reactive_power_kvar"]  # noqa: E731
    eventually("1.32 kvar over REST", lambda: reactive() == pytest.approx(1.32, abs=0.01))
    assert inverter.curve(705, volt_var.Crv[1], "V", "Var", [(105, 30), (95, 30)]) == 2
    assert inverter.in_force()["opModVoltVar"][0]["curve"] == [[95, 30], [105, 30]]
    assert reactive() == pytest.approx(1.32, abs=0.01)
    inverter.write(705, Ena=0)
    eventually("the default curve again", lambda: reactive() == pytest.approx(0, abs=0.01))
    assert inverter.in_force()["opModVoltVar"][1] == "csip-default"


def test_settings_and_enter_service(inverter: Everywhere) -> None:
    inverter.write(702, WMax=6000)
    inverter.write(703, ESDlyTms=4, ESRmpTms=0)
    eventually("6 kW", lambda: inverter.power_kw() == pytest.approx(6.0))
    inverter.told(
        "setMaxW and setESDelay",
        "settings",
        lambda s: s and value_of(s["setMaxW"]) == 6000 and s["setESDelay"] == 400,
    )
    inverter.write(703, ES=0)
    eventually("off", lambda: inverter.overview()["status"]["operational"] == "off")
    assert inverter.power_kw() == 0
    inverter.told("off", "status", lambda s: s["operationalModeStatus"]["value"] == 1)
    inverter.write(703, ES=1)
    assert inverter.power_kw() == 0  # the delay is still to come
    # How steep the way back is, the default control says (setSoftGradW).
    eventually("back in service", lambda: inverter.power_kw() > 0)
    inverter.told("operational", "status", lambda s: s["operationalModeStatus"]["value"] == 2)
    inverter.write(702, WMax=10000)


def test_a_trip_setting(inverter: Everywhere) -> None:
    inverter.write(703, ESDlyTms=2, ESRmpTms=0)
    trips = inverter.tool.models[708][0]
    trips.read()
    pairs = [(120.0, 0.16), (120.0, 1.0), (105.0, 1.0)]
    assert inverter.curve(708, trips.Crv[1].MustTrip, "V", "Tms", pairs) == 1
    assert inverter.in_force()["opModHVRTMustTrip"][1] == "modbus"
    grid = inverter.tool.models[64414][0]
    for phase in "ABC":
        getattr(grid, f"GridVoltage{phase}").cvalue = 1.07
    grid.write()
    eventually("tripped over REST", lambda: inverter.overview()["status"]["tripped"])
    assert (inverter.power_kw(), inverter.read(701, "InvSt")) == (0, 6)
    inverter.told("the alarm", "status", lambda s: int(str(s["alarmStatus"]), 16) & 2)
    for phase in "ABC":
        getattr(grid, f"GridVoltage{phase}").cvalue = 1.0
    grid.write()
    eventually("back after 2 s", lambda: not inverter.overview()["status"]["tripped"])
    inverter.told("no alarm", "status", lambda s: not int(str(s["alarmStatus"]), 16) & 2)
