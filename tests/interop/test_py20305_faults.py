"""py20305 under each kind of planted fault: our server stays right, and its log names the fault.

py20305 comes back after one or two failed polls. Three in a row, a 404 or a redirect it answers by a new
discovery, out of the very poll that the discovery cancels. It polls no more until it is started again, and
goes on with DERStatus, readings and the controls that it knows. docs/server.md says so.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from tests.csip.test_fault_matrix import CASES
from tests.interop.lab_server import LabServer, lab_server
from tests.interop.peer import peer, write_config
from tests.interop.processes import Program, eventually

pytest.importorskip("py20305", reason="py20305 is not installed: pip install dersim[test]")
pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]

FAULT_S = 4
CONTROLS = "/derp/2/derc"
#: py20305 asks for its programs and their controls each second here, for the rest hardly ever.
POLL_RATES = {**dict.fromkeys(("dcap", "edev", "fsa", "der"), 300), "derp": 1}
#: Kinds that act as long as they last; of the others two acts are enough.
LASTING = {"moved", "list", "time", "mrid"}


#: It reads an mRID of 16 bytes out of bytes that are no UTF-8, and answers that control.
OWN_MISTAKES = {"XML wrong_encoding": {("POST", "/rsps/1/rsp", 400)}}
#: It must be started again: it goes by the wrong time for 15 minutes, or waits for the rest of a slow body.
STAYS_AWAY = {"an hour off", "frozen", "1 byte a second"}


class Lab:
    """The server, and a py20305 that is started again where it has gone silent."""

    def __init__(self, server: LabServer, folder: Path, clean_up: ExitStack) -> None:
        self.server = server
        self._folder = folder
        self._clean_up = clean_up
        self._client: Program | None = None

    def client(self) -> Program:
        """The client that runs, or a new one."""
        if self._client is None:
            config = write_config(self._folder, self.server.url)
            self._client = self._clean_up.enter_context(peer(config, floor_s=1))
            self._client.wait_line(lambda line: "iscovery complete" in line)
        return self._client

    def give_up(self) -> None:
        """End the client."""
        if self._client is not None:
            self._client.close()
            self._client = None


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    with lab_server() as server, ExitStack() as clean_up:
        server.operate("PUT", "poll-rates", POLL_RATES)
        yield Lab(server, tmp_path_factory.mktemp("py20305"), clean_up)
        clean_up.close()
        assert server.program.stop() == 0


def obeys(server: LabServer, timeout_s: float) -> bool:
    """Whether a new control is carried out: Responses 1, 2 and 3 in order, each once."""
    deadline_s = time.monotonic() + timeout_s
    while time.monotonic() < deadline_s:
        order = {"modes": {"opModMaxLimW": 50}, "start_in_s": 3, "duration_s": 2, "response_required": 7}
        mrid = server.operate("POST", "programs/2/controls", order)["mRID"]
        until_s = time.monotonic() + 9
        while time.monotonic() < until_s and server.statuses_of(mrid) != [1, 2, 3]:
            time.sleep(0.2)
        if server.statuses_of(mrid) == [1, 2, 3]:
            return True
    return False


def planted(name: str) -> dict[str, Any]:
    """The fault of a case: of two polls of the controls, or for some seconds where it does no harm."""
    fault = {"duration_s": FAULT_S, **CASES[name].fault}
    if fault["kind"] == "time":
        return {**fault, "duration_s": 20}
    if fault["kind"] in LASTING:
        return fault
    path = {} if fault["kind"] in ("no_handshake", "tls_alert", "certificate") else {"path": CONTROLS}
    return {**path, **fault, "count": 2, "duration_s": 40}


@pytest.mark.parametrize("name", CASES)
def test_py20305_returns_after_a_fault(name: str, lab: Lab) -> None:
    server, fault = lab.server, planted(name)
    if fault["kind"] == "time":
        lab.give_up()  # it reads Time when it starts, and then every 15 minutes
    else:
        lab.client()
    after = server.newest()
    number = server.operate("POST", "faults", fault)["id"]
    lab.client()
    eventually("it acts", lambda: server.get(f"faults/{number}")["acted"], timeout_s=20)
    eventually("it is over", lambda: server.get(f"faults/{number}")["state"] == "over", timeout_s=70)
    if not obeys(server, 30):
        assert name in STAYS_AWAY
        lab.give_up()
        lab.client()
        assert obeys(server, 60)
    assert set(server.refused(after)) <= OWN_MISTAKES.get(name, set())
    assert any(f"planted fault #{number} " in line and " acts on " in line for line in server.program.err)
