"""The operator of `dersim conformance`: asked at the terminal, or nobody."""

from __future__ import annotations

import sys
from argparse import Namespace

from dersim.conformance.operator import Nobody, Operator, Person, ask_at_terminal
from dersim.errors import ConfigError
from dersim.options import OptionParser


def add_flags(parser: OptionParser) -> None:
    """The flags."""
    group = parser.add_argument_group("the operator, for a device or server of your own")
    add = group.add_argument
    add("--operator", action="store_true",
        help="ask for what only a person can do; so it is where stdin is a terminal")  # fmt: skip
    add("--skip-operator", action="store_true", help="ask nobody: what depends on it is not seen")


def check(options: Namespace) -> None:
    """ConfigError for flags that do not go together."""
    if options.operator and options.skip_operator:
        raise ConfigError("--operator and --skip-operator: leave one out")
    is_ours = options.server in (None, "self") and not options.client_under_test
    for name in ("operator", "skip_operator"):
        if getattr(options, name) and is_ours:
            flag = f"--{name.replace('_', '-')}"
            raise ConfigError(f"{flag}: is for --client-under-test and --server URL; leave it out")


def operator_of(options: Namespace) -> Operator:
    """Who is asked."""
    asked = options.operator or sys.stdin.isatty()
    return Person(ask_at_terminal) if asked and not options.skip_operator else Nobody()
