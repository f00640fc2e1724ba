"""`dersim server`: the companion server alone, which knows what the plug-ins add to 2030.5 documents."""

from __future__ import annotations

from collections.abc import Sequence

from dersim.cli import server
from dersim.options import OptionParser, names
from dersim.plugin.loader import DEFAULT_PLUGINS, PluginSet, find
from dersim.plugin.registry import Selection


def main(args: Sequence[str]) -> int:
    """Run until stopped; the exit code. ConfigError and PluginError are the caller's."""
    parser = OptionParser(prog="dersim server", description="The companion IEEE 2030.5 server.")
    server.add_arguments(parser)
    parser.add_argument(
        "--without", type=names, default=(), metavar="NAME,...", help="leave out these plug-ins"
    )
    options = parser.parse_args(args)
    own = {each.name for each in DEFAULT_PLUGINS}
    strangers = [each for each in find() if each.name not in own]
    selection = Selection(without=options.without)
    selection.check(each.name for each in strangers)
    PluginSet(strangers, selection).learn_extensions()
    return server.run(options)
