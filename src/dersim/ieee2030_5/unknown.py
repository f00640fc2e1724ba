"""A document without the elements that neither the standard nor a plug-in declares, and a list of those."""

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


def without_unknown(body: bytes) -> tuple[bytes, tuple[str, ...]]:
    """The document without unknown elements, and one text for each: its path, name and namespace.

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
    return etree.tostring(root), tuple(found)


def _strip(node: Any, info: TypeInfo, path: str, found: list[str]) -> None:
    derived = NAMES.get(node.get(_XSI_TYPE, "").strip().rpartition(":")[2])
    members = {member.name: member for member in (derived or info).elements}
    for child in list(node):
        name = etree.QName(child)
        member = members.get(name.localname) if name.namespace == NAMESPACE else None
        if member is not None:
            if member.cls is not None:
                _strip(child, TYPES[member.cls], f"{path}/{member.name}", found)
        elif extensions.find(name.namespace or "", name.localname) is None:
            namespace = shorten(name.namespace or "(none)")
            found.append(f"{path}/{shorten(name.localname)} of {namespace} is not known")
            node.remove(child)
