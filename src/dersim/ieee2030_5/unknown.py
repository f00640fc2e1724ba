"""A document as the schema wants it: without what nobody declares, and with the counts of a posted list.

Elements and attributes that neither the standard nor a plug-in declares are taken out and told. A posted list
may leave out `all` and `results`, which count what a server has: they are filled in and told.
"""

from __future__ import annotations

from typing import Any

from lxml import etree

from dersim.ieee2030_5 import extensions
from dersim.ieee2030_5.declare import NAMES, TYPES, TypeInfo
from dersim.ieee2030_5.edition import NAMESPACE, XSI
from dersim.ieee2030_5.wiretext import shorten

_PARSER = etree.XMLParser(
    resolve_entities=False, no_network=True, load_dtd=False, remove_comments=True, remove_pis=True
)
_XSI_TYPE = f"{{{XSI}}}type"
_XML = "http://www.w3.org/XML/1998/namespace"
_COUNTS = ("all", "results")


def repaired(body: bytes) -> tuple[bytes, tuple[str, ...]]:
    """The repaired document, and a text with the path of each thing that was wrong.

    A body that cannot be parsed, or whose root is not known, is returned as it is.
    """
    try:
        root: Any = etree.fromstring(body, _PARSER)
    except (etree.XMLSyntaxError, ValueError):
        return body, ()
    name = etree.QName(root)
    info = NAMES.get(name.localname)
    if info is None or name.namespace != NAMESPACE:
        return body, ()
    found: list[str] = []
    _strip(root, info, f"/{info.name}", found)
    _fill_counts(root, info, found)
    return etree.tostring(root), tuple(found)


def _fill_counts(root: Any, info: TypeInfo, found: list[str]) -> None:
    items = {f"{{{NAMESPACE}}}{member.name}" for member in info.elements if member.repeated}
    for name in (m.name for m in info.attributes if m.low and m.name in _COUNTS):
        if name not in root.attrib:
            root.set(name, str(sum(child.tag in items for child in root)))
            found.append(f"/{info.name}/@{name} is missing: the number of items is taken")


def _strip(node: Any, info: TypeInfo, path: str, found: list[str]) -> None:
    derived = NAMES.get(node.get(_XSI_TYPE, "").strip().rpartition(":")[2])
    info = derived or info
    members = {member.name: member for member in info.elements}
    _strip_attributes(node, {"schemaVer", *(member.name for member in info.attributes)}, path, found)
    for child in list(node):
        name = etree.QName(child)
        member = members.get(name.localname) if name.namespace == NAMESPACE else None
        if member is not None:
            at = f"{path}/{member.name}"
            if member.cls is not None:
                _strip(child, TYPES[member.cls], at, found)
            else:
                _strip_attributes(child, {"disabled"}, at, found)
        elif extensions.find(name.namespace or "", name.localname) is None:
            namespace = shorten(name.namespace or "(none)")
            found.append(f"{path}/{shorten(name.localname)} of {namespace} is not known")
            node.remove(child)


def _strip_attributes(node: Any, known: set[str], path: str, found: list[str]) -> None:
    for text in [each for each in node.attrib if each not in known]:
        name = etree.QName(text)
        if name.namespace in (XSI, _XML):
            continue
        of = f" of {shorten(name.namespace)}" if name.namespace else ""
        found.append(f"{path}/@{shorten(name.localname)}{of} is not known")
        del node.attrib[text]
