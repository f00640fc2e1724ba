"""XML document -> resource, with all checks; and back.

The checks, in this order: size; well-formed XML without DOCTYPE (no entity is ever expanded, no file or
network ever touched); the namespace; a known root element; the schema. A document that violates the schema
but can still be read is used, with what was wrong in `Decoded.violations`; `strict` refuses it. A refusal is
one line for the log.
"""

from __future__ import annotations

import re
from typing import Any, Literal, NamedTuple

from lxml import etree

from dersim.errors import RemoteProtocolError
from dersim.ieee2030_5 import codec_read, extensions, schema, wiretext
from dersim.ieee2030_5.declare import NAMES, Extra, TypeInfo
from dersim.ieee2030_5.edition import DRAFT_NAMESPACE, NAMESPACE, Edition

Validation = Literal["fast", "full", "off"]
Expected = type | tuple[type, ...] | None

#: The longest body that is accepted. Lists are paged; 50 EndDevices take 31 kB.
MAX_BYTES = 1 << 20
#: No resource has ten.
_MAX_ATTRIBUTES = 64
#: Of one element: 1 MB holds about 7,000 of the shortest EndDevices.
_MAX_CHILDREN = 8000
#: A body of fewer bytes is checked for a flood only where a schema has refused it.
_FLOOD_BYTES = 32 << 10
_QUOTED_NUMBER = re.compile(r"'[^']*\d[^']*'")

_PARSER = etree.XMLParser(
    resolve_entities=False,
    no_network=True,
    load_dtd=False,
    dtd_validation=False,
    huge_tree=False,
    remove_comments=True,
    remove_pis=True,
)


class Decoded(NamedTuple):
    """What was read, and what was wrong with it: each violation is a path and a reason, for the log.

    Violations that cost a member or an item are `codec_read.LeftOut`.
    """

    resource: Any
    violations: tuple[str, ...]


def decode(
    body: bytes,
    expected: Expected = None,
    *,
    validation: Validation = "fast",
    strict: bool = False,
    edition: Edition | None = None,
    max_bytes: int = MAX_BYTES,
) -> Decoded:
    """Read a document; one that a plug-in has declared is an `Extra`.

    expected: the class or classes that will do. validation: "fast" validates with libxml2 and explains with
    xmlschema, "full" validates with xmlschema, "off" uses no schema. strict: refuse what violates the schema.
    edition: whose schema; None takes that of 2023, which accepts the documents of both.

    RemoteProtocolError if the body is not XML, not 2030.5, not as expected, or required parts are missing.
    No message quotes a PIN.
    """
    try:
        decoded = _decode(body, expected, validation, edition, max_bytes, strict=strict)
    except RemoteProtocolError as error:
        raise RemoteProtocolError(_without_pin(str(error))) from None
    if decoded.violations:
        return decoded._replace(violations=tuple(map(_without_pin, decoded.violations)))
    return decoded


def _without_pin(message: str) -> str:
    return _QUOTED_NUMBER.sub("'masked'", message) if "pIN" in message else message


def _decode(
    body: bytes,
    expected: Expected,
    validation: Validation,
    edition: Edition | None,
    max_bytes: int,
    *,
    strict: bool,
) -> Decoded:
    root = parsed(body, max_bytes)
    foreign = codec_read.foreign_document(root)
    if foreign is not None:
        return _foreign(root, foreign, expected, validation, edition, strict=strict)
    info = _document(root)
    if expected is not None and not issubclass(info.cls, expected):
        wanted = expected if isinstance(expected, tuple) else (expected,)
        names = " or ".join(cls.__name__ for cls in wanted)
        raise RemoteProtocolError(f"the body is a {info.name}; {names} was expected")
    violations = encoding_notes(root)
    judged = _judging(root, edition)
    if validation == "fast" and schema.accepts(root, judged):
        if not violations:
            return Decoded(codec_read.trusting(info.cls)(root), ())
    else:
        _refuse_floods(root)
        if validation != "off":
            violations += schema.violations(root, judged)
    return _lenient(root, info, violations, strict=strict, told=validation != "off")


def _judging(root: Any, edition: Edition | None) -> Edition:
    """The edition whose schema judges: the given one, else that of 2023, which accepts the documents of both.

    But for elements of plug-ins, which 2018 has at the end of a type and 2023 at the end of its first base.
    """
    if edition is not None:
        return edition
    if extensions.registered() and not schema.accepts(root, Edition.E2023):
        return Edition.E2018 if schema.accepts(root, Edition.E2018) else Edition.E2023
    return Edition.E2023


def _foreign(
    root: Any,
    read: Extra,
    expected: Expected,
    validation: Validation,
    edition: Edition | None,
    *,
    strict: bool,
) -> Decoded:
    """A document of a plug-in: it is what was expected where `expected` allows an Extra."""
    if expected is not None and not issubclass(Extra, expected):
        raise RemoteProtocolError(f"the body is a {read.name} of {read.namespace}, which was not expected")
    _refuse_floods(root)
    wrong = encoding_notes(root)
    if validation != "off":
        wrong += schema.violations(root, edition or Edition.E2023)
    if strict and wrong:
        raise RemoteProtocolError(f"refused by strict reading: {wrong[0]}")
    return Decoded(read, wrong)


def _lenient(root: Any, info: TypeInfo, violations: tuple[str, ...], *, strict: bool, told: bool) -> Decoded:
    """told: the schema's violations are already reported, so that only ours are added."""
    if strict and violations:
        raise RemoteProtocolError(f"refused by strict reading: {violations[0]}")
    reader = codec_read.Lenient()
    resource = reader.resource(root, info.cls, f"/{info.name}")
    found = (*violations, *([] if told else reader.notes), *reader.repairs)
    if strict and found:
        raise RemoteProtocolError(f"refused by strict reading: {found[0]}")
    return Decoded(resource, found)


def parsed(body: bytes, max_bytes: int = MAX_BYTES) -> Any:
    """The root of a document that is safe to read; RemoteProtocolError for any other body."""
    if len(body) > max_bytes:
        raise RemoteProtocolError(f"the body has {len(body)} bytes; at most {max_bytes} are read")
    if not body.strip():
        raise RemoteProtocolError("the body is empty where a 2030.5 document should be")
    try:
        root = etree.fromstring(body, _PARSER)
    except (etree.XMLSyntaxError, ValueError) as error:
        if _is_html(body):
            raise RemoteProtocolError(_html_message(body)) from None
        why = error.msg if isinstance(error, etree.XMLSyntaxError) else str(error)
        raise RemoteProtocolError(
            f"the body is not well-formed XML: {wiretext.one_line(why or 'damaged', 160)}"
        ) from None
    if root is None:
        raise RemoteProtocolError("the body holds no XML element")
    if _is_html(body):
        raise RemoteProtocolError(_html_message(body))
    docinfo: Any = root.getroottree().docinfo
    if docinfo.doctype:
        raise RemoteProtocolError("the body has a DOCTYPE, which 2030.5 does not know; refused unread")
    if len(body) > _FLOOD_BYTES:
        _refuse_floods(root)
    return root


def _is_html(body: bytes) -> bool:
    head = body[:400].lstrip().lower()
    return head.startswith(b"<!doctype html") or b"<html" in head


def _html_message(body: bytes) -> str:
    text = wiretext.one_line(body[:400].decode("ascii", "replace"), 120)
    return f"the body is HTML, not a 2030.5 document: {text}"


def document_name(root: Any) -> str:
    """The name of a root element that we know; RemoteProtocolError for any other."""
    return _document(root).name


def _document(root: Any) -> TypeInfo:
    name = etree.QName(root)
    if name.namespace == DRAFT_NAMESPACE:
        raise RemoteProtocolError(
            f"the body is in the namespace {DRAFT_NAMESPACE} of the 2013 drafts; dersim speaks the editions "
            f"of 2018 and 2023 ({NAMESPACE})"
        )
    if name.namespace != NAMESPACE:
        what = (
            f"in the namespace {wiretext.shorten(name.namespace)!r}" if name.namespace else "in no namespace"
        )
        raise RemoteProtocolError(
            f"the body's root {wiretext.shorten(name.localname)!r} is {what}, not {NAMESPACE}"
        )
    info = NAMES.get(name.localname)
    if info is None or not info.root:
        raise RemoteProtocolError(f"{wiretext.shorten(name.localname)!r} is not a document that dersim knows")
    return info


def encoding_notes(root: Any) -> tuple[str, ...]:
    """A violation where the document is not in UTF-8."""
    encoding = root.getroottree().docinfo.encoding
    if encoding is None or encoding.upper() in ("UTF-8", "US-ASCII", "ASCII"):
        return ()
    return (f"/: encoded in {encoding}; 2030.5 documents are in UTF-8",)


def _refuse_floods(root: Any) -> None:
    """Validating a megabyte of attributes, or of broken items of one list, takes many seconds."""
    for node in root.iter():
        if len(node.attrib) > _MAX_ATTRIBUTES:
            raise RemoteProtocolError(f"an element has {len(node.attrib)} attributes; refused unread")
        if len(node) > _MAX_CHILDREN:
            raise RemoteProtocolError(
                f"an element has {len(node)} elements within; at most {_MAX_CHILDREN} are read"
            )
