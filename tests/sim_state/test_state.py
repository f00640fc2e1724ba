"""`dersim sim --state`: what a run goes on from, and which files it refuses."""

import errno
import math
import sqlite3
import time
from types import SimpleNamespace

import httpx
import pytest
import trio
from tests.sim_state.runs import Run

from dersim.errors import ConfigError
from dersim.plugin.services import SunspecService
from dersim.setpoint_sources import SetpointSource
from dersim.setpoints import SetpointChange, Verdict
from dersim.sim_state import resuming
from dersim.sim_state.state import SimState


@pytest.fixture
def path(tmp_path):
    return tmp_path / "sim.db"


@pytest.mark.parametrize("killed", [False, True])
async def test_energy_settings_and_setpoints_go_on_with_the_saved_seed(path, killed):
    async with Run(path, "-N", "2", "--seed", "7").live(killed=killed) as run:
        first = run.devices[0]
        first.settings.update({"setMaxW": 8000.0})
        expires_s = run.clock.now_s() + 1000
        change = SetpointChange(SetpointSource.REST, "opModMaxLimW", 40.0, expires_s=expires_s)
        assert first.setpoints.submit(change)[0].verdict is Verdict.ACCEPTED
        await run.clock.sleep(0.1)
        await run.saved()
        before_wh, before_s = run.energy_wh(), run.clock.now_s()
    again = Run(path, "-N", "2")
    assert again.options.seed == 7
    assert again.devices[0].settings["setMaxW"] == 8000.0
    (held,) = again.devices[0].setpoints.in_force()
    assert (held.mode, held.value, held.source, held.until_s) == (
        "opModMaxLimW", 40.0, SetpointSource.REST, expires_s,
    )  # fmt: skip
    async with again.live():
        assert all(now >= before for now, before in zip(again.energy_wh(), before_wh, strict=True))
        assert min(before_wh) > 0
        assert again.clock.now_s() >= before_s
        assert again.state.lives == 2
    assert "the run of 2 DER(s) that " + ("ended without a stop" if killed else "stopped") in str(
        again.lines("Info")
    )


async def test_without_a_change_of_the_ders_a_state_of_one_is_saved_at_once(path):
    async with Run(path, "--tick", "3600").live(killed=True) as run:
        run.devices[0].settings.update({"setMaxW": 5000.0})
        with trio.fail_after(2):
            await run.simulator.states.barrier(1)
    again = Run(path)
    assert again.devices[0].settings["setMaxW"] == 5000.0
    again.state.close()


async def test_simulated_time_stands_from_the_saved_instant(path):
    async with Run(path, "--start_clock_time", "12:00:00").live() as run:
        await run.clock.sleep(0.05)
    stopped_s = run.clock.now_s()
    await trio.sleep(0.05)
    again = Run(path, "--resume", "stand")
    assert abs(again.clock.now_s() - stopped_s) < 0.04
    again.state.close()
    again = Run(path)
    assert again.clock.now_s() - stopped_s >= 0.05
    again.state.close()


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (("-N", "3"), "it is of DERs 1 to 2, and this run has DERs 1 to 3; start with -N 2 --first 1"),
        (("-N", "2", "--first", "2"), "it is of DERs 1 to 2, and this run has DERs 2 to 3"),
        (("-N", "2", "--seed", "8"), "it is of --seed 7, not 8; leave out --seed"),
        (("-N", "2", "-d", "PV-1Phase"), "this DER is a PV-1Phase"),
    ],
)
async def test_a_state_of_another_run_is_refused_in_one_line(path, flags, words):
    async with Run(path, "-N", "2", "--seed", "7").live() as run:
        await run.saved()
    with pytest.raises(ConfigError) as refusal:
        Run(path, *flags)
    assert str(refusal.value).startswith(f"--state {path}: ")
    assert words in str(refusal.value)
    assert "\n" not in str(refusal.value)
    Run(path, "-N", "2").state.close()  # it is as it was


async def test_a_state_of_other_groups_is_refused(path, tmp_path):
    fleet = tmp_path / "fleet.yaml"
    fleet.write_text("groups:\n- name: roofs\n  count: 2\n")
    async with Run(path, "--fleet", str(fleet)).live() as run:
        await run.saved()
    Run(path, "--fleet", str(fleet)).state.close()
    with pytest.raises(ConfigError, match="it is of a fleet with other groups; start with the fleet file"):
        Run(path, "-N", "2")


async def test_two_processes_cannot_have_one_file(path):
    async with Run(path).live():
        with pytest.raises(ConfigError, match="another dersim sim uses this file; stop it or give another"):
            Run(path)


def test_flags_that_contradict_one_another_are_refused(path):
    options = SimpleNamespace(state=None, resume="stand", wall_clock=False)
    with pytest.raises(ConfigError, match="--resume stand: is for the file of --state FILE"):
        SimState.of(options)
    assert SimState.of(SimpleNamespace(state=None, resume="continue", wall_clock=False)) is None
    options = SimpleNamespace(state=path, resume="stand", wall_clock=True)
    with pytest.raises(ConfigError, match="--resume stand and -wc yes"):
        SimState.of(options)


def torn_format(path):
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA user_version=9")
    db.close()


def torn_document(path):
    with sqlite3.connect(path) as db:
        db.execute("UPDATE der SET document='{\"device\": 5}'")
    db.close()


def torn_text(path):
    with sqlite3.connect(path) as db:
        db.execute("UPDATE der SET document='{\"device'")
    db.close()


def torn_table(path):
    with sqlite3.connect(path) as db:
        db.execute("DELETE FROM der")
    db.close()


def torn_version(path):
    with sqlite3.connect(path) as db:
        db.execute("UPDATE der SET document=replace(document, '\"version\":1', '\"version\":99')")
    db.close()


def torn_content(path):
    with sqlite3.connect(path) as db:
        db.execute("UPDATE der SET document=replace(document, '\"settings\"', '\"nothing\"')")
    db.close()


def cut_off(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def garbage(path):
    path.write_bytes(b"no database at all, but long enough for one" * 100)


@pytest.mark.parametrize(
    ("tear", "words"),
    [
        (torn_format, "its format is 9, and this dersim reads 2; use the dersim that made it"),
        (torn_document, "its content cannot be used"),
        (torn_text, "Unterminated string"),
        (torn_table, "it has the states of 0 of 1 DERs; move it away to begin anew"),
        (torn_version, "format 99, and this dersim reads format 1"),
        (torn_content, "its content cannot be used"),
        (cut_off, "move it away to begin anew, or give another file"),
        (garbage, "file is not a database; move it away to begin anew, or give another file"),
    ],
)
async def test_a_torn_file_is_refused_in_one_line(path, tear, words):
    async with Run(path).live() as run:
        await run.saved()
    tear(path)
    with pytest.raises(ConfigError) as refusal:
        Run(path)
    assert words in str(refusal.value)
    assert str(path) in str(refusal.value)
    assert "\n" not in str(refusal.value)


@pytest.fixture
def quickly(monkeypatch):
    monkeypatch.setattr("dersim.sim_state.saving.PAUSE_S", 0.02)


@pytest.mark.parametrize(
    "error",
    [
        sqlite3.OperationalError("database or disk is full"),
        sqlite3.OperationalError("attempt to write a readonly database"),
        OSError(errno.EIO, "Input/output error"),
    ],
    ids=str,
)
async def test_a_disk_that_fails_stops_nothing_and_is_told_once(path, quickly, monkeypatch, error):
    async with Run(path).live() as run:
        await run.saved()
        store, write = run.state._store, type(run.state._store).write

        def full(*_args):
            raise error

        monkeypatch.setattr(store, "write", full)
        await run.saved()  # nobody waits for ever
        await run.saved()
        while run.state.saving.failures < 3:
            await run.clock.sleep(0.01)
        (line,) = run.lines("Warning")
        assert f"{error}: nothing is saved until it can be written again" in line
        assert "the simulation goes on; the state of 2" in line
        state, detail = run.simulator.statuses()["state"]
        assert state == "not saved"
        assert f"{error}; " in detail
        found = {each.name: each.samples for each in run.simulator.metrics["state"]()}
        assert found["dersim_state_saves_total"][1] == ({"outcome": "failed"}, run.state.saving.failures)
        energy = run.energy_wh()
        monkeypatch.setattr(store, "write", lambda *args: write(store, *args))
        while run.state.saving.failing:
            await run.clock.sleep(0.01)
        assert any("written again" in line for line in run.lines("Info"))
        state, detail = run.simulator.statuses()["state"]
        assert state == "saved"
        assert detail.startswith(f"{path}: 0.")
        assert detail.endswith("kB")
    again = Run(path)
    assert again.energy_wh() >= energy
    again.state.close()


async def test_a_file_that_was_removed_is_written_anew(path, quickly):
    async with Run(path, "-N", "2").live(killed=True) as run:
        await run.saved()
        for each in path.parent.iterdir():
            each.unlink()
        while not run.state.saving.failures or run.state.saving.failing:
            await run.clock.sleep(0.01)
        (line,) = run.lines("Warning")
        assert "it was moved away or removed" in line
        await run.saved()
        energy = run.energy_wh()
    async with Run(path, "-N", "2").live() as again:
        assert again.energy_wh() >= energy


async def test_what_has_not_changed_is_not_written_again(path):
    async with Run(path, "-N", "2", "--tick", "3600").live() as run:
        await run.saved()
        store, written = run.state._store, run.state._store.bytes_written
        await run.simulator.states.barrier(1)
        assert store.bytes_written == written


HEAD = resuming.Head(
    1, 1, 1, 1, "", began_s=900.0, sim_s=1000.0, true_s=0.0, clean=True, late_s=2.0, follows=False
)


def started(head=HEAD, *, resume=None, rate=1.0, wall_clock=False, latest_s=0.0):
    options = SimpleNamespace(resume=resume, rate=rate, wall_clock=wall_clock)
    return resuming.start_s(head, latest_s, options)


def test_simulated_time_goes_on_as_if_the_simulator_had_run(monkeypatch):
    now_s = time.time()
    monkeypatch.setattr(time, "time", lambda: now_s)
    head = HEAD._replace(true_s=now_s - 30)
    assert started(head) == 1030
    assert started(head, rate=10.0) == 1300
    assert started(head._replace(true_s=now_s + 30)) == 1000  # the computer's clock was set back
    assert started(head, latest_s=1031.5) == 1031.5
    assert started(head._replace(follows=True)) is None
    assert started(head, wall_clock=True) is None


def test_it_stands_at_the_last_save_or_after_a_crash_where_nobody_has_seen_more():
    assert started(HEAD._replace(follows=True), resume="stand") == 1000
    assert started(HEAD._replace(clean=False), resume="stand") == 1002
    assert started(HEAD._replace(clean=False), resume="stand", latest_s=1000.5) == 1002.5
    assert math.isfinite(started(resume="stand"))


async def test_of_a_der_at_rest_only_time_and_registers_are_written(path):
    async with Run(path, "-N", "2").live(killed=True) as run:
        first = run.devices[0]
        await run.clock.sleep(0.1)
        await run.saved()
        counts = run.state._store.db.execute("SELECT number FROM counted ORDER BY number").fetchall()
        assert counts == [(1,), (2,)]
        first.settings.update({"setMaxW": 6000.0})
        await run.simulator.states.barrier(1)
        energy = run.energy_wh()
        await run.clock.sleep(0.05)
        await run.saved()
        assert run.simulator.checkpoint_mark(2) == run.state.saving._marks[2]
    again = Run(path, "-N", "2")
    assert again.devices[0].settings["setMaxW"] == 6000.0
    for device, before in zip(again.devices, energy, strict=True):
        assert sum(device.state.exported_wh) > before
    again.state.close()


async def modbus_write(address, register, value):
    host, port = address.split(":")
    async with await trio.open_tcp_stream(host, int(port)) as stream:
        pdu = bytes([6]) + register.to_bytes(2, "big") + value.to_bytes(2, "big")
        await stream.send_all(b"\0\1\0\0" + (len(pdu) + 1).to_bytes(2, "big") + b"\xff" + pdu)
        answer = await stream.receive_some(100)
    assert answer[7] == 6, answer


async def test_a_write_over_modbus_is_answered_when_it_is_saved(path):
    flags = "--mb_port", "0", "--tick", "3600"
    without = "--without", "csip,csip_ui,rest"
    async with Run(path, *flags, without=without).live(killed=True) as run:
        with trio.fail_after(5):
            await modbus_write(run.simulator.addresses["modbus"], 40066 + 2, 17)  # 1.DA
    async with Run(path, *flags, without=without).live() as again:
        assert again.simulator.services.find(SunspecService, 1).unit_id == 17
        with trio.fail_after(5):  # its listener is served before the end
            await modbus_write(again.simulator.addresses["modbus"], 40066 + 2, 18)


async def test_a_change_over_rest_is_answered_when_it_is_saved(path):
    flags = "-wp", "0", "--tick", "3600", "-N", "2"
    run = Run(path, *flags, without=("--without", "csip,csip_ui,modbus"))
    async with run.live(killed=True), httpx.AsyncClient(trust_env=False) as web:
        url = run.simulator.addresses["dashboard"] + "/api/dersim/inputs?device=2"
        answer = await web.post(url, json={"irradiance_w_m2": 123.0})
        assert answer.status_code == 200, answer.text
    again = Run(path, "-N", "2")
    assert again.devices[1].inputs.constants.irradiance_w_m2 == 123.0
    assert again.devices[0].inputs.constants.irradiance_w_m2 != 123.0
    again.state.close()


async def test_a_file_whose_wal_was_lost_has_an_older_state_and_says_how_old_it_is(path):
    async with Run(path, "-N", "2").live(killed=True) as run:
        await run.saved()
        copy = path.with_name("copy.db")
        copy.write_bytes(path.read_bytes())  # without the -wal beside it
    again = Run(copy, "-N", "2")
    assert again.options.seed == run.options.seed
    assert any("ended without a stop, saved 2" in line for line in again.lines("Info"))
    again.state.close()


async def test_a_profile_goes_on_where_it_would_be(path, tmp_path):
    profile = tmp_path / "sun.csv"
    profile.write_text("t_s,irradiance_w_m2\n0,100\n1000,1100\n")
    flags = "--dc_profile", str(profile), "--start_clock_time", "12:00:00"
    async with Run(path, *flags).live() as run:
        first_s = run.clock.now_s()
        await run.clock.sleep(0.2)
    again = Run(path, *flags)
    seen = again.devices[0].inputs.at(first_s + 500).irradiance_w_m2
    assert seen == pytest.approx(run.devices[0].inputs.at(first_s + 500).irradiance_w_m2)
    assert again.clock.now_s() > first_s
    again.state.close()


async def test_a_profile_that_is_given_at_the_restart_is_played(path, tmp_path):
    async with Run(path, "--seed", "7").live() as run:
        run.devices[0].inputs.set(temperature_c=31.0)
        await run.saved()
    profile = tmp_path / "sun.csv"
    profile.write_text("t_s,irradiance_w_m2\n0,100\n1000,1100\n")
    again = Run(path, "--dc_profile", str(profile))
    inputs = again.devices[0].inputs
    assert (inputs.source("irradiance_w_m2"), inputs.source("temperature_c")) == ("csv", "const")
    assert inputs.constants.temperature_c == 31.0
    again.state.close()
