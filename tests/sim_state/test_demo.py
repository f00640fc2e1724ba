"""`dersim sim --demo --state`: the companion server keeps its state beside, so the conversation goes on."""

from __future__ import annotations

from typing import Any

import trio
from tests.sim_state.runs import Run

from dersim.plugin.services import CompanionService, CsipService

FLAGS = ("--demo", "--csip_server_port", "0", "--admin_port", "0", "--tick", "0.2")
WITHOUT = ("--without", "csip_ui,modbus,rest")


def client(run: Run) -> Any:
    return run.simulator.services.find(CsipService, 1)


async def reporting(run: Run) -> Any:
    """The server's head-end, once the DER has connected and posted readings in this life."""
    with trio.fail_after(50):
        while client(run) is None or not client(run).counts()["meter_posts"]:
            await run.simulator.fleet.wait_step()
    server: Any = run.simulator.services.find(CompanionService)
    return server.head_end


def known(head_end: Any) -> dict[str, Any]:
    """What the client knows things by."""
    return {
        "devices": [(each.number, each.lfdi) for each in head_end.end_devices],
        "programs": sorted((each.number, each.mrid) for each in head_end.programs),
        "mirrors": sorted(each.mrid for each in head_end.mirrors),
    }


async def test_after_a_crash_server_and_client_go_on_together(tmp_path):
    path = tmp_path / "sim.db"
    async with Run(path, *FLAGS, without=WITHOUT).live(killed=True) as run:
        before = known(await reporting(run))
        events = {each.mrid for each in client(run).explain()}
        await run.saved()
    assert path.with_name("sim-server.db").exists()
    async with Run(path, *FLAGS, without=WITHOUT).live() as again:
        head_end = await reporting(again)
        assert known(head_end) == before
        assert events <= {each.mrid for each in client(again).explain()}
        controls = [control for program in head_end.programs for control in program.controls.values()]
        assert {each.mrid for each in controls} >= events
        told = [(each.response.endDeviceLFDI, each.response.subject, each.response.status)
                for each in head_end.responses.all]  # fmt: skip
        assert len(told) == len(set(told))
