"""`python -m dersim_feeder.study --out FOLDER`: runs all cases, writes tables, pictures and scenarios."""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime
from pathlib import Path

from dersim.plugin import ConfigError, OptionParser, count
from dersim_feeder.study.cases import CASES, write_scenario
from dersim_feeder.study.outcome import Outcome, Span, run_case
from dersim_feeder.study.pictures import pictures
from dersim_feeder.study.table import as_csv, as_markdown, curtailed_csv
from dersim_feeder.study.workers import without_interrupts, workers

_DAY = datetime(2026, 3, 20, tzinfo=UTC)
_NOON_H = 12.0
_MOST_JOBS = 1024
_INTERRUPTED = 128 + 2  # what shells make of SIGINT


def main(argv: list[str] | None = None) -> int:
    """Exit code 0, 2 for what cannot be used, 130 when it is interrupted."""
    try:
        options = _parser().parse_args(argv)
        folder: Path = options.out
        folder.mkdir(parents=True, exist_ok=True)
        outcomes = _run_all(folder, options.begin_h, options.end_h, options.jobs)
        _write(folder, outcomes)
    except (OSError, ConfigError) as error:
        print(f"dersim_feeder.study: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("dersim_feeder.study: interrupted", file=sys.stderr)
        return _INTERRUPTED
    print(as_markdown(outcomes), end="")
    return 0


def _parser() -> OptionParser:
    parser = OptionParser(prog="python -m dersim_feeder.study", description=__doc__)
    parser.add_argument("--out", metavar="FOLDER", type=Path, required=True, help="made if it is not there")
    parser.add_argument("--begin_h", metavar="H", type=float, default=6.0, help="hour of the day; default 6")
    parser.add_argument("--end_h", metavar="H", type=float, default=21.0, help="default 21; noon is within")
    cores = os.cpu_count() or 1
    parser.add_argument(
        "--jobs", metavar="N", type=count(1, _MOST_JOBS), default=cores, help="cases at a time; the cores"
    )
    return parser


def _run_all(folder: Path, begin_h: float, end_h: float, jobs: int) -> list[Outcome]:
    if not 0 <= begin_h < _NOON_H < end_h < 24:
        raise ConfigError(f"--begin_h {begin_h:g} --end_h {end_h:g}: give hours of one day with noon between")
    midnight_s = _DAY.timestamp()
    span = Span(*(midnight_s + hour * 3600 for hour in (begin_h, _NOON_H, end_h)))
    scenarios = [write_scenario(case, folder, span.end_s - span.begin_s) for case in CASES]
    outcomes = []
    with workers(jobs) as pool:
        with without_interrupts():
            # Not by map, which would cancel what waits: in Python 3.11 a killed pool trips over that.
            running = [pool.submit(run_case, *each, span) for each in zip(CASES, scenarios, strict=True)]
        for each in running:
            outcomes.append(outcome := each.result())
            print(f"{outcome.case.title}: done", file=sys.stderr)
    return outcomes


def _write(folder: Path, outcomes: list[Outcome]) -> None:
    files = {"results.csv": as_csv(outcomes), "results.md": as_markdown(outcomes)}
    files["curtailed.csv"] = curtailed_csv(outcomes)
    files |= {f"feeder-study-{name}.svg": text for name, text in pictures(outcomes, "fir").items()}
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
