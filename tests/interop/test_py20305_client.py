"""PyPI's py20305, a 2030.5 client nobody here wrote, against the companion server over mutual TLS."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.interop.lab_server import lab_server
from tests.interop.peer import Identity, peer, write_config
from tests.interop.processes import eventually, program

from dersim.testing import Conversation, Faults, TestCertificates, UtilityHandle

pytest.importorskip("py20305", reason="py20305 is not installed: pip install dersim[test]")

POLL_RATES = dict.fromkeys(("dcap", "edev", "fsa", "derp", "der"), 2)


@pytest.fixture
def config(utility: UtilityHandle, dersim_certificates: TestCertificates, tmp_path: Path) -> Path:
    """py20305's configuration for the utility of this test."""
    own = dersim_certificates.device(1)
    return write_config(
        tmp_path, utility.address, identity=Identity(own.cert, own.key, dersim_certificates.root)
    )


@pytest.mark.dersim(ders=0, over="loopback", poll_s=2)
def test_py20305_discovers_puts_posts_and_responds_and_returns_after_a_fault(
    utility: UtilityHandle, conversation: Conversation, faults: Faults, config: Path
) -> None:
    with peer(config, floor_s=1) as client:
        for name, told in (("dercap", "rtgMaxW"), ("derg", "setMaxW"), ("ders", "readingTime")):
            [put, *_] = conversation.wait_for("PUT", f"/edev/1/der/1/{name}", status=204)
            assert getattr(put.sent(), told) is not None
        # Not sooner: where its very first poll fails, it ends.
        fault = faults.plant("status", status=503, retry_after_s=1, path="/derp/2/derc", count=1)
        mrid = utility.publish({"opModMaxLimW": 60}, start_in_s=6, duration_s=5, response_required=7)
        conversation.wait_for("POST", "/mup/*")
        utility.wait_for_responses(mrid, [1, 2, 3], within_s=40)
        assert client.stop(30) == 0
    assert fault.acted == 1
    conversation.assert_none_refused()


@pytest.mark.dersim(ders=0, over="loopback", utility={"registration": "inband"})
def test_py20305_finds_its_way_before_it_is_registered_and_registers_itself(
    utility: UtilityHandle, conversation: Conversation, config: Path
) -> None:
    with program("py20305", "--config", str(config), cwd=config.parent) as client:
        conversation.wait_for("POST", "/edev", status=201)
        assert len(utility.end_devices) == 1
        conversation.wait_for("POST", "/mup", status=201)
        assert client.stop(30) == 0
    conversation.assert_none_refused()


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
