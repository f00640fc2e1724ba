"""Writes the lines of a record in a thread, so that no disk ever delays the simulation.

What waits for the thread is bounded. Where the disk is full, too slow or gone, recording stops for good, with
one warning, and the simulation goes on; what was written until then can be replayed.
"""

from __future__ import annotations

import os
import stat
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from queue import SimpleQueue
from typing import Any, BinaryIO

from dersim.buffers import BufferSize
from dersim.errors import ConfigError

#: The most that waits for the disk, bytes of bodies and what comes with each item.
LIMIT_BYTES = 32 << 20
_ITEM_BYTES = 1_000
#: Between two writes, s: what is lost at the most where the process is killed.
_PAUSE_S = 0.25
#: Between two looks whether the file is still there, s.
_LOOK_S = 1.0
#: How long a stop waits for the disk, s.
_CLOSE_S = 1.5


class RecordWriter:
    """A file that grows line by line. encode: makes the lines of an item, in the thread.

    problem: why recording has stopped, in words, or "".
    """

    def __init__(self, path: Path, encode: Callable[[Any], Iterable[bytes]]) -> None:
        try:
            self._file: BinaryIO = path.open("wb")
        except OSError as error:
            raise ConfigError(f"--record {path}: {error.strerror}; give a file that can be written") from None
        self.problem = ""
        self._path = path
        self._encode = encode
        self._queue: SimpleQueue[tuple[Any, int] | None] = SimpleQueue()
        self._put_bytes = self._done_bytes = 0
        self._looked_s = time.monotonic()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._work, name="record", daemon=True)
        self._thread.start()

    def put(self, item: Any, size: int = 0) -> None:
        """Add an item, unless recording has stopped. size: of its bodies, bytes."""
        if self.problem:
            return
        if self._put_bytes - self._done_bytes > LIMIT_BYTES:
            self.problem = f"{self._path}: the disk is too slow"
            return
        self._put_bytes += size + _ITEM_BYTES
        self._queue.put((item, size + _ITEM_BYTES))

    def size(self) -> BufferSize:
        """What waits for the disk, bytes."""
        return BufferSize(self._put_bytes - self._done_bytes, LIMIT_BYTES)

    def close(self) -> None:
        """Write what waits, and close the file; in bounded time."""
        self._closing.set()
        self._queue.put(None)
        self._thread.join(_CLOSE_S)
        if self._thread.is_alive():
            self.problem = self.problem or f"{self._path}: the disk is too slow"

    def _work(self) -> None:
        try:
            with self._file:
                while (entry := self._queue.get()) is not None:
                    self._write(*entry)
                    if self._queue.empty() and not self.problem:
                        self._pause()
        except OSError as error:  # of the last flush, in `close`
            self._stopped(error)

    def _write(self, item: Any, size: int) -> None:
        try:
            if not self.problem:
                self._file.writelines(self._encode(item))
        except OSError as error:
            self._stopped(error)
        self._done_bytes += size

    def _pause(self) -> None:
        """Hand over what was written, and let more come: a thread that wakes for every item costs more."""
        try:
            self._file.flush()
            self._look()
        except OSError as error:
            self._stopped(error)
        self._closing.wait(_PAUSE_S)

    def _look(self) -> None:
        """OSError where the file was removed, which no write tells."""
        if (now_s := time.monotonic()) - self._looked_s < _LOOK_S:
            return
        self._looked_s = now_s
        found = os.fstat(self._file.fileno())
        if stat.S_ISREG(found.st_mode) and not found.st_nlink:
            raise FileNotFoundError(0, "the file was removed")

    def _stopped(self, error: OSError) -> None:
        self.problem = self.problem or f"{self._path}: {error.strerror or error}"
