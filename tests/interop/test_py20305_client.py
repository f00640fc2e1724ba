"""PyPI's py20305, a 2030.5 client nobody here wrote, against the companion server over mutual TLS."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.interop.lab_server import lab_server
from tests.interop.peer import peer, write_config
from tests.interop.processes import eventually, program

pytest.importorskip("py20305", reason="py20305 is not installed: pip install dersim[test]")

POLL_RATES = dict.fromkeys(("dcap", "edev", "fsa", "derp", "der"), 2)


def test_py20305_discovers_puts_posts_and_responds_and_returns_after_a_fault(tmp_path: Path) -> None:
    with lab_server() as server:
        server.operate("PUT", "poll-rates", POLL_RATES)
        fault = {"kind": "status", "status": 503, "retry_after_s": 1, "path": "/derp/2/derc", "count": 1}
        order = {"modes": {"opModMaxLimW": 60}, "start_in_s": 6, "duration_s": 2, "response_required": 7}
        with peer(write_config(tmp_path, server.url), floor_s=1) as client:
            client.wait_line(lambda line: "iscovery complete" in line)
            number = server.operate("POST", "faults", fault)["id"]
            mrid = server.operate("POST", "programs/2/controls", order)["mRID"]
            device = eventually(
                "DER resources",
                lambda: next((d for d in server.get("end-devices") if is_told(d["der"])), None),
            )
            assert device["der"]["capability"]["rtgMaxW"]
            assert device["der"]["settings"]["setMaxW"]
            eventually(
                "mirror readings",
                lambda: [r for m in server.get("mirror-usage-points") for r in m["readings"]],
            )
            eventually("1, 2, 3 in order", lambda: server.statuses_of(mrid) == [1, 2, 3], timeout_s=40)
            assert client.stop(30) == 0
        assert server.get(f"faults/{number}")["acted"] == 1
        assert server.refused() == []
        assert any(f"planted fault #{number} " in line for line in server.program.err)
        assert server.program.stop() == 0


def is_told(der: dict[str, Any]) -> bool:
    """Whether the client has PUT all that the test looks at; the order is its own."""
    return all(der.get(name) for name in ("capability", "settings", "status"))


def test_py20305_finds_its_way_before_it_is_registered_and_registers_itself(tmp_path: Path) -> None:
    with lab_server("--registration", "inband") as server:
        with program("py20305", "--config", str(write_config(tmp_path, server.url)), cwd=tmp_path) as client:
            devices = eventually("registered", lambda: server.get("end-devices"))
            assert devices[0]["href"] == "/edev/1"
            eventually("mirror", lambda: server.get("mirror-usage-points"))
            assert client.stop(30) == 0
        assert server.refused() == []
        assert server.program.stop() == 0


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_py20305_meets_what_the_operator_changes(tmp_path: Path) -> None:
    with lab_server() as server:
        operate, statuses = server.operate, server.statuses_of
        operate("PUT", "poll-rates", POLL_RATES)
        operate("PUT", "programs/2/default-control", {"modes": {"opModMaxLimW": 40}})
        with program("py20305", "--config", str(write_config(tmp_path, server.url)), cwd=tmp_path) as client:
            client.wait_line(lambda line: "iscovery complete" in line)
            order = {"modes": {"opModMaxLimW": 60}, "start_in_s": 4, "duration_s": 600}
            mrid = operate("POST", "programs/2/controls", order)["mRID"]
            eventually("started", lambda: statuses(mrid) == [1, 2], timeout_s=40)
            operate("DELETE", f"controls/{mrid}?status=2")
            eventually("answered", lambda: statuses(mrid) == [1, 2, 6], timeout_s=40)
            for method, path, body in (
                ("PUT", "programs/1", {"primacy": 1}),
                ("DELETE", "programs/2/default-control", None),
                ("DELETE", "programs/2", None),
            ):
                after = server.newest()
                operate(method, path, body)
                eventually("polled", lambda after=after: server.asked("/derp", after), timeout_s=20)
            eventually("the rest", lambda: server.asked("/derp/1/derc", after), timeout_s=20)
            lfdi = server.get("end-devices")[0]["lfdi"]
            feeder = operate("POST", "groups", {"name": "feeder 7", "level": "feeder"})["id"]
            operate("POST", "programs", {"description": "f7", "primacy": 7, "groups": [feeder]})
            operate("PUT", f"end-devices/{lfdi}/groups", {"group": feeder})
            eventually("its program", lambda: server.asked(f"/fsa/{feeder}/derp", after), timeout_s=40)
            assert client.stop(30) == 0
        assert {status for _, _, status in server.refused()} <= {404}
        assert server.program.stop() == 0
