"""Run seeds of the scenario machine: `python -m tests.chaos --seeds 1000 --days 7`.

Exit code 1 where something was found; each finding comes with what was drawn and the command that repeats it.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import sys
from collections import Counter
from functools import partial

from tests.chaos.drawing import draw
from tests.chaos.machine import Outcome, run

#: Seeds after which the progress is told.
TOLD_EVERY = 10


def main(words: list[str] | None = None) -> int:
    """Run it; the exit code."""
    options = _parser().parse_args(words)
    seeds = range(options.first, options.first + options.seeds)
    if options.drawn:
        for seed in seeds:
            print(draw(seed, options.days))
        return 0
    found: Counter[str] = Counter()
    cpu_s = requests = responses = bad = 0.0
    with multiprocessing.get_context("spawn").Pool(options.jobs, maxtasksperchild=8) as pool:
        for done, outcome in enumerate(pool.imap_unordered(partial(run, days=options.days), seeds), 1):
            if not done % TOLD_EVERY:
                print(f"{done} of {options.seeds} seeds", file=sys.stderr, flush=True)
            cpu_s, requests = cpu_s + outcome.cpu_s, requests + outcome.requests
            responses += outcome.responses
            bad += bool(outcome.findings)
            found.update({each.promise for each in outcome.findings})
            _tell(outcome, whole=options.seeds == 1)
    print(
        f"{options.seeds} seeds x {options.days:g} days: {int(bad)} with violations {dict(found) or ''}; "
        f"{int(requests)} requests, {int(responses)} Responses, {cpu_s / options.seeds:.1f} s CPU a seed"
    )
    return 1 if bad else 0


def _tell(outcome: Outcome, *, whole: bool) -> None:
    if not outcome.findings:
        if whole:
            print(f"seed {outcome.drawn.seed}: nothing found; digest {outcome.digest}")
        return
    print(f"seed {outcome.drawn.seed}: repeat it with  {outcome.repeat}")
    for each in outcome.findings:
        print(f"  {each}")
    if whole:
        last_s = outcome.findings[0].at_s
        print("drawn until then:")
        head, *acts = str(outcome.drawn).splitlines()
        shown = [line for act, line in zip(outcome.drawn.acts, acts, strict=True) if act.at_s <= last_s]
        print("\n".join([head, *shown[-60:]]))
        print(f"the log ends with\n{outcome.told}")
    sys.stdout.flush()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=20, help="how many (20)")
    parser.add_argument("--days", type=float, default=2.0, help="simulated days of each (2)")
    parser.add_argument("--first", type=int, default=1, help="the first seed (1)")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes (one a core)")
    parser.add_argument("--drawn", action="store_true", help="print what is drawn, and run nothing")
    return parser


if __name__ == "__main__":
    sys.exit(main())
