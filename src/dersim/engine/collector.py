"""Python's collector of cycles, set for a process that keeps many objects for long.

By default a full collection looks at every object whenever a quarter more have come, so a fleet that joins
stops for a second at a time. Nearly nothing here is in cycles: reference counts free it.
"""

from __future__ import annotations

import gc

#: New objects before the youngest are looked at, and how many such looks make one of the next generation.
_THRESHOLDS = (50_000, 50, 1000)


def tune_collector() -> None:
    """Look seldom; called by `dersim sim` and `dersim server`."""
    gc.set_threshold(*_THRESHOLDS)


def keep_what_is_there() -> None:
    """Leave all present objects out of later collections; called when all DERs have joined."""
    gc.freeze()
