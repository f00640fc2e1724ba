"""How a fleet is cut into shards, and what they need. No I/O."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path

from dersim.errors import ConfigError
from dersim.fleet_plan import FleetPlan

#: DERs in a shard, unless there are more workers than such shards: a lost shard is then a small loss.
DEFAULT_SHARD_SIZE = 250
#: Front-ends that a shard does without: their ports would be on machines that nobody looks at.
LEFT_OUT = ("rest", "csip_ui", "modbus", "utility")
#: What a DER takes, and a worker that runs a shard on top of it, bytes.
DER_BYTES, WORKER_BYTES = 250 * 1024, 60 * 1024 * 1024
#: Stands for the folder of a shard's files in its flags.
FILES = "{files}"


@dataclass(frozen=True)
class Shard:
    """DERs that run and move together.

    flags: words for `dersim sim` but for those that say which DERs there are. seed: of the whole fleet, so
    that a DER draws the same in any shard. keeps: whether its states are saved. places: the files and
    folders that its groups name, each with its name among the files that travel with the shard.
    """

    name: str
    ders: FleetPlan
    flags: tuple[str, ...]
    seed: int
    keeps: bool = True
    places: Mapping[str, str] = field(default_factory=dict)

    @property
    def first(self) -> int:
        """The number of its first DER."""
        return self.ders.first

    @property
    def count(self) -> int:
        """How many DERs it has."""
        return self.ders.count

    def words(self, folder: Path) -> list[str]:
        """The command line of this shard. folder: where its files are."""
        return [*(word.replace(FILES, str(folder)) for word in self.flags), "--seed", str(self.seed)]

    def plan(self, folder: Path) -> FleetPlan:
        """Its DERs, with the paths that they have in `folder`."""

        def moved(value: object) -> object:
            return folder / self.places[str(value)] if isinstance(value, Path) else value

        groups = tuple(
            replace(group, flags={name: moved(value) for name, value in group.flags.items()})
            for group in self.ders.groups
        )
        return replace(self.ders, groups=groups)


@dataclass(frozen=True)
class ShardPlan:
    """All shards of a fleet, by rising numbers of their DERs."""

    shards: tuple[Shard, ...]

    @property
    def total(self) -> int:
        """How many DERs there are."""
        return sum(shard.count for shard in self.shards)

    def shard_of(self, number: int) -> Shard | None:
        """The shard of DER `number`; None where there is no such DER."""
        return next((shard for shard in self.shards if number in shard.ders.numbers()), None)


def cut(
    ders: FleetPlan,
    size: int,
    flags: Sequence[str],
    seed: int,
    *,
    keeps: bool = True,
    places: Mapping[str, str] | None = None,
) -> ShardPlan:
    """Shards of at most `size` DERs, as equal as can be; the rest as in `Shard`."""
    pieces = math.ceil(ders.count / size)
    bounds = [ders.first + ders.count * piece // pieces for piece in range(pieces + 1)]
    numbered = replace(ders, numbered=True)
    return ShardPlan(
        tuple(
            Shard(
                f"ders-{first}-{end - 1}",
                numbered.cut(first, end - first),
                tuple(flags),
                seed,
                keeps,
                dict(places or {}),
            )
            for first, end in pairwise(bounds)
        )
    )


def shard_size(count: int, workers: int, wanted: int = DEFAULT_SHARD_SIZE) -> int:
    """At most `wanted`, and so small that every worker has a shard."""
    return max(1, min(wanted, math.ceil(count / workers)))


def heaviest_bytes(shards: Iterable[Shard], workers: int) -> int:
    """What the fullest of `workers` needs when the shards are dealt out in turn."""
    ders = [0] * workers
    for position, shard in enumerate(shards):
        ders[position % workers] += shard.count
    return max(ders) * DER_BYTES + WORKER_BYTES


def check_memory(needed_bytes: float, free_bytes: float, where: str) -> None:
    """ConfigError where a fleet does not fit."""
    if needed_bytes > free_bytes:
        raise ConfigError(
            f"-N: this fleet needs {_mib(needed_bytes)} of memory on {where}, which has {_mib(free_bytes)} "
            f"for it; run fewer DERs, or more workers on other machines"
        )


def _mib(size: float) -> str:
    return f"{size / 2**20:,.0f} MiB"
