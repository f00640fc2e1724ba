"""py20305 with a server that is stopped or killed and goes on from `--state`: nothing is lost or doubled."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from tests.interop.lab_server import LabServer, lab_server
from tests.interop.peer import peer, write_config
from tests.interop.processes import eventually

pytest.importorskip("py20305", reason="py20305 is not installed: pip install dersim[test]")
pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]

#: Slow enough that the restart is one failed poll and not three, after which py20305 polls no more.
POLL_RATES = {**dict.fromkeys(("dcap", "edev", "fsa", "der"), 300), "derp": 4, "mup": 3}
ENDS: dict[str, Callable[[LabServer], object]] = {
    "a clean stop": lambda server: server.program.stop(),
    "SIGKILL": LabServer.kill,
}


def publish(server: LabServer, start_in_s: int, duration_s: int) -> str:
    order = {"start_in_s": start_in_s, "duration_s": duration_s, "response_required": 7}
    created = server.operate("POST", "programs/2/controls", {"modes": {"opModMaxLimW": 50}, **order})
    return str(created["mRID"])


def identities(server: LabServer) -> dict[str, Any]:
    """All that a client knows things by."""
    return {
        "controls": sorted((each["mRID"], each["href"]) for each in server.controls()),
        "programs": [(each["id"], each["mRID"]) for each in server.get("programs")],
        "devices": [(each["href"], each["lfdi"]) for each in server.get("end-devices")],
        "mirrors": [(each["href"], each["mRID"]) for each in server.get("mirror-usage-points")],
    }


def readings(server: LabServer) -> list[str]:
    """The lines of all meter readings, without the head."""
    answer = httpx.get(f"{server.admin}/readings", trust_env=False)
    assert answer.status_code == 200, answer.text
    return answer.text.splitlines()[1:]


def begun(server: LabServer, running: str, later: str) -> None:
    """Wait until the one control runs, the other is known, and readings have come."""
    eventually("started", lambda: server.statuses_of(running) == [1, 2], timeout_s=40)
    eventually("received", lambda: server.statuses_of(later) == [1], timeout_s=40)
    eventually("readings", lambda: readings(server), timeout_s=40)


@pytest.mark.parametrize("end", ENDS.values(), ids=ENDS)
def test_a_running_py20305_goes_on_where_it_was(end: Callable[[LabServer], object], tmp_path: Path) -> None:
    state = ("--state", str(tmp_path / "lab.db"))
    with lab_server(*state) as first:
        first.operate("PUT", "poll-rates", POLL_RATES)
        running, later = publish(first, 6, 40), publish(first, 600, 60)
        with peer(write_config(tmp_path, first.url, post_rate_s=3), floor_s=1) as client:
            begun(first, running, later)
            known, read = identities(first), readings(first)
            end(first)
            with lab_server(*state, port=urlsplit(first.url).port or 0) as second:
                assert identities(second) == known
                assert readings(second)[: len(read)] == read
                assert (second.statuses_of(running), second.statuses_of(later)) == ([1, 2], [1])
                eventually("polls", lambda: second.asked("/derp/2/derc"), timeout_s=60)
                eventually("more readings", lambda: len(readings(second)) > len(read), timeout_s=60)
                eventually("completed", lambda: second.statuses_of(running) == [1, 2, 3], timeout_s=60)
                assert second.statuses_of(later) == [1]
                assert identities(second)["mirrors"] == known["mirrors"]
                assert second.refused() == []
                assert client.stop(60) == 0
                assert second.program.stop() == 0


@pytest.mark.parametrize("end", ENDS.values(), ids=ENDS)
def test_a_py20305_that_was_stopped_meanwhile_finds_all_as_it_was(
    end: Callable[[LabServer], object], tmp_path: Path
) -> None:
    state = ("--state", str(tmp_path / "lab.db"))
    with lab_server(*state) as first:
        first.operate("PUT", "poll-rates", POLL_RATES)
        running, later = publish(first, 6, 60), publish(first, 600, 60)
        with peer(write_config(tmp_path, first.url, post_rate_s=3), floor_s=1) as client:
            begun(first, running, later)
            assert client.stop(60) == 0
        known, read = identities(first), readings(first)
        end(first)
    with lab_server(*state) as second:
        assert identities(second) == known
        assert readings(second) == read
        with peer(write_config(tmp_path, second.url, post_rate_s=3), floor_s=1) as client:
            # It remembers nothing of its own, so it answers each control afresh; the server keeps both.
            eventually("answers again", lambda: second.statuses_of(running) == [1, 2, 1, 2], timeout_s=40)
            eventually("answers again", lambda: second.statuses_of(later) == [1, 1], timeout_s=40)
            eventually("more readings", lambda: len(readings(second)) > len(read), timeout_s=40)
            assert identities(second) == known
            assert second.refused() == []
            assert client.stop(60) == 0
        assert second.program.stop() == 0
