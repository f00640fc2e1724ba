"""I8: memory does not grow after the first hour, and no buffer is above its bound."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterator, Sequence
from pathlib import Path

from dersim.invariants.base import FleetLook, Invariant, Violation

#: The slope that is allowed for each DER, MB an hour; the hour that does not count; the window, real seconds.
SLOPE_MB_H, FIRST_S, WINDOW_S = 0.5, 3_600.0, 3_600.0
LOOK_S = 60.0
#: What the caches of the libraries may take in that window beside the DERs, MB.
SLACK_MB = 5.0

_STATM = Path("/proc/self/statm")


class Memory(Invariant):
    """The slope of the resident memory, and the bounds of all buffers."""

    id = "I8"
    statement = "RSS grows by at most 0.5 MB/h a DER after the first hour; buffers keep their bounds."

    def __init__(self) -> None:
        self._began_s: float | None = None
        self._next_s = 0.0
        self._samples: deque[tuple[float, float]] = deque(maxlen=round(WINDOW_S / LOOK_S) + 1)

    def check_fleet(self, look: FleetLook) -> Iterator[Violation]:
        """Take a sample a minute."""
        if self._began_s is None:
            self._began_s = look.real_s
        if look.real_s < self._next_s:
            return
        self._next_s = look.real_s + LOOK_S
        for name, size in look.buffers.items():
            held = size()
            if held.held_bytes > held.limit_bytes:
                wanted = f"buffer {name} at most {held.limit_bytes} bytes"
                yield look.violation(Memory, wanted, f"{held.held_bytes} bytes")
        memory_mb = resident_mb()
        if memory_mb is None or look.real_s - self._began_s < FIRST_S:
            return
        self._samples.append((look.real_s, memory_mb))
        if len(self._samples) == self._samples.maxlen:
            yield from self._judge(look)

    def _judge(self, look: FleetLook) -> Iterator[Violation]:
        slope = slope_per_s(self._samples) * 3600
        most = SLOPE_MB_H * len(look.fleet.devices) + SLACK_MB
        if slope > most:
            self._samples.clear()
            yield look.violation(Memory, f"RSS to grow by at most {most:.1f} MB/h", f"{slope:.1f} MB/h")


def resident_mb() -> float | None:
    """The resident memory of this process; None where it cannot be read."""
    try:
        pages = int(_STATM.read_text(encoding="ascii").split()[1])
    except (OSError, ValueError, IndexError):
        return None
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def slope_per_s(samples: Sequence[tuple[float, float]]) -> float:
    """The slope of the straight line with the least squares, a second."""
    count = len(samples)
    mean_s = sum(when for when, _ in samples) / count
    mean = sum(value for _, value in samples) / count
    spread = sum((when - mean_s) ** 2 for when, _ in samples)
    return sum((when - mean_s) * (value - mean) for when, value in samples) / spread if spread else 0.0
