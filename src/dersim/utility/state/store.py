"""The state file of the companion server (`dersim.state_file`), and what is in it.

object(kind, key, number, document, body)    the objects as they are; number: the order of the writing
reading(id, received_s, mirror, meter, ...)  the values that devices posted, for the export
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from dersim.state_file import Format, StateFile
from dersim.utility.state.journal import Batch

#: Values read from the file at a time.
_PAGE = 10_000
#: Values that are forgotten in one transaction.
_MOST_FORGOTTEN = 20_000

_SCHEMA = """
CREATE TABLE object(
  kind TEXT NOT NULL, key TEXT NOT NULL, number INTEGER NOT NULL, document TEXT NOT NULL, body BLOB NOT NULL,
  PRIMARY KEY(kind, key)
) WITHOUT ROWID;
CREATE TABLE reading(
  id INTEGER PRIMARY KEY, received_s REAL NOT NULL, mirror INTEGER NOT NULL, meter INTEGER NOT NULL,
  start_s INTEGER, duration_s INTEGER, value INTEGER, quality INTEGER
);
"""


class Row(NamedTuple):
    """One object of the file."""

    kind: str
    key: str
    document: str
    body: bytes


#: Of a file of `dersim server`.
FORMAT = Format(0x64657273, 1, "dersim server", _SCHEMA)


class Store(StateFile):
    """An open state file. Its methods block; they may be called from any thread, one at a time."""

    def __init__(self, path: Path) -> None:
        """Open or make the file; ConfigError for one that is in use, unreadable or of another kind."""
        super().__init__(path, FORMAT)

    def rows(self) -> list[Row]:
        """All objects in the order in which they were written; ConfigError for a torn file."""
        with self.readable():
            found = self.db.execute("SELECT kind, key, document, body FROM object ORDER BY number")
            return [Row(*each) for each in found]

    @property
    def last_number(self) -> int:
        """The number of the last change in the file."""
        return int(self.db.execute("SELECT coalesce(max(number), 0) FROM object").fetchone()[0])

    def write(self, batch: Batch) -> None:
        """Commit a batch, all or nothing; sqlite3.Error where that is impossible."""
        first = batch.number - len(batch.changes) + 1
        gone = [(each.kind, each.key) for each in batch.changes if each.document is None]
        kept = [
            (each.kind, each.key, number, each.document, each.body)
            for number, each in enumerate(batch.changes, first)
            if each.document is not None
        ]
        with self.transaction() as db:
            db.executemany("DELETE FROM object WHERE kind=? AND key GLOB ?", gone)
            db.executemany("INSERT OR REPLACE INTO object VALUES(?,?,?,?,?)", kept)
            db.executemany("INSERT INTO reading VALUES(NULL,?,?,?,?,?,?,?)", batch.readings)

    def forget(self, before_s: float) -> int:
        """Delete some of the oldest values received before a time; how many."""
        db = self.db
        kept = db.execute("SELECT id FROM reading WHERE received_s >= ? ORDER BY id LIMIT 1", (before_s,))
        first = kept.fetchone()
        end = "(SELECT coalesce(max(id), 0) + 1 FROM reading)" if first is None else str(int(first[0]))
        return db.execute(
            f"DELETE FROM reading WHERE id IN "  # noqa: S608 - both are numbers of ours
            f"(SELECT id FROM reading WHERE id < {end} ORDER BY id LIMIT {_MOST_FORGOTTEN})"
        ).rowcount

    def readings(self, since_s: float, until_s: float) -> Iterator[list[tuple[int | float | None, ...]]]:
        """The values received in a span, in their order, by pages; on a connection of its own."""
        with contextlib.closing(sqlite3.connect(f"file:{self.path}?mode=ro", uri=True)) as db:
            found = db.execute(
                "SELECT received_s, mirror, meter, start_s, duration_s, value, quality FROM reading "
                "WHERE received_s >= ? AND received_s < ? ORDER BY id",
                (since_s, until_s),
            )
            while page := found.fetchmany(_PAGE):
                yield page
