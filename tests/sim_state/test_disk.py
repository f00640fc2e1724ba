"""A real disk that is full or read-only while a simulator writes its state: an 8 MB tmpfs."""

from __future__ import annotations

import os
import random
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import trio
from tests.sim_state.runs import Run

from dersim.errors import ConfigError

#: Runs in all; one of them in the everyday suite.
RUNS = 20


def _mount(*words: str) -> int:
    return subprocess.run(["mount", *words], capture_output=True, check=False).returncode


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 8 MB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if os.geteuid() != 0 or _mount("-t", "tmpfs", "-o", "size=8m", "tmpfs", str(folder)) != 0:
        pytest.skip("a tmpfs can only be mounted by root")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


@pytest.fixture(autouse=True)
def _quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dersim.sim_state.saving.PAUSE_S", 0.02)


def fill(folder: Path, leave: int) -> Path:
    """Fill the disk up to so many bytes."""
    filler = folder / "filler"
    stat = os.statvfs(folder)
    with filler.open("wb") as file:
        file.truncate(0)
        left = stat.f_bavail * stat.f_frsize - leave
        file.write(bytes(max(left, 0)))
    return filler


async def until_failing(run: Run, *, failing: bool) -> None:
    """Change something at every look, so that there is something to write."""
    saving, power_w = run.state.saving, 5000.0
    with trio.fail_after(20):
        while bool(saving.failing) is not failing:
            power_w += 1
            run.devices[0].settings.update({"setMaxW": power_w})
            await run.clock.sleep(0.01)


async def full_and_back(disk: Path, seed: int) -> None:
    rng = random.Random(seed)
    path = disk / "sim.db"
    flags = "-N", str(rng.randint(1, 30)), "--seed", str(seed)
    async with Run(path, *flags).live(killed=True) as run:
        await run.clock.sleep(rng.uniform(0.01, 0.1))
        await run.saved()
        filler = fill(disk, rng.choice((0, 4096, 20_000)))
        await until_failing(run, failing=True)
        before = run.energy_wh()
        await run.clock.sleep(0.05)
        assert all(now > then for now, then in zip(run.energy_wh(), before, strict=True))
        killed_full = rng.random() < 0.5
        if not killed_full:
            filler.unlink()
            await until_failing(run, failing=False)
            await run.saved()
        (line,) = run.lines("Warning")
        assert "the simulation goes on; the state of 2" in line
        energy = [0.0] * len(before) if killed_full else run.energy_wh()
    filler.unlink(missing_ok=True)
    async with Run(path, *flags).live() as again:  # the last good state is whole
        assert all(now >= then for now, then in zip(again.energy_wh(), energy, strict=True))
        assert min(again.energy_wh()) > 0


async def test_a_full_disk_stops_nothing_and_what_was_saved_stays(disk: Path) -> None:
    await full_and_back(disk, 0)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(1, RUNS))
async def test_twenty_full_disks(disk: Path, seed: int) -> None:
    await full_and_back(disk, seed)


def test_a_disk_that_is_read_only_is_refused_at_the_start(disk: Path) -> None:
    assert _mount("-o", "remount,ro", str(disk)) == 0
    with pytest.raises(ConfigError, match="Read-only file system; give a file that can be written"):
        Run(disk / "sim.db")
