"""Documents that are malformed, invalid, or valid in a way that is seldom seen."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from typing import Any

from lxml import etree

from dersim.http11 import Response
from dersim.utility.faults.actions import Action, Answer, Turn
from dersim.utility.faults.documents import NAMESPACE, Node, document, leaves, name_of, qualified, with_root

#: What `missing_required` takes away: required wherever they occur.
_REQUIRED = frozenset(
    {"mRID", "interval", "creationTime", "EventStatus", "primacy", "currentTime", "sFDI", "pIN", "quality"}
)
_LEVELS = 5_000
_DIGITS = 400


class XmlFlaw(Action):
    """One flaw in each document."""

    def __init__(self, data: dict[str, Any], number: int) -> None:
        self.words = self._flaw = data["flaw"]

    def after(self, turn: Turn, response: Response) -> Answer | None:
        """The flawed document."""
        root = document(response)
        if root is None:
            return None
        if self._flaw == "wrong_content_type":
            others = tuple(each for each in response.headers if each[0] != "content-type")
            return response._replace(headers=(*others, ("content-type", "text/plain")))
        if in_bytes := _IN_BYTES.get(self._flaw):
            return response._replace(body=in_bytes(response.body))
        _IN_TREE[self._flaw](root)
        return with_root(response, root)


def _doctype(body: bytes) -> bytes:
    root = etree.fromstring(body)
    return f'<!DOCTYPE {name_of(root)} [<!ENTITY planted "fault">]>\n'.encode() + body


def _utf16(body: bytes) -> bytes:
    return ('<?xml version="1.0" encoding="UTF-16"?>' + body.decode()).encode("utf-16")


_IN_BYTES: Mapping[str, Callable[[bytes], bytes]] = {
    "truncated": lambda body: body[: len(body) * 2 // 3],
    "wrong_namespace": lambda body: body.replace(NAMESPACE.encode(), b"urn:example:another"),
    "no_namespace": lambda body: body.replace(f' xmlns="{NAMESPACE}"'.encode(), b""),
    "bom": lambda body: b"\xef\xbb\xbf" + body,
    "utf16": _utf16,
    # Latin-1 in a document that does not say so.
    "wrong_encoding": lambda body: body.replace(b"</", b"\xe9</", 1),
    "doctype": _doctype,
    "empty_body": lambda _: b"",
    "html": lambda _: b"<!DOCTYPE html><html><body><h1>It works!</h1></body></html>",
    "json": lambda _: b'{"error": null}',
    "nul_bytes": lambda body: body.replace(b"</", b"\x00</", 1),
}


def _unknown_elements(root: Node) -> None:
    for node in [root, *root]:
        node.insert(0, etree.Element(qualified("plantedElement"), plantedAttribute="1"))
        etree.SubElement(node, "{urn:example:vendor}extension").text = "42"


def _wrong_order(root: Node) -> None:
    for node in list(root.iter()):
        if not name_of(node).endswith("List"):
            node[:] = reversed(node[:])


def _missing_required(root: Node) -> None:
    for node in [node for node in root.iter() if name_of(node) in _REQUIRED]:
        if (parent := node.getparent()) is not None:
            parent.remove(node)
    root.attrib.pop("all", None)


def _with_numbers(text: str) -> Callable[[Node], None]:
    def change(root: Node) -> None:
        for node in leaves(root):
            if name_of(node) != "mRID" and (node.text or "").lstrip("-").isdigit():
                node.text = text

    return change


def _duplicate_elements(root: Node) -> None:
    for node in list(leaves(root)):
        node.addnext(copy.deepcopy(node))


def _wrong_root(root: Node) -> None:
    root.tag = qualified("Error" if name_of(root) != "Error" else "Time")


def _too_deep(root: Node) -> None:
    node = root
    for _ in range(_LEVELS):
        node = etree.SubElement(node, qualified("description"))


_IN_TREE: Mapping[str, Callable[[Node], None]] = {
    "unknown_elements": _unknown_elements,
    "wrong_order": _wrong_order,
    "missing_required": _missing_required,
    "bad_number": _with_numbers("many"),
    "huge_number": _with_numbers("9" * _DIGITS),
    "duplicate_elements": _duplicate_elements,
    "wrong_root": _wrong_root,
    "too_deep": _too_deep,
}
