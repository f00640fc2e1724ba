"""`dersim replay SCENARIO.json TRAJECTORY.csv --out OUT.csv`: a DER offline through a recorded trajectory."""

from __future__ import annotations

import argparse
import contextlib
import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from dersim import json_text
from dersim.cli.commands import command_parser
from dersim.csv_text import open_csv
from dersim.errors import ConfigError
from dersim.json_text import BodyError
from dersim.options import OptionParser, new_file
from dersim.replay_rows import KNOWN
from dersim.replayer import Runner


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The two inputs and the output."""
    parser.add_argument("scenario", type=Path, metavar="SCENARIO.json", help="nameplate, settings and events")
    parser.add_argument("trajectory", type=Path, metavar="TRAJECTORY.csv", help="grid and source, row by row")
    parser.add_argument("--out", type=new_file, required=True, metavar="OUT.csv", help="where the outputs go")


def run(options: argparse.Namespace) -> int:
    """Replay; the exit code. ConfigError names the file, the line and what is wrong."""
    _check_out(options.out, (options.scenario, options.trajectory))
    scenario = json_text.read_file(options.scenario)
    try:
        runner = Runner(scenario)
    except BodyError as error:
        raise json_text.file_error(options.scenario, error) from error
    outputs = _replay_file(runner, options.trajectory)
    try:
        with options.out.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, runner.columns)
            writer.writeheader()
            writer.writerows(outputs)
    except OSError as error:
        raise ConfigError(f"--out {options.out}: {error.strerror or error}; give a writable file") from error
    return 0


def _check_out(out: Path, inputs: Sequence[Path]) -> None:
    """ConfigError where the outputs would take the place of an input."""
    for path in inputs:
        with contextlib.suppress(OSError):  # one that is not there is told by its reader
            if out.samefile(path):
                raise ConfigError(f"--out {out}: this is an input, {path}; give another file")


def main(args: Sequence[str]) -> int:
    """Read the flags and replay."""
    return run(make_parser().parse_args(args))


def make_parser() -> OptionParser:
    """The arguments of `dersim replay`."""
    parser = command_parser("replay")
    add_arguments(parser)
    return parser


def _replay_file(runner: Runner, path: Path) -> list[dict[str, Any]]:
    with open_csv(path, KNOWN) as (header, rows):
        runner.check_columns(f"{path} line 1", header)
        outputs = [runner.row(where, dict(zip(header, row, strict=True))) for where, row in rows]
    if not outputs:
        raise ConfigError(f"{path}: no rows under the header")
    return outputs
