"""`dersim replay SCENARIO.json TRAJECTORY.csv --out OUT.csv`: a DER offline through a recorded trajectory."""

from __future__ import annotations

import argparse
import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from dersim import json_text
from dersim.cli.commands import command_parser
from dersim.errors import ConfigError
from dersim.numeric import shown
from dersim.options import OptionParser
from dersim.replayer import Runner


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The two inputs and the output."""
    parser.add_argument("scenario", type=Path, metavar="SCENARIO.json", help="nameplate, settings and events")
    parser.add_argument("trajectory", type=Path, metavar="TRAJECTORY.csv", help="grid and source, row by row")
    parser.add_argument("--out", type=Path, required=True, metavar="OUT.csv", help="where the outputs go")


def run(options: argparse.Namespace) -> int:
    """Replay; the exit code. ConfigError names the file and the line."""
    scenario = _read_scenario(options.scenario)
    try:
        runner = Runner(scenario)
    except ConfigError as error:
        raise ConfigError(f"{options.scenario}: {error}") from error
    except (LookupError, TypeError, ValueError, AttributeError, ArithmeticError) as error:
        raise ConfigError(f"{options.scenario}: not a scenario: {_in_words(error)}") from error
    outputs = _replay_file(runner, options.trajectory)
    try:
        with options.out.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, runner.columns)
            writer.writeheader()
            writer.writerows(outputs)
    except OSError as error:
        raise ConfigError(f"--out {options.out}: {error.strerror or error}") from error
    return 0


def main(args: Sequence[str]) -> int:
    """Read the flags and replay."""
    return run(make_parser().parse_args(args))


def make_parser() -> OptionParser:
    """The arguments of `dersim replay`."""
    parser = command_parser("replay")
    add_arguments(parser)
    return parser


def _in_words(error: Exception) -> str:
    """What is wrong with a scenario: Python's own words say it of our code, not of the file."""
    if isinstance(error, KeyError) and error.args and isinstance(error.args[0], str):
        return f"{shown(error.args[0])} is missing or not known; docs/replay.md says what is needed"
    return "a value is of the wrong kind or out of range; docs/replay.md says what is needed"


def _read_scenario(path: Path) -> dict[str, Any]:
    try:
        scenario = json_text.read_file(path)
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from None
    if not isinstance(scenario, dict):
        raise ConfigError(f"{path}: a JSON object is needed")
    return scenario


def _replay_file(runner: Runner, path: Path) -> list[dict[str, Any]]:
    outputs = []
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            for index, row in enumerate(csv.DictReader(file)):
                try:
                    outputs.append(runner.row(index, row))
                except ConfigError as error:
                    raise ConfigError(f"{path} line {index + 2}: {error}") from error
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror or error}; give a readable trajectory") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise ConfigError(f"{path}: not a CSV file in UTF-8: {error}") from error
    if not outputs:
        raise ConfigError(f"{path}: no rows under the header")
    return outputs
