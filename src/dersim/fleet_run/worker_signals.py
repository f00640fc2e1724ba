"""Loaded by each worker of our own cluster: signals are for the command alone, which stops the shards.

A terminal sends Ctrl-C, and systemd SIGTERM, to every process of the command.
"""

from __future__ import annotations

import signal


def dask_setup(worker: object) -> None:
    """Called by Dask in the main thread of a worker."""
    del worker
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
