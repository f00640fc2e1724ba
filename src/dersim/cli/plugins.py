"""`dersim plugins`: the installed plug-ins, in the order in which their hooks are called."""

from __future__ import annotations

from collections.abc import Sequence

from dersim.options import OptionParser
from dersim.plugin.loader import PluginSet, find


def main(args: Sequence[str]) -> int:
    """Print one row per plug-in."""
    OptionParser(prog="dersim plugins", description=__doc__).parse_args(args)
    rows = [("NAME", "VERSION", "ORDER", "FROM", "HOOKS")]
    rows += [
        (p.name, p.version, str(p.order), p.origin, " ".join(p.hooks)) for p in PluginSet(find()).plugins
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    for row in rows:
        print("  ".join([*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[4]]))
    return 0
