"""Validation: libxml2 decides in a tenth of a millisecond; xmlschema explains what is wrong.

Both use the XSD that `schema_write.py` makes, or the official one if the operator has it (`use_official`).
Each is compiled on first use, so that xmlschema costs nothing while all documents are valid. If xmlschema
finds nothing wrong (it accepts digits of other scripts), libxml2's own message is given; so it is while a
thread makes xmlschema ready (`making_ready_by`).
"""

from __future__ import annotations

import contextlib
import functools
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lxml import etree

from dersim.errors import ConfigError, PluginError
from dersim.ieee2030_5 import extensions, wiretext
from dersim.ieee2030_5.edition import Edition
from dersim.ieee2030_5.schema_write import (
    MAIN_LOCATION,
    SchemaWriter,
    extension_location,
    extension_text,
    namespaces,
)

if TYPE_CHECKING:
    import xmlschema

#: How many violations are reported, and the largest document to explain with xmlschema (20 us per element).
MAX_VIOLATIONS = 8
_MAX_EXPLAINED_ELEMENTS = 3000
_MAX_EXPLAINED_TEXT = 10_000

_NO_INT = re.compile(r"invalid literal for int\(\) with base 10: (.*)", re.DOTALL)
_LOCATION = re.compile(r' schemaLocation="[^"]*"')
_official: dict[Edition, Path] = {}
#: For which editions xmlschema is ready; what begins to make it so; for which it has begun.
_ready: set[Edition] = set()
_begin: Callable[[Callable[[], None]], object] | None = None
_begun: set[Edition] = set()


def use_official(edition: Edition, path: Path) -> None:
    """Validate with the operator's own XSD of that edition; ConfigError if it is not one."""
    try:
        etree.XMLSchema(file=str(path))
    except (etree.LxmlError, OSError) as error:
        raise ConfigError(f"{path}: not a usable XSD: {wiretext.shorten(str(error), 200)}") from error
    _official[edition] = path
    forget()


def use_generated(edition: Edition) -> None:
    """Validate with the generated XSD again."""
    _official.pop(edition, None)
    forget()


def forget() -> None:
    """Drop the compiled schemas: the declarations have changed."""
    _texts.cache_clear()
    _compiled.cache_clear()
    _explainer.cache_clear()
    _ready.clear()
    _begun.clear()


@contextlib.contextmanager
def making_ready_by(begin: Callable[[Callable[[], None]], object]) -> Iterator[None]:
    """Within it, an event loop does not wait a second for xmlschema when the first invalid document comes.

    begin: does what it is given in a thread, and returns at once.
    """
    global _begin  # noqa: PLW0603 - one process, one event loop
    _begun.clear()
    _begin = begin
    try:
        yield
    finally:
        _begin = None


extensions.on_change(forget)


def xsd(edition: Edition) -> str:
    """The generated XSD of an edition, extensions referred to but not included."""
    return SchemaWriter(edition).text()


def accepts(root: Any, edition: Edition) -> bool:
    """Whether the document is valid, by libxml2."""
    return bool(_compiled(edition).validate(root))


class Violation(str):
    """Path and reason of what violates the schema, and its line in the text that was parsed (from 1)."""

    __slots__ = ("line",)
    line: int | None

    def __new__(cls, text: str, line: int | None) -> Violation:
        """As str, with `line`."""
        self = super().__new__(cls, text)
        self.line = line
        return self


def violation_count(root: Any, edition: Edition) -> int:
    """How many violations libxml2 finds: 0 for a valid document. Cheap, for a comparison of editions."""
    judge = _compiled(edition)
    if judge.validate(root):
        return 0
    log: Any = judge.error_log  # the stubs do not know that it has a length
    return max(len(log), 1)


def violations(root: Any, edition: Edition) -> tuple[Violation, ...]:
    """What is wrong with the document: path and reason of each violation; empty if it is valid."""
    found: tuple[Violation, ...] = ()
    if _is_short(root) and _is_ready(edition):
        found = _explained(root, edition)
    return found or _in_libxml2s_words(root, edition)


def is_ready() -> bool:
    """Whether documents of both editions are explained by xmlschema at once."""
    return all(edition in _ready for edition in Edition)


def make_ready() -> None:
    """Make xmlschema ready, which takes a second: in a thread, where somebody waits for it."""
    for edition in Edition:
        _make_ready(edition)


def _is_ready(edition: Edition) -> bool:
    """Whether xmlschema may be asked now."""
    if _begin is None or edition in _ready:
        return True
    if edition not in _begun:
        _begun.add(edition)
        _begin(functools.partial(_make_ready, edition))
    return False


def _make_ready(edition: Edition) -> None:
    """In a thread. What goes wrong goes wrong again, and is told, where a document is explained."""
    with contextlib.suppress(Exception):
        _explainer(edition)
    _ready.add(edition)


def _is_short(root: Any) -> bool:
    """Whether xmlschema explains the document within a moment: it converts values of any length."""
    count = 0
    for count, node in enumerate(root.iter(), 1):
        if count > _MAX_EXPLAINED_ELEMENTS or len(node.text or "") > _MAX_EXPLAINED_TEXT:
            return False
    return count > 0


def _explained(root: Any, edition: Edition) -> tuple[Violation, ...]:
    import xmlschema  # noqa: PLC0415 - 180 ms, and seldom needed

    found = []
    try:
        for error in _explainer(edition).iter_errors(root):
            path = str(error.path or "/").replace("{urn:ieee:std:2030.5:ns}", "")
            text = f"{wiretext.shorten(path, 160)}: {_plain(str(error.reason))}"
            found.append(Violation(text, _line_of(error)))
            if len(found) >= MAX_VIOLATIONS:
                break
    except xmlschema.XMLSchemaException as error:
        # E.g. an xsi:type that no schema knows, which is raised and not told.
        found.append(Violation(f"/: {_plain(str(error))}", root.sourceline))
    return tuple(dict.fromkeys(found))


def _line_of(error: Any) -> int | None:
    """The line of the element that is wrong; of a child that is not expected rather than of its parent."""
    child = getattr(error, "invalid_child", None)
    line: int | None = error.sourceline if child is None else child.sourceline
    return line


def _in_libxml2s_words(root: Any, edition: Edition) -> tuple[Violation, ...]:
    judge = _compiled(edition)
    if judge.validate(root):
        return ()
    log: Any = judge.error_log  # the stubs do not know that it can be iterated
    entries = list(log)[:MAX_VIOLATIONS]
    found = (Violation(f"{each.path or '/'}: {_plain(each.message)}", each.line) for each in entries)
    return tuple(dict.fromkeys(found))


def _plain(text: str) -> str:
    """A validator's words without namespaces and without Python's own."""
    text = _NO_INT.sub(r"\1 is not a whole number", text.replace("{urn:ieee:std:2030.5:ns}", ""))
    return wiretext.one_line(text, 200)


class _InMemory(etree.Resolver):
    """Resolves imports among the generated schemas, without files."""

    def __init__(self, texts: dict[str, str]) -> None:
        self._texts = texts

    def resolve(self, system_url: str, public_id: str, context: Any) -> Any:  # type: ignore[override]  # noqa: ARG002
        # lxml passes the context too, whatever its stubs say.
        text = self._texts.get(system_url.rpartition("/")[2])
        # Nothing but our own: an empty schema in place of anything else.
        return self.resolve_string(text or "", context)  # type: ignore[call-arg]  # base_url is optional


@functools.cache
def _texts(edition: Edition) -> dict[str, str]:
    texts = {MAIN_LOCATION: xsd(edition)}
    for index, namespace in enumerate(namespaces()):
        texts[extension_location(index)] = extension_text(namespace, edition)
    return texts


@functools.cache
def _compiled(edition: Edition) -> etree.XMLSchema:
    if edition in _official:
        return etree.XMLSchema(file=str(_official[edition]))
    texts = _texts(edition)
    parser = etree.XMLParser(no_network=True, resolve_entities=False)
    parser.resolvers.add(_InMemory(texts))
    document = etree.fromstring(texts[MAIN_LOCATION], parser, base_url=MAIN_LOCATION)
    return etree.XMLSchema(document)


@functools.cache
def _explainer(edition: Edition) -> xmlschema.XMLSchema10:
    import xmlschema  # noqa: PLC0415 - see above

    if edition in _official:
        return xmlschema.XMLSchema10(str(_official[edition]))
    # All are handed over at once, so an import needs no place to look for them.
    texts: list[Any] = [_LOCATION.sub("", text) for text in _texts(edition).values()]
    return xmlschema.XMLSchema10(texts if len(texts) > 1 else texts[0])


def check_extensions(edition: Edition) -> None:
    """Compile the schemas with the registered extensions; PluginError if xmlschema refuses them."""
    import xmlschema  # noqa: PLC0415 - see above

    try:
        _explainer(edition)
        _ready.add(edition)
    except xmlschema.XMLSchemaException as error:
        raise PluginError(f"schema extensions: xmlschema refuses them: {_plain(str(error))}") from error
