"""Programs of dersim under faults of their process: how they are started, and what is seen of them."""

from __future__ import annotations

import contextlib
import os
import resource
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from tests.interop.processes import ROOT, Program, program

SIM_PORTS = ("--mb_port", "0", "--website_port", "0", "--csip_website_port", "0")
SERVER_PORTS = ("--port", "0", "--admin_port", "0")
DEMO = ("dersim", "sim", "--demo", *SIM_PORTS, "--csip_server_port", "0", "--admin_port", "0")
_TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")

__all__ = ["DEMO", "ROOT", "SERVER_PORTS", "SIM_PORTS", "Program", "program"]


def cpu_s(running: Program) -> float:
    """What a program has used so far, CPU seconds."""
    fields = Path(f"/proc/{running.process.pid}/stat").read_text().rpartition(") ")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS_A_SECOND


def cpu_share(running: Program, for_s: float) -> float:
    """The part of a core that a program uses during for_s."""
    before, began = cpu_s(running), time.monotonic()
    time.sleep(for_s)
    return (cpu_s(running) - before) / (time.monotonic() - began)


def open_files(running: Program) -> int:
    """How many descriptors it has."""
    return len(list(Path(f"/proc/{running.process.pid}/fd").iterdir()))


@contextlib.contextmanager
def with_few_descriptors(limit: int, *argv: str) -> Iterator[Program]:
    """A program that may open `limit` files, as after `ulimit -n`."""
    words = ["import resource, runpy, sys", f"resource.setrlimit(resource.RLIMIT_NOFILE, ({limit}, {limit}))"]
    words += [f"sys.argv = {list(argv)!r}", f"runpy.run_module({argv[0]!r}, run_name='__main__')"]
    child = Program([sys.executable, "-c", "; ".join(words)], ROOT)
    try:
        yield child
    finally:
        child.close()


def room_for_sockets(wanted: int) -> int:
    """Raise our own limit of open files as far as it goes; how many sockets fit, at most `wanted`."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return wanted if hard == resource.RLIM_INFINITY else max(10, min(wanted, hard - 200))


def stopped_in_s(running: Program, number: int) -> float:
    """How long it takes to end after a signal, s."""
    began = time.monotonic()
    running.process.send_signal(number)
    running.process.wait(20)
    return time.monotonic() - began
