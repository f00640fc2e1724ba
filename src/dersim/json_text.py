"""JSON from outside, bodies and files: parsed within bounds, and the JSON Pointer of what is wrong in it."""

from __future__ import annotations

import codecs
import contextlib
import json
import math
import re
from collections import Counter
from pathlib import Path
from typing import Any

from dersim.errors import ConfigError
from dersim.numeric import shown

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

    @property
    def placed(self) -> str:
        """The place, then what is wrong."""
        return f"{self.pointer}: {self}" if self.pointer else str(self)


class _Refused:
    """A number that is not read, NaN or of too many digits, until its place in the body is known."""

    def __init__(self, text: str) -> None:
        self.text = text

    @property
    def why(self) -> str:
        """What is wrong."""
        if len(self.text) > MAX_DIGITS:
            return f"a number of {len(self.text)} digits; at most {MAX_DIGITS} are read"
        return f"{self.text} is not a JSON number"


class _Twice:
    """An object with a key given twice, until its place in the body is known."""

    def __init__(self, key: str) -> None:
        self.key = key


def parse(text: bytes | str, what: str = "the body") -> Any:
    """The JSON value; BodyError for anything that is not JSON or beyond the bounds of this module."""
    try:
        value = json.loads(text, parse_constant=_Refused, parse_int=_whole, object_pairs_hook=_object)
    except RecursionError:
        raise BodyError(f"{what} is nested deeper than {MAX_DEPTH} levels") from None
    except ValueError as error:
        raise BodyError(f"{what} is not JSON: {_reason(error)}") from None
    _check(value, what)
    return value


def read_file(path: Path) -> Any:
    """The JSON value in a file, within the same bounds, with or without a BOM. Errors as of `file_error`."""
    text = _text_of(path)
    try:
        return parse(text, "the file")
    except BodyError as error:
        raise file_error(path, error) from None


def file_error(path: Path, error: ConfigError) -> ConfigError:
    """The error of a value with the file in front, and the line and the pointer where they are known."""
    words = str(error).removeprefix("the file is ")
    if match := _PLACE.search(words):
        return ConfigError(f"{path} {match[1]}: {words[: match.start()]}")
    pointer = error.pointer if isinstance(error, BodyError) else ""
    if not pointer:
        return ConfigError(f"{path}: {words}")
    if not path.is_file():  # a pipe is not read twice
        return ConfigError(f"{path}: {pointer}: {words}")
    line = line_of(_text_of(path).decode(errors="replace"), pointer)
    return ConfigError(f"{path} line {line}: {pointer}: {words}")


def _text_of(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            text = file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror or error}; give a readable JSON file") from error
    if len(text) > MAX_FILE_BYTES:
        raise ConfigError(f"{path}: the file has more than {MAX_FILE_BYTES >> 20} MiB")
    return text.removeprefix(codecs.BOM_UTF8)


#: Where the text ends to be JSON, at the end of a message.
_PLACE = re.compile(r", at (line \d+ column \d+)$")
_PIECE = re.compile(r'"(?:[^"\\\n]|\\.)*"|[\[\]{},:\n]|[^\s"\[\]{},:]+')


def line_of(text: str, pointer: str) -> int:
    """The line, from 1, of a pointer's key or item, the last if given twice, or of what should contain it."""
    wanted = pointer.split("/")[1:]
    line, found, deepest, is_key = 1, 1, 0, False
    path: list[str | int] = []  # the present key or index in each open container
    for piece in _PIECE.findall(text):
        in_list = bool(path) and isinstance(path[-1], int)
        if is_key and piece[0] == '"':
            with contextlib.suppress(ValueError):
                path[-1] = escaped(json.loads(piece))
        if (is_key or in_list) and piece[0] not in "\n]},:":
            here = [str(each) for each in path]
            if len(here) >= deepest and here == wanted[: len(here)]:
                found, deepest = line, len(here)
        if piece == "\n":
            line += 1
        elif piece in ("[", "{"):
            path.append(0 if piece == "[" else "")
        elif piece in ("]", "}"):
            del path[-1:]
        elif piece == "," and in_list:
            path[-1] = int(path[-1]) + 1
        if piece != "\n":
            is_key = piece == "{" or (piece == "," and not in_list)
    return found


_IN_WORDS = {
    "Expecting value": (
        "a value is missing here, or it is none of JSON (true, false and null are lower-case; no comments)"
    ),
    "Expecting ',' delimiter": "a comma is missing here, or a bracket that closes",
    "Expecting ':' delimiter": "a colon is missing here",
    "Expecting property name enclosed in double quotes": (
        "a key in double quotes is needed here; JSON has no comma after the last one and no comments"
    ),
    "Illegal trailing comma before end of object": "there is a comma after the last value",
    "Extra data": "there is more after the end",
    "Unterminated string starting at": "this text has no closing quote in its line",
    "Invalid control character at": "this text has no closing quote in its line, or a tab",
}


def _reason(error: ValueError) -> str:
    """What is wrong and where, in words for the sender."""
    if isinstance(error, json.JSONDecodeError):
        if not error.doc.strip():
            return "it is empty"
        words = _IN_WORDS.get(error.msg, error.msg)
        return f"{words}, at line {error.lineno} column {error.colno}"
    return "it is not UTF-8" if isinstance(error, UnicodeDecodeError) else str(error)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any] | _Twice:
    values = dict(pairs)
    if len(values) < len(pairs):
        return _Twice(Counter(key for key, _ in pairs).most_common(1)[0][0])
    return values


def _whole(text: str) -> int | _Refused:
    return _Refused(text) if len(text) > MAX_DIGITS else int(text)


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
        elif isinstance(item, _Twice):
            key = item.key if item.key.isprintable() and len(item.key) <= 60 else shown(item.key)
            raise BodyError(f"{key} is given twice; remove one", f"{pointer}/{escaped(item.key)}")
        elif isinstance(item, _Refused):
            raise BodyError(item.why, pointer)
        elif isinstance(item, float) and not math.isfinite(item):
            raise BodyError("a number beyond 1.8e308 is not read", pointer)


def _check_text(text: str, pointer: str) -> None:
    if any("\ud800" <= char <= "\udfff" for char in text):
        raise BodyError("a text has half of a surrogate pair, which is no character", pointer)


def escaped(key: str) -> str:
    """A key as a part of a JSON Pointer (RFC 6901)."""
    return key.replace("~", "~0").replace("/", "~1")
