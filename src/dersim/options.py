"""Command-line parsing: argparse without abbreviations, with errors of one line.

An abbreviation that works today could mean another flag tomorrow. argparse's `allow_abbrev` does not cover
single-dash flags of several letters such as ``-csip_enable``, so unknown flags are refused before it sees
them. Every mistake is a `ConfigError` that names the flag, what is wrong and what to do.

The converters at the end (`yes_no`, `port`, ...) are for plug-ins too.
"""

from __future__ import annotations

import argparse
import difflib
import ipaddress
import itertools
import math
import os
import re
from collections.abc import Callable, Iterable, Sequence
from datetime import time
from pathlib import Path
from typing import Any, NoReturn
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from dersim.errors import ConfigError
from dersim.numeric import shown

#: Give a PIN where the process list, which shows a command line to all users, must not.
PIN_VARIABLE, CSIP_PIN_VARIABLE = "DERSIM_PIN", "DERSIM_CSIP_PIN"

#: The lab's address, for the programs that it starts.
LAB_VARIABLE = "DERSIM_LAB_URL"

_NUMBER = re.compile(r"-\.?\d")
#: Labels of letters, digits, hyphens and underscores (RFC 1123 2.1; names of containers have underscores).
_HOST_NAME = re.compile(r"(?!-)[A-Za-z0-9_-]{1,63}(\.(?!-)[A-Za-z0-9_-]{1,63})*\.?")
_MOST_HOST_CHARS = 253
#: What argparse says, and the same in plain words.
_PLAIN = (
    (r"^argument ", ""),
    (r"^the following arguments are required: (.+)$", r"\1: missing"),
    (r"^unrecognized arguments: (.+)$", r"\1: one word too many, or a flag that is not known here"),
    (r"expected (one|at least one) argument$", "a value is missing"),
    (r"invalid choice: (.+) \(choose from (.+)\)$", r"\1 is none of \2"),
)
#: Flags of plug-ins that come with dersim but are installed on their own.
_OF_PLUGINS = {
    "--csip_aus_nmi": "dersim-csip-aus",
    "--feeder": "dersim-feeder",
    "--feeder_map": "dersim-feeder",
    "--site_port": "dersim-site-meter",
}
_LAB_ADDRESS = re.compile(r"http://127\.0\.0\.1:\d{1,5}")


def lab_address() -> str | None:
    """The page of the lab that started this program; None where none did."""
    told = os.environ.get(LAB_VARIABLE, "")
    return told if _LAB_ADDRESS.fullmatch(told) else None


class _Help(argparse.HelpFormatter):
    """Shows the defaults, except empty ones; booleans as yes and no."""

    def _get_help_string(self, action: argparse.Action) -> str | None:
        default = action.default
        if not action.help or default in (None, "", (), argparse.SUPPRESS):
            return action.help
        if isinstance(default, bool):
            if action.nargs == 0:
                return action.help
            default = "yes" if default else "no"
        return f"{action.help} (default: {str(default).replace('%', '%%')})"


class OptionParser(argparse.ArgumentParser):
    """An argparse parser without abbreviations, whose errors are raised as ConfigError.

    more: makes the text after the flags; called only when the help is shown. suggestions: by a flag's `dest`,
    what makes the values that shell completion offers, where `choices` does not fit.
    """

    def __init__(self, *, more: Callable[[], str] = str, **arguments: Any) -> None:
        arguments.setdefault("formatter_class", _Help)
        super().__init__(**{**arguments, "allow_abbrev": False})
        self._more = more
        self.suggestions: dict[str, Callable[[], Iterable[str]]] = {}

    def format_help(self) -> str:
        """The flags, then what `more` makes."""
        more = self._more()
        return super().format_help() + (f"\n{more.rstrip()}\n" if more else "")

    @property
    def flags(self) -> dict[str, argparse.Action]:
        """Every flag by its spelling, those of argument groups included."""
        return self._option_string_actions

    def parse_known_args(  # type: ignore[override]  # argparse overloads it by the namespace's type
        self, args: Sequence[str] | None = None, namespace: Any = None
    ) -> tuple[Any, list[str]]:
        """Parse; ConfigError for unknown flags."""
        if args is not None:
            self._refuse_unknown(args)
        return super().parse_known_args(args, namespace)

    def given(self, args: Sequence[str]) -> frozenset[str]:
        """The names of the options that `args` sets; the others have their defaults."""
        flags = (word.partition("=")[0] for word in itertools.takewhile(lambda word: word != "--", args))
        return frozenset(self.flags[flag].dest for flag in flags if flag in self.flags)

    def _refuse_unknown(self, args: Sequence[str]) -> None:
        if self._subparsers is not None:
            return  # a sub-command's parser checks its own flags
        for word in args:
            flag = word.partition("=")[0]
            if word == "--":
                return
            if len(word) < 2 or not word.startswith("-") or _NUMBER.match(word) or flag in self.flags:
                continue
            # Without the dashes, which all flags have in common.
            names = {name.lstrip("-"): name for name in self.flags}
            near = difflib.get_close_matches(flag.lstrip("-"), names, 1)
            hint = f"did you mean {names[near[0]]}?" if near else f"see {self.prog} --help"
            if (plugin := _OF_PLUGINS.get(flag)) is not None:
                hint = f"it is that of a plug-in: pip install ./plugins/{plugin}"
            raise ConfigError(f"{shown(flag)[1:-1]}: no such flag; {hint}")

    def error(self, message: str) -> NoReturn:
        """Raise ConfigError instead of printing the usage."""
        for pattern, words in _PLAIN:
            message = re.sub(pattern, words, message)
        raise ConfigError(f"{message}; see {self.prog} --help")


class LooseParser(OptionParser):
    """Parses a few flags and ignores all others."""

    def _refuse_unknown(self, args: Sequence[str]) -> None:
        """Unknown flags are not refused."""


def yes_no(text: str) -> bool:
    """``yes`` or ``no``."""
    if text not in ("yes", "no"):
        raise argparse.ArgumentTypeError(f"yes or no is needed, not {shown(text)}")
    return text == "yes"


def host(text: str) -> str:
    """A host name or an IP address; an IPv6 address may be in brackets, which are dropped."""
    bare = text[1:-1] if text.startswith("[") and text.endswith("]") else text
    if _is_address(bare) or (bare == text and len(text) <= _MOST_HOST_CHARS and _HOST_NAME.fullmatch(text)):
        return bare
    raise argparse.ArgumentTypeError(
        f"a host name or an IP address alone is needed, such as 192.0.2.5, not {shown(text)}"
    )


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def port(text: str) -> int:
    """A TCP port; 0 picks a free one."""
    if not re.fullmatch(r"[0-9]{1,5}", text) or int(text) > 65535:
        raise argparse.ArgumentTypeError(
            f"a port from 0 (any free one) to 65535 is needed, not {shown(text)}"
        )
    return int(text)


def number(
    low: float = -math.inf, high: float = math.inf, *, unit: str = "", above: bool = False
) -> Callable[[str], float]:
    """A converter for a finite number from `low` to `high`; with `above`, `low` itself is excluded."""
    bounds = f"above {low:g}" if above else f"from {low:g}" if low > -math.inf else ""
    if high < math.inf:
        bounds += f" to {high:g}"

    def convert(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not low <= value <= high or math.isinf(value) or (above and value == low):
            wanted = " ".join(filter(None, ("a number", unit and f"of {unit}", bounds)))
            raise argparse.ArgumentTypeError(f"{wanted} is needed, not {shown(text)}")
        return value

    return convert


def count(low: int, high: int) -> Callable[[str], int]:
    """A converter for a whole number from `low` to `high`."""

    def convert(text: str) -> int:
        if not re.fullmatch(r"-?[0-9]{1,18}", text) or not low <= int(text) <= high:
            raise argparse.ArgumentTypeError(
                f"a whole number from {low} to {high} is needed, not {shown(text)}"
            )
        return int(text)

    return convert


def names(text: str) -> tuple[str, ...]:
    """A list of names separated by commas."""
    found = tuple(dict.fromkeys(filter(None, (name.strip() for name in text.split(",")))))
    if not found:
        raise argparse.ArgumentTypeError(f"names separated by commas are needed, not {shown(text)}")
    return found


def time_of_day(text: str) -> time:
    """``HH:MM:SS`` or ``HH:MM``."""
    if not re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d(:[0-5]\d)?", text, re.ASCII):
        raise argparse.ArgumentTypeError(f"a time of day HH:MM:SS is needed, not {shown(text)}")
    return time.fromisoformat(text)


def zone(text: str) -> ZoneInfo:
    """The name of an IANA time zone."""
    try:
        return ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise argparse.ArgumentTypeError(
            f"the name of a time zone such as Europe/Berlin is needed, not {shown(text)}"
        ) from None


def readable_file(text: str) -> Path:
    """The path of a file that can be read."""
    path = Path(text)
    try:
        with path.open("rb"):
            return path
    except OSError as error:
        raise argparse.ArgumentTypeError(f"{text}: {error.strerror}; give a file that can be read") from None


def watts_or_file(text: str) -> float | Path:
    """A power in W, or the path of a file that can be read."""
    try:
        float(text)
    except ValueError:
        return readable_file(text)
    return number(-1e9, 1e9, unit="watts")(text)


def new_file(text: str) -> Path:
    """The path of a file that is written at the end: it can be, or the command does not begin."""
    path = Path(text)
    if path.parent.is_dir() or path.is_symlink():
        try:
            _try_to_write(path.resolve())
        except OSError as error:
            why = error.strerror or str(error)
        else:
            return path
    else:
        why = f"there is no folder {path.parent}"
    raise argparse.ArgumentTypeError(f"{text}: {why}; give a file that can be written")


def _try_to_write(path: Path) -> None:
    """Open it for writing, which changes nothing: what was not there is removed. A pipe is not opened."""
    if path.exists() and not (path.is_file() or path.is_dir()):
        return
    try:
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    except FileExistsError:
        os.close(os.open(path, os.O_WRONLY))
    else:
        path.unlink()
