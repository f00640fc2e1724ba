"""Every error that dersim raises on purpose.

DersimError
├── ConfigError              a flag, a file or a port: the process ends with exit code 2
├── PluginError              a plug-in broke the rules of `hookspecs.py`; names the plug-in
├── CertificateError         a certificate or key that is missing, unreadable or refused
├── ProtocolError
│   ├── LocalProtocolError   we were about to send something that the standard forbids
│   └── RemoteProtocolError  the peer sent something that cannot be used
├── GridNotSolved            a grid has no solution for what the DERs deliver; the last voltages stay
└── UtilityUnreachable       no usable exchange with the 2030.5 server; retried

A message says what was wrong, with the value, and what to do.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator


class DersimError(Exception):
    """Base of all errors that are meant for the user's eyes: one clear line, no traceback."""


class ConfigError(DersimError):
    """A flag, a file or a port that cannot be used; ends the program with exit code 2."""


class PluginError(DersimError):
    """A plug-in that breaks the rules; the message names it and says what to do."""


class CertificateError(DersimError):
    """A certificate, key or chain that is missing, unreadable or refused."""


class ProtocolError(DersimError):
    """Something on the wire is not as the protocol demands."""


class LocalProtocolError(ProtocolError):
    """We were about to send something that the protocol forbids: our own bug or bad input."""


class RemoteProtocolError(ProtocolError):
    """The peer sent something that cannot be used."""


class GridNotSolved(DersimError):  # noqa: N818 - a state of the grid, named as one
    """A grid found no voltages for what the DERs deliver; the message says why."""


class UtilityUnreachable(DersimError):  # noqa: N818 - a state of the world, named as one
    """The 2030.5 server cannot be reached or did not answer in time.

    phase: how far it came: "resolve", "connect", "tls", "send" or "receive"; "" where it is not known.
    no_descriptors: this process may open no more files.
    """

    def __init__(self, message: str, phase: str = "", *, no_descriptors: bool = False) -> None:
        super().__init__(message)
        self.phase = phase
        self.no_descriptors = no_descriptors


def root_cause(error: BaseException) -> BaseException:
    """The first error within the groups that nurseries wrap around it."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


def origin_of(error: BaseException) -> str:
    """Where an error was raised: ``module:line (function)``; outside dersim, if any frame is."""
    place = "?"
    trace = root_cause(error).__traceback__
    while trace is not None:
        frame, line = trace.tb_frame, trace.tb_lineno
        name = str(frame.f_globals.get("__name__", "?"))
        here = f"{name}:{line} ({frame.f_code.co_name})"
        if place == "?" or not _is_ours(name) or _is_ours(place):
            place = here
        trace = trace.tb_next
    return place


def _is_ours(name: str) -> bool:
    return name.partition(":")[0].partition(".")[0] == "dersim"


@contextlib.contextmanager
def bare_errors() -> Iterator[None]:
    """Let an error meant for the user, and Ctrl-C, out of the groups that nurseries wrap around it."""
    try:
        yield
    except BaseExceptionGroup as group:
        cause = root_cause(group)
        if isinstance(cause, DersimError | KeyboardInterrupt):
            raise cause from cause.__cause__
        raise


@contextlib.contextmanager
def lone_errors() -> Iterator[None]:
    """Let any error out of the groups that nurseries wrap around it, where it is the only one."""
    try:
        yield
    except BaseExceptionGroup as group:
        inner: BaseException = group
        while isinstance(inner, BaseExceptionGroup) and len(inner.exceptions) == 1:
            inner = inner.exceptions[0]
        if isinstance(inner, BaseExceptionGroup):
            raise
        raise inner from inner.__cause__
