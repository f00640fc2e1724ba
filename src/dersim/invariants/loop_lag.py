"""I9: the event loop is never blocked for long.

The watcher's own task sleeps for a tenth of a second, over and over, and tells how much too late it wakes.
The time in which the computer ran something else (Linux counts it) is not the loop's. That of other threads
of this process is left out, too: the loop waits for one that holds the interpreter's lock.
"""

from __future__ import annotations

import contextlib
from collections import deque
from collections.abc import Iterator
from pathlib import Path

from dersim.invariants.base import FleetLook, Invariant, Violation

#: The limits: p99 with one DER and with 1,000, and the greatest lag, s.
P99_S, P99_MANY_S, MOST_S = 0.05, 0.25, 1.0
#: The lags that are remembered, ten a second; and how many there must be.
_LAGS, _ENOUGH = 6_000, 600
#: What is lately, real s.
LATELY_S = 30.0
_TASKS = Path("/proc/self/task")


class LoopLag(Invariant):
    """How late the event loop wakes a task."""

    id = "I9"
    statement = "Event-loop lag: p99 at most 50 ms (N = 1) to 250 ms (N = 1,000), never above 1 s."

    def __init__(self) -> None:
        self._lags: deque[float] = deque(maxlen=_LAGS)
        self._worst_s = 0.0
        self._new = 0

    def woke(self, late_s: float) -> None:
        """The task of the watcher woke so late."""
        self._lags.append(late_s)
        self._worst_s = max(self._worst_s, late_s)
        self._new += 1

    def check_fleet(self, look: FleetLook) -> Iterator[Violation]:
        """Judge the greatest lag at once, and p99 once a minute."""
        if self._worst_s > MOST_S:
            yield look.violation(LoopLag, f"a lag of at most {MOST_S:g} s", f"{self._worst_s:.2f} s")
        self._worst_s = 0.0
        if self._new < _ENOUGH:
            return
        self._new = 0
        most_s = min(P99_S + (P99_MANY_S - P99_S) * (len(look.fleet.devices) - 1) / 999, P99_MANY_S)
        p99_s = sorted(self._lags)[int(0.99 * len(self._lags))]
        if p99_s > most_s:
            self._lags.clear()
            yield look.violation(LoopLag, f"p99 at most {most_s * 1e3:.0f} ms", f"{p99_s * 1e3:.0f} ms")


class Starved:
    """How long this process has waited for a processor lately: what is late for that is not our fault.

    seconds: in the last half minute of real time; 0 where time is virtual.
    """

    def __init__(self) -> None:
        self.seconds = 0.0
        self._waits = Waits()
        self._notes: deque[tuple[float, float]] = deque()

    def note(self, real_s: float) -> None:
        """Take a note, at most one a second."""
        notes = self._notes
        if notes and real_s - notes[-1][0] < 1.0:
            return
        notes.append((real_s, self._waits.until_now_s()))
        while real_s - notes[0][0] > LATELY_S:
            notes.popleft()
        self.seconds = min(notes[-1][1] - notes[0][1], real_s - notes[0][0])


class Waits:
    """How long the threads of this process have waited for a processor, also those that have ended since."""

    def __init__(self) -> None:
        self._seen_ns: dict[str, int] = {}
        self._all_ns = 0

    def until_now_s(self) -> float:
        """Since the process began, s; as far as it is known. 0 where the system does not tell."""
        now_ns = _waits_ns()
        self._all_ns += sum(max(ns - self._seen_ns.get(thread, 0), 0) for thread, ns in now_ns.items())
        self._seen_ns = now_ns
        return self._all_ns / 1e9


def _waits_ns() -> dict[str, int]:
    """Of each thread."""
    found: dict[str, int] = {}
    for thread in _TASKS.iterdir() if _TASKS.is_dir() else ():
        with contextlib.suppress(OSError, ValueError, IndexError):  # it has just ended
            found[thread.name] = int((thread / "schedstat").read_text(encoding="ascii").split()[1])
    return found
