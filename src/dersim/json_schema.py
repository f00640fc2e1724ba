"""JSON Schema from Python types, and the check of request bodies against it.

The API's shapes are declared once, as TypedDicts beside the function that serves them. From these come the
OpenAPI document (`openapi.py`), the check of every request body, and, in the tests, that of every response.
Only the part of JSON Schema (2020-12) that the API uses is written and checked; `check` refuses a keyword
that it does not know, so that a schema never promises more than is checked.
"""

from __future__ import annotations

import math
import types
from collections.abc import Mapping
from typing import (
    Annotated,
    Any,
    Literal,
    NamedTuple,
    NotRequired,
    Required,
    Union,
    get_args,
    get_origin,
    get_type_hints,
    is_typeddict,
)

from dersim.numeric import finite, shown

Schema = dict[str, Any]

_PLAIN: Mapping[Any, Schema] = {
    str: {"type": "string"},
    int: {"type": "integer"},
    float: {"type": "number"},
    bool: {"type": "boolean"},
    type(None): {"type": "null"},
    Any: {},
}


class Note(NamedTuple):
    """What an `Annotated` type says beyond the type: JSON Schema keywords, in a hashable form."""

    keywords: tuple[tuple[str, Any], ...]


def unit(name: str, doc: str = "", **keywords: Any) -> Note:
    """The annotation of a number: its unit, a word about it, and further JSON Schema keywords."""
    return described(doc, **{"x-unit": name}, **keywords)


def described(doc: str, **keywords: Any) -> Note:
    """The annotation of any value: what it is, and further JSON Schema keywords."""
    return Note(tuple({**({"description": doc} if doc else {}), **keywords}.items()))


class SchemaBook:
    """Collects the named schemas (OpenAPI's components) that the types handed to `of` lead to."""

    def __init__(self) -> None:
        self.components: dict[str, Schema] = {}

    def of(self, tp: Any) -> Schema:  # noqa: PLR0911 - one answer per kind of type
        """The schema of a type: plain types, Literal, unions, list, tuple, dict, Annotated, TypedDict."""
        origin, args = get_origin(tp), get_args(tp)
        if origin is Annotated:
            return {**self.of(args[0]), **dict(args[1].keywords)}
        if tp in _PLAIN:
            return dict(_PLAIN[tp])
        if is_typeddict(tp):
            return self._reference(tp)
        if origin in (NotRequired, Required):
            return self.of(args[0])
        if origin is Literal:
            return {"enum": list(args)}
        if origin in (Union, types.UnionType):
            return {"anyOf": [self.of(arg) for arg in args]}
        return self._container(tp, origin, args)

    def _container(self, tp: Any, origin: Any, args: tuple[Any, ...]) -> Schema:
        if origin is list:
            return {"type": "array", "items": self.of(args[0])}
        if origin is tuple:
            count = len(args)
            return {"type": "array", "items": self.of(args[0]), "minItems": count, "maxItems": count}
        if origin is dict:
            return {"type": "object", "additionalProperties": self.of(args[1])}
        raise TypeError(f"{tp!r} has no JSON Schema here")

    def _reference(self, tp: Any) -> Schema:
        name = tp.__name__
        if name not in self.components:
            self.components[name] = {}  # against endless recursion
            hints = get_type_hints(tp, include_extras=True)
            self.components[name] = {
                "type": "object",
                "title": name,
                **({"description": tp.__doc__.strip()} if tp.__doc__ else {}),
                "properties": {key: self.of(hint) for key, hint in hints.items()},
                # Not __required_keys__: it is blind to NotRequired in annotations that are kept as text.
                "required": [key for key, hint in hints.items() if get_origin(hint) is not NotRequired],
                "additionalProperties": False,
            }
        return {"$ref": f"#/components/schemas/{name}"}


class FieldError(NamedTuple):
    """Where (a JSON Pointer, RFC 6901) and what."""

    pointer: str
    detail: str


_TYPES: Mapping[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "null": (type(None),),
    "array": (list, tuple),
    "object": (dict,),
}
_JUDGED = {
    "$ref", "type", "enum", "anyOf", "items", "minItems", "maxItems", "properties", "required",
    "additionalProperties", "minimum", "maximum", "minLength", "maxLength", "minProperties",
}  # fmt: skip
_NOT_JUDGED = {"title", "description", "x-unit", "examples", "default", "format"}


def check(  # noqa: PLR0911 - one answer per keyword
    schema: Schema, components: Mapping[str, Schema], value: Any, pointer: str = ""
) -> list[FieldError]:
    """What is wrong with a decoded JSON value; an empty list means that it is valid."""
    if unknown := set(schema) - _JUDGED - _NOT_JUDGED:
        raise TypeError(f"schema keywords {sorted(unknown)} are not judged here")
    if "$ref" in schema:
        return check(components[schema["$ref"].rsplit("/", 1)[1]], components, value, pointer)
    if "anyOf" in schema:
        return _any_of(schema["anyOf"], components, value, pointer)
    if "enum" in schema and value not in schema["enum"]:
        words = ", ".join(map(str, schema["enum"]))
        return [FieldError(pointer, f"{shown(value)} is not one of {words}")]
    if (name := schema.get("type")) is None:
        return []
    if not _is(name, value):
        return [FieldError(pointer, f"{shown(value)} is not of type {name}")]
    if name == "object":
        return _object(schema, components, value, pointer)
    if name == "array":
        return _array(schema, components, value, pointer)
    return _scalar(schema, value, pointer)


def _is(name: str, value: Any) -> bool:
    if isinstance(value, bool):
        return name == "boolean"
    if isinstance(value, int | float) and finite(value) is None:
        return False
    return isinstance(value, _TYPES[name])


def _any_of(
    options: list[Schema], components: Mapping[str, Schema], value: Any, pointer: str
) -> list[FieldError]:
    verdicts = [check(option, components, value, pointer) for option in options]
    if not all(verdicts):
        return []
    # The most useful error is that of the option that got furthest into the value.
    deepest = max(verdicts, key=lambda errors: max(len(error.pointer) for error in errors))
    if any(error.pointer != pointer for error in deepest):
        return deepest
    return [FieldError(pointer, "; ".join(dict.fromkeys(e.detail for errors in verdicts for e in errors)))]


def _object(
    schema: Schema, components: Mapping[str, Schema], value: dict[str, Any], pointer: str
) -> list[FieldError]:
    properties = schema.get("properties", {})
    others = schema.get("additionalProperties", True)
    errors = [
        FieldError(pointer, f"{key} is missing") for key in schema.get("required", ()) if key not in value
    ]
    if len(value) < schema.get("minProperties", 0):
        errors.append(FieldError(pointer, f"at least one of {', '.join(properties)} is needed"))
    for key, item in value.items():
        where = f"{pointer}/{key}"
        if key in properties:
            errors += check(properties[key], components, item, where)
        elif others is False:
            errors.append(FieldError(where, f"{key} is not known; known are {', '.join(properties)}"))
        elif isinstance(others, dict):
            errors += check(others, components, item, where)
    return errors


def _array(
    schema: Schema, components: Mapping[str, Schema], value: list[Any], pointer: str
) -> list[FieldError]:
    low, high = schema.get("minItems", 0), schema.get("maxItems", math.inf)
    if not low <= len(value) <= high:
        return [FieldError(pointer, f"{len(value)} items, {low} to {high} are needed")]
    items = schema.get("items", {})
    return [e for i, item in enumerate(value) for e in check(items, components, item, f"{pointer}/{i}")]


def _scalar(schema: Schema, value: Any, pointer: str) -> list[FieldError]:
    if isinstance(value, str):
        low, high = schema.get("minLength", 0), schema.get("maxLength", math.inf)
        if not low <= len(value) <= high:
            return [FieldError(pointer, f"{len(value)} characters, {low} to {high} are needed")]
    elif isinstance(value, int | float) and not isinstance(value, bool):
        low, high = schema.get("minimum", -math.inf), schema.get("maximum", math.inf)
        if not low <= value <= high:
            return [FieldError(pointer, f"{value:g} is outside {low:g} to {high:g}")]
    return []
