"""The log: a bounded buffer for the REST API, and one line per entry on stderr.

An entry has a level, a module tag and, if it concerns one DER, that DER's number. Ids rise by one, so that a
reader that polls with `after` misses nothing that is still held. Timestamps are the computer's UTC, not
simulated time: a log is compared with the logs of peers.

Secrets (PINs, keys, tokens) are masked by the caller.
"""

from __future__ import annotations

import itertools
import sys
import time
from collections import deque
from collections.abc import Callable, Collection, Iterator
from typing import Any, Literal, NamedTuple, Protocol, TextIO

from dersim.buffers import BufferSize
from dersim.timestamps import rfc3339

Level = Literal["Debug", "Info", "Warning", "Error"]

#: Rising severity; a filter by level keeps the level named and all above it.
LEVELS: dict[str, int] = {"Debug": 0, "Info": 1, "Warning": 2, "Error": 3}

#: What is held at most: entries, and bytes of their messages. What comes first counts.
CAPACITY = 10_000
LIMIT_BYTES = 16 * 1024 * 1024
_ENTRY_BYTES = 200  # of an entry without its message

#: Longer messages are cut; the cut characters are counted.
MAX_MESSAGE_CHARS = 8_000

# Control characters in texts of peers are shown as escapes.
_ESCAPES = {code: f"\\x{code:02x}" for code in (*range(32), *range(127, 160))} | {9: " ", 10: " | ", 13: ""}


class LogEntry(NamedTuple):
    """One entry. timestamp_s: UTC seconds since 1970; device: 1-based number, 0 if it concerns none."""

    id: int
    timestamp_s: float
    level: Level
    module: str
    device: int
    message: str

    @property
    def timestamp(self) -> str:
        """RFC 3339, UTC, milliseconds."""
        return rfc3339(self.timestamp_s)

    def to_json(self) -> dict[str, Any]:
        """The form of `GET /api/dersim/logs`."""
        return {
            "id": self.id,
            "timestamp": self.timestamp,
            "level": self.level,
            "module": self.module,
            "device": self.device,
            "message": self.message,
        }

    def to_line(self) -> str:
        """One printable line."""
        device = f" DER {self.device}" if self.device else ""
        message = self.message.translate(_ESCAPES)
        return f"{self.timestamp} {self.level:<7} {self.module}{device}: {message}"


class Log(Protocol):
    """What takes entries: a `LogBuffer`, or what stands in for one in a test."""

    def log(self, level: Level, module: str, message: str, device: int = 0) -> object:
        """Add an entry."""
        ...


class LogBuffer:
    """The newest `capacity` entries, 16 MiB at most; those at or above `stream_level` also go to `stream`.

    stream: None writes to stderr; pass an `io.StringIO` in tests. writer: takes those entries instead of
    `stream`; it may raise OSError. now_s: UTC seconds, the machine's clock.
    """

    def __init__(
        self,
        capacity: int = CAPACITY,
        *,
        stream: TextIO | None = None,
        stream_level: Level = "Info",
        writer: Callable[[LogEntry], None] | None = None,
        now_s: Callable[[], float] = time.time,
    ) -> None:
        self._capacity = capacity
        self._entries: deque[LogEntry] = deque()
        self._held_bytes = 0
        self._ids = itertools.count(1)
        self._stream: TextIO | None = sys.stderr if stream is None else stream
        self._writer: Callable[[LogEntry], None] | None = writer or self._write_plain
        self._stream_rank = LEVELS[stream_level]
        self._now_s = now_s

    def log(self, level: Level, module: str, message: str, device: int = 0) -> LogEntry:
        """Add an entry. level: as in LEVELS.

        module: AC or DC (the two sides of the DER), CSIP, Modbus, Utility, WS (the web), Lab, Engine, or a
        plug-in's own tag.
        """
        # Half a surrogate pair has no UTF-8: neither stderr nor the REST API could write it.
        message = message.encode("utf-8", "backslashreplace").decode()
        if len(message) > MAX_MESSAGE_CHARS:
            cut = len(message) - MAX_MESSAGE_CHARS
            message = f"{message[:MAX_MESSAGE_CHARS]} ... ({cut} more characters)"
        entry = LogEntry(next(self._ids), self._now_s(), level, module, device, message)
        self._keep(entry)
        if LEVELS[level] >= self._stream_rank:
            self._write(entry)
        return entry

    def _keep(self, entry: LogEntry) -> None:
        self._entries.append(entry)
        self._held_bytes += _size(entry)
        while len(self._entries) > self._capacity or self._held_bytes > LIMIT_BYTES:
            self._held_bytes -= _size(self._entries.popleft())

    def size(self) -> BufferSize:
        """What the entries take."""
        return BufferSize(self._held_bytes, LIMIT_BYTES)

    def _write(self, entry: LogEntry) -> None:
        if self._writer is None:
            return
        try:
            self._writer(entry)
        except (OSError, ValueError):
            # stderr cannot be written (a closed pipe, a full disk): go on with the buffer alone.
            self._writer = None

    def _write_plain(self, entry: LogEntry) -> None:
        if self._stream is not None:
            self._stream.write(entry.to_line() + "\n")
            self._stream.flush()

    def entries(
        self,
        modules: Collection[str] | None = None,
        level: Level | None = None,
        after: int | None = None,
        limit: int | None = None,
        *,
        device: int | None = None,
        text: str = "",
    ) -> list[LogEntry]:
        """The entries that pass every filter, oldest first.

        modules: only these tags (None or empty: all). level: this one and more severe. device: only this DER.
        text: only messages that contain it, whatever its case.
        after: only ids above; then `limit` keeps the oldest, so that a poller loses none.
        Without `after`, `limit` keeps the newest.
        """
        wanted = text.casefold()
        chosen = (
            entry
            for entry in self._from(after)
            if (not modules or entry.module in modules)
            and (level is None or LEVELS[entry.level] >= LEVELS[level])
            and (device is None or entry.device == device)
            and (not wanted or wanted in entry.message.casefold())
        )
        if limit is None:
            return list(chosen)
        return list(itertools.islice(chosen, limit) if after is not None else deque(chosen, maxlen=limit))

    def _from(self, after: int | None) -> Iterator[LogEntry]:
        if after is None or not self._entries:
            return iter(self._entries)
        # Ids have no gaps, so the index of the first wanted entry follows from its id.
        return itertools.islice(self._entries, max(0, after - self._entries[0].id + 1), None)

    @property
    def last_id(self) -> int:
        """The id of the newest entry, 0 if there is none."""
        return self._entries[-1].id if self._entries else 0

    def modules(self) -> list[str]:
        """The tags of the held entries, in alphabetical order."""
        return sorted({entry.module for entry in self._entries})


def _size(entry: LogEntry) -> int:
    return _ENTRY_BYTES + len(entry.message)
