"""Real programs as child processes (`dersim.testing.processes`), and what they answer."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from dersim.testing.processes import Program

ROOT = Path(__file__).resolve().parents[2]
CERTS = ROOT / "certs"


@contextmanager
def program(*argv: str, cwd: Path = ROOT, env: Mapping[str, str] | None = None) -> Iterator[Program]:
    """`python -m ARGV...` as a child process for the length of the block; `env` instead of ours."""
    child = Program([sys.executable, "-m", *argv], cwd, env)
    try:
        yield child
    finally:
        child.close()


def get_json(url: str) -> Any:
    """GET one JSON document from this machine."""
    response = httpx.get(url, timeout=10, trust_env=False)
    response.raise_for_status()
    return response.json()


def eventually(what: str, look: Callable[[], Any], timeout_s: float = 30, every_s: float = 0.2) -> Any:
    """Ask until `look()` is truthy; the other side is another process, so there is no event to wait for."""
    deadline = time.monotonic() + timeout_s
    last: Any = None
    while time.monotonic() < deadline:
        last = look()
        if last:
            return last
        time.sleep(every_s)
    raise AssertionError(f"{what}: not within {timeout_s} s; last seen: {last!r}")
