"""The flags of a run under load: how long it lasts, what must hold, and which reports are written."""

from __future__ import annotations

import argparse
import re

from dersim.errors import ConfigError
from dersim.load import thresholds
from dersim.load.thresholds import Threshold
from dersim.numeric import shown
from dersim.options import OptionParser, new_file

_NUMBER = r"([0-9]{1,9}(?:\.[0-9]{1,3})?)"
_DURATION = re.compile(rf"(?:{_NUMBER}d)?(?:{_NUMBER}h)?(?:{_NUMBER}m)?(?:{_NUMBER}s?)?")
_UNITS_S = (86_400.0, 3_600.0, 60.0, 1.0)
_LONGEST_S = 366 * 86_400.0


def add_load(parser: OptionParser) -> None:
    """--duration, --load, --report, --json, --junit and --fail."""
    group = parser.add_argument_group("load")
    group.add_argument(
        "--duration",
        type=duration_s,
        metavar="TIME",
        help="stop by itself after this time, as 90s, 10m or 1h30m",
    )
    group.add_argument(
        "--load",
        action="store_true",
        help="measure latencies, errors and reactions to controls: a table at the end, live numbers on the "
        "fleet page and in /metrics; implied by the following flags",
    )
    group.add_argument(
        "--report",
        dest="load_report",
        type=new_file,
        metavar="FILE",
        help="an HTML file at the end: latencies, errors, plots over time, reactions to controls, thresholds",
    )
    group.add_argument(
        "--json", dest="load_json", type=new_file, metavar="FILE", help="the same as one JSON document"
    )
    group.add_argument(
        "--junit", dest="load_junit", type=new_file, metavar="FILE", help="the thresholds as JUnit XML"
    )
    group.add_argument(
        "--fail",
        dest="thresholds",
        action="append",
        type=threshold,
        metavar="THRESHOLD",
        help=f"exit code 3 where it does not hold at the end, as {thresholds.EXAMPLES}; repeatable".replace(
            "%", "%%"
        ),
    )


def is_measured(options: argparse.Namespace) -> bool:
    """Whether any of these flags wants load to be measured."""
    files = options.load_report or options.load_json or options.load_junit
    return bool(options.load or files or options.thresholds)


def duration_s(text: str) -> float:
    """``90s``, ``10m``, ``1.5h``, ``1h30m`` or a number of seconds, above 0 and up to a year."""
    found = _DURATION.fullmatch(text)
    parts = found.groups() if found else ()
    total_s = sum(float(part or 0) * unit_s for part, unit_s in zip(parts, _UNITS_S, strict=False))
    if not 0 < total_s <= _LONGEST_S:
        raise argparse.ArgumentTypeError(f"a time such as 30s, 10m or 2h is needed, not {shown(text)}")
    return total_s


def threshold(text: str) -> Threshold:
    """A threshold; what is wrong is shown with its place."""
    try:
        return thresholds.parse(text)
    except ConfigError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
