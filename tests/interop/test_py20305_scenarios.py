"""py20305 as the client of each scenario in examples/scenarios, with shortened times.

What it leaves out by itself is in docs/server.md. The last control of the storm is ended by currentStatus 4,
and a default that changes keeps its mRID: it reads both and does nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest
from tests.interop.lab_server import SCENARIOS, LabServer, lab_server, shortened
from tests.interop.peer import Identity, peer, write_config
from tests.interop.processes import CERTS, Program, eventually

pytest.importorskip("py20305", reason="py20305 is not installed: pip install dersim[test]")
pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

_LIMIT = re.compile(r"update_p_lim\(.*'p_lim_w': ([0-9.]+)")


class Running(NamedTuple):
    server: LabServer
    client: Program

    def limits(self) -> list[float]:
        """The limits that it has given to its inverter, %, each change once."""
        found = [float(at[1]) for line in self.client.err if (at := _LIMIT.search(line))]
        return [each for number, each in enumerate(found) if number == 0 or each != found[number - 1]]

    def answered(self, **wanted: list[list[int]]) -> None:
        """Wait until all controls of these names (`_` for a space) are answered so."""

        def look() -> bool:
            statuses = self.server.statuses()
            found = {name: statuses.get(name.replace("_", " "), []) for name in wanted}
            return found == wanted

        eventually(f"{wanted}", look, timeout_s=120, every_s=0.5)

    def has_polled(self, *paths: str) -> None:
        """Wait until each path has been asked for."""
        for path in paths:
            eventually(path, lambda path=path: self.server.asked(path) > 1, timeout_s=60)


@contextmanager
def played(name: str, factor: float, folder: Path, *, registers: bool = False) -> Iterator[Running]:
    """The scenario with py20305; in the end nothing was refused, and both stop by themselves.

    registers: the scenario does so. py20305 is started then: one that does not find itself at its start never
    reads its assignments.
    """
    who = Identity(CERTS / "cert.pem", CERTS / "key.pem")
    scenario = shortened(name, factor, folder, lfdi=who.lfdi)
    with lab_server("--scenario", str(scenario)) as server:
        if registers:
            eventually("registered", lambda: server.get("end-devices"), timeout_s=60)
        with peer(write_config(folder, server.url, identity=who), floor_s=1) as client:
            client.wait_line(lambda line: "iscovery complete" in line)
            yield Running(server, client)
            assert client.stop(60) == 0
        assert server.refused() == []
        assert server.program.stop() == 0


def test_each_scenario_has_a_test() -> None:
    told = {name.replace("_", "-") for name in globals()}
    assert {f"test-{each.stem}" for each in SCENARIOS.glob("*.yaml")} <= told


def test_summer_peak(tmp_path: Path) -> None:
    with played("summer-peak", 0.02, tmp_path) as run:
        run.answered(quarter_hour=[[1, 2, 3], [1, 2, 7], [1, 2, 3], [1, 2, 3]], hot_spot=[[1, 2, 3]])
        assert run.limits()[-6:] == [80, 60, 30, 50, 75, 100]
        run.has_polled("/derp", "/fsa/2/derp", "/fsa/3/derp")


def test_superseding_storm(tmp_path: Path) -> None:
    with played("superseding-storm", 0.05, tmp_path) as run:
        superseded = [[1, 2, 7]]
        run.answered(first=superseded, second=superseded, third=superseded)
        run.answered(cut=[[1, 2, 6]], late=[[1, 6]], last=[[1, 2]])
        assert run.limits()[-6:] == [80, 70, 60, 20, 90, 50]


def test_commissioning(tmp_path: Path) -> None:
    with played("commissioning", 0.08, tmp_path, registers=True) as run:
        run.has_polled("/edev/1/fsa", "/fsa/2/derp", "/derp/2/dderc", "/derp/1/dderc")
        eventually("held off", lambda: any("'connected': False" in line for line in run.client.err))
        player = run.server.get("scenario")
        eventually("moved", lambda: run.server.get("end-devices")[0].get("group") in (None, 1), timeout_s=60)
        assert player["name"] == "commissioning.yaml"


def test_volt_var_seasons(tmp_path: Path) -> None:
    with played("volt-var-seasons", 0.08, tmp_path) as run:
        curve = "'qv_curve_v_pts': [92, 98, 102, 108], 'qv_curve_q_pts': [44, 0, 0, -44]"
        eventually("winter", lambda: any(curve in line for line in run.client.err))
        after = run.server.newest()
        eventually("summer", lambda: len(run.server.get("scenario")["told"]) == 1, timeout_s=60)
        eventually("read", lambda: run.server.asked("/derp/1/dderc", after) > 1, timeout_s=60)


def test_month_of_envelopes(tmp_path: Path) -> None:
    with played("month-of-envelopes", 0.04, tmp_path) as run:
        ended = (1, 2, 3)

        def look() -> list[list[int]] | None:
            found = run.server.statuses().get("envelope", [])
            return found if found.count(list(ended)) >= 3 else None

        found = eventually("three envelopes", look, timeout_s=120, every_s=0.5)
        assert {tuple(each) for each in found} <= {ended[:1], ended[:2], ended}


def test_bad_day(tmp_path: Path) -> None:
    """It stops polling after three failed polls in a row, so it is started again as often as that happens."""
    scenario = shortened("bad-day", 0.08, tmp_path)
    with lab_server("--scenario", str(scenario)) as server:
        config = write_config(tmp_path, server.url)
        starts = 0
        while server.get("scenario")["elapsed_s"] < 1500 * 0.08:
            starts += 1
            with peer(config, floor_s=1) as client:
                _poll_until_silent(server)
                client.process.terminate()
        assert server.refused() == []
        ended = [tuple(each) for each in server.statuses()["hourly limit"]]
        assert (1, 2, 3) in ended
        acted = [fault for fault in server.get("faults") if fault["acted"]]
        assert len(acted) >= 4
        for fault in acted:
            assert any(f"planted fault #{fault['id']} " in line for line in server.program.err)
        assert starts > 1
        assert server.program.stop() == 0


def _poll_until_silent(server: LabServer, silent_s: float = 12) -> None:
    """Until the client has not asked for its programs for a while, or the day is over."""

    def look() -> bool:
        server.controls()
        newest = max((each["time"] for each in server.get("requests?limit=200&path=/derp")), default="")
        if newest > seen[0]:
            seen[:] = [newest, server.get("scenario")["elapsed_s"]]
        elapsed_s = float(server.get("scenario")["elapsed_s"])
        return elapsed_s - float(seen[1]) > silent_s or elapsed_s >= 1500 * 0.08

    seen = ["", server.get("scenario")["elapsed_s"]]
    eventually("silence", look, timeout_s=200, every_s=1)
