"""JSON bodies of the admin REST: checked against their shape, with a JSON Pointer to what is wrong."""

from __future__ import annotations

from typing import Any

from dersim.errors import ConfigError
from dersim.json_schema import FieldError, SchemaBook, check
from dersim.json_text import BodyError, escaped
from dersim.modes import ModeValue, value_from_json
from dersim.pages.problems import Problem
from dersim.utility import modes_2023
from dersim.utility.admin.problems import refusal

#: Of many mistakes in one body, so many are told.
MOST_ERRORS = 20


def check_shape(shape: Any, body: Any, hint: str) -> None:
    """Problem bad-request unless the body has the shape of a TypedDict."""
    book = SchemaBook()
    schema = book.of(shape)
    if errors := check(schema, book.components, body)[:MOST_ERRORS]:
        raise bad_request(errors, hint)


def bad_request(errors: list[FieldError], hint: str) -> Problem:
    """A Problem with every mistake; its detail is the first one, with the name of the member in front."""
    named = [FieldError(error.pointer, f"{_name(error.pointer)}{error.detail}") for error in errors]
    return refusal("bad-request", named[0].detail, hint, named)


def of_config_error(error: ConfigError, body: Any, hint: str) -> Problem:
    """The Problem of what a deeper part refuses: its detail names the member already."""
    return refusal("bad-request", str(error), hint, [FieldError(pointer_of(body, error), str(error))])


def _name(pointer: str) -> str:
    """`modes.opModMaxLimW: ` for /modes/opModMaxLimW; of a long one its last part."""
    words = pointer.strip("/").replace("/", ".").replace("~1", "/").replace("~0", "~")
    return f"{words if len(words) <= 80 else '...' + words[-77:]}: " if words.isprintable() and words else ""


def pointer_of(body: Any, error: ConfigError) -> str:
    """The place that an error is about: its own pointer, or the member that its message starts with."""
    if isinstance(error, BodyError):
        return error.pointer
    name = str(error).partition(":")[0].partition(".")[0]
    return f"/{escaped(name)}" if isinstance(body, dict) and name in body else ""


def read_modes(data: dict[str, Any]) -> dict[str, ModeValue]:
    """The modes of a control, `{"opModMaxLimW": 60}`, also those of 2023; BodyError with the place."""
    specs = modes_2023.all_specs()
    modes: dict[str, ModeValue] = {}
    for name, value in data.items():
        try:
            modes[name] = value_from_json(name, value, specs)
        except ConfigError as error:
            raise BodyError(str(error), f"/modes/{escaped(name)}") from None
    return modes
