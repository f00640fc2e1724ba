"""JSON bodies of the admin REST: checked against their shape, with a JSON Pointer to what is wrong."""

from __future__ import annotations

from functools import cache
from typing import Any

from dersim.errors import ConfigError
from dersim.json_schema import FieldError, Schema, SchemaBook, check
from dersim.json_text import BodyError, escaped
from dersim.modes import ModeValue, value_from_json
from dersim.numeric import shown
from dersim.pages.problems import Problem
from dersim.suggestions import hint
from dersim.utility import modes_2023
from dersim.utility.admin.problems import refusal

#: Of many mistakes in one body, so many are told.
MOST_ERRORS = 20


def check_shape(shape: Any, body: Any, what_to_do: str) -> None:
    """Problem bad-request unless the body has the shape of a TypedDict."""
    schema, components = _schema(shape)
    if errors := check(schema, components, body)[:MOST_ERRORS]:
        raise bad_request(errors, what_to_do)


@cache
def _schema(shape: Any) -> tuple[Schema, dict[str, Schema]]:
    book = SchemaBook()
    return book.of(shape), book.components


def bad_request(errors: list[FieldError], what_to_do: str) -> Problem:
    """A Problem with every mistake; its detail is the first one, with the name of the member in front."""
    named = [FieldError(error.pointer, f"{_name(error.pointer)}{error.detail}") for error in errors]
    return refusal("bad-request", named[0].detail, what_to_do, named)


def of_config_error(error: ConfigError, body: Any, what_to_do: str) -> Problem:
    """The Problem of what a deeper part refuses: its detail names the member already."""
    return refusal("bad-request", str(error), what_to_do, [FieldError(pointer_of(body, error), str(error))])


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
        if name not in specs:
            raise BodyError(
                f"modes: {shown(name)} is no mode; {hint(name, specs)}", f"/modes/{escaped(name)}"
            )
        try:
            modes[name] = value_from_json(name, value, specs)
        except ConfigError as error:
            raise BodyError(str(error), f"/modes/{escaped(name)}") from None
    return modes
