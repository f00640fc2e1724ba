"""py20305 under each kind of planted fault: our server stays right, and its log names the fault."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from tests.csip.test_fault_matrix import CASES
from tests.interop.lab_server import LabServer, lab_server
from tests.interop.peer import peer, write_config
from tests.interop.processes import Program, eventually

pytest.importorskip("py20305", reason="py20305 is not installed: pip install dersim[test]")
pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]

FAULT_S = 5
#: py20305 polls each second here; its longest pause after a failure is 30 s.
RETURNS_S = 60
POLL_RATES = dict.fromkeys(("dcap", "edev", "fsa", "derp", "der"), 1)


class Lab(NamedTuple):
    server: LabServer
    folder: Path

    def clients_start(self) -> Any:
        return peer(write_config(self.folder, self.server.url), floor_s=1)


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    with lab_server() as server:
        server.operate("PUT", "poll-rates", POLL_RATES)
        yield Lab(server, tmp_path_factory.mktemp("py20305"))
        assert server.program.stop() == 0


@pytest.fixture(scope="module")
def client(lab: Lab) -> Iterator[Program]:
    with lab.clients_start() as running:
        running.wait_line(lambda line: "iscovery complete" in line)
        yield running


def obeys(server: LabServer, timeout_s: float = RETURNS_S) -> bool:
    """Whether a new control is carried out: Responses 1, 2 and 3. Tried until time is up."""
    deadline_s = time.monotonic() + timeout_s
    while time.monotonic() < deadline_s:
        order = {"modes": {"opModMaxLimW": 50}, "start_in_s": 3, "duration_s": 2, "response_required": 7}
        mrid = server.operate("POST", "programs/2/controls", order)["mRID"]
        until_s = time.monotonic() + 9
        while time.monotonic() < until_s:
            if server.statuses_of(mrid) == [1, 2, 3]:
                return True
            time.sleep(0.2)
    return False


@pytest.mark.parametrize("name", CASES)
def test_py20305_returns_after_a_fault(name: str, lab: Lab, client: Program) -> None:
    server = lab.server
    planted = server.operate("POST", "faults", {"duration_s": FAULT_S, **CASES[name].fault})
    path = f"faults/{planted['id']}"
    eventually("it acts", lambda: server.get(path)["acted"], timeout_s=FAULT_S + 10)
    eventually("it is over", lambda: server.get(path)["state"] == "over", timeout_s=FAULT_S + 60)
    began_s = time.monotonic()
    found = obeys(server)
    print(
        "RESULT",
        name,
        found,
        round(time.monotonic() - began_s, 1),
        server.get(path)["acted"],
        client.process.poll(),
    )
    assert found
    assert server.refused() == []
    assert any(
        f"planted fault #{planted['id']} " in line and " acts on " in line for line in server.program.err
    )
