"""YAML files: plain data within bounds, with the line of every value, checked by a JSON Schema.

PyYAML's SafeLoader reads the text; this module decides what a word means, since readers of YAML
do not agree:

- ``true`` and ``false`` are the only truth values. A bare ``yes``, ``no``, ``on`` or ``off`` is refused:
  some readers take it for a truth value, others for a text.
- Numbers are decimal. ``012`` (octal to some), ``1_000`` and ``12:30`` (sexagesimal to some) are no numbers.
- Dates and times stay texts; the field that takes one reads it.
- Keys are texts as they are written. One given twice is refused.

JSON is YAML, so that a JSON file is read as well. Every mistake is a `FileError` of one line:
``FILE:LINE: PATH: what is wrong, what is allowed``.
"""

from __future__ import annotations

import codecs
import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from dersim.json_schema import Schema, check
from dersim.json_text import MAX_DEPTH, MAX_DIGITS, BodyError, escaped
from dersim.numeric import shown

#: The largest file; a scenario with 1,000 registrations has 100 kB.
MAX_BYTES = 1 << 20
#: Values in one file, after anchors are followed: nine lines of anchors can mean 10**9 values.
MAX_VALUES = 100_000

_TAG = "tag:yaml.org,2002:"
_NULL, _BOOL, _INT, _FLOAT, _STR = (f"{_TAG}{name}" for name in ("null", "bool", "int", "float", "str"))
_BARE, _LEADING_ZERO, _NOT_FINITE = "bare", "leading zero", "not finite"
_REFUSED: Mapping[str, str] = {
    _BARE: "{} without quotes is a truth value to some YAML readers and a text to others; "
    'write true or false, or "{}" in quotes where a text is meant',
    _LEADING_ZERO: "{} begins with a zero, which is octal to some YAML readers; "
    'leave the zero out, or write "{}" in quotes where a text is meant',
    _NOT_FINITE: "{} is not read; a finite number is needed",
}


class FileError(BodyError):
    """A mistake in a file: the message is the whole line.

    line: from 1; 0: of no line, as of a file that is not there. pointer: of the value (RFC 6901).
    """

    def __init__(self, name: str, line: int, detail: str, pointer: str = "") -> None:
        where = f"{name}:{line}" if line else name
        super().__init__(f"{where}: {pointer}: {detail}" if pointer else f"{where}: {detail}")
        self.name, self.line, self.detail, self.pointer = name, line, detail, pointer

    def as_body(self) -> BodyError:
        """The same about the body of a request: its line in front, its pointer beside."""
        return BodyError(f"line {self.line}: {self.detail}", self.pointer)

    @property
    def placed(self) -> str:
        """The message, which has the place in it."""
        return str(self)


class YamlDocument(NamedTuple):
    """A file as plain data. lines: of each value by its JSON Pointer; of a member the line of its key."""

    name: str
    value: Any
    lines: Mapping[str, int]

    def line_of(self, pointer: str) -> int:
        """The line of a value, or of the nearest one that contains it."""
        while pointer not in self.lines and pointer:
            pointer = pointer.rpartition("/")[0]
        return self.lines.get(pointer, 1)

    def error(self, pointer: str, detail: str) -> FileError:
        """The error of a value in this file."""
        return FileError(self.name, self.line_of(pointer), detail, pointer)

    def require(self, schema: Schema) -> None:
        """FileError with the first mistake of the file, and how many more there are."""
        errors = check(schema, schema.get("$defs", {}), self.value)
        if errors:
            first = min(errors, key=lambda error: self.line_of(error.pointer))
            more = f" ({len(errors)} mistakes, this is the first)" if len(errors) > 1 else ""
            raise self.error(first.pointer, first.detail + more)


def read(path: Path) -> YamlDocument:
    """Read a file. FileError for a mistake in it, and for one that cannot be read."""
    try:
        with path.open("rb") as file:
            text = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise FileError(
            str(path), 0, f"{error.strerror or error}; give a YAML file that can be read"
        ) from None
    return parse(text, str(path))


def parse(text: bytes | str, name: str) -> YamlDocument:
    """The document of a text. name: of the file, for messages."""
    if len(text) > MAX_BYTES:
        raise FileError(name, 1, f"the file has more than {MAX_BYTES >> 20} MiB")
    if isinstance(text, bytes):
        text = _decoded(text, name)
    builder = _Builder(name)
    try:
        node = _Loader(text).get_single_node()
    except _Refused as error:
        raise FileError(name, error.line, str(error)) from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise FileError(name, mark.line + 1 if mark else 1, _in_words(error)) from None
    except yaml.reader.ReaderError as error:
        line = text[: error.position].count("\n") + 1
        detail = f"the character U+{int(error.character):04X} is not allowed in YAML"
        raise FileError(name, line, detail) from None
    if node is None:
        raise FileError(name, 1, "the file is empty")
    return YamlDocument(name, builder.value(node, "", node.start_mark.line + 1), builder.lines)


def _decoded(text: bytes, name: str) -> str:
    try:
        return text.removeprefix(codecs.BOM_UTF8).decode()
    except UnicodeDecodeError as error:
        line = text[: error.start].count(b"\n") + 1
        raise FileError(name, line, "the file is not UTF-8; save it as UTF-8") from None


class _Refused(Exception):  # noqa: N818 - what the loader does not read, with its line
    def __init__(self, mark: yaml.Mark, detail: str) -> None:
        super().__init__(detail)
        self.line = mark.line + 1


class _Alias(yaml.Node):
    """``*name``: its target, and where it is used."""

    def __init__(self, target: Any, start_mark: Any) -> None:
        super().__init__("alias", target, start_mark, start_mark)


class _Loader(yaml.SafeLoader):
    """SafeLoader as far as nodes, with our meaning of bare words, and a bound of the depth."""

    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012 - PyYAML's own name and form

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self._depth = 0

    def compose_node(self, parent: Any, index: Any) -> Any:
        """PyYAML's, which calls itself for what is inside."""
        event = self.peek_event()  # type: ignore[no-untyped-call] # as PyYAML's stubs have it
        if isinstance(event, yaml.AliasEvent):
            return _Alias(super().compose_node(parent, index), event.start_mark)
        if self._depth > MAX_DEPTH:
            raise _Refused(event.start_mark, f"nested deeper than {MAX_DEPTH} levels")
        self._depth += 1
        node = super().compose_node(parent, index)
        self._depth -= 1
        return node


for _tag, _pattern in (
    (_NULL, r"~|null|Null|NULL|"),
    (_BOOL, r"true|True|TRUE|false|False|FALSE"),
    (_BARE, r"yes|Yes|YES|no|No|NO|on|On|ON|off|Off|OFF"),
    (_LEADING_ZERO, r"[-+]?0[0-9_]+"),
    (_INT, r"[-+]?(0|[1-9][0-9]*)"),
    (_FLOAT, r"[-+]?(\.[0-9]+|[0-9]+\.[0-9]*|[0-9]+(?=[eE]))([eE][-+]?[0-9]+)?"),
    (_NOT_FINITE, r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)"),
):
    _Loader.add_implicit_resolver(_tag, re.compile(rf"(?:{_pattern})\Z", re.ASCII), None)


class _Builder:
    """Makes plain data of nodes, and notes the lines."""

    def __init__(self, name: str) -> None:
        self._name = name
        self.lines: dict[str, int] = {}
        self._values = 0
        self._within: list[yaml.Node] = []

    def value(self, node: yaml.Node, pointer: str, line: int) -> Any:
        """The value of a node. line: where it, or its key, is written."""
        self.lines[pointer] = line
        self._values += 1
        if self._values > MAX_VALUES:
            raise self._error(pointer, f"more than {MAX_VALUES} values, those of anchors counted at each use")
        if isinstance(node, _Alias):
            node = node.value
        if node in self._within:
            raise self._error(pointer, "an anchor that contains itself is not read")
        if isinstance(node, yaml.ScalarNode):
            return self._scalar(node, pointer)
        self._within.append(node)
        if isinstance(node, yaml.MappingNode) and node.tag == f"{_TAG}map":
            value: Any = self._mapping(node, pointer)
        elif isinstance(node, yaml.SequenceNode) and node.tag == f"{_TAG}seq":
            value = [
                self.value(each, f"{pointer}/{index}", each.start_mark.line + 1)
                for index, each in enumerate(node.value)
            ]
        else:
            raise self._error(pointer, f"the tag {_short(node.tag)} is not read; leave it out")
        self._within.pop()
        return value

    def _mapping(self, node: yaml.MappingNode, pointer: str) -> dict[str, Any]:
        """Own members, and behind ``<<`` those that are not given here; the first of several has priority."""
        own: dict[str, Any] = {}
        merged: dict[str, Any] = {}
        for key_node, each in reversed(node.value):
            if _is_merge(key_node):
                merged |= self._merged(each, pointer, key_node.start_mark.line + 1)
        for key_node, each in node.value:
            if _is_merge(key_node):
                continue
            line = key_node.start_mark.line + 1
            if not isinstance(key_node, yaml.ScalarNode):
                raise FileError(self._name, line, "a key is a text in one line", pointer)
            key = str(key_node.value)
            inner = f"{pointer}/{escaped(key)}"
            if key in own:
                detail = f"{_cut(key)} is given twice, first in line {self.lines[inner]}; remove one"
                raise FileError(self._name, line, detail, inner)
            own[key] = self.value(each, inner, line)
        return merged | own

    def _merged(self, node: yaml.Node, pointer: str, line: int) -> dict[str, Any]:
        """The members behind ``<<``: one object, or a list of them."""
        target = node.value if isinstance(node, _Alias) else node
        parts = target.value if isinstance(target, yaml.SequenceNode) else [node]
        values: dict[str, Any] = {}
        for part in reversed(parts):
            if not isinstance(part.value if isinstance(part, _Alias) else part, yaml.MappingNode):
                detail = "<< takes an anchor of an object, as in <<: *base, or a list of such anchors"
                raise FileError(self._name, line, detail, pointer)
            values |= self.value(part, pointer, self.lines[pointer])
        return values

    def _scalar(self, node: yaml.ScalarNode, pointer: str) -> Any:
        text, tag = node.value, node.tag
        if tag in _REFUSED:
            raise self._error(pointer, _REFUSED[tag].format(text, text))
        if tag == _STR:
            if any("\ud800" <= char <= "\udfff" for char in text):
                raise self._error(pointer, "a text has half of a surrogate pair, which is no character")
            return text
        if tag == _NULL:
            return None
        if tag == _BOOL and text.lower() in ("true", "false"):
            return text.lower() == "true"
        if tag not in (_INT, _FLOAT):
            raise self._error(pointer, f"the tag {_short(tag)} is not read; leave it out")
        return self._number(text, tag, pointer)

    def _number(self, text: str, tag: str, pointer: str) -> float:
        if len(text) > MAX_DIGITS:
            detail = f"a number of {len(text)} digits; at most {MAX_DIGITS} are read, put a text in quotes"
            raise self._error(pointer, detail)
        try:
            value = int(text) if tag == _INT else float(text)
        except ValueError:
            raise self._error(pointer, f"{shown(text)} is not a number") from None
        if not math.isfinite(value):
            raise self._error(pointer, "a number beyond 1.8e308 is not read; put a text in quotes")
        return value

    def _error(self, pointer: str, detail: str) -> FileError:
        return FileError(self._name, self.lines[pointer], detail, pointer)


def _is_merge(key: yaml.Node) -> bool:
    return isinstance(key, yaml.ScalarNode) and key.value == "<<" and key.style is None


def _cut(key: str) -> str:
    return key if key and len(key) <= 60 and key.isprintable() else shown(key)


def _short(tag: str) -> str:
    return _cut(tag.replace(_TAG, "!!"))


#: What PyYAML says, and the same in words for whoever wrote the file.
_WORDS = (
    (r"found character '\\t'.*", "a tab; YAML is indented with spaces"),
    (r"found character (.+) that cannot start any token", r"\1 cannot begin a value; put the text in quotes"),
    (r"mapping values are not allowed here",
     "a colon where no key can be; put a text with a colon in quotes, or correct the indentation"),
    (r"could not find expected ':'", "a colon is missing after a key, or the indentation is wrong"),
    (r"expected <block end>.*", "the indentation is not that of the lines above"),
    (r"expected ',' or '([\]}])'.*", r"a comma or \1 is missing"),
    (r"found unexpected (end of stream|document separator)", "a text has no closing quote"),
    (r"found undefined alias '?(.+?)'?", r"*\1 has no anchor &\1 above it"),
    (r"second occurrence", "an anchor of this name is above already; choose another name"),
    (r"but found another document", "a second document begins here; a file has one"),
)  # fmt: skip


def _in_words(error: yaml.MarkedYAMLError) -> str:
    problem = " ".join(str(error.problem or error.context or "not YAML").split())
    for pattern, words in _WORDS:
        if match := re.fullmatch(pattern, problem):
            return match.expand(words)
    return f"not YAML: {problem}"
