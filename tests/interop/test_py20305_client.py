"""PyPI's py20305, a 2030.5 client nobody here wrote, against the companion server over mutual TLS."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.interop.processes import CERTS, eventually, get_json, program

pytest.importorskip("py20305", reason="py20305 is not installed: pip install dersim[test]")

PIN = 111115


def client_config(folder: Path, url: str) -> Path:
    """py20305's configuration: our server, DER 1 of the test PKI, its demo inverter."""
    from py20305.security import compute_lfdi

    certificate = CERTS / "cert_1.pem"
    lfdi = compute_lfdi(certificate.read_text())
    path = folder / "client.json"
    path.write_text(
        json.dumps(
            {
                "server": {"url": url, "dcap_path": "/dcap", "poll_now_on_start": True},
                "tls": {
                    "client_cert": str(certificate),
                    "client_key": str(CERTS / "key_1.pem"),
                    "ca_cert": str(CERTS / "cert_root.pem"),
                    "check_hostname": False,
                },
                "devices": [{"type": "print_demo", "lfdi": lfdi}],
                "registration_pins": {lfdi: PIN},
                "telemetry": {"post_rate_seconds": 5},
            }
        )
    )
    return path


def test_py20305_discovers_puts_posts_and_responds(tmp_path: Path) -> None:
    with program("dersim", "server", "--port", "0", "--admin_port", "0") as server:
        ready = server.ready()
        admin = ready["utility_admin"] + "/api/utility"
        config = client_config(tmp_path, ready["utility"])
        programs = get_json(f"{admin}/programs")
        users = min(programs, key=lambda p: p["primacy"])
        created = httpx.post(
            f"{admin}/programs/{users['id']}/controls",
            json={"modes": {"opModMaxLimW": 60}, "start_in_s": 8, "duration_s": 4, "response_required": 7},
            trust_env=False,
        )
        assert created.status_code == 201, created.text
        mrid = created.json()["mRID"]

        with program("py20305", "--config", str(config), cwd=tmp_path) as client:
            client.wait_line(lambda line: "iscovery complete" in line)
            device = eventually(
                "DER resources",
                lambda: next((d for d in get_json(f"{admin}/end-devices") if is_told(d["der"])), None),
            )
            assert device["der"]["capability"]["rtgMaxW"]
            assert device["der"]["settings"]["setMaxW"]
            eventually(
                "mirror readings",
                lambda: [r for m in get_json(f"{admin}/mirror-usage-points") for r in m["readings"]],
            )
            eventually(
                "Responses 1, 2, 3 in order",
                lambda: statuses(admin, mrid) == [1, 2, 3],
                timeout_s=40,
            )
            assert client.stop() == 0
        requests = get_json(f"{admin}/requests?limit=500")
        refused = [r for r in requests if r["status"] >= 400 and r["method"] != "GET"]
        assert refused == []
        assert server.stop() == 0


def is_told(der: dict[str, Any]) -> bool:
    """Whether the client has PUT all that the test looks at; the order is its own."""
    return all(der.get(name) for name in ("capability", "settings", "status"))


def statuses(admin: str, mrid: str) -> list[int]:
    """The statuses that were answered to one control, in the order in which they came."""
    responses = get_json(f"{admin}/responses")
    return [r["status"] for r in sorted(responses, key=lambda r: r["time"]) if r["subject"] == mrid]


def test_py20305_finds_its_way_before_it_is_registered_and_registers_itself(tmp_path: Path) -> None:
    with program(
        "dersim", "server", "--port", "0", "--admin_port", "0", "--registration", "inband"
    ) as server:
        ready = server.ready()
        admin = ready["utility_admin"] + "/api/utility"
        config = client_config(tmp_path, ready["utility"])
        with program("py20305", "--config", str(config), cwd=tmp_path) as client:
            devices = eventually("registered", lambda: get_json(f"{admin}/end-devices"))
            assert devices[0]["href"] == "/edev/1"
            eventually("mirror", lambda: get_json(f"{admin}/mirror-usage-points"))
            assert client.stop() == 0
        refused = [r for r in get_json(f"{admin}/requests?limit=500") if r["status"] >= 400]
        assert refused == []
        assert server.stop() == 0


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_py20305_meets_what_the_operator_changes(tmp_path: Path) -> None:
    with program("dersim", "server", "--port", "0", "--admin_port", "0") as server:
        ready = server.ready()
        admin = ready["utility_admin"] + "/api/utility"

        def operate(method: str, path: str, body: Any = None) -> Any:
            answer = httpx.request(method, f"{admin}/{path}", json=body, trust_env=False)
            assert answer.status_code < 300, answer.text
            return answer.json()

        def polled(path: str) -> bool:
            """Whether the client has asked for this path since the last change."""
            asked = get_json(f"{admin}/requests?after={after}&path={path}")
            return any(each["path"].partition("?")[0] == path for each in asked)

        operate("PUT", "poll-rates", dict.fromkeys(("dcap", "edev", "fsa", "derp", "der"), 2))
        operate("PUT", "programs/2/default-control", {"modes": {"opModMaxLimW": 40}})
        with program(
            "py20305", "--config", str(client_config(tmp_path, ready["utility"])), cwd=tmp_path
        ) as client:
            client.wait_line(lambda line: "iscovery complete" in line)
            order = {"modes": {"opModMaxLimW": 60}, "start_in_s": 4, "duration_s": 600}
            mrid = operate("POST", "programs/2/controls", order)["mRID"]
            eventually("started", lambda: statuses(admin, mrid) == [1, 2], timeout_s=40)
            operate("DELETE", f"controls/{mrid}?status=2")
            eventually("answered", lambda: statuses(admin, mrid) == [1, 2, 6], timeout_s=40)
            for method, path, body in (
                ("PUT", "programs/1", {"primacy": 1}),
                ("DELETE", "programs/2/default-control", None),
                ("DELETE", "programs/2", None),
            ):
                after = get_json(f"{admin}/requests?limit=1")[0]["id"]
                operate(method, path, body)
                eventually("polled", lambda: polled("/derp"), timeout_s=20)
            eventually("the rest", lambda: polled("/derp/1/derc"), timeout_s=20)
            lfdi = get_json(f"{admin}/end-devices")[0]["lfdi"]
            feeder = operate("POST", "groups", {"name": "feeder 7", "level": "feeder"})["id"]
            operate("POST", "programs", {"description": "f7", "primacy": 7, "groups": [feeder]})
            operate("PUT", f"end-devices/{lfdi}/groups", {"group": feeder})
            eventually("the feeder's program", lambda: polled(f"/fsa/{feeder}/derp"), timeout_s=40)
            assert client.stop() == 0
        refused = [r for r in get_json(f"{admin}/requests?limit=5000") if r["status"] >= 400]
        assert {r["status"] for r in refused} <= {404}
        assert server.stop() == 0
