"""How large the bounded buffers are: what they hold now, and what they hold at most.

A process that runs for a month may fill its buffers and must not grow beyond them. `/metrics` shows both
numbers, so that growth that is no buffer's can be told from growth that is (docs/performance.md).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple


class BufferSize(NamedTuple):
    """Bytes held now, and the most that are ever held.

    Counted by content, or where all items are much alike by their number, times the bytes of one as measured.
    """

    held_bytes: int
    limit_bytes: int


#: The buffers of a program by name, each with the function that measures it.
Buffers = dict[str, Callable[[], BufferSize]]
