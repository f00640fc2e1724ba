"""The state file: SQLite in WAL mode, synchronous NORMAL.

What is committed survives the end of the process, however it ends; an operating system that crashes may lose
the last commits, but no part of one. One process has the file at a time.

    object(kind, key, number, document, body)    the objects as they are; number: the order of the writing
    reading(id, received_s, mirror, meter, ...)  the values that devices posted, for the export
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from dersim.errors import ConfigError
from dersim.utility.state.journal import Batch

#: `PRAGMA application_id` and `user_version` of a state file.
APPLICATION, VERSION = 0x64657273, 1
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


class Store:
    """An open state file. Its methods block; they may be called from any thread, one at a time."""

    def __init__(self, path: Path) -> None:
        """Open or make the file; ConfigError for one that is in use, unreadable or of another kind."""
        self.path = path
        self._lock = self._locked(path)
        try:
            self._db = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
            self._prepare()
        except sqlite3.Error as error:
            os.close(self._lock)
            raise ConfigError(f"--state {path}: {error}; give another file") from None
        except ConfigError:
            os.close(self._lock)
            raise

    @staticmethod
    def _locked(path: Path) -> int:
        try:
            lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise ConfigError(f"--state {path}: {error.strerror}; give a file that can be written") from None
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(lock)
            raise ConfigError(
                f"--state {path}: another server uses this file; stop it or give another"
            ) from None
        return lock

    def _prepare(self) -> None:
        db = self._db
        db.execute("PRAGMA busy_timeout=5000")
        db.execute("PRAGMA journal_mode=WAL")
        db.execute("PRAGMA synchronous=NORMAL")
        (application,), (version,) = (
            db.execute(f"PRAGMA {name}").fetchone() for name in ("application_id", "user_version")
        )
        if (application, version) == (APPLICATION, VERSION):
            return
        if application == APPLICATION:
            raise ConfigError(
                f"--state {self.path}: its format is {version}, and this dersim reads {VERSION}; "
                f"use the dersim that made it, or give another file"
            )
        if application or db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
            raise ConfigError(f"--state {self.path}: this is no state file of dersim; give another file")
        db.executescript(_SCHEMA)
        db.execute(f"PRAGMA application_id={APPLICATION}")
        db.execute(f"PRAGMA user_version={VERSION}")

    def rows(self) -> list[Row]:
        """All objects in the order in which they were written."""
        found = self._db.execute("SELECT kind, key, document, body FROM object ORDER BY number")
        return [Row(*each) for each in found]

    @property
    def last_number(self) -> int:
        """The number of the last change in the file."""
        return int(self._db.execute("SELECT coalesce(max(number), 0) FROM object").fetchone()[0])

    def write(self, batch: Batch) -> None:
        """Commit a batch, all or nothing; sqlite3.Error where that is impossible."""
        first = batch.number - len(batch.changes) + 1
        gone = [(each.kind, each.key) for each in batch.changes if each.document is None]
        kept = [
            (each.kind, each.key, number, each.document, each.body)
            for number, each in enumerate(batch.changes, first)
            if each.document is not None
        ]
        with self._transaction():
            db = self._db
            db.executemany("DELETE FROM object WHERE kind=? AND key GLOB ?", gone)
            db.executemany("INSERT OR REPLACE INTO object VALUES(?,?,?,?,?)", kept)
            db.executemany("INSERT INTO reading VALUES(NULL,?,?,?,?,?,?,?)", batch.readings)

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[None]:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

    def forget(self, before_s: float) -> int:
        """Delete some of the oldest values received before a time; how many."""
        db = self._db
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

    def close(self) -> None:
        """Bring everything into the one file, and let go of it."""
        self._db.close()
        os.close(self._lock)
