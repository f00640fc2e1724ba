"""JSON Schema from Python types, and the check of request bodies and files against it.

The shapes of the API and of files are declared once, as TypedDicts beside the function that takes them. From
these come the OpenAPI document (`openapi.py`), the check of every request body and file, the schemas in
docs/schemas for editors and, in the tests, the check of every response. Only the part of JSON Schema
(2020-12) that these use is written and checked; `check` refuses a keyword that it does not know, so that a
schema never promises more than is checked.
"""

from __future__ import annotations

import itertools
import math
import re
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

from dersim.json_text import BodyError, escaped
from dersim.numeric import finite, shown
from dersim.suggestions import hint

Schema = dict[str, Any]

_PLAIN: Mapping[Any, Schema] = {
    str: {"type": "string"},
    int: {"type": "integer"},
    float: {"type": "number"},
    bool: {"type": "boolean"},
    type(None): {"type": "null"},
    Any: {},
}


class Note:
    """What an `Annotated` type says beyond the type: JSON Schema keywords."""

    def __init__(self, **keywords: Any) -> None:
        self.keywords = keywords


def unit(name: str, doc: str = "", **keywords: Any) -> Note:
    """The annotation of a number: its unit, a word about it, and further JSON Schema keywords."""
    return described(doc, **{"x-unit": name}, **keywords)


def described(doc: str, **keywords: Any) -> Note:
    """The annotation of any value: what it is, and further JSON Schema keywords."""
    return Note(**({"description": doc} if doc else {}), **keywords)


class SchemaBook:
    """Collects the named schemas (OpenAPI's components) that the types handed to `of` lead to.

    root: where a document has them, as in ``#/components/schemas/Overview``.
    """

    def __init__(self, root: str = "#/components/schemas") -> None:
        self.root = root
        self.components: dict[str, Schema] = {}

    def of(self, tp: Any) -> Schema:  # noqa: PLR0911 - one answer per kind of type
        """The schema of a type: plain types, Literal, unions, list, tuple, dict, Annotated, TypedDict."""
        origin, args = get_origin(tp), get_args(tp)
        if origin is Annotated:
            schema = self.of(args[0])
            for note in args[1:]:
                schema |= note.keywords
            return schema
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
            size = {"minItems": len(args), "maxItems": len(args)}
            if len(set(args)) > 1:
                return {"type": "array", "prefixItems": [self.of(arg) for arg in args], **size}
            return {"type": "array", "items": self.of(args[0]), **size}
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
        return {"$ref": f"{self.root}/{name}"}


def file_schema(tp: Any, title: str) -> Schema:
    """The schema of a file whose content is a TypedDict; it may name its schema as ``$schema``."""
    book = SchemaBook("#/$defs")
    name = book.of(tp)["$ref"].rsplit("/", 1)[1]
    root = book.components.pop(name)
    root["properties"] = {"$schema": {"type": "string"}} | root["properties"]
    return root | {"title": title, "$defs": book.components}


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
#: How a message names a type.
_WORDS = {
    "boolean": "true or false, without quotes",
    "number": "a number",
    "integer": "a whole number",
    "string": "a text in quotes",
    "array": "a list",
    "object": "an object",
}
_JUDGED = {
    "$ref", "type", "enum", "anyOf", "items", "minItems", "maxItems", "properties", "required", "if", "then",
    "additionalProperties", "minimum", "maximum", "exclusiveMinimum", "multipleOf", "minLength", "maxLength",
    "minProperties", "propertyNames", "pattern", "prefixItems",
}  # fmt: skip
_NOT_JUDGED = {"title", "description", "x-unit", "examples", "default", "format", "$schema", "$id", "$defs"}


def require(schema: Schema, components: Mapping[str, Schema], value: Any) -> None:
    """BodyError with the first thing that is wrong with a decoded JSON value, and how many more there are."""
    if errors := check(schema, components, value):
        more = f" ({len(errors)} mistakes, this is the first)" if len(errors) > 1 else ""
        raise BodyError(errors[0].detail + more, errors[0].pointer)


def check(
    schema: Schema, components: Mapping[str, Schema], value: Any, pointer: str = ""
) -> list[FieldError]:
    """What is wrong with a decoded JSON value; an empty list means that it is valid."""
    if unknown := set(schema) - _JUDGED - _NOT_JUDGED:
        raise TypeError(f"schema keywords {sorted(unknown)} are not judged here")
    errors = _check_plain(schema, components, value, pointer)
    if not errors and "if" in schema and not check(schema["if"], components, value, pointer):
        return check(schema["then"], components, value, pointer)
    return errors


def _check_plain(  # noqa: PLR0911 - one answer per keyword
    schema: Schema, components: Mapping[str, Schema], value: Any, pointer: str
) -> list[FieldError]:
    if "$ref" in schema:
        more = {key: each for key, each in schema.items() if key not in ("$ref", "if", "then")}
        return check(components[schema["$ref"].rsplit("/", 1)[1]] | more, components, value, pointer)
    if "anyOf" in schema:
        return _any_of(schema["anyOf"], components, value, pointer)
    if "enum" in schema and not any(_same(value, each) for each in schema["enum"]):
        return [FieldError(pointer, _not_one_of(value, schema["enum"]))]
    if (name := schema.get("type")) is None:
        return _object(schema, components, value, pointer) if isinstance(value, dict) else []
    if not _is(name, value):
        return [FieldError(pointer, f"{_json(value)} is not {_WORDS.get(name, f'of type {name}')}")]
    if name == "object":
        return _object(schema, components, value, pointer)
    if name == "array":
        return _array(schema, components, value, pointer)
    return _scalar(schema, value, pointer)


def _json(value: Any) -> str:
    """A value for a message, as JSON names it."""
    return (
        {None: "null", True: "true", False: "false"}[value]
        if value is None or isinstance(value, bool)
        else shown(value)
    )


def _same(value: Any, each: Any) -> bool:
    """Equal in JSON, where true is not 1."""
    return isinstance(value, bool) is isinstance(each, bool) and bool(value == each)


def _not_one_of(value: Any, words: list[Any]) -> str:
    text = f"{_json(value)} is not one of {', '.join(map(str, words))}"
    near = hint(value, words) if isinstance(value, str) else ""
    return f"{text}; {near}" if near.startswith("did you") else text


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
    # A value that is not null was not meant to be.
    said = [v for v, option in zip(verdicts, options, strict=True) if option.get("type") != "null"]
    verdicts = said or verdicts
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
    unknown = [key for key in value if key not in properties] if others is False else []
    errors = [
        FieldError(f"{pointer}/{escaped(key)}", f"{_cut(key)} is not known; {hint(key, properties)}")
        for key in unknown
    ]
    if len(value) < schema.get("minProperties", 0):
        which = f" of {', '.join(properties)}" if properties else ""
        errors.append(FieldError(pointer, f"at least one{which} is needed"))
    for key, item in value.items():
        where = f"{pointer}/{escaped(key)}"
        if names := schema.get("propertyNames"):
            errors += _scalar(names, key, where)
        if key in properties:
            errors += check(properties[key], components, item, where)
        elif isinstance(others, dict):
            errors += check(others, components, item, where)
    errors += [
        FieldError(pointer, f"{key} is missing{_meaning(properties.get(key, {}))}")
        for key in schema.get("required", ())
        if key not in value
    ]
    return errors


def _cut(key: str) -> str:
    return key if key and len(key) <= 60 and key.isprintable() else shown(key)


def _meaning(schema: Schema) -> str:
    """What a missing value would be, in parentheses."""
    words = [schema.get("description", ""), schema.get("x-unit", "")]
    return f" ({', '.join(word for word in words if word)})" if any(words) else ""


def _array(
    schema: Schema, components: Mapping[str, Schema], value: list[Any], pointer: str
) -> list[FieldError]:
    low, high = schema.get("minItems", 0), schema.get("maxItems", math.inf)
    if not low <= len(value) <= high:
        return [FieldError(pointer, f"{len(value)} items, {_span(low, high)} needed")]
    first, items = schema.get("prefixItems", []), schema.get("items", {})
    schemas = itertools.chain(first, itertools.repeat(items))
    found = (check(s, components, v, f"{pointer}/{i}") for i, (s, v) in enumerate(zip(schemas, value)))  # noqa: B905 - as many as there are
    return [error for errors in found for error in errors]


def _span(low: float, high: float) -> str:
    if low == high:
        return f"{low:g} {'is' if low == 1 else 'are'}"
    return f"at least {low:g} are" if math.isinf(high) else f"{low:g} to {high:g} are"


def _scalar(schema: Schema, value: Any, pointer: str) -> list[FieldError]:
    wrong = ""
    if isinstance(value, str):
        low, high = schema.get("minLength", 0), schema.get("maxLength", math.inf)
        if not low <= len(value) <= high:
            wrong = f"{len(value)} characters, {_span(low, high)} needed"
        elif "pattern" in schema and not re.search(schema["pattern"], value):
            wrong = f"{shown(value)} is not of the form {schema['pattern']}"
    elif isinstance(value, int | float) and not isinstance(value, bool):
        wrong = _number(schema, value)
    return [FieldError(pointer, wrong)] if wrong else []


def _number(schema: Schema, value: float) -> str:
    low, high = schema.get("minimum", -math.inf), schema.get("maximum", math.inf)
    unit_name = schema.get("x-unit", "")
    if not low <= value <= high and math.isinf(high):
        return f"{value:.7g} is below {low:.7g} {unit_name}".rstrip()
    if not low <= value <= high:
        return f"{value:.7g} is outside {low:.7g} to {high:.7g} {unit_name}".rstrip()
    if value <= schema.get("exclusiveMinimum", -math.inf):
        return f"{value:.7g} is not above {schema['exclusiveMinimum']:.7g} {unit_name}".rstrip()
    if "multipleOf" in schema and value % schema["multipleOf"]:
        return f"{value:.7g} is not a whole number"
    return ""
