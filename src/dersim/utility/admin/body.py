"""JSON bodies of the operator's REST: their members, and the JSON Pointer of what is wrong in them."""

from __future__ import annotations

from typing import Any

from dersim.errors import ConfigError
from dersim.json_text import BodyError, escaped
from dersim.modes import ModeValue, value_from_json


def pointer_of(body: Any, error: ConfigError) -> str:
    """The place that an error is about: its own pointer, or the member that its message starts with."""
    if isinstance(error, BodyError):
        return error.pointer
    name = str(error).partition(":")[0].partition(".")[0]
    return f"/{escaped(name)}" if isinstance(body, dict) and name in body else ""


def read_modes(data: Any) -> dict[str, ModeValue]:
    """The modes of a control, `{"opModMaxLimW": 60}`; BodyError with the place of a bad one."""
    if not isinstance(data, dict) or not data:
        raise BodyError('modes: a JSON object such as {"opModMaxLimW": 60} is needed', "/modes")
    modes: dict[str, ModeValue] = {}
    for name, value in data.items():
        try:
            modes[name] = value_from_json(name, value)
        except ConfigError as error:
            raise BodyError(str(error), f"/modes/{escaped(name)}") from None
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
            f"{', '.join(unknown)[:200]}: not known; known are {', '.join(known)}", f"/{escaped(unknown[0])}"
        )
    return data
