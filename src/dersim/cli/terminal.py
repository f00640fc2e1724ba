"""stderr as a person sees it: colours, the table of addresses, a progress bar. In a pipe it stays plain.

rich draws; it is imported only where there is something to draw.
"""

from __future__ import annotations

import contextlib
import os
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, NamedTuple, TextIO

from dersim.logbuffer import LogEntry

if TYPE_CHECKING:
    from rich.console import Console

#: Shows the cursor and clears the line: what a process that ends at once under a progress bar must write.
RESTORE = "\r\x1b[2K\x1b[?25h"

#: Titles of the keys of the ready line, in the table's order; a plug-in's key is its own title.
_TITLES = {
    "dashboard": "dashboard",
    "csip_ui": "CSIP UI",
    "modbus": "Modbus",
    "utility": "2030.5 server",
    "utility_admin": "its admin REST",
    "lab": "lab",
    "fleet": "fleet page",
    "scheduler": "Dask scheduler",
}
_NUMBERED = re.compile(r"(.+)_(\d+)$")
_LINE_STYLES = {"Warning": "yellow", "Error": "bold red", "Debug": "dim"}


class Look(NamedTuple):
    """How to write. interactive: a person reads it. colour: with colours. moves: the cursor can be moved."""

    interactive: bool
    colour: bool
    moves: bool


def look_of(stream: TextIO, environ: Mapping[str, str]) -> Look:
    """NO_COLOR, set and not empty, comes first (no-color.org), then FORCE_COLOR, then TERM=dumb."""
    interactive = is_tty(stream)
    dumb = environ.get("TERM") == "dumb"
    colour = interactive and not dumb
    if environ.get("FORCE_COLOR"):
        colour = environ["FORCE_COLOR"] not in ("0", "false")
    if environ.get("NO_COLOR"):
        colour = False
    return Look(interactive, colour, interactive and not dumb)


def stderr() -> Terminal:
    """The process's stderr."""
    return Terminal(sys.stderr, look_of(sys.stderr, os.environ))


def is_tty(stream: TextIO) -> bool:
    """Whether a person may read the stream."""
    try:
        return stream.isatty()
    except (OSError, ValueError, AttributeError):
        return False  # closed, or none


class Terminal:
    """Writes to `stream` as `look` says."""

    def __init__(self, stream: TextIO, look: Look) -> None:
        self.look = look
        self._stream = stream
        self._made: Console | None = None

    @property
    def _console(self) -> Console:
        if self._made is None:
            from rich.console import Console  # noqa: PLC0415 - not imported in a pipe

            self._made = Console(
                file=self._stream,
                force_terminal=True,
                color_system="standard" if self.look.colour else None,
                highlight=False,
                markup=False,
            )
        return self._made

    @property
    def writer(self) -> Callable[[LogEntry], None] | None:
        """What writes the log where it is drawn; None in a pipe without colours, where the log is plain."""
        return self.write if self.look.interactive or self.look.colour else None

    def write(self, entry: LogEntry) -> None:
        """One entry of the log, on one line. OSError where nobody can read it."""
        from rich.text import Text  # noqa: PLC0415 - not imported in a pipe

        line = Text(entry.to_line(), style=_LINE_STYLES.get(entry.level, ""))
        line.stylize("dim", 0, len(entry.timestamp))
        tag = line.plain.find(entry.module, len(entry.timestamp))
        line.stylize("cyan", tag, line.plain.find(": ", tag))
        self._console.print(line, soft_wrap=True)

    def line(self, text: str, style: str = "") -> None:
        """A line that is in no log."""
        with contextlib.suppress(OSError, ValueError):
            self._console.print(text, style=style or None, soft_wrap=True)

    def table(self, addresses: Mapping[str, str]) -> None:
        """Where everything listens; nothing where no person reads it."""
        if not self.look.interactive:
            return
        rows = rows_of(addresses)
        width = max((len(title) for title, _ in rows), default=0)
        for title, value in rows:
            self.line(f"  {title:{width}}  {value}", "bold")

    @contextlib.contextmanager
    def bar(self, title: str, total: int) -> Iterator[Callable[[int], None]]:
        """A progress bar within the block, drawn when the yielded function is called; then it is removed."""
        from rich.progress import (  # noqa: PLC0415 - as above
            BarColumn,
            MofNCompleteColumn,
            Progress,
            TextColumn,
            TimeElapsedColumn,
        )

        columns = TextColumn(title), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()
        # No thread of rich's, and no stream of ours replaced: what is logged comes through `write`.
        progress = Progress(
            *columns, console=self._console, transient=True, auto_refresh=False,
            redirect_stdout=False, redirect_stderr=False,
        )  # fmt: skip
        task = progress.add_task(title, total=total)
        with progress:
            yield lambda done: progress.update(task, completed=done, refresh=True)


def rows_of(addresses: Mapping[str, str]) -> list[tuple[str, str]]:
    """Title and text of each row; the addresses of numbered DERs share a row."""
    rows: dict[str, list[str]] = {key: [] for key in _TITLES if key in addresses}
    for key, value in addresses.items():
        numbered = _NUMBERED.match(key)
        base = numbered[1] if numbered and numbered[1] in addresses else key
        rows.setdefault(base, []).append(value)
    return [(_TITLES.get(key, key), _span(values)) for key, values in rows.items()]


def _span(values: list[str]) -> str:
    if len(values) == 1:
        return values[0]
    return f"{values[0]} ... {values[-1]} ({len(values)} DERs)"
