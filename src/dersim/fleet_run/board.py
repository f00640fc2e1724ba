"""The numbers of all shards, merged: what the line, the page and /metrics show. No I/O."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any, NamedTuple

from dersim.fleet_run.plan import Shard, ShardPlan
from dersim.load.tally import LoadTally

#: Numbers that are sums over the shards.
_SUMS = ("power_w", "reactive_var", "exported_wh", "imported_wh")
#: A shard that has told nothing for so long is shown as silent, s.
SILENT_S = 5.0


class ShardRow:
    """What is known of one shard. starts: attempts that have told something."""

    def __init__(self, shard: Shard) -> None:
        self.shard = shard
        self.attempt = ""
        self.worker = ""
        self.numbers: dict[str, Any] = {}
        self.told_s = float("-inf")
        self.starts = 0
        self.has_joined = False
        self._before: Counter[str] = Counter()
        self._past: set[str] = set()

    def take(self, attempt: str, worker: str, numbers: dict[str, Any], now_s: float) -> None:
        """The newest numbers of an attempt; a new attempt counts from nothing."""
        if attempt in self._past:
            return  # it arrives late, or was only stopped for a while
        if attempt != self.attempt:
            self._past.add(self.attempt)
            self._before.update(self.numbers.get("counters", {}))
            self.starts += 1
        self.attempt, self.worker, self.numbers, self.told_s = attempt, worker, numbers, now_s
        self.has_joined = self.has_joined or self.is_complete

    @property
    def connected(self) -> int:
        """How many of its DERs are connected."""
        return int(self.numbers.get("states", {}).get("connected", 0))

    @property
    def is_complete(self) -> bool:
        """Whether all its DERs are connected, but for those that are away on purpose."""
        away = int(self.numbers.get("states", {}).get("away", 0))
        return self.connected + away == self.shard.count

    @property
    def restarts(self) -> int:
        """How often it began again."""
        return max(0, self.starts - 1)

    @property
    def counters(self) -> Counter[str]:
        """The counters of all its attempts."""
        return self._before + Counter(self.numbers.get("counters", {}))

    def state(self, now_s: float) -> str:
        """waiting, silent, connecting or connected."""
        if not self.starts:
            return "waiting"
        if now_s - self.told_s > SILENT_S:
            return "silent"
        return "connected" if self.is_complete else "connecting"


class Totals(NamedTuple):
    """Sums over the fleet. lag_s: of the slowest shard's loop. controls: of the shard that has most."""

    ders: int
    states: dict[str, int]
    counters: dict[str, int]
    sums: dict[str, float]
    controls: int
    lag_s: float
    restarts: int

    @property
    def connected(self) -> int:
        """How many DERs are connected."""
        return self.states.get("connected", 0)

    @property
    def are_complete(self) -> bool:
        """Whether all are connected, but for those that are away on purpose."""
        return self.connected + self.states.get("away", 0) == self.ders


class Board:
    """All shards of a plan."""

    def __init__(self, plan: ShardPlan) -> None:
        self.plan = plan
        self.rows = {shard.name: ShardRow(shard) for shard in plan.shards}
        self.workers: tuple[str, ...] = ()
        self.seen_workers: set[str] = set()
        self.tally: LoadTally | None = None

    def take(self, event: dict[str, Any], now_s: float) -> None:
        """An event of kind `numbers`."""
        row = self.rows.get(event["shard"])
        if row is not None:
            row.take(event["attempt"], event["worker"], event["numbers"], now_s)

    def see_workers(self, addresses: Iterable[str]) -> None:
        """Those that the scheduler has now."""
        self.workers = tuple(sorted(addresses))
        self.seen_workers.update(self.workers)

    @property
    def lost_workers(self) -> int:
        """How many workers are no more."""
        return len(self.seen_workers.difference(self.workers))

    def add_load(self, data: bytes) -> None:
        """What a shard has measured; nothing where it measures nothing."""
        if data:
            if self.tally is None:
                self.tally = LoadTally()
            self.tally.add(LoadTally.from_bytes(data))

    def totals(self, now_s: float) -> Totals:
        """The fleet now. The DERs of a silent shard are in state `unknown`."""
        states: Counter[str] = Counter()
        counters: Counter[str] = Counter()
        sums = dict.fromkeys(_SUMS, 0.0)
        for row in self.rows.values():
            counters.update(row.counters)
            if row.state(now_s) in ("waiting", "silent"):
                states["unknown"] += row.shard.count
                continue
            states.update(row.numbers["states"])
            for name in _SUMS:
                sums[name] += row.numbers[name]
        told = [row.numbers for row in self.rows.values() if row.numbers]
        return Totals(
            self.plan.total,
            dict(states),
            dict(counters),
            sums,
            max((each["controls"] for each in told), default=0),
            max((each["lag_s"] for each in told), default=0.0),
            self.restarts,
        )

    @property
    def restarts(self) -> int:
        """How often shards have begun again."""
        return sum(row.restarts for row in self.rows.values())

    @property
    def target(self) -> tuple[str, str]:
        """The server and the edition, as a shard has told them."""
        told = (row.numbers.get("target") for row in self.rows.values())
        target, edition = next(filter(None, told), ("no 2030.5 client", "-"))
        return str(target), str(edition)

    def spent(self) -> tuple[float, float]:
        """CPU seconds and the peak of memory, MiB, of all workers that were heard of."""
        by_worker = {row.worker: row.numbers for row in self.rows.values() if row.numbers}
        found = by_worker.values()
        return sum(each["cpu_s"] for each in found), sum(each["peak_mib"] for each in found)

    def placed(self) -> dict[str, list[str]]:
        """The shards on each worker, those on none included."""
        found: dict[str, list[str]] = {worker: [] for worker in self.workers}
        for row in self.rows.values():
            if row.worker:
                found.setdefault(row.worker, []).append(row.shard.name)
        return found

    def overloaded(self) -> ShardRow | None:
        """A shard to move: of the worker that has two or more shards above another one; None: even enough."""
        placed = {worker: rows for worker, rows in self.placed().items() if worker in self.workers}
        fullest = max(placed.values(), key=len, default=[])
        emptiest = min(placed.values(), key=len, default=[])
        return self.rows[fullest[-1]] if len(fullest) - len(emptiest) > 1 else None
