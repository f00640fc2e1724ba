"""A disk that fills up, or a folder that is removed, costs a file and no more: one line says which."""

import json
import shutil
import subprocess
import sys

import pytest
from tests.interop.processes import eventually, get_json
from tests.process_faults.running import DEMO, program

from dersim.cli.main import main

pytestmark = pytest.mark.slow


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 8 MB, of which 100 kB are free."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(folder)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("only root may mount a file system of its own")
    try:
        (folder / "filler").write_bytes(bytes((8 << 20) - 100_000))
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def warnings(running, word):
    return [line for line in running.err if word in line]


def test_a_record_on_a_full_disk_stops_with_one_warning_and_can_be_replayed(small_disk, capsys):
    path = small_disk / "run.jsonl"
    with program(*DEMO, "-N", "10", "--record", str(path)) as sim:
        url = sim.ready()["dashboard"]
        eventually("the disk is full", lambda: warnings(sim, "No space left on device"), timeout_s=60)
        before = get_json(f"{url}/api/dersim/overview")
        eventually("it goes on", lambda: get_json(f"{url}/api/dersim/overview") != before)
        assert sim.stop() == 0
        [line] = warnings(sim, "--record")
        assert "recording has stopped, the simulation goes on" in line
    lines = path.read_bytes().splitlines(keepends=True)
    assert all(json.loads(line) for line in lines if line.endswith(b"\n"))
    assert main(["replay-conversation", str(path), "--within", "10", "--tolerance", "100"]) in (0, 3)
    assert "it has no end" in capsys.readouterr().err


def test_a_record_whose_folder_is_removed_stops_with_one_warning(tmp_path):
    folder = tmp_path / "records"
    folder.mkdir()
    with program(*DEMO, "--record", str(folder / "run.jsonl")) as sim:
        sim.ready()
        shutil.rmtree(folder)
        eventually("the warning", lambda: warnings(sim, "the file was removed"), timeout_s=30)
        assert sim.stop() == 0
        assert len(warnings(sim, "--record")) == 1


@pytest.mark.parametrize("flag", ["--report", "--json", "--junit"])
def test_a_report_that_cannot_be_written_at_the_end_is_told_in_one_line(tmp_path, flag):
    folder = tmp_path / "reports"
    folder.mkdir()
    threshold = ("--fail", "rate(errors) < 100%")
    with program(*DEMO, *threshold, flag, str(folder / "report"), "--duration", "6s") as sim:
        sim.ready()
        shutil.rmtree(folder)
        code = sim.process.wait(30)
    [line] = [each for each in sim.err if each.startswith("dersim: ")]
    assert code == 1
    assert str(folder / "report") in line


def test_a_report_on_a_full_disk_is_told_in_one_line(small_disk):
    with program(*DEMO, "--report", str(small_disk / "report.html"), "--duration", "6s") as sim:
        sim.ready()
        (small_disk / "filler2").write_bytes(bytes(90_000))
        code = sim.process.wait(30)
    [line] = [each for each in sim.err if each.startswith("dersim: ")]
    assert code == 1
    assert "report.html: No space left on device" in line


def test_a_log_on_a_full_disk_stops_nothing(small_disk):
    with (small_disk / "log.txt").open("wb") as log:
        (small_disk / "filler2").write_bytes(bytes(90_000))
        words = [sys.executable, "-m", *DEMO, "--log_level", "debug", "--duration", "8s"]
        ended = subprocess.run(words, stdout=subprocess.PIPE, stderr=log, timeout=60, check=False)
    assert ended.returncode == 0
