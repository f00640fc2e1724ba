"""`dersim plugins`: the installed plug-ins, in the order in which their hooks are called.

A plug-in that cannot be loaded is listed with the reason, and the exit code is 2.
"""

from __future__ import annotations

from collections.abc import Sequence

from dersim.cli.commands import command_parser
from dersim.errors import PluginError
from dersim.options import OptionParser
from dersim.plugin.candidates import Candidate, find
from dersim.plugin.loader import Plugin, PluginSet

_HEAD = ("NAME", "VERSION", "ORDER", "FROM", "HOOKS")


def main(args: Sequence[str]) -> int:
    """Print one row per plug-in; 0, or 2 if one cannot be loaded."""
    make_parser().parse_args(args)
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
    """No flags of its own."""
    return command_parser("plugins")


def _row(plugin: Plugin) -> tuple[str, ...]:
    return plugin.name, plugin.version, str(plugin.order), plugin.origin, " ".join(plugin.hooks)


def _refused_row(candidate: Candidate, error: PluginError) -> tuple[str, ...]:
    reason = str(error).removeprefix(f"plug-in {candidate.name}: ")
    return candidate.name, candidate.version, "-", candidate.origin, f"refused: {reason}"
