"""What a report says of its run: target, fleet, machine, versions."""

from __future__ import annotations

import os
import platform
import ssl
import sys
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

from dersim import __version__

try:
    import resource
except ImportError:  # Windows
    _RESOURCE: ModuleType | None = None
else:
    _RESOURCE = resource


class RunHead(NamedTuple):
    """The head of a report. command: without secrets. cpu_s, peak_mib: of the processes with the clients.

    workers_lost, workers_restarted: of a fleet of several processes; None for one process.
    """

    target: str
    edition: str
    devices: int
    first: int
    ramp_per_s: float
    wanted_s: float | None
    seed: int
    command: str
    machine: str
    versions: str
    cpu_s: float
    peak_mib: float | None
    with_server: bool = False
    workers_lost: int | None = None
    workers_restarted: int | None = None


def machine() -> str:
    """This computer in a few words."""
    return f"{_processor()}, {os.cpu_count()} CPUs, {platform.system()} {platform.release()}"


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.machine())


def versions() -> str:
    """The versions that matter."""
    return f"dersim {__version__}, Python {platform.python_version()}, {ssl.OPENSSL_VERSION}"


def peak_mib() -> float | None:
    """The most memory that this process has had, MiB; None where the system does not tell."""
    if _RESOURCE is None:
        return None
    peak = float(_RESOURCE.getrusage(_RESOURCE.RUSAGE_SELF).ru_maxrss)
    return peak / (1 << 20 if sys.platform == "darwin" else 1 << 10)
