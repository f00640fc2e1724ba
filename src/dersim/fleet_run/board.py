"""The numbers of all shards, merged: what the line, the page and /metrics show. No I/O."""

from __future__ import annotations

from collections import Counter
from typing import Any, NamedTuple

from dersim.fleet_run.plan import Shard, ShardPlan

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

    def take(self, attempt: str, worker: str, numbers: dict[str, Any], now_s: float) -> None:
        """The newest numbers of an attempt; a new attempt counts from nothing."""
        if attempt != self.attempt:
            self._before.update(self.numbers.get("counters", {}))
            self.starts += 1
        self.attempt, self.worker, self.numbers, self.told_s = attempt, worker, numbers, now_s
        self.has_joined = self.has_joined or self.connected == self.shard.count

    @property
    def connected(self) -> int:
        """How many of its DERs are connected."""
        return int(self.numbers.get("states", {}).get("connected", 0))

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
        return "connected" if self.connected == self.shard.count else "connecting"


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


class Board:
    """All shards of a plan."""

    def __init__(self, plan: ShardPlan) -> None:
        self.plan = plan
        self.rows = {shard.name: ShardRow(shard) for shard in plan.shards}
        self.workers: tuple[str, ...] = ()
        self.lost: set[str] = set()

    def take(self, event: dict[str, Any], now_s: float) -> None:
        """An event of kind `numbers`."""
        row = self.rows.get(event["shard"])
        if row is not None and event["attempt"] not in self.lost:
            row.take(event["attempt"], event["worker"], event["numbers"], now_s)

    def ended(self, attempt: str) -> None:
        """What this attempt told and still arrives is old."""
        self.lost.add(attempt)

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
            sum(row.restarts for row in self.rows.values()),
        )

    def placed(self) -> dict[str, list[str]]:
        """The shards on each worker, those on none included."""
        found: dict[str, list[str]] = {worker: [] for worker in self.workers}
        for row in self.rows.values():
            if row.worker:
                found.setdefault(row.worker, []).append(row.shard.name)
        return found

    def imbalance(self) -> str:
        """Which worker has shards too many while another idles, in words; "" where the load is even."""
        placed = self.placed()
        idle = [worker for worker in self.workers if not placed[worker]]
        worker, most = max(placed.items(), key=lambda each: len(each[1]), default=("", []))
        if not idle or len(most) < 2:
            return ""
        others = f"{len(idle)} workers have" if len(idle) > 1 else f"{idle[0]} has"
        return f"{worker} has {len(most)} shards and {others} none"
