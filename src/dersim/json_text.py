"""JSON from outside, bodies and files: parsed within bounds, and the JSON Pointer of what is wrong in it."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

from dersim.errors import ConfigError

#: No body of our APIs is nested deeper than seven levels.
MAX_DEPTH = 20
#: Digits of a whole number; the largest one of IEEE 2030.5 has 20.
MAX_DIGITS = 40
#: The largest file that is read; nameplates have a few kB.
MAX_FILE_BYTES = 16 << 20


class BodyError(ConfigError):
    """A body with a wrong value. pointer: its place, a JSON Pointer (RFC 6901), "" for the whole body."""

    def __init__(self, detail: str, pointer: str = "") -> None:
        super().__init__(detail)
        self.pointer = pointer


class _TooLong:
    """Stands for a whole number of too many digits until its place in the body is known."""

    def __init__(self, digits: int) -> None:
        self.digits = digits


def parse(text: bytes | str, what: str = "the body") -> Any:
    """The JSON value; BodyError for anything that is not JSON or beyond the bounds of this module."""
    try:
        value = json.loads(text, parse_constant=_no_constant, parse_int=_whole)
    except RecursionError:
        raise BodyError(f"{what} is nested deeper than {MAX_DEPTH} levels") from None
    except ValueError as error:
        raise BodyError(f"{what} is not JSON: {_reason(error)}") from None
    _check(value, what)
    return value


def read_file(path: Path) -> Any:
    """The JSON value in a file, within the same bounds; ConfigError says what is wrong and where."""
    try:
        with path.open("rb") as file:
            text = file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise ConfigError(f"{error.strerror or error}; give a readable JSON file") from error
    if len(text) > MAX_FILE_BYTES:
        raise ConfigError(f"the file has more than {MAX_FILE_BYTES >> 20} MiB")
    try:
        return parse(text, "the file")
    except BodyError as error:
        reason = str(error).removeprefix("the file is ")
        raise ConfigError(f"{reason}, at {error.pointer}" if error.pointer else reason) from None


def _reason(error: ValueError) -> str:
    """What is wrong and where, in words for the sender."""
    if isinstance(error, json.JSONDecodeError):
        return f"{error.msg}, at line {error.lineno} column {error.colno}"
    return "it is not UTF-8" if isinstance(error, UnicodeDecodeError) else str(error)


def _no_constant(text: str) -> Any:
    raise ValueError(f"{text} is not a JSON number")


def _whole(text: str) -> int | _TooLong:
    return _TooLong(len(text)) if len(text) > MAX_DIGITS else int(text)


def _check(value: Any, what: str) -> None:
    """Check every value within; without recursion, since the depth is not known yet."""
    todo: list[tuple[Any, str, int]] = [(value, "", 0)]
    while todo:
        item, pointer, depth = todo.pop()
        if depth > MAX_DEPTH:
            raise BodyError(f"{what} is nested deeper than {MAX_DEPTH} levels", pointer)
        if isinstance(item, dict):
            for key, each in item.items():
                _check_text(key, pointer)
                todo.append((each, f"{pointer}/{escaped(key)}", depth + 1))
        elif isinstance(item, list):
            todo += [(each, f"{pointer}/{index}", depth + 1) for index, each in enumerate(item)]
        elif isinstance(item, str):
            _check_text(item, pointer)
        elif isinstance(item, _TooLong):
            raise BodyError(f"a number of {item.digits} digits; at most {MAX_DIGITS} are read", pointer)
        elif isinstance(item, float) and not math.isfinite(item):
            raise BodyError("a number beyond 1.8e308 is not read", pointer)


def _check_text(text: str, pointer: str) -> None:
    if any("\ud800" <= char <= "\udfff" for char in text):
        raise BodyError("a text has half of a surrogate pair, which is no character", pointer)


def escaped(key: str) -> str:
    """A key as a part of a JSON Pointer (RFC 6901)."""
    return key.replace("~", "~0").replace("/", "~1")
