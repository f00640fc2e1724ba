"""A state file: SQLite in WAL mode, synchronous NORMAL, used by one process at a time.

What is committed survives the end of the process, however it ends. An operating system that crashes may lose
the last commits, but no part of one: FULL would wait for the disk at every commit, and a crash of the
computer is not what these files are for.
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

#: Pages after which the WAL is brought into the file itself, 1 MiB: somebody may lose the WAL.
_WAL_PAGES = 256


class Format(NamedTuple):
    """What a file is. application, version: its `PRAGMA application_id` and `user_version`.

    program: whose state it is, for messages, e.g. "dersim server".
    """

    application: int
    version: int
    program: str
    schema: str


def of_server(path: Path) -> Path:
    """The file of the companion server of `--demo`, beside that of the simulator."""
    return path.with_name(f"{path.stem}-server{path.suffix}")


class StateFile:
    """An open state file. Its methods block; they may be called from any thread, one at a time."""

    def __init__(self, path: Path, form: Format) -> None:
        """Open or make the file; ConfigError for one that is in use, unreadable or of another kind."""
        self.path = path
        self._form = form
        self._lock = self._locked()
        try:
            self.db = self._connected()
        except BaseException:
            os.close(self._lock)
            raise

    def _connected(self) -> sqlite3.Connection:
        with self.readable():
            db = sqlite3.connect(self.path, check_same_thread=False, isolation_level=None)
            try:
                self._prepare(db)
            except BaseException:
                db.close()
                raise
        return db

    def _locked(self) -> int:
        path = self.path
        try:
            lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise ConfigError(f"--state {path}: {error.strerror}; give a file that can be written") from None
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(lock)
            raise ConfigError(
                f"--state {path}: another {self._form.program} uses this file; stop it or give another"
            ) from None
        return lock

    @contextlib.contextmanager
    def readable(self) -> Iterator[None]:
        """ConfigError with what to do where the file cannot be read within the block."""
        try:
            yield
        except (
            sqlite3.Error,
            ValueError,
            LookupError,
            TypeError,
        ) as error:  # ValueError: no UTF-8, or no JSON
            raise ConfigError(
                f"--state {self.path}: {error}; move it away to begin anew, or give another file"
            ) from None

    def _prepare(self, db: sqlite3.Connection) -> None:
        form = self._form
        db.execute("PRAGMA busy_timeout=5000")
        db.execute("PRAGMA journal_mode=WAL")
        db.execute("PRAGMA synchronous=NORMAL")
        db.execute(f"PRAGMA wal_autocheckpoint={_WAL_PAGES}")
        (application,), (version,) = (
            db.execute(f"PRAGMA {name}").fetchone() for name in ("application_id", "user_version")
        )
        if (application, version) == (form.application, form.version):
            return
        if application == form.application:
            raise ConfigError(
                f"--state {self.path}: its format is {version}, and this dersim reads {form.version}; "
                f"use the dersim that made it, or give another file"
            )
        if application or db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
            raise ConfigError(
                f"--state {self.path}: this is no state file of {form.program}; give another file"
            )
        db.executescript(form.schema)
        db.execute(f"PRAGMA application_id={form.application}")
        db.execute(f"PRAGMA user_version={form.version}")
        self.to_file(db)

    @staticmethod
    def to_file(db: sqlite3.Connection) -> None:
        """Bring the WAL into the file itself: what is there so far is not lost with the WAL."""
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    @contextlib.contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """All or nothing of what is written within the block; sqlite3.Error where that is impossible."""
        db = self.db
        db.execute("BEGIN IMMEDIATE")
        try:
            yield db
        except BaseException:
            with contextlib.suppress(sqlite3.Error):  # a full disk has ended the transaction itself
                db.execute("ROLLBACK")
            raise
        try:
            db.execute("COMMIT")
        except sqlite3.Error:
            with contextlib.suppress(sqlite3.Error):
                db.execute("ROLLBACK")
            raise

    def is_here(self) -> bool:
        """Whether the file and its WAL are still where they were: nobody has removed or replaced them."""
        try:
            here, ours = self.path.stat(), os.fstat(self._lock)
            return os.path.samestat(here, ours) and Path(f"{self.path}-wal").exists()
        except OSError:
            return False

    @property
    def bytes_held(self) -> int:
        """The size of the file with its WAL; 0 for one that is gone."""
        found = 0
        for path in (self.path, Path(f"{self.path}-wal")):
            with contextlib.suppress(OSError):
                found += path.stat().st_size
        return found

    def reopen(self) -> None:
        """Open it anew, or another in its place where it was removed; ConfigError as at first."""
        self.close()
        self._lock = self._locked()
        try:
            self.db = self._connected()
        except BaseException:
            os.close(self._lock)
            self._lock = -1
            raise

    def close(self) -> None:
        """Bring everything into the one file, and let go of it."""
        with contextlib.suppress(sqlite3.Error):
            self.db.close()
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1
