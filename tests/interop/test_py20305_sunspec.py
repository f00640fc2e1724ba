"""PyPI's py20305 as a gateway: a DERControl at our server, through its SunSpec connector, into our inverter.

The simulator runs without its own 2030.5 client here; the only way from server to inverter is Modbus.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.interop.peer import write_config
from tests.interop.processes import eventually, get_json, program

pytest.importorskip("py20305", reason="py20305 is not installed: pip install dersim[test]")


def in_force(api: str) -> dict[str, tuple[Any, str]]:
    found = get_json(f"{api}/setpoints")["in_force"]
    return {item["mode"]: (item["value"], item["source"]) for item in found}


def test_a_dercontrol_reaches_our_inverter_through_py20305(tmp_path: Path) -> None:
    sim = ("dersim", "sim", "--without", "csip,csip_ui", "--website_port", "0", "--mb_port", "0")
    with (
        program("dersim", "server", "--port", "0", "--admin_port", "0") as server,
        program(*sim, cwd=tmp_path) as inverter,
    ):
        ready, ours = server.ready(), inverter.ready()
        admin, api = ready["utility_admin"] + "/api/utility", ours["dashboard"] + "/api/dersim"
        port = int(ours["modbus"].rpartition(":")[2])
        config = write_config(tmp_path, ready["utility"], modbus_port=port)
        users = min(get_json(f"{admin}/programs"), key=lambda p: p["primacy"])
        curve = {"curve": [[95, 40], [105, 40]], "y_ref_type": 3, "open_loop_s": 1}
        modes = {"opModMaxLimW": 60, "opModVoltVar": curve}
        created = httpx.post(
            f"{admin}/programs/{users['id']}/controls",
            json={"modes": modes, "start_in_s": 8, "duration_s": 6, "response_required": 7},
            trust_env=False,
        )
        assert created.status_code == 201, created.text
        with program("py20305", "--config", str(config), cwd=tmp_path) as client:
            client.wait_line(lambda line: "iscovery complete" in line)
            eventually(
                "the limit as a Modbus setpoint",
                lambda: in_force(api).get("opModMaxLimW") == (60.0, "modbus"),
            )
            eventually(
                "6 kW",
                lambda: abs(get_json(f"{api}/overview")["metrics"]["power_kw"] - 6) < 0.1,
                timeout_s=10,
            )
            device = eventually(
                "DERCapability by way of 702",
                lambda: next(
                    (d for d in get_json(f"{admin}/end-devices") if d["der"].get("capability")), None
                ),
            )
            rated = device["der"]["capability"]["rtgMaxW"]
            assert rated["value"] * 10 ** rated["multiplier"] == 10_000
            eventually("released", lambda: in_force(api).get("opModMaxLimW", (100.0, ""))[0] == 100.0)
            assert client.stop(30) == 0
