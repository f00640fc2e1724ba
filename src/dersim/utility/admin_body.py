"""JSON bodies of the operator's REST: parsed within bounds, and the JSON Pointer of what is wrong in them."""

from __future__ import annotations

import json
import math
from typing import Any

from dersim.errors import ConfigError
from dersim.modes import ModeValue, value_from_json

#: No body of this API is nested deeper than seven levels.
MAX_DEPTH = 20
#: Digits of a whole number; the largest one of IEEE 2030.5 has 20.
MAX_DIGITS = 40


class BodyError(ConfigError):
    """A body with a wrong value. pointer: its place, a JSON Pointer (RFC 6901), "" for the whole body."""

    def __init__(self, detail: str, pointer: str = "") -> None:
        super().__init__(detail)
        self.pointer = pointer


class _TooLong:
    """Stands for a whole number of too many digits until its place in the body is known."""

    def __init__(self, digits: int) -> None:
        self.digits = digits


def parse(body: bytes) -> Any:
    """The JSON value; BodyError for anything that is not JSON or beyond the bounds of this module."""
    try:
        value = json.loads(body, parse_constant=_no_constant, parse_int=_whole)
    except RecursionError:
        raise BodyError(f"the body is nested deeper than {MAX_DEPTH} levels") from None
    except ValueError as error:
        raise BodyError(f"the body is not JSON: {error}") from None
    _check(value)
    return value


def _no_constant(text: str) -> Any:
    raise ValueError(f"{text} is not a JSON number")


def _whole(text: str) -> int | _TooLong:
    return _TooLong(len(text)) if len(text) > MAX_DIGITS else int(text)


def _check(value: Any) -> None:
    """Check every value within; without recursion, since the depth is not known yet."""
    todo: list[tuple[Any, str, int]] = [(value, "", 0)]
    while todo:
        item, pointer, depth = todo.pop()
        if depth > MAX_DEPTH:
            raise BodyError(f"the body is nested deeper than {MAX_DEPTH} levels", pointer)
        if isinstance(item, dict):
            for key, each in item.items():
                _check_text(key, pointer)
                todo.append((each, f"{pointer}/{_escaped(key)}", depth + 1))
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


def _escaped(key: str) -> str:
    return key.replace("~", "~0").replace("/", "~1")


def pointer_of(body: Any, error: ConfigError) -> str:
    """The place that an error is about: its own pointer, or the member that its message starts with."""
    if isinstance(error, BodyError):
        return error.pointer
    name = str(error).partition(":")[0].partition(".")[0]
    return f"/{_escaped(name)}" if isinstance(body, dict) and name in body else ""


def read_modes(data: Any) -> dict[str, ModeValue]:
    """The modes of a control, `{"opModMaxLimW": 60}`; BodyError with the place of a bad one."""
    if not isinstance(data, dict) or not data:
        raise BodyError('modes: a JSON object such as {"opModMaxLimW": 60} is needed', "/modes")
    modes: dict[str, ModeValue] = {}
    for name, value in data.items():
        try:
            modes[name] = value_from_json(name, value)
        except ConfigError as error:
            raise BodyError(str(error), f"/modes/{_escaped(name)}") from None
    return modes


def read_fields(data: Any, required: tuple[str, ...], optional: tuple[str, ...] = ()) -> dict[str, Any]:
    """The body as an object with these members; BodyError names missing and unknown ones."""
    known = (*required, *optional)
    if not isinstance(data, dict):
        raise BodyError(f"a JSON object with {', '.join(required)} is needed")
    missing = [key for key in required if key not in data]
    if missing:
        raise BodyError(f"{', '.join(missing)}: missing")
    unknown = sorted(set(data) - set(known))
    if unknown:
        raise BodyError(
            f"{', '.join(unknown)[:200]}: not known; known are {', '.join(known)}", f"/{_escaped(unknown[0])}"
        )
    return data
