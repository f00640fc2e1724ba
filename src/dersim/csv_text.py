"""CSV files from outside: opened and checked in one place; an error names the file and the line."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple, Protocol

from dersim.errors import ConfigError
from dersim.numeric import shown
from dersim.suggestions import hint

#: What is read of a line; a longer one, as of a device without an end, has a field too long for csv.
_LONGEST_LINE = 1 << 20


class _Reader(Protocol):
    """csv's reader."""

    line_num: int

    def __iter__(self) -> Iterator[list[str]]: ...


class CsvRows(NamedTuple):
    """The header of a file and its rows that are not empty, each with its place, ``FILE line N``."""

    header: list[str]
    rows: Iterator[tuple[str, list[str]]]


@contextmanager
def open_csv(path: Path, known: Iterable[str]) -> Iterator[CsvRows]:
    """A file in UTF-8, with or without a BOM, separated by commas, whose columns are all known.

    Each row has as many values as the header. ConfigError names the file, the line and what to do.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.reader(iter(lambda: file.readline(_LONGEST_LINE), ""))
            header = [name.strip() for name in next(reader, [])]
            _check_header(f"{path} line 1", header, tuple(known))
            yield CsvRows(header, _rows(path, reader, len(header)))
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror or error}; give a readable CSV file") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: not a CSV file in UTF-8; save it as UTF-8") from error
    except csv.Error as error:
        raise ConfigError(f"{path}: not a CSV file in UTF-8: {error}") from error


def _rows(path: Path, reader: _Reader, count: int) -> Iterator[tuple[str, list[str]]]:
    for row in reader:
        where = f"{path} line {reader.line_num}"
        if row and len(row) != count:
            raise ConfigError(f"{where}: {len(row)} values under {count} columns")
        if row:
            yield where, row


def _check_header(where: str, header: list[str], known: tuple[str, ...]) -> None:
    if not any(header):
        raise ConfigError(f"{where}: the header is missing; name the columns: {', '.join(known)}")
    for separator, name in ((";", "semicolons"), ("\t", "tabs")):
        if len(header) == 1 and separator in header[0]:
            raise ConfigError(f"{where}: columns are separated by {name}; use commas")
    for name in header:
        if name not in known:
            raise ConfigError(f"{where}: column {shown(name)} is not known; {hint(name, known)}")
        if header.count(name) > 1:
            raise ConfigError(f"{where}: a column is named twice, {name}; leave one out")


def cell(where: str, name: str, text: object, low: float, high: float, unit: str = "") -> float:
    """The number in a cell, as text or as a number, within low to high; ConfigError names the column."""
    if text is None or text == "":
        raise ConfigError(f"{where}: {name} is empty; a number is needed")
    if isinstance(text, bool) or not isinstance(text, str | int | float):
        raise ConfigError(f"{where}: {name} {shown(text)} is not a number")
    try:
        value = float(text)
    except (ValueError, OverflowError):
        raise ConfigError(f"{where}: {name} {shown(text)} is not a number") from None
    if not math.isfinite(value):
        raise ConfigError(f"{where}: {name} {shown(text)} is not a finite number")
    if not low <= value <= high:
        raise ConfigError(f"{where}: {name} {str(text)[:60]} is outside {low:g} to {high:g} {unit}".rstrip())
    return value
