"""`dersim completion bash|zsh|fish`: prints a script that completes commands, flags and values.

The script is made from the option parsers, plug-ins' flags included. It holds all words itself, so that a
press of the Tab key starts no Python.
"""

from __future__ import annotations

from collections.abc import Sequence

from dersim.cli.commands import COMMANDS, command_parser
from dersim.cli.completion_tree import Node, node_of
from dersim.cli.shell_scripts import SHELLS
from dersim.options import OptionParser


def make_parser() -> OptionParser:
    """One argument: the shell."""
    parser = command_parser("completion")
    parser.add_argument("shell", choices=sorted(SHELLS), help="for which shell")
    return parser


def main(args: Sequence[str]) -> int:
    """Print the script; 0."""
    options = make_parser().parse_args(args)
    print(SHELLS[options.shell](tree()), end="")
    return 0


def tree() -> Node:
    """Everything that can follow `dersim`."""
    children = tuple(node_of(name, each.doc, each.make_parser()) for name, each in COMMANDS.items())
    return Node("dersim", "", children=children)
