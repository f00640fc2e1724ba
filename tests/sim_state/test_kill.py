"""SIGKILL at any moment: no register decreases, nothing answered is lost, and few Responses come twice."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.interop.lab_server import lab_server
from tests.sim_state.killing import LONGEST_CONNECT_S, Seen, killed

#: 200 in all, in four tests that run beside each other.
KILLS, SEEDS = 50, (1, 2, 3, 4)


def check(folder: Path, kills: int, seed: int, longest_s: float = 3.0) -> Seen:
    with lab_server() as server:
        seen = killed(folder, server, kills, seed, longest_s)
        doubled = seen.judge(kills)
    print(
        f"{kills} kills: {seen.readings} readings, {seen.writes} writes, {len(seen.controls)} controls, "
        f"{doubled} Responses twice, connected after at most {seen.slowest_s:.1f} s"
    )
    print(*seen.wrong, sep="\n")
    assert seen.wrong == []
    assert seen.slowest_s <= LONGEST_CONNECT_S
    assert seen.readings > 10 * kills
    return seen


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("seed", SEEDS)
def test_two_hundred_kills_at_random_moments(tmp_path, seed):
    assert check(tmp_path, KILLS, seed).writes > KILLS
