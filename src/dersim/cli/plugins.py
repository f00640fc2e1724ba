"""`dersim plugins`: the installed plug-ins, in the order in which their hooks are called.

A plug-in that cannot be loaded is listed with the reason, and the exit code is 2. `dersim plugins check` runs
the contract test of one, with exit code 3 where a check failed.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from dersim.cli.commands import command_parser
from dersim.cli.outcomes import CHECK_FAILED, failed, print_json, tell
from dersim.cli.sim_options import make_parser as make_sim_parser
from dersim.errors import PluginError
from dersim.options import OptionParser, count
from dersim.plugin.candidates import Candidate, find
from dersim.plugin.loader import Plugin, PluginSet

_HEAD = ("NAME", "VERSION", "ORDER", "FROM", "HOOKS")


def main(args: Sequence[str]) -> int:
    """Print one row per plug-in, or check one; 0, 2 if one cannot be loaded, 3 if a check failed."""
    options = make_parser().parse_args(args)
    return _list() if options.plugins_command is None else _check(options)


def _check(options: argparse.Namespace) -> int:
    from dersim.contract import candidates_of, examine  # noqa: PLC0415 - slow, and not for the list

    results = []
    for candidate in candidates_of(options.dist):
        parser, _ = make_sim_parser(["--demo", "--without", candidate.name])
        for result in examine(candidate, seed=options.seed, parser=parser, flags=options.flags):
            results.append(result)
            if not options.json:
                tell(result)
    if options.json:
        print_json(results)
    return CHECK_FAILED if failed(results) else 0


def _list() -> int:
    loaded, refused = [], []
    for candidate in find():
        try:
            loaded += PluginSet([candidate]).plugins
        except PluginError as error:
            refused.append(_refused_row(candidate, error))
    loaded.sort(key=lambda plugin: (plugin.order, plugin.name))
    rows = [_HEAD, *map(_row, loaded), *refused]
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    for row in rows:
        print("  ".join([*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[4]]))
    return 2 if refused else 0


def make_parser() -> OptionParser:
    """The sub-command `check` with its flags; without it the plug-ins are listed."""
    parser = command_parser("plugins")
    commands = parser.add_subparsers(dest="plugins_command", metavar="check", parser_class=OptionParser)
    one = commands.add_parser(
        "check",
        help="run the contract test of a plug-in",
        description="Load a plug-in and try what it registers, one line per check. The exit code is 3 where "
        "one failed. Example: dersim plugins check dersim-site-meter",
        allow_abbrev=False,
    )
    one.add_argument(
        "dist", metavar="DIST", help="plug-in or distribution, as listed, or the path of a module or package"
    )
    one.add_argument(
        "flags",
        nargs="*",
        default=[],
        metavar="-- FLAG",
        help="flags of the plug-in with which it is tried, after --",
    )
    one.add_argument("--seed", type=count(0, 2**32 - 1), default=0, help="of the random inputs")
    one.add_argument("--json", action="store_true", help="print the results as one JSON document")
    return parser


def _row(plugin: Plugin) -> tuple[str, ...]:
    return plugin.name, plugin.version, str(plugin.order), plugin.origin, " ".join(plugin.hooks)


def _refused_row(candidate: Candidate, error: PluginError) -> tuple[str, ...]:
    reason = str(error).removeprefix(f"plug-in {candidate.name}: ")
    return candidate.name, candidate.version, "-", candidate.origin, f"refused: {reason}"
