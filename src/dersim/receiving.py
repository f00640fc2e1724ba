"""Receive through one buffer per thread, and copy out what came.

`os.read(descriptor, 65536)` makes a block of 64 kB and cuts it to what came. What is kept for long then lands
in the rest of the block, so that the next read needs a new one: in an hour of a demo the heap grew by 3 MB
that nobody held. Streams whose read takes no buffer ask for `SHORT_READ_BYTES` at a time.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

#: The most that one `receive` returns.
RECEIVE_BYTES = 65536
#: For reads that make their own block.
SHORT_READ_BYTES = 8192


class _Scratch(threading.local):
    def __init__(self) -> None:
        self.view = memoryview(bytearray(RECEIVE_BYTES))


_SCRATCH = _Scratch()


def receive(read_into: Callable[[memoryview], int], max_bytes: int | None = None) -> bytes:
    """What one call of `read_into` puts into its buffer; it returns the number of bytes."""
    view = _SCRATCH.view
    if max_bytes is not None and max_bytes < RECEIVE_BYTES:
        view = view[:max_bytes]
    return bytes(view[: read_into(view)])
