"""Loaded by each worker of our own cluster: Ctrl-C is for the command alone, which stops the shards.

A terminal sends it to every process of the command.
"""

from __future__ import annotations

import signal


def dask_setup(worker: object) -> None:
    """Called by Dask in the main thread of a worker."""
    del worker
    signal.signal(signal.SIGINT, signal.SIG_IGN)
