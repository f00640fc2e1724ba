"""One DER for twelve simulated months in virtual time: `python -m tests.soak.months`.

The scenario machine with a year of a utility's days, a storm of faults every few days and restarts. It prints
what the process takes month by month, and at the end what was violated, lost or doubled; exit code 1 for any.
"""

from __future__ import annotations

import argparse
import gc
import sys
import time

import trio
from tests.chaos.drawing import DAY_S, RECOVERY_S, Act, Dealer, Drawn
from tests.chaos.machine import Machine
from tests.soak.measured import open_files, resident_mb

from dersim.testing import run_virtual

MONTH_S = 365.25 / 12 * DAY_S
#: Findings after which the year ends.
ENOUGH = 20


class Months(Machine):
    """One run that measures its process."""

    def _begin(self) -> None:
        super()._begin()
        self.rows: list[tuple[float, int, int]] = []
        self.nursery.start_soon(self._measure)

    def find(self, promise: str, number: int, expected: str, seen: str) -> None:
        """Something was found: tell it at once."""
        before = len(self.findings)
        super().find(promise, number, expected, seen)
        for each in self.findings[before:]:
            print(each, flush=True)

    async def _measure(self) -> None:
        print("| Month | RSS MB | Files | Tasks | Requests | Responses | Violations | CPU min |", flush=True)
        print("|---|---|---|---|---|---|---|---|", flush=True)
        month = 0
        while True:
            await self.world.sleep(DAY_S if not month else MONTH_S)  # the caches fill in the first day
            gc.collect()
            tasks = trio.lowlevel.current_statistics().tasks_living
            row = (resident_mb(), open_files(), tasks)
            self.rows.append(row)
            cells = (month, f"{row[0]:.1f}", *row[1:], self.requests, self.responses, len(self.findings))
            print(f"| {' | '.join(map(str, cells))} | {time.process_time() / 60:.1f} |", flush=True)
            month += 1


def year(seed: int, days: float, tick_s: float, poll_s: int) -> Drawn:
    """What happens in so many days: the utility's orders, sun and grid, and a storm every three days."""
    weather, operator, trouble = (Dealer(f"{name} {seed}", 1, poll_s) for name in ("sun", "day", "storm"))
    end_s = days * DAY_S
    acts: list[Act] = [*operator.utility(end_s), *weather.grid(end_s)]
    storms: list[tuple[float, float]] = []
    at_s = DAY_S
    while at_s < end_s - RECOVERY_S - 3 * poll_s:
        over_s = at_s + trouble.rng.uniform(120, 3600)
        storms.append((at_s, over_s))
        acts += trouble.storm(at_s, over_s)
        at_s += trouble.rng.uniform(2, 4) * DAY_S
    ordered = tuple(sorted(acts, key=lambda act: act.at_s))
    return Drawn(seed, days, 1, "HybridDC-3Phase", tick_s, poll_s, True, ordered, tuple(storms))


def main(words: list[str] | None = None) -> int:
    """Run it; the exit code."""
    options = _parser().parse_args(words)
    drawn = year(options.seed, options.days, options.tick, options.poll)
    months = Months(drawn, ENOUGH)
    outcome = run_virtual(months.run, time.process_time(), seed=options.seed)
    lost = sum(each.promise in ("Responses", "I2") for each in outcome.findings)
    print(f"{outcome.requests} requests, {outcome.responses} Responses in {options.days:g} days")
    print(f"{len(outcome.findings)} violations, {lost} of Responses lost or doubled")
    if len(months.rows) > 2:
        span = len(months.rows) - 2
        print(f"RSS {(months.rows[-1][0] - months.rows[1][0]) / span:+.2f} MB a month after the first")
    return 1 if outcome.findings else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.soak.months", description=__doc__.splitlines()[0])
    parser.add_argument("--days", type=float, default=365.25, help="simulated days (a year)")
    parser.add_argument("--seed", type=int, default=1, help="of all that is drawn (1)")
    parser.add_argument("--tick", type=float, default=60.0, help="simulated seconds between two steps (60)")
    parser.add_argument("--poll", type=int, default=900, help="all poll rates, s (900)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
