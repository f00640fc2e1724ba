"""What this process takes."""

from __future__ import annotations

from pathlib import Path

_PROC = Path("/proc/self")


def resident_mb() -> float:
    """Resident memory, MB."""
    for line in (_PROC / "status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    return 0.0


def open_files() -> int:
    """File descriptors."""
    return sum(1 for _ in (_PROC / "fd").iterdir())
