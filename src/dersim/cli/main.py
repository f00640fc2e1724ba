"""The command `dersim`: which sub-command, and how it ends.

Exit codes: 0 after a clean stop; 2 for a bad flag, file, port or plug-in; 1 for anything else. Errors
are one line on stderr. With DERSIM_TRACEBACK set, the traceback of a bug is shown.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from dersim import __version__
from dersim.errors import CertificateError, ConfigError, DersimError, PluginError


class Command(NamedTuple):
    """A sub-command: `module` is imported when it is asked for and has ``main(args) -> exit code``."""

    module: str
    doc: str


COMMANDS: dict[str, Command] = {
    "sim": Command("dersim.cli.sim", "run simulated DERs and their front-ends"),
    "server": Command("dersim.cli.server", "run the companion IEEE 2030.5 server alone"),
    "pki": Command("dersim.cli.pki", "show a certificate's LFDI and chain, or make a test PKI"),
    "replay": Command("dersim.cli.replay", "run one DER offline through a trajectory of inputs"),
    "plugins": Command("dersim.cli.plugins", "list the plug-ins with their versions and hooks"),
    "bundle": Command("dersim.cli.bundle", "pack a redacted zip of a running simulator for a bug report"),
    "lab": Command("dersim.cli.lab", "serve a page that starts and stops the server and the simulator"),
}


def main(args: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit code."""
    words = list(sys.argv[1:] if args is None else args)
    sys.excepthook = _report_bug
    try:
        return _dispatch(words)
    except (ConfigError, PluginError, CertificateError) as error:
        return _complain(error, 2)
    except DersimError as error:
        return _complain(error, 1)
    except KeyboardInterrupt:
        return 0  # stopped before the simulator ran
    except BrokenPipeError:
        # The reader of stdout is gone; the interpreter must not flush it again at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1


def _dispatch(words: list[str]) -> int:
    name = words[0] if words else "--help"
    if name in ("--help", "-h", "help"):
        print(_usage())
        return 0
    if name == "--version":
        print(f"dersim {__version__}")
        return 0
    if name not in COMMANDS:
        raise ConfigError(f"{name}: no such command; there are {', '.join(COMMANDS)}")
    run: Callable[[Sequence[str]], int] = importlib.import_module(COMMANDS[name].module).main
    return run(words[1:])


def _usage() -> str:
    rows = [f"  {name:10}{command.doc}" for name, command in COMMANDS.items()]
    return "\n".join(
        ["usage: dersim COMMAND [flags]", "", *rows, "", "dersim COMMAND --help lists its flags."]
    )


def _complain(error: DersimError, code: int) -> int:
    line = " ".join(str(error).split())
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
