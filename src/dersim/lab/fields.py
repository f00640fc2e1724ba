"""Form fields from an option parser: the command line is the one list of settings there is.

Every flag that the parser knows becomes a field: its help, default and choices are the parser's own, and a
filled form becomes words of a command line again, which the same parser then judges. A flag that a plug-in
adds is in the form without anyone having put it there.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Mapping
from typing import Any, Literal, NamedTuple

from dersim.options import OptionParser, port, yes_no

Kind = Literal["yes_no", "switch", "choice", "number", "text", "secret"]

#: Words in a flag's name that are written otherwise in a label.
_SPELLINGS = {
    "ip": "IP", "csip": "CSIP", "pin": "PIN", "pki": "PKI", "dcap": "DeviceCapability path",
    "enc": "encrypt", "cert": "certificate", "certs": "certificates", "mb": "Modbus",
    "cors": "CORS", "dc": "DC", "put": "PUT", "s": "(s)", "2018": "2030.5-2018", "rtu": "RTU", "tls": "TLS",
}  # fmt: skip
#: The last word of a flag whose value must not be shown again.
_SECRET_WORDS = frozenset({"pin", "token"})


class Field(NamedTuple):
    """One flag as a form field. `name` is its long spelling and its key; all values are text as on a shell.

    default: "" where the flag has none; yes or no for switches too.
    """

    name: str
    dest: str
    flags: tuple[str, ...]
    group: str
    label: str
    help: str
    kind: Kind
    default: str
    choices: tuple[str, ...] = ()

    def words(self, text: str) -> list[str]:
        """The words of a command line that say `text`; none for a switch that is off."""
        if self.kind == "switch":
            return [self.name] if text == "yes" else []
        if text.startswith("-") and self.name.startswith("--"):
            return [f"{self.name}={text}"]  # as a word of its own it would be taken for a flag
        return [self.name, text]


def fields_of(parser: OptionParser, *, without: Iterable[str] = ()) -> tuple[Field, ...]:
    """A field for every flag but help and those named in `without`, in the parser's order."""
    out = {"--help", *without}
    actions = dict.fromkeys(parser.flags.values())
    return tuple(_field(action) for action in actions if not out & set(action.option_strings))


def words_of(fields: Iterable[Field], values: Mapping[str, str]) -> list[str]:
    """The command line that sets what `values`, by flag, has other than the flags' own defaults."""
    out: list[str] = []
    for field in fields:
        text = values.get(field.name, field.default)
        if text != field.default:
            out += field.words(text)
    return out


def _field(action: argparse.Action) -> Field:
    flags = tuple(action.option_strings)
    name = next((flag for flag in flags if flag.startswith("--")), flags[0])
    return Field(
        name=name,
        dest=action.dest,
        flags=flags,
        # argparse gives no other way from an option to its group.
        group=str(getattr(action, "container").title),  # noqa: B009 - not in the type stubs
        label=_label(action.dest),
        help=(action.help or "").replace("%%", "%"),
        kind=_kind(action),
        default=_default(action),
        choices=tuple(str(each) for each in action.choices or ()),
    )


def _kind(action: argparse.Action) -> Kind:
    if action.dest.rpartition("_")[2] in _SECRET_WORDS:
        return "secret"
    if action.nargs == 0:
        return "switch"
    if action.choices:
        return "choice"
    if action.type is yes_no:
        return "yes_no"
    is_number = isinstance(action.default, int | float) or action.type in (int, float, port)
    return "number" if is_number else "text"


def _default(action: argparse.Action) -> str:
    default: Any = action.default
    if default is None or default == ():
        return ""
    if isinstance(default, bool):
        return "yes" if default else "no"
    if isinstance(default, tuple):
        return ",".join(str(each) for each in default)
    return f"{default:g}" if isinstance(default, float) else str(default)


def _label(dest: str) -> str:
    """`csip_server_ip` -> `Server IP`: the group already says whose it is."""
    words = [word for word in dest.replace("-", "_").split("_") if word]
    if len(words) > 1 and words[0] == "csip":
        words = words[1:]
    if words == ["enc"]:
        return "Encrypt IEEE 2030.5"
    text = " ".join(_SPELLINGS.get(word, word) for word in words)
    return text[:1].upper() + text[1:]
