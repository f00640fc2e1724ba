"""The command `dersim`: which sub-command, and how it ends.

Exit codes: 0 after a clean stop; 2 for a bad flag, file, port or plug-in; 3 where a check failed; 1 for
anything else, as for a command that was interrupted before its end. Errors are one line on stderr. With
DERSIM_TRACEBACK set, the traceback of a bug is shown.
"""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Sequence
from typing import Any

from dersim import __version__
from dersim.cli.commands import COMMANDS, usage
from dersim.errors import CertificateError, ConfigError, DersimError, PluginError, bare_errors
from dersim.json_text import BodyError

_UNTIL_STOPPED = ("sim", "fleet", "server", "lab")
#: What a full disk answers to a write.
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)


def main(args: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit code."""
    words = list(sys.argv[1:] if args is None else args)
    sys.excepthook = _report_bug
    try:
        try:
            with bare_errors():
                return _dispatch(words)
        finally:
            if sys.stdout is not None:  # it may be closed
                sys.stdout.flush()
    except (ConfigError, PluginError, CertificateError) as error:
        return _complain(error, 2)
    except DersimError as error:
        return _complain(error, 1)
    except KeyboardInterrupt:
        return _interrupted(words)
    except BrokenPipeError:  # the reader of stdout is gone
        _drop_stdout()
        return 1
    except OSError as error:
        if error.errno not in _NO_ROOM or error.filename is not None:
            raise
        _drop_stdout()
        return _complain(DersimError(f"stdout: {error.strerror}; make room, or write elsewhere"), 1)


def _drop_stdout() -> None:
    """The interpreter must not flush it again at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _interrupted(words: Sequence[str]) -> int:
    """Programs that run until they are stopped end well, even before they ran."""
    if words and words[0] in _UNTIL_STOPPED:
        return 0
    print("dersim: interrupted before the end", file=sys.stderr)
    return 1


def _dispatch(words: list[str]) -> int:
    name, *rest = words or ["--help"]
    if name == "help" and rest:
        name, rest = rest[0], [*rest[1:], "--help"]
    if name in ("--help", "-h", "help"):
        print(usage())
        return 0
    if name == "--version":
        print(f"dersim {__version__}")
        return 0
    if name not in COMMANDS:
        raise ConfigError(f"{name}: no such command; there are {', '.join(COMMANDS)}")
    return COMMANDS[name].main(rest)


def _complain(error: DersimError, code: int) -> int:
    line = " ".join((error.placed if isinstance(error, BodyError) else str(error)).split())
    print(f"dersim: {line}", file=sys.stderr)
    if error.__cause__ is not None and os.environ.get("DERSIM_TRACEBACK"):
        sys.__excepthook__(type(error), error, error.__traceback__)
    return code


def _report_bug(kind: type[BaseException], error: BaseException, trace: Any) -> None:
    """The excepthook of dersim: one line; the interpreter ends with exit code 1."""
    if os.environ.get("DERSIM_TRACEBACK"):
        sys.__excepthook__(kind, error, trace)
        return
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    last, where = error.__traceback__, "?"
    while last is not None:
        where = f"{last.tb_frame.f_globals.get('__name__', '?')}:{last.tb_lineno}"
        last = last.tb_next
    print(
        f"dersim: internal error in {where}: {error!r}; this is a bug: "
        f"repeat it with DERSIM_TRACEBACK=1 and report what it shows",
        file=sys.stderr,
    )
