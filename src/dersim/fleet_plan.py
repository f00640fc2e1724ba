"""Which DERs a fleet has: groups of DERs that are alike, numbered one after another.

`dersim sim -N 4` is a plan of one group; `--fleet FILE` is read by `fleet_file`. A plan can be cut by DER
number: a DER is the same in whichever process it runs, because all that differs between DERs follows from
the plan, the seed and its number. Nothing here reads files or starts anything.
"""

from __future__ import annotations

from argparse import Namespace
from bisect import bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from dersim.errors import ConfigError

#: Flags whose values are paths; that of a load may be a number.
_FILES = ("nameplate", "dc_profile", "grid_profile", "site_load", "use_test_pki_certs")


@dataclass(frozen=True, slots=True)
class Churn:
    """DERs leave and join again. share: of the group's DERs that do. leaves_per_h: of one DER, on average.

    away_s: least and most time that it is away, s, drawn evenly.
    """

    share: float
    leaves_per_h: float
    away_s: tuple[float, float]


@dataclass(frozen=True, slots=True)
class CommsLoss:
    """The connection of a DER to its server is cut now and then.

    every_s: from one cut to the next, least and most, s. for_s: how long, least and most, s. share: of the
    group's DERs. together: all of them at the same moments.
    """

    share: float
    every_s: tuple[float, float]
    for_s: tuple[float, float]
    together: bool = False


@dataclass(frozen=True, slots=True)
class Group:
    """DERs that are alike, numbered from `first`.

    flags: those of `dersim sim` that differ from the run's own, by their name in the Namespace.
    constants: inputs that do not follow a profile. shift_s: how much later each DER plays its profiles than
    the one before it. start_after_s, spread_s: the first DER joins so many seconds after the start, the last
    one spread_s later. places: of the keys in the fleet file, FILE:LINE: PATH, for messages.
    """

    name: str
    first: int
    count: int
    flags: Mapping[str, Any] = field(default_factory=dict)
    constants: Mapping[str, Any] = field(default_factory=dict)
    shift_s: float = 0.0
    start_after_s: float = 0.0
    spread_s: float = 0.0
    churn: Churn | None = None
    comms_loss: CommsLoss | None = None
    places: Mapping[str, str] = field(default_factory=dict)

    def options(self, options: Namespace) -> Namespace:
        """The flags of these DERs: the run's, where the group has none of its own."""
        return Namespace(**{**vars(options), **self.flags}) if self.flags else options

    def position(self, number: int) -> int:
        """The place of a DER within the group, from 0."""
        return number - self.first

    def starts_s(self, number: int) -> float:
        """When a DER joins, seconds after the start."""
        return self.start_after_s + self.spread_s * self.position(number) / max(self.count - 1, 1)

    def placed(self, key: str, error: ConfigError) -> ConfigError:
        """An error with the key's place in the fleet file in front; the error itself without a file."""
        return ConfigError(f"{self.places[key]}: {error}") if key in self.places else error


@dataclass(frozen=True, slots=True)
class FleetPlan:
    """The groups, and which of their DERs run in this process: `count` numbers from `first`.

    numbered: whether each DER has the certificate of its number. plugins, without: front-ends and control
    functions of all processes, as the flags of these names. began_s: simulated time at which the run began,
    for a process that takes part later; None: it begins with this process.
    """

    groups: tuple[Group, ...]
    first: int
    count: int
    numbered: bool = True
    plugins: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    began_s: float | None = None

    def numbers(self) -> range:
        """The numbers of the DERs of this process."""
        return range(self.first, self.first + self.count)

    def members(self) -> Iterator[tuple[int, Group]]:
        """Each DER of this process with its group."""
        for number in self.numbers():
            yield number, self.group_of(number)

    def group_of(self, number: int) -> Group:
        """The group of a DER."""
        index = bisect_right(self.groups, number, key=lambda group: group.first) - 1
        group = self.groups[max(index, 0)]
        if not 0 <= group.position(number) < group.count:
            raise KeyError(f"the plan has no DER {number}")
        return group

    def cut(self, first: int, count: int) -> FleetPlan:
        """The same plan for a process that runs `count` DERs from number `first`."""
        wanted = range(first, first + count)
        if count < 1 or wanted[0] not in self.numbers() or wanted[-1] not in self.numbers():
            raise ValueError(f"DERs {first} to {first + count - 1} are not all in {self.numbers()}")
        groups = tuple(
            group for group in self.groups if group.first < wanted.stop and first < group.first + group.count
        )
        return replace(self, groups=groups, first=first, count=count)

    def files(self) -> tuple[Path, ...]:
        """Every file and folder that the groups name, for a process on another machine."""
        named = (group.flags.get(name) for group in self.groups for name in _FILES)
        return tuple(dict.fromkeys(path for path in named if isinstance(path, Path)))


def plan_of_flags(options: Namespace) -> FleetPlan:
    """The plan of ``-N COUNT --first K``."""
    first, count = options.first or 1, options.count or 1
    numbered = count > 1 or options.first is not None
    return FleetPlan((Group("", first, count),), first, count, numbered)
