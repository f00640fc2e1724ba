"""Workers and commands that are killed or stopped: `tox -e cluster`."""

import contextlib
import json
import os
import signal
import time
import urllib.request
from pathlib import Path

import pytest
from tests.fleet_run.processes import (
    Watched,
    connections_to,
    dask_cluster,
    fleet,
    need_dask,
    server,
    until,
    workers_of,
)

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]

JOIN_S = 90
QUICK = dict.fromkeys(("dcap", "edev", "fsa", "derp", "der", "mup"), 5)


@pytest.fixture
def at(tmp_path):
    need_dask()
    with server(tmp_path) as found:
        found.send("PUT", "poll-rates", QUICK)
        yield found


def publish(at, count=3, every_s=8):
    """Controls one after another that ask for all Responses."""
    program = at.get("programs")[0]["id"]
    for k in range(count):
        document = {
            "modes": {"opModMaxLimW": 50 - k},
            "start_in_s": 4 + every_s * k,
            "duration_s": every_s,
            "response_required": 7,
        }
        at.send("POST", f"programs/{program}/controls", document)


def joined(run):
    """Wait until all DERs are connected; the address of the page."""
    page = run.wait_ready()["fleet"]
    until(lambda: " connected after " in run.log.read_text(), JOIN_S)
    return page


def workers_there(page):
    with urllib.request.urlopen(f"{page}/api/fleet", timeout=10) as answer:
        return sum(each["there"] for each in json.load(answer)["workers"])


@contextlib.contextmanager
def two_workers(folder, at):
    """A cluster of two workers with a fleet of ten DERs on it."""
    with (
        dask_cluster(folder / "dask") as dask,
        fleet(folder, at, "-N", "10", "--scheduler", dask.address) as run,
    ):
        yield dask, run


def all_back(watched, count, moment_s, seconds):
    """Until all DERs have been heard of since; how long it took, s."""

    def look():
        watched.look()
        return watched.seen_since(moment_s) == count

    return until(look, seconds)


def watch(watched, seconds):
    end_s = time.monotonic() + seconds
    while time.monotonic() < end_s:
        watched.look()
        time.sleep(0.5)


def test_a_killed_worker_loses_nothing_that_was_told(tmp_path, at):
    with fleet(tmp_path, at, "-N", "100", "--workers", "2") as run:
        joined(run)
        publish(at)
        watched = Watched(at)
        watch(watched, 10)
        os.kill(workers_of(run)[0], signal.SIGKILL)
        took_s = all_back(watched, 100, time.time(), 15)
        print(f"all 100 heard of again after {took_s:.1f} s")
        watch(watched, 25)  # until the last control is over, and the lost shard was moved back
        assert watched.readings > 0
        assert watched.fallen == []
        assert watched.twice == []
        assert not at.get("violations")
        assert at.get("server")["shared_lfdis"] == 0
        assert run.stop() == 0
        assert "goes on at" in run.log.read_text()


def test_a_worker_that_was_stopped_for_a_minute_sends_nothing_afterwards(tmp_path, at):
    with two_workers(tmp_path, at) as (dask, run):
        joined(run)
        watched, stopped = Watched(at), dask.workers[0]
        stopped.send_signal(signal.SIGSTOP)
        began_s = time.time()
        took_s = all_back(watched, 10, began_s + 1, 40)
        print(f"all 10 heard of again after {took_s + 1:.1f} s, of which Dask's worker-ttl is 10 s")
        watch(watched, began_s + 60 - time.time())
        old = connections_to(at, stopped)
        assert old == 5  # open, but silent
        stopped.send_signal(signal.SIGCONT)
        until(lambda: connections_to(at, stopped) == 0, 5)
        watch(watched, 10)
        assert not at.get("violations")
        assert at.get("server")["shared_lfdis"] == 0
        assert watched.fallen == []
        assert run.stop() == 0


def test_no_der_is_left_when_the_command_was_killed(tmp_path, at):
    with two_workers(tmp_path, at) as (dask, run):
        joined(run)
        run.popen.kill()
        took_s = until(lambda: not any(connections_to(at, each) for each in dask.workers), 20)
        print(f"no DER connected {took_s:.1f} s after the command was killed")
        with fleet(tmp_path, at, "-N", "10", "--scheduler", dask.address) as again:
            joined(again)  # the cluster is as good as new


def test_no_der_is_left_when_the_command_with_its_own_cluster_was_killed(tmp_path, at):
    with fleet(tmp_path, at, "-N", "10", "--workers", "2") as run:
        joined(run)
        pids = workers_of(run)
        run.popen.kill()
        took_s = until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in pids), 20)
        print(f"no worker left {took_s:.1f} s after the command was killed")


def test_no_der_is_left_when_the_scheduler_was_killed_and_the_command_says_so(tmp_path, at):
    with two_workers(tmp_path, at) as (dask, run):
        joined(run)
        dask.scheduler.kill()
        until(lambda: not any(connections_to(at, each) for each in dask.workers), 20)
        assert run.ended(40) == 1
        assert run.log.read_text().splitlines()[-1].startswith("dersim: the scheduler has not answered")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_that_reaches_the_workers_too_is_a_clean_stop(tmp_path, at, number):
    with fleet(tmp_path, at, "-N", "6", "--workers", "2") as run:
        joined(run)
        for pid in [*workers_of(run), run.popen.pid]:
            os.kill(pid, number)
        assert run.ended() == 0
        assert "Traceback" not in run.log.read_text()


def test_four_kills_in_a_row_are_survived(tmp_path, at):
    with two_workers(tmp_path, at) as (dask, run):
        page = joined(run)
        watched = Watched(at)
        for _ in range(4):
            victim = dask.workers.pop(0)
            victim.kill()
            victim.wait()
            print(f"all 10 heard of again after {all_back(watched, 10, time.time(), 30):.1f} s")
            dask.workers.append(dask.start_worker())
            time.sleep(5)  # the command looks at the workers every 5 s
            until(lambda: workers_there(page) == 2, 30)
        assert watched.fallen == []
        assert not at.get("violations")
        assert at.get("server")["shared_lfdis"] == 0
        assert run.stop() == 0


def test_a_worker_with_another_dersim_is_named_before_anything_starts(tmp_path, at):
    other = tmp_path / "other" / "dersim-9.9.dist-info"
    other.mkdir(parents=True)
    (other / "METADATA").write_text("Metadata-Version: 2.1\nName: dersim\nVersion: 9.9\n")
    with dask_cluster(tmp_path / "dask", 1) as dask:
        path = os.pathsep.join([str(other.parent), os.environ.get("PYTHONPATH", "")])
        dask.workers.append(dask.start_worker(PYTHONPATH=path))
        time.sleep(5)
        with fleet(tmp_path, at, "-N", "4", "--scheduler", dask.address) as run:
            assert run.ended(60) == 2
            told = run.log.read_text()
        assert told.count("\n") == 1
        assert " has 9.9; install the same version on every worker" in told


def test_two_plain_processes_share_no_identity(tmp_path, at):
    words = ("sim", "-N", "3", "--plugins", "csip", "--csip_server_port", at.port)
    with at.also(*words, "--first", "1") as one, at.also(*words, "--first", "4") as two:
        for process in (one, two):
            process.wait_ready()
        began_s = time.time()
        until(lambda: Watched(at).seen_since(began_s - 60) == 6, JOIN_S)
        time.sleep(10)
        assert len(at.get("end-devices")) == 6
        assert not at.get("violations")
        assert at.get("server")["shared_lfdis"] == 0
        assert one.stop() == two.stop() == 0
