"""How a fleet is cut, and what it needs."""

from pathlib import Path

import pytest

from dersim.errors import ConfigError
from dersim.fleet_plan import FleetPlan, Group
from dersim.fleet_run.plan import (
    FILES,
    check_memory,
    cut,
    heaviest_bytes,
    shard_size,
)

MIB = 2**20


def ders(first, count):
    return FleetPlan((Group("", first, count),), first, count)


@pytest.mark.parametrize(
    ("count", "size", "counts"),
    [(500, 250, [250, 250]), (501, 250, [167, 167, 167]), (7, 3, [2, 2, 3]), (1, 250, [1])],
)
def test_shards_are_as_equal_as_can_be_and_hold_every_der_once(count, size, counts):
    shards = cut(ders(11, count), size, [], 1).shards
    assert [shard.count for shard in shards] == counts
    assert [number for shard in shards for number in shard.ders.numbers()] == list(range(11, 11 + count))
    assert len({shard.name for shard in shards}) == len(shards)


def test_every_worker_gets_a_shard():
    assert shard_size(50, 2) == 25
    assert shard_size(5000, 2) == 250
    assert shard_size(3, 8) == 1
    assert shard_size(5000, 2, 500) == 500


def test_a_shard_is_a_command_line_and_a_plan_whose_files_are_in_its_folder():
    group = Group("pv", 1, 50, {"nameplate": Path("/home/me/a.json"), "csip_server_port": 8443})
    flags = ("--dc_profile", f"{FILES}/dc_profile.csv", "--rate", "1")
    places = {"/home/me/a.json": "file-1.json"}
    shard = cut(FleetPlan((group,), 1, 50), 25, flags, 7, places=places).shards[1]
    assert shard.words(Path("/w")) == ["--dc_profile", "/w/dc_profile.csv", "--rate", "1", "--seed", "7"]
    plan = shard.plan(Path("/w"))
    assert (plan.first, plan.count) == (26, 25)
    assert plan.groups[0].flags == {"nameplate": Path("/w/file-1.json"), "csip_server_port": 8443}


def test_one_der_alone_has_the_certificate_of_its_number_too():
    assert cut(FleetPlan((Group("", 1, 1),), 1, 1, numbered=False), 250, [], 1).shards[0].ders.numbered


def test_a_der_is_found_in_its_shard():
    plan = cut(ders(11, 20), 10, [], 1)
    assert plan.total == 20
    assert plan.shard_of(20).name == "ders-11-20"
    assert plan.shard_of(21).name == "ders-21-30"
    assert plan.shard_of(31) is None


def test_the_fullest_worker_counts():
    shards = cut(ders(1, 750), 250, [], 1).shards
    assert heaviest_bytes(shards, 2) == 500 * 250 * 1024 + 60 * MIB
    with pytest.raises(ConfigError, match=r"needs 182 MiB of memory on each worker, which has 150 MiB"):
        check_memory(heaviest_bytes(shards, 2), 150 * MIB, "each worker")
    check_memory(heaviest_bytes(shards, 3), 150 * MIB, "each worker")
