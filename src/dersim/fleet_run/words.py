"""What each shard gets of the command line of `dersim fleet`: the flags of `dersim sim`, and files."""

from __future__ import annotations

from argparse import Action
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from dersim.fleet_run.plan import FILES
from dersim.options import OptionParser, readable_file, watts_or_file


class Given(NamedTuple):
    """A flag of a command line as it was written, with its values."""

    action: Action
    words: tuple[str, ...]


def given(parser: OptionParser, args: Sequence[str]) -> Iterator[Given]:
    """The flags of a command line that `parser` has accepted, in their order; other words are left out."""
    position = 0
    while position < len(args):
        flag, equals, _ = args[position].partition("=")
        begin, action = position, parser.flags.get(flag)
        position += 1
        if action is None:
            continue
        if not equals and action.nargs != 0 and position < len(args):
            optional = action.nargs == "?"
            if not (optional and args[position].partition("=")[0] in parser.flags):
                position += 1
        yield Given(action, tuple(args[begin:position]))


def for_shards(
    parser: OptionParser, args: Sequence[str], own: frozenset[str]
) -> tuple[list[str], dict[str, bytes]]:
    """The words of `args` for every shard, and the files that they name by the names they get there.

    own: the `dest` of flags that are not for the shards.
    """
    words: list[str] = []
    files: dict[str, bytes] = {}
    for action, written in given(parser, args):
        if action.dest in own:
            continue
        value = written[-1].partition("=")[2] if len(written) == 1 else written[1]
        is_file = action.type is readable_file or (
            action.type is watts_or_file and isinstance(watts_or_file(value), Path)
        )
        if not is_file:
            words += written
            continue
        path = Path(value)
        name = f"{action.dest}{path.suffix}"
        files[name] = path.read_bytes()
        words += [written[0].partition("=")[0], f"{FILES}/{name}"]
    return words, files
