"""What can follow each command on the command line, read from its option parser."""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from dersim.options import OptionParser, readable_file

#: Metavars whose value is a path, and those that name their choices: ``yes|no``.
_PATH = re.compile(r"(FILE|PATH|DIR|[A-Z_]+\.[a-z]+)$")
_CHOICES = re.compile(r"[a-z]+(\|[a-z]+)+$")


class Value(NamedTuple):
    """What a flag or an argument takes: one of `choices`, a path, or any text."""

    choices: tuple[str, ...] = ()
    path: bool = False


class Flag(NamedTuple):
    """A flag with all its spellings. value: None where it takes none."""

    spellings: tuple[str, ...]
    doc: str
    value: Value | None


@dataclass(frozen=True, slots=True)
class Node:
    """A command. name: with the commands before it, as in ``dersim pki show``."""

    name: str
    doc: str
    flags: tuple[Flag, ...] = ()
    arguments: tuple[Value, ...] = ()
    children: tuple[Node, ...] = ()

    @property
    def word(self) -> str:
        """The last word of the name."""
        return self.name.rpartition(" ")[2]

    def walk(self) -> Iterator[Node]:
        """This node and all below it."""
        yield self
        for child in self.children:
            yield from child.walk()


def node_of(name: str, doc: str, parser: argparse.ArgumentParser, above: str = "dersim") -> Node:
    """The node of a command, with those of its own sub-commands."""
    path = f"{above} {name}"
    flags, arguments, children = [], [], []
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            docs = {each.dest: each.help or "" for each in action._choices_actions}
            for word, sub_parser in action.choices.items():
                children.append(node_of(word, docs.get(word, ""), sub_parser, path))
        elif action.help == argparse.SUPPRESS:
            continue
        elif action.option_strings:
            value = None if action.nargs == 0 else _value(action, parser)
            flags.append(Flag(tuple(action.option_strings), _one_line(action.help), value))
        else:
            arguments.append(_value(action, parser))
    return Node(path, doc, tuple(flags), tuple(arguments), tuple(children))


def _value(action: argparse.Action, parser: argparse.ArgumentParser) -> Value:
    if action.choices is not None:
        return Value(tuple(map(str, action.choices)))
    if isinstance(parser, OptionParser) and action.dest in parser.suggestions:
        return Value(tuple(parser.suggestions[action.dest]()))
    metavar = action.metavar if isinstance(action.metavar, str) else ""
    if _CHOICES.match(metavar):
        return Value(tuple(metavar.split("|")))
    return Value(path=action.type in (Path, readable_file) or bool(_PATH.match(metavar)))


def _one_line(text: str | None) -> str:
    return " ".join((text or "").replace("%%", "%").split())
