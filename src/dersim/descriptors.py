"""File descriptors are few on some machines: how many connections a server holds, and what it says beyond."""

from __future__ import annotations

import contextlib
import errno
import socket
from collections.abc import Callable

import trio

from dersim.errors import ConfigError

#: For the web sites, their visitors, files and the interpreter.
RESERVE = 64
FEWEST_CONNECTIONS = 4
#: At most one line of log in so many seconds about connections that were refused.
COMPLAINT_INTERVAL_S = 60.0


def connection_limit(most: int) -> int:
    """How many connections a server may hold: `most`, or fewer where file descriptors are few.

    A third of those that are free now, so that two servers leave some for everything else.
    """
    try:
        import resource  # noqa: PLC0415 - not on Windows, which has no such limit
    except ImportError:
        return most
    allowed, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if allowed == resource.RLIM_INFINITY:
        return most
    # A new descriptor gets the lowest free number, so that number is about how many are open.
    with socket.socket() as probe:
        free = allowed - probe.fileno()
    return min(most, max(FEWEST_CONNECTIONS, free // 3))


def require(needed: int, what: str) -> None:
    """Raise the limit to what the user may have; ConfigError where `needed` more descriptors do not fit."""
    limit = raise_limit()
    if limit is not None and needed + RESERVE > limit:
        total = needed + RESERVE
        raise ConfigError(
            f"{what}: needs {total} file descriptors, and this process may have {limit}; raise the limit "
            f"(ulimit -n {total} as root, in a systemd unit LimitNOFILE={total}), or run fewer DERs in each "
            f"of several processes with --first"
        )


def raise_limit() -> int | None:
    """Raise the limit of open files to the user's maximum; returns the limit, None where there is none."""
    try:
        import resource  # noqa: PLC0415 - not on Windows, which has no such limit
    except ImportError:
        return None
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        with contextlib.suppress(ValueError, OSError):  # then the soft limit stays
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
            soft = hard
    return None if soft == resource.RLIM_INFINITY else soft


def is_out_of_descriptors(error: BaseException) -> bool:
    """Whether the process, or the machine, may open no more files."""
    return isinstance(error, OSError) and error.errno in (errno.EMFILE, errno.ENFILE)


class Refusals:
    """Tells that connections fail: one line a minute with the number since the last one."""

    def __init__(self, tell: Callable[[str], object], what: str = "connections refused") -> None:
        self._tell, self._what = tell, what
        self._count = 0
        self._told_s = -COMPLAINT_INTERVAL_S

    def note(self, reason: str) -> None:
        """One connection failed."""
        self._count += 1
        now_s = trio.current_time()
        if now_s - self._told_s < COMPLAINT_INTERVAL_S:
            return
        since = f"; {self._count} since the last such line" if self._count > 1 else ""
        self._count, self._told_s = 0, now_s
        self._tell(f"{self._what}: {reason}{since}")
