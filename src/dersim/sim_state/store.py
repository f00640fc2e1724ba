"""The state file of the simulator (`dersim.state_file`), and what is in it.

run(key, document)                 the run: seed, DERs, simulated time
der(number, document)              the checkpoint of each DER, JSON
frontend(number, name, document)   of its front-ends
row(number, name, part, key, document)
                                   of these, what is written once each (`changes`), in its order
counted(number, document)          what of a DER at rest has gone on since then: time and registers
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from dersim.sim_state.changes import Changes, Written, encoded, join
from dersim.state_file import Format, StateFile

_SCHEMA = """
CREATE TABLE run(key TEXT PRIMARY KEY, document TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE der(number INTEGER PRIMARY KEY, document TEXT NOT NULL);
CREATE TABLE frontend(number INTEGER, name TEXT, document TEXT NOT NULL, PRIMARY KEY(number, name));
CREATE TABLE row(
    number INTEGER, name TEXT, part TEXT, key TEXT, document TEXT NOT NULL,
    PRIMARY KEY(number, name, part, key)
);
CREATE TABLE counted(number INTEGER PRIMARY KEY, document TEXT NOT NULL);
"""
#: Of a file of `dersim sim`.
FORMAT = Format(0x64657274, 2, "dersim sim", _SCHEMA)

_RUN = "run"


class Kept(NamedTuple):
    """What is in a file. run: None in a new one. ders: the checkpoints by number, as text."""

    run: dict[str, Any] | None
    ders: dict[str, Any]


class Store(StateFile):
    """An open state file. Its methods block; they may be called from any thread, one at a time."""

    def __init__(self, path: Path) -> None:
        """Open or make the file; ConfigError for one that is in use, unreadable or of another kind."""
        super().__init__(path, FORMAT)
        self._written = Written()
        self._failed = False
        self.bytes_written = 0

    def read(self) -> Kept:
        """Everything; ConfigError for a torn file."""
        with self.readable():
            found = self.db.execute("SELECT document FROM run WHERE key=?", (_RUN,)).fetchone()
            run = None if found is None else json.loads(found[0])
            rows = self.db.execute("SELECT number, document FROM der ORDER BY number")
            ders = {str(number): json.loads(document) for number, document in rows}
            join(
                ders,
                self.db.execute("SELECT number, name, document FROM frontend"),
                self.db.execute("SELECT number, name, part, key, document FROM row ORDER BY rowid"),
            )
            rows = self.db.execute("SELECT number, document FROM counted")
            for number, document in rows:
                ders[str(number)]["device"] |= json.loads(document)
            return Kept(run, ders)

    def write(self, run: Mapping[str, Any], ders: Mapping[str, Any], counted: Mapping[int, Any]) -> None:
        """Commit the run, those of these DERs that have changed, and what others have counted.

        sqlite3.Error, OSError or ConfigError where that is impossible. The next call opens the file again, or
        makes a new one, and is to be with all DERs.
        """
        if self._failed:
            self._written.forget()
            self.reopen()
            self._failed = False
        elif not self.is_here():
            self._failed = True
            raise FileNotFoundError("it was moved away or removed")
        changes = self._written.changes(ders)
        rows = [(number, encoded(document)) for number, document in counted.items()]
        try:
            with self.transaction() as db:
                self._put(db, changes)
                db.executemany("DELETE FROM counted WHERE number=?", [(number,) for number in ders])
                db.executemany("INSERT OR REPLACE INTO counted VALUES(?,?)", rows)
                db.execute("INSERT OR REPLACE INTO run VALUES(?,?)", (_RUN, encoded(run)))
        except BaseException:
            self._failed = True
            raise
        if not self._written:
            self.to_file(self.db)
        self._written.note(changes)
        self.bytes_written += changes.size

    @staticmethod
    def _put(db: sqlite3.Connection, changes: Changes) -> None:
        anew = [(number,) for number in changes.anew]
        db.executemany("DELETE FROM frontend WHERE number=?", anew)
        db.executemany("DELETE FROM row WHERE number=?", anew)
        db.executemany("INSERT OR REPLACE INTO der VALUES(?,?)", changes.ders.items())
        frontends = [(*owner, text) for owner, text in changes.frontends.items()]
        db.executemany("INSERT OR REPLACE INTO frontend VALUES(?,?,?)", frontends)
        db.executemany("DELETE FROM row WHERE number=? AND name=? AND part=? AND key=?", changes.gone)
        db.executemany("INSERT OR REPLACE INTO row VALUES(?,?,?,?,?)", changes.rows)
