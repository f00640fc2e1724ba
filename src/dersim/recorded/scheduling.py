"""The same order of tasks in every run, so that the same record gives the same bytes."""

from __future__ import annotations

from typing import Any

import trio


def make_repeatable() -> None:
    """Let tasks that are due at the same instant take turns alike in each run of this process.

    Trio draws their order, so that nobody depends on it. Its own tests and Hypothesis switch that off by the
    same two names, which are private: without them a replay is the same but for such orders.
    """
    run: Any = getattr(getattr(trio, "_core", None), "_run", None)
    if hasattr(run, "_ALLOW_DETERMINISTIC_SCHEDULING") and hasattr(run, "_r"):
        run._ALLOW_DETERMINISTIC_SCHEDULING = True
        run._r.seed(0)
