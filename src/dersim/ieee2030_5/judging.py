"""The verdict on a document as it went over the wire, for people: valid in which edition, and if not, where.

`brief` is cheap (libxml2, a tenth of a millisecond) and enough for a list. `judge` explains: it indents the
document, names the line of each violation, and tells what our reader drops or takes by default.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any, Literal, NamedTuple

from lxml import etree

from dersim.errors import RemoteProtocolError
from dersim.ieee2030_5 import codec, schema, wiretext
from dersim.ieee2030_5.edition import NAMESPACE, Edition

#: valid: in at least one edition. violations: can be read, but violates the schemas of both editions.
#: invalid: cannot be read as a 2030.5 document.
Word = Literal["valid", "violations", "invalid"]

_INDENTING = etree.XMLParser(
    resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, remove_blank_text=True
)
#: What the reader says of one document; more is counted.
MAX_NOTES = 100
#: Of a body that was within the limits, indented.
_NO_LIMIT = 1 << 30
_DECLARATION = re.compile(r"\s*<\?xml\b[^>]*\?>")
_BETWEEN_TAGS = re.compile(r">\s*<")
_STEP = re.compile(r"(\w+)(?:\[(\d+)\])?$")
_NOT_KNOWN = re.compile(r"(\w+) is not known here")


class Brief(NamedTuple):
    """What a list shows of a document. editions: those in which it is valid. resource: the root's name."""

    word: Word
    editions: tuple[Edition, ...] = ()
    resource: str = ""


class Finding(NamedTuple):
    """One thing that is wrong. line: in the indented text, from 1; None: it concerns the whole body."""

    line: int | None
    path: str
    message: str


class Judgement(NamedTuple):
    """A document with all that is wrong. text: indented, or as it came where it is no XML.

    nearest: the edition in which it is valid, or that it violates least; None for what is no 2030.5 document.
    violations: of the schema of that edition, at most `schema.MAX_VIOLATIONS`. reader: what our reader drops,
    takes by default, or keeps although it is not valid.
    """

    brief: Brief
    nearest: Edition | None
    text: str
    violations: tuple[Finding, ...] = ()
    reader: tuple[Finding, ...] = ()


@lru_cache(maxsize=512)
def _shared(word: Word, editions: tuple[Edition, ...], resource: str) -> Brief:
    return Brief(word, editions, resource)


def brief(body: bytes) -> Brief:
    """The verdict without its reasons."""
    try:
        root = codec.parsed(body)
        name = codec.document_name(root)
    except RemoteProtocolError:
        return _shared("invalid", (), "")
    return _brief(root, name, body)


def _brief(root: Any, name: str, body: bytes) -> Brief:
    if not codec.encoding_notes(root) and (editions := _accepting(root)):
        return _shared("valid", editions, name)
    return _shared("violations" if _refusal(body) is None else "invalid", (), name)


def _accepting(root: Any) -> tuple[Edition, ...]:
    return tuple(edition for edition in Edition if schema.accepts(root, edition))


def _refusal(body: bytes) -> str | None:
    """Why our reader refuses the document, None where it does not."""
    try:
        codec.decode(body, validation="off")
    except RemoteProtocolError as error:
        return str(error)
    return None


def judge(body: bytes) -> Judgement:
    """The verdict with all its reasons."""
    try:
        name = codec.document_name(codec.parsed(body))
    except RemoteProtocolError as error:
        return _no_document(body, str(error))
    text, root = _indented(body)
    summary = _brief(codec.parsed(body), name, body)
    if summary.word == "valid":
        nearest = Edition.E2023 if Edition.E2023 in summary.editions else Edition.E2018
        if len(summary.editions) > 1:
            nearest = _named(root)
        return Judgement(summary, nearest, text)
    nearest = min(Edition, key=lambda each: (schema.violation_count(root, each), each is not _named(root)))
    encoding = [Finding(1, "/", note.partition(": ")[2]) for note in codec.encoding_notes(codec.parsed(body))]
    against = [_finding(each, each.line) for each in schema.violations(root, nearest)]
    return Judgement(summary, nearest, text, _by_line(*encoding, *against), _by_line(*_read(body, root)))


def _by_line(*findings: Finding) -> tuple[Finding, ...]:
    return tuple(sorted(findings, key=lambda each: each.line or 0))


def _named(root: Any) -> Edition:
    """The edition that the root's schemaVer stands for."""
    return Edition.E2023 if root.get("schemaVer") is not None else Edition.E2018


def _read(body: bytes, root: Any) -> tuple[Finding, ...]:
    """What our reader makes of the document beside its resource."""
    try:
        notes = codec.decode(body, validation="off").violations
    except RemoteProtocolError as error:
        notes = (f"{error}; the document is refused",)
    notes = tuple(note for note in notes if not note.startswith("/: encoded in"))
    found = tuple(_located(note, root) for note in notes[:MAX_NOTES])
    more = len(notes) - len(found)
    return (*found, Finding(None, "/", f"{more} more like these")) if more else found


def _finding(text: str, line: int | None) -> Finding:
    path, colon, message = text.partition(": ")
    return Finding(line, path, message) if colon and path.startswith("/") else Finding(line, "/", text)


def _located(note: str, root: Any) -> Finding:
    found = _finding(note, None)
    node = _nearest_element(root, found.path)
    if unknown := _NOT_KNOWN.match(found.message):
        child = node.find(f"{{{NAMESPACE}}}{unknown[1]}")
        node = node if child is None else child
    return found._replace(line=node.sourceline)


def _nearest_element(root: Any, path: str) -> Any:
    """The element of a path, or the last of its ancestors that is there."""
    node = root
    for part in path.split("/")[2:]:
        step = _STEP.match(part)
        children = node.findall(f"{{{NAMESPACE}}}{step[1]}") if step else []
        index = int(step[2] or 1) if step else 1
        if len(children) < index:
            break
        node = children[index - 1]
    return node


def _indented(body: bytes) -> tuple[str, Any]:
    """A well-formed document indented, and its root whose elements know their lines in that text."""
    root: Any = etree.fromstring(body, _INDENTING)
    etree.indent(root, "  ")
    text = etree.tostring(root.getroottree(), encoding="unicode")
    declaration = _DECLARATION.match(body.decode("utf-8", "replace"))
    head = f"{declaration[0].strip()}\n" if declaration else ""
    lines = "\n" if head else ""
    return head + text, codec.parsed((lines + text).encode(), max_bytes=_NO_LIMIT)


def _no_document(body: bytes, why: str) -> Judgement:
    """What is no 2030.5 document; where it is no XML, with the line on which it breaks."""
    line: int | None = None
    text = _BETWEEN_TAGS.sub(">\n<", body.decode("utf-8", "replace"))
    try:
        etree.fromstring(body, _INDENTING)
        text, root = _indented(body)
        line = root.sourceline
    except etree.XMLSyntaxError:
        line, why = _break(text) or (None, why)
    except (RemoteProtocolError, ValueError):
        pass
    return Judgement(_shared("invalid", (), ""), None, text, (Finding(line, "/", why),))


def _break(text: str) -> tuple[int, str] | None:
    """Where a text stops being XML, and why, in the words of the parser."""
    try:
        etree.fromstring(text.encode(), _INDENTING)
    except etree.XMLSyntaxError as error:
        line = min(error.lineno or 1, text.count("\n") + 1)
        return line, f"the body is not well-formed XML: {wiretext.one_line(error.msg or 'damaged', 160)}"
    return None
