"""py20305 and the documents of our server: both editions, curves, long lists, and each way to cancel."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from tests.interop.lab_server import LabServer, lab_server
from tests.interop.peer import peer, write_config
from tests.interop.processes import eventually

pytest.importorskip("py20305", reason="py20305 is not installed: pip install dersim[test]")
pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]

POLL_RATES = dict.fromkeys(("dcap", "edev", "fsa", "derp", "der"), 2)
CURVE = {"curve": [[92, 30], [96, 0], [104, 0], [108, -30]], "open_loop_s": 5}


def order(server: LabServer, program: int, start_in_s: int, duration_s: int) -> str:
    control = {"modes": {"opModMaxLimW": 50}, "start_in_s": start_in_s, "duration_s": duration_s}
    created = server.operate("POST", f"programs/{program}/controls", {**control, "response_required": 7})
    return str(created["mRID"])


@pytest.mark.parametrize("personality", [2018, 2023])
def test_both_editions_and_their_curves_are_read(personality: int, tmp_path: Path) -> None:
    scenario = tmp_path / "edition.yaml"
    program = {"name": "all", "primacy": 10, "default": {"opModVoltVar": CURVE}}
    control = {"program": "all", "start_s": 20, "duration_s": 3, "modes": {"opModMaxLimW": 40}}
    told = {"personality": personality, "poll_rates": POLL_RATES, "programs": [program]}
    scenario.write_text(yaml.safe_dump({**told, "controls": [{**control, "response_required": 7}]}))
    with lab_server("--scenario", str(scenario)) as server:
        with peer(write_config(tmp_path, server.url), floor_s=2) as client:
            client.wait_line(lambda line: "iscovery complete" in line)
            points = "'qv_curve_v_pts': [92, 96, 104, 108], 'qv_curve_q_pts': [30, 0, 0, -30]"
            eventually("the curve", lambda: any(points in line for line in client.err), timeout_s=60)
            [mrid] = [each["mRID"] for each in server.controls()]
            eventually("obeyed", lambda: server.statuses_of(mrid) == [1, 2, 3], timeout_s=60)
            assert client.stop(60) == 0
        assert server.refused() == []
        assert server.program.stop() == 0


def test_a_list_of_two_pages_is_read_whole(tmp_path: Path) -> None:
    with lab_server() as server:
        server.operate("PUT", "poll-rates", POLL_RATES)
        mrids = [order(server, 2, 600 + 60 * number, 60) for number in range(60)]
        with peer(write_config(tmp_path, server.url), floor_s=2) as client:
            eventually(
                "all are received",
                lambda: (
                    all(statuses == [[1]] for statuses in server.statuses().values())
                    and len(server.statuses()) == len(mrids)
                ),
                timeout_s=90,
                every_s=1,
            )
            assert client.stop(60) == 0
        pages = {each["path"] for each in server.get("requests?limit=5000&path=/derp/2/derc")}
        assert pages == {"/derp/2/derc?s=0&l=50", "/derp/2/derc?s=50&l=50"}
        assert server.refused() == []
        assert server.program.stop() == 0


def test_cancelled_by_2_is_answered_and_by_3_and_4_is_carried_out(tmp_path: Path) -> None:
    with lab_server("--ended_listed", "60") as server:
        server.operate("PUT", "poll-rates", POLL_RATES)
        others = [
            server.operate("POST", "programs", {"description": f"p{n}", "primacy": 20 + n}) for n in (1, 2)
        ]
        with peer(write_config(tmp_path, server.url), floor_s=2) as client:
            client.wait_line(lambda line: "iscovery complete" in line)
            # One after the other, so that none supersedes another.
            mrids = [
                order(server, program, start_in_s, 4)
                for program, start_in_s in ((2, 12), (others[0]["id"], 20), (others[1]["id"], 28))
            ]
            eventually("received", lambda: all(server.statuses_of(each) == [1] for each in mrids))
            for status, mrid in zip((2, 3, 4), mrids, strict=True):
                server.operate("DELETE", f"controls/{mrid}?status={status}")
            for mrid, statuses in zip(mrids, ([1, 6], [1, 2, 3], [1, 2, 3]), strict=True):
                eventually(
                    f"{statuses}", lambda mrid=mrid, s=statuses: server.statuses_of(mrid) == s, timeout_s=60
                )
            assert client.stop(60) == 0
        assert server.refused() == []
        assert server.program.stop() == 0
