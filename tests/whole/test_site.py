"""A site with a load over everything: its mirror on the server, a restart of the DER."""

from __future__ import annotations

from typing import Any

import pytest

from dersim import pki
from dersim.testing import WorldPlan, open_world, run_virtual


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return pki.create(tmp_path_factory.mktemp("site") / "certs", 1)


def newest(world: Any) -> dict[tuple[str, str], float]:
    """By roleFlags and description: the newest value of each reading of the DER."""
    listed = world.utility.operate("GET", "mirror-usage-points")
    return {
        (mirror["roleFlags"], each["description"]): each["value"]
        for mirror in listed
        for each in mirror["readings"]
        if each["value"] is not None
    }


def test_a_restart_of_the_der_doubles_no_mirror_and_no_register_falls(folder: Any) -> None:
    async def main() -> None:
        plan = WorldPlan(pki=folder, poll_s=60, tick_s=10.0, watch=True, flags=("--site_load", "90000"))
        async with open_world(plan) as world:
            await world.connected()
            await world.sleep(60)
            world.device().inputs.set(load_w=-90_000)
            await world.sleep(120)
            before = newest(world)
            assert before["0003", "Wh delivered"] > 1000 < before["0003", "Wh received"]
            assert before["0003", "W"] == pytest.approx(-90_000 - before["0049", "W"], abs=1)
            [simulator] = world.simulators
            await simulator.restart(simulator.checkpoint())
            await world.connected()
            await world.sleep(70)
            after = newest(world)
            assert set(after) == set(before)
            for name in ("Wh delivered", "Wh received"):
                assert after["0003", name] >= before["0003", name]
            assert after["0003", "W"] == pytest.approx(before["0003", "W"], abs=1)
            assert [str(each) for each in world.violations] == []

    run_virtual(main)
