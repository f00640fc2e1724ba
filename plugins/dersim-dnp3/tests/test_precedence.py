"""One limit by four protocols in turn: which rules, and whether each protocol shows the one that rules.

An active DERControl rules over the latest of Modbus, REST and DNP3, and this over the DefaultDERControl.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from processes import Running, run_dersim, run_process
from sunspec2.modbus.client import SunSpecModbusClientDeviceTCP

pytest.importorskip("opendnp3", reason="yadnp3 (opendnp3) is not installed: pip install 'dersim-dnp3[test]'")
from master import Master

_LIMIT = "opModMaxLimW"
_LOCAL, _REMOTE = 0, 1


class Utility:
    """The operator of `dersim server`."""

    def __init__(self, line: str) -> None:
        urls = dict(pair.split("=", 1) for pair in line.split()[2:])
        self.port = urls["utility"].rsplit(":", 1)[1]
        self._admin = f"{urls['utility_admin']}/api/utility"
        self._ask("PUT", "poll-rates", dict.fromkeys(("dcap", "edev", "fsa", "derp", "der", "mup"), 1))
        self.program = self._ask("GET", "programs")[0]["id"]

    def _ask(self, method: str, path: str, body: Any = None) -> Any:
        answer = httpx.request(method, f"{self._admin}/{path}", json=body, timeout=10, trust_env=False)
        return answer.raise_for_status().json() if answer.content else None

    def default(self, percent: float) -> None:
        """What holds without a control."""
        self._ask("PUT", f"programs/{self.program}/default-control", {"modes": {_LIMIT: percent}})

    def control(self, percent: float) -> str:
        """One that begins at once; its mRID."""
        order = {"modes": {_LIMIT: percent}, "start_in_s": 0, "duration_s": 600}
        return self._ask("POST", f"programs/{self.program}/controls", order)["mRID"]

    def cancel(self, mrid: str) -> None:
        """End it."""
        self._ask("DELETE", f"controls/{mrid}")

    @property
    def metered_w(self) -> float:
        """The last reading of active power that the DER has posted, W."""
        [point] = self._ask("GET", "mirror-usage-points")
        return next((each["value"] for each in point["readings"] if each["description"] == "W"), 0.0)

    @property
    def commanded_by(self) -> int | None:
        """localControlModeStatus of the only DER: 0 local, 1 remote."""
        status = self._ask("GET", "end-devices")[0]["der"]["status"] or {}
        return status.get("localControlModeStatus", {}).get("value")


class Everybody:
    """One DER with its utility and the three others who may command it."""

    def __init__(self, running: Running, utility: Utility, master: Master) -> None:
        self.running, self.utility, self.master = running, utility, master
        host, port = running.urls["modbus"].rsplit(":", 1)
        self._modbus = SunSpecModbusClientDeviceTCP(slave_id=1, ipaddr=host, ipport=int(port))
        self._modbus.scan()
        self._controls = self._modbus.models[704][0]

    def by_modbus(self, percent: float) -> None:
        """Write 704.WMaxLimPct and its enable."""
        self._controls.WMaxLimPct.cvalue = percent
        self._controls.WMaxLimPctEna.value = 1
        self._controls.write()

    def by_rest(self, percent: float) -> None:
        """The same by name."""
        points = {"WMaxLimPct": percent, "WMaxLimPctEna": 1}
        self.running.post("dersim/grid-support", {"model": 704, "points": points})

    def by_dnp3(self, percent: float, *, select: bool = False) -> None:
        """AO 88 and its enable."""
        for index, value in ((88, round(percent * 10)), (17, True)):
            assert self.master.command(index, value, select=select) == "SUCCESS"

    def shown(self) -> dict[str, Any]:
        """The limit, as each protocol shows it."""
        in_force = self.running.get("dersim/setpoints")["in_force"]
        [limit] = [each for each in in_force if each["mode"] == _LIMIT]
        self._controls.read()
        values = self.master.integrity()
        return {
            "REST": limit["value"],
            "by": limit["source"],
            "Modbus": self._controls.WMaxLimPct.cvalue * self._controls.WMaxLimPctEna.value,
            "DNP3": round(values["AI149"][0] / 10, 1) * values["BI69"][0],
            "2030.5": self.utility.commanded_by,
        }

    def all_show(self, percent: float, source: str) -> None:
        """Wait until each shows this limit, and the DER obeys it."""
        by = _REMOTE if source.startswith("csip") else _LOCAL
        wanted = {"REST": percent, "by": source, "Modbus": percent, "DNP3": percent, "2030.5": by}
        deadline = time.monotonic() + 20
        while (now := self.shown()) != wanted:
            assert time.monotonic() < deadline, now
            time.sleep(0.2)
        self.master.until("the power", lambda: abs(self.running.power_w() - percent * 100) < 20)


@pytest.fixture
def everybody() -> Iterator[Everybody]:
    with run_process("server", "--port", "0", "--admin_port", "0", "--enc", "no") as line:
        utility = Utility(line)
        utility.default(61)
        flags = ("--csip_server_port", utility.port, "--csip_enc", "no")
        with run_dersim(*flags, plugins="csip,rest,modbus,dnp3") as running:
            master = Master(running.dnp3)
            try:
                master.until(
                    "its start", lambda: ("STARTUP_INTEGRITY_POLL", "SUCCESS") in master.application.done
                )
                yield Everybody(running, utility, master)
            finally:
                master.close()


@pytest.mark.slow
@pytest.mark.timeout(180)
def test_one_limit_by_four_protocols_in_turn(everybody):
    utility, show = everybody.utility, everybody.all_show
    show(61, "csip-default")
    everybody.by_modbus(57)
    show(57, "modbus")
    everybody.by_rest(53)
    show(53, "rest")
    everybody.by_dnp3(49)
    show(49, "dnp3")
    everybody.master.until("the reading", lambda: abs(utility.metered_w - 4900) < 20, within_s=60)
    everybody.by_rest(46)
    show(46, "rest")
    event = utility.control(42)
    show(42, "csip")
    everybody.by_modbus(38)  # these wait below the event
    everybody.by_dnp3(34, select=True)
    show(42, "csip")
    utility.cancel(event)
    show(34, "dnp3")
    everybody.by_modbus(30)
    show(30, "modbus")
    assert everybody.master.command(17, False) == "SUCCESS"  # for every local source
    show(61, "csip-default")
