"""Read and write the head-end's own documents as XML elements, to change them where no schema would."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from lxml import etree

from dersim.http11 import Response
from dersim.ieee2030_5 import MEDIA_TYPE

NAMESPACE = "urn:ieee:std:2030.5:ns"
Node = Any  # etree._Element: lxml names it privately


def document(response: Response) -> Node | None:
    """The root element of a 200 with a 2030.5 document.

    None for other responses, and for a document that another fault has made malformed.
    """
    if response.status != 200 or response.header("content-type") != MEDIA_TYPE or not response.body:
        return None
    try:
        return etree.fromstring(response.body, _PARSER)
    except etree.XMLSyntaxError:
        return None


_PARSER = etree.XMLParser(resolve_entities=False, no_network=True)


def with_root(response: Response, root: Node) -> Response:
    """The response with another document."""
    return response._replace(body=etree.tostring(root))


def whole(text: str | None) -> int:
    """A whole number of the head-end's; 0 for what another fault has put in its place."""
    try:
        return int(text or 0)
    except ValueError:
        return 0


def name_of(node: Node) -> str:
    """The name of an element without its namespace."""
    return str(etree.QName(node).localname)


def qualified(name: str) -> str:
    """The name of an element of 2030.5 as lxml wants it."""
    return f"{{{NAMESPACE}}}{name}"


def leaves(root: Node) -> Iterator[Node]:
    """The elements that hold text."""
    return (node for node in root.iter(f"{{{NAMESPACE}}}*") if not len(node) and node.text)


def is_list(root: Node) -> bool:
    """Whether it is a list, with counts."""
    return name_of(root).endswith("List") and "all" in root.attrib
