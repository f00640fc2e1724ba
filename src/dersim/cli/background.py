"""Work that the event loop need not wait for."""

from __future__ import annotations

import threading
from collections.abc import Callable


def in_a_thread(work: Callable[[], None]) -> threading.Thread:
    """Begin it in a thread of its own, for which the process does not wait at its end."""
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    return thread
