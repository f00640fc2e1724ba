"""The board as documents: what the page asks for, and /metrics."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from dersim import __version__
from dersim.fleet_run.board import Board, ShardRow
from dersim.load.tally import LoadTally
from dersim.logbuffer import LogBuffer
from dersim.web.load_metrics import families

#: Rates are over this time, s.
WINDOW_S = 10
#: Lines of the log on the page, and of the series of load, s.
_LINES, _LOAD_S = 100, 300


class _Sample(NamedTuple):
    now_s: float
    requests: int
    errors: int


class FleetDocuments:
    """What is shown of a run. seed: of its draws."""

    def __init__(self, board: Board, log: LogBuffer, seed: int) -> None:
        self._board = board
        self._log = log
        self._seed = seed
        self._samples: deque[_Sample] = deque(maxlen=WINDOW_S + 1)

    def note(self, now_s: float) -> None:
        """Take a sample for the rates; called once a second."""
        counters = self._board.totals(now_s).counters
        self._samples.append(_Sample(now_s, counters.get("requests", 0), counters.get("errors", 0)))

    def rates(self) -> dict[str, float]:
        """Requests and errors a second, over the last ten."""
        if len(self._samples) < 2:
            return {"requests": 0.0, "errors": 0.0}
        first, last = self._samples[0], self._samples[-1]
        seconds = max(last.now_s - first.now_s, 1e-6)
        return {
            "requests": max(0.0, round((last.requests - first.requests) / seconds, 2)),
            "errors": max(0.0, round((last.errors - first.errors) / seconds, 2)),
        }

    def overview(self, now_s: float) -> dict[str, Any]:
        """`GET /api/fleet`."""
        board = self._board
        totals = board.totals(now_s)
        target, edition = board.target
        return {
            "version": __version__,
            "target": target,
            "edition": edition,
            "seed": self._seed,
            "ders": totals.ders,
            "first": board.plan.shards[0].first,
            "connected": totals.connected,
            "states": totals.states,
            "counters": totals.counters,
            "rates": self.rates(),
            "power_kw": round(totals.sums["power_w"] / 1000, 3),
            "reactive_power_kvar": round(totals.sums["reactive_var"] / 1000, 3),
            "controls": totals.controls,
            "lag_ms": round(totals.lag_s * 1000, 1),
            "restarts": totals.restarts,
            "shards": [_shard(row, now_s) for row in board.rows.values()],
            "workers": self._workers(),
            "lost_workers": board.lost_workers,
            "logs": [entry.to_json() for entry in self._log.entries()[-_LINES:]],
        }

    def _workers(self) -> list[dict[str, Any]]:
        board, found = self._board, []
        for worker, names in sorted(board.placed().items()):
            rows = [board.rows[name] for name in names]
            found.append(
                {
                    "worker": worker,
                    "there": worker in board.workers,
                    "shards": names,
                    "ders": sum(row.shard.count for row in rows),
                    "cpu_s": round(max((row.numbers["cpu_s"] for row in rows), default=0.0), 1),
                    "peak_mib": round(max((row.numbers["peak_mib"] for row in rows), default=0.0)),
                }
            )
        return found

    def load(self) -> dict[str, Any]:
        """`GET /api/dersim/load`, as a single process has it."""
        tally = self._board.tally
        return {"measured": None if tally is None else tally.snapshot(_LOAD_S)}

    def metrics(self, now_s: float) -> str:
        """`/metrics`, Prometheus' text format 0.0.4."""
        return "\n".join([*_metrics(self._board, now_s), ""])


def _shard(row: ShardRow, now_s: float) -> dict[str, Any]:
    counters = row.counters
    return {
        "name": row.shard.name,
        "first": row.shard.first,
        "count": row.shard.count,
        "worker": row.worker,
        "state": row.state(now_s),
        "connected": row.connected,
        "requests": counters["requests"],
        "errors": counters["errors"],
        "restarts": row.restarts,
        "lag_ms": round(row.numbers.get("lag_s", 0.0) * 1000, 1),
    }


def _metrics(board: Board, now_s: float) -> Iterator[str]:
    totals = board.totals(now_s)
    yield from _family("dersim_fleet_ders", "gauge", "DERs of the fleet.", [("", totals.ders)])
    states = [(f'{{state="{state}"}}', count) for state, count in sorted(totals.states.items())]
    yield from _family("dersim_csip_clients", "gauge", "CSIP clients by state.", states)
    for name, count in sorted(totals.counters.items()):
        yield from _family(f"dersim_csip_{name}_total", "counter", f"CSIP {name}.", [("", count)])
    for name, doc, value in (
        ("active_power_watts", "Active power of all DERs, > 0 generates.", totals.sums["power_w"]),
        ("reactive_power_vars", "Reactive power of all DERs, > 0 injects.", totals.sums["reactive_var"]),
        ("loop_lag_seconds", "Of the slowest shard's event loop.", totals.lag_s),
        ("fleet_shards", "Shards of the fleet.", len(board.rows)),
        ("fleet_workers", "Workers of the cluster.", len(board.workers)),
    ):
        yield from _family(f"dersim_{name}", "gauge", doc, [("", value)])
    for name, doc, value in (
        ("exported_watthours", "Delivered energy.", totals.sums["exported_wh"]),
        ("imported_watthours", "Taken energy.", totals.sums["imported_wh"]),
        ("fleet_restarts", "How often shards have begun again.", totals.restarts),
        ("fleet_workers_lost", "Workers that are no more.", board.lost_workers),
    ):
        yield from _family(f"dersim_{name}_total", "counter", doc, [("", value)])
    held = [(f'{{shard="{row.shard.name}"}}', row.connected) for row in board.rows.values()]
    yield from _family("dersim_fleet_connected", "gauge", "Connected DERs of a shard.", held)
    yield from _load(board.tally)


def _load(tally: LoadTally | None) -> Iterator[str]:
    if tally is not None:
        for each in families(tally):
            yield from _family(each.name, each.kind, each.doc, each.samples)


def _family(name: str, kind: str, doc: str, samples: Sequence[tuple[str, float]]) -> Iterator[str]:
    yield f"# HELP {name} {doc}"
    yield f"# TYPE {name} {kind}"
    for labels, value in samples:
        yield f"{name}{labels} {float(value):.10g}"
