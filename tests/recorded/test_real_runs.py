"""Runs of real processes and sockets are recorded and replayed."""

import json
import shutil
import subprocess
import sys

import pytest
import trio

from dersim.cli.main import main
from dersim.testing import WorldPlan, open_world

pytestmark = pytest.mark.slow
FLAGS = [
    "--mb_port",
    "0",
    "--website_port",
    "0",
    "--csip_website_port",
    "0",
    "--csip_server_port",
    "0",
    "--admin_port",
    "0",
]


def replayed_twice(path, folder):
    """Replay, then the record of the replay; both are the same, and so are the records."""
    first, second = folder / "1.jsonl", folder / "2.jsonl"
    codes = [
        main(["replay-conversation", str(path), "--record", str(first)]),
        main(["replay-conversation", str(first), "--exact", "--record", str(second)]),
    ]
    return codes == [0, 0] and first.read_bytes() == second.read_bytes()


def lines_of(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_a_demo_over_tls_is_the_same_again_without_its_pin_and_certificates(tmp_path):
    path = tmp_path / "run.jsonl"
    words = [sys.executable, "-m", "dersim", "sim", "--demo", *FLAGS]
    subprocess.run([*words, "--duration", "12s", "--record", str(path)], check=True, timeout=60)
    assert "111115" not in path.read_text()
    assert "PRIVATE KEY" not in path.read_text()
    assert replayed_twice(path, tmp_path)


def test_a_run_that_goes_on_from_its_state_is_the_same_again(tmp_path):
    path = tmp_path / "run.jsonl"
    words = [sys.executable, "-m", "dersim", "sim", "--demo", "-d", "Batt-3Phase", *FLAGS]
    words += ["--state", str(tmp_path / "state")]
    subprocess.run([*words, "--duration", "8s"], check=True, timeout=60)
    subprocess.run([*words, "--duration", "8s", "--record", str(path)], check=True, timeout=60)
    assert set(lines_of(path)[0]["state"]) == {"1"}
    assert replayed_twice(path, tmp_path)


def test_notifications_and_what_a_user_does_are_done_again(tmp_path):
    path = tmp_path / "run.jsonl"
    flags = ("--record", str(path), "--csip_subscriptions", "yes")
    plan = WorldPlan(over="loopback", start_s=None, frontends=("csip", "csip_notify"), flags=flags)

    async def live():
        async with open_world(plan) as world:
            await world.connected()
            await world.sleep(2)
            world.utility.publish({"opModMaxLimW": 100}, start_in_s=2, duration_s=60)
            await world.sleep(2)
            world.client().rediscover()
            await world.sleep(2)

    trio.run(live)
    lines = lines_of(path)
    assert any("notification" in line for line in lines)
    assert [line["action"] for line in lines if "action" in line] == [["rediscover", [], {}]]
    assert "/dersim/notify/hidden" in path.read_text()
    assert replayed_twice(path, tmp_path)


FLEET = """
groups:
  - name: north
    count: 2
    device_type: PV-1Phase
    inputs: {dc_profile: profiles/sun.csv, shift_s: 5}
    churn: {leaves_per_h: 360, away_s: [3, 6]}
  - name: south
    count: 1
    device_type: Batt-3Phase
    edition: 2018
    comms_loss: {every_s: [8, 12], for_s: [3, 6]}
    server: {pin: 111115}
    start_after_s: 2
"""


def test_a_fleet_file_with_its_profiles_churn_and_losses_is_in_the_record(tmp_path):
    folder = tmp_path / "fleet"
    (folder / "profiles").mkdir(parents=True)
    (folder / "profiles" / "sun.csv").write_text("t_s,irradiance_w_m2\n0,900\n15,500\n600,700\n")
    (folder / "fleet.yaml").write_text(FLEET)
    path = tmp_path / "run.jsonl"
    words = [sys.executable, "-m", "dersim", "sim", "--demo", *FLAGS, "--fleet", str(folder / "fleet.yaml")]
    subprocess.run([*words, "--duration", "25s", "--record", str(path)], check=True, timeout=60)
    shutil.rmtree(folder)
    assert any("comms loss" in line.get("failure", {}).get("message", "") for line in lines_of(path))
    assert {line["der"] for line in lines_of(path) if "method" in line} == {1, 2, 3}
    assert replayed_twice(path, tmp_path)
