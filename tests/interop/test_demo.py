"""What a newcomer does first, with real processes: `dersim sim --demo`, and a client against a server."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.interop.processes import CERTS, Program, eventually, get_json, program

NO_PORTS = ("--website_port", "0", "--csip_website_port", "0", "--mb_port", "0")


class Running:
    """A simulator beside its utility, both reached as their users reach them."""

    def __init__(self, child: Program, ready: dict[str, str], admin: str) -> None:
        self.child = child
        self.ready = ready
        self.api = ready["dashboard"] + "/api/dersim"
        self.admin = admin + "/api/utility"

    def client(self) -> Any:
        return get_json(f"{self.api}/csip-client")

    def power_kw(self) -> float:
        return float(get_json(f"{self.api}/overview")["metrics"]["power_kw"])

    def statuses(self, mrid: str) -> list[int]:
        """What was answered to a control, oldest first."""
        responses = get_json(f"{self.admin}/responses")
        return [r["status"] for r in sorted(responses, key=lambda r: r["time"]) if r["subject"] == mrid]


@contextmanager
def demo() -> Iterator[Running]:
    argv = ("dersim", "sim", "--demo", "--csip_server_port", "0", "--admin_port", "0", *NO_PORTS)
    with program(*argv) as child:
        ready = child.ready()
        yield Running(child, ready, ready["utility_admin"])


@contextmanager
def client_and_server(*flags: str) -> Iterator[Running]:
    with program("dersim", "server", "--port", "0", "--admin_port", "0", "--cycle", "yes") as server:
        at = server.ready()
        port = at["utility"].rsplit(":", 1)[1]
        argv = ["dersim", "sim", "--device_type", "PV-3Phase", "--csip_client_enable", "yes"]
        argv += ["--csip_server_ip", "127.0.0.1", "--csip_server_port", port, "--csip_enc", "yes"]
        argv += ["--csip_cert", str(CERTS / "cert_1.pem"), "--csip_key", str(CERTS / "key_1.pem")]
        argv += ["--csip_root_cert", str(CERTS / "cert_root.pem"), *NO_PORTS, *flags]
        with program(*argv) as child:
            yield Running(child, child.ready(), at["utility_admin"])
        assert server.stop() == 0


def follows_the_first_control(running: Running) -> None:
    """Connected, then the first opModMaxLimW is in force, obeyed, reported and answered 1, 2, 3."""
    connected = eventually(
        "connected with a program and a default",
        lambda: (
            (c := running.client())["state"] == "connected" and c["programs"] and c["default_control"] and c
        ),
    )
    # Looked for in both lists: which it is depends on how soon this test got here.
    known = connected["active_controls"] + connected["scheduled_controls"]
    first = next(c for c in known if c["modes"].get("opModMaxLimW") == 40.0)
    eventually(
        "the first opModMaxLimW active",
        lambda: first["mRID"] in [c["mRID"] for c in running.client()["active_controls"]],
    )
    eventually("P at 40 % of 10 kW", lambda: abs(running.power_kw() - 4.0) < 0.05)
    in_force = get_json(f"{running.api}/setpoints")["in_force"]
    limit = next(s for s in in_force if s["mode"] == "opModMaxLimW")
    assert (limit["value"], limit["detail"]) == (40.0, first["mRID"])
    eventually("Responses 1, 2, 3", lambda: running.statuses(first["mRID"]) == [1, 2, 3], timeout_s=40)
    der = get_json(f"{running.admin}/end-devices")[0]["der"]
    assert all(der[part] for part in ("capability", "settings", "status", "availability"))
    readings = [r for m in get_json(f"{running.admin}/mirror-usage-points") for r in m["readings"]]
    assert {38, 63, 61, 29, 5, 33, 72} <= {r["uom"] for r in readings}


def every_exchange_has_its_cause_and_valid_documents(running: Running) -> None:
    """Of both sides, in the edition that each has."""
    talk = get_json(f"{running.api}/conversation?limit=10000")
    assert talk["matches"] == talk["held"] == len(talk["exchanges"]) > 30
    assert [each for each in talk["exchanges"] if not each["cause"]] == []
    assert {each["verdict"] for each in talk["exchanges"]} <= {"valid", "no body"}
    causes = {each["cause"].partition(" for ")[0] for each in talk["exchanges"]}
    assert {
        "discovery: EndDevice list",
        "poll derc, 10 s",
        "Response 2",
        "meter post",
        "time sample",
    } <= causes


def test_the_demo_follows_its_first_control() -> None:
    with demo() as running:
        follows_the_first_control(running)
        assert running.client()["registration"] == {"present": True, "verified": True}
        every_exchange_has_its_cause_and_valid_documents(running)
        assert running.child.stop() == 0


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_a_client_with_the_seeds_flags_against_a_server() -> None:
    with client_and_server("--csip_pin", "111115") as running:
        follows_the_first_control(running)
        assert running.client()["registration"]["verified"] is True
        assert running.child.stop() == 0


def test_without_a_pin_it_connects_unverified() -> None:
    with client_and_server() as running:
        registration = eventually(
            "connected", lambda: (c := running.client())["state"] == "connected" and c["registration"]
        )
        assert registration == {"present": True, "verified": None}


def test_the_defaults_without_certificates_start_and_say_what_is_missing(tmp_path: Path) -> None:
    with program("dersim", "sim", *NO_PORTS, cwd=tmp_path) as child:
        api = child.ready()["dashboard"] + "/api/dersim"
        snapshot = eventually(
            "retrying",
            lambda: (c := get_json(f"{api}/csip-client"))["state"] == "retrying" and c,
        )
        assert "cert.pem" in snapshot["last_error"]
        assert child.stop() == 0


def test_four_ders_are_four_identities() -> None:
    argv = ("dersim", "sim", "--demo", "-N", "4", "--csip_server_port", "0", "--admin_port", "0", *NO_PORTS)
    with program(*argv) as child:
        ready = child.ready()
        api, admin = ready["dashboard"] + "/api/dersim", ready["utility_admin"] + "/api/utility"
        devices = eventually(
            "four connected",
            lambda: (
                (d := get_json(f"{api}/csip-client")["devices"])
                and [x["state"] for x in d] == ["connected"] * 4
                and d
            ),
        )
        assert len({d["lfdi"] for d in devices}) == 4
        assert {d["lfdi"] for d in devices} <= {d["lfdi"] for d in get_json(f"{admin}/end-devices")}
        assert child.stop() == 0
