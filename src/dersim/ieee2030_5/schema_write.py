"""The XSD of each edition, made from the declarations.

The schema accepts the same documents as the standard's own, for the types that are declared here (tests
validate many documents and mutants with both). Differences between the editions other than the members:

- 2018 allows only its own elements and attributes.
- 2023 allows any attribute on any type but the plain simple ones, foreign elements at the end of the type
  at the root of each hierarchy, and one element `<Type>_r2_3` at the end of each type, for later revisions.
- In 2018 an element that a plug-in registers is a reference at the end of the types that may have it; in 2023
  the wildcard is lax, and the plug-in's elements are validated because their namespace is imported.
"""

from __future__ import annotations

from collections.abc import Iterable

from dersim.ieee2030_5 import extensions
from dersim.ieee2030_5.declare import NAMES, TYPES, Member, Simple, TypeInfo
from dersim.ieee2030_5.edition import NAMESPACE, Edition
from dersim.ieee2030_5.resources import Link, ListLink

_XS = "http://www.w3.org/2001/XMLSchema"
_ANY_ATTRIBUTE = '<xs:anyAttribute processContents="lax"/>'
_ANY_OTHER = '<xs:any namespace="##other" processContents="lax" minOccurs="0" maxOccurs="unbounded"/>'
_BUILT_IN = {"boolean", "anyURI"}

#: The location of the main schema in those of the extensions, and of theirs in it.
MAIN_LOCATION = "dersim-2030.5.xsd"


def extension_location(index: int) -> str:
    """The name under which the schema of the index-th foreign namespace is imported."""
    return f"dersim-extension-{index}.xsd"


def namespaces() -> list[str]:
    """The namespaces of the registered extensions, in order."""
    return list(dict.fromkeys(ext.declared.namespace for ext in extensions.registered()))


class SchemaWriter:
    """Writes the XSD of one edition; `text()` is the whole."""

    def __init__(self, edition: Edition) -> None:
        self._old = edition is Edition.E2018
        self._simple: dict[str, str] = {}
        self._links: dict[str, str] = {}

    def text(self) -> str:
        """The main schema."""
        infos = [info for info in TYPES.values() if self._exists(info)]
        body = [self._complex(info) for info in infos]
        body += [self._root(info) for info in infos if info.root]
        for ext in extensions.registered():
            for simple in (ext.simple, *(each for _, each in ext.members)):
                if simple is not None:
                    self._simple_name(simple)
        if not self._old:
            body.append(
                '<xs:complexType name="Revision2_3Type"><xs:sequence>'
                '<xs:any namespace="##targetNamespace" processContents="lax" maxOccurs="unbounded"/>'
                f"</xs:sequence>{_ANY_ATTRIBUTE}</xs:complexType>"
                '<xs:simpleType name="SEPVersion"><xs:restriction base="xs:string">'
                '<xs:pattern value="[1-9][0-9]{0,2}\\.(0|[1-9][0-9]{0,2})"/></xs:restriction></xs:simpleType>'
            )
        prefixes = "".join(f" xmlns:e{i}={_quoted(ns)}" for i, ns in enumerate(namespaces()))
        imports = "".join(
            f'<xs:import namespace={_quoted(ns)} schemaLocation="{extension_location(i)}"/>'
            for i, ns in enumerate(namespaces())
        )
        return _document(NAMESPACE, prefixes, [imports, *self._simple.values(), *self._links.values(), *body])

    def _exists(self, info: TypeInfo) -> bool:
        return not self._old or not (info.since_2023 or info.name_2018 != info.name)

    def _type_name(self, member: Member) -> str:
        if member.simple is not None:
            return self._simple_name(member.simple)
        if member.cls in (Link, ListLink):
            return self._link_name(member.name, TYPES[member.cls])
        info = TYPES[member.cls]  # type: ignore[index]  # a member is simple or complex
        return info.name_2018 if self._old else info.name

    def _link_name(self, name: str, base: TypeInfo) -> str:
        inner = f"<xs:sequence>{self._revision(name)}</xs:sequence>"
        self._links[name] = _extension_type(name, base.name, inner + self._any_attribute())
        return name

    def _simple_name(self, simple: Simple) -> str:
        if simple.name in _BUILT_IN:
            return f"xs:{simple.name}"
        if simple.of is None:
            self._simple.setdefault(simple.name, _simple_type(simple.name, simple))
            return simple.name
        self._simple.setdefault(simple.of, _simple_type(simple.of, simple))
        content = f'<xs:extension base="{simple.of}">{self._any_attribute()}</xs:extension>'
        self._simple.setdefault(simple.name, _simple_content(simple.name, content))
        if simple.control is None or self._old:
            return simple.name
        disabled = '<xs:attribute name="disabled" type="xs:boolean"/>' + _ANY_ATTRIBUTE
        content = f'<xs:extension base="{simple.name}">{disabled}</xs:extension>'
        self._simple.setdefault(simple.control, _simple_content(simple.control, content))
        return simple.control

    def _any_attribute(self) -> str:
        return "" if self._old else _ANY_ATTRIBUTE

    def _revision(self, name: str) -> str:
        return "" if self._old else f'<xs:element name="{name}_r2_3" type="Revision2_3Type" minOccurs="0"/>'

    def _base_and_own(self, info: TypeInfo) -> tuple[TypeInfo | None, tuple[Member, ...]]:
        """The base to extend and the members beyond it: in 2018 further up, where a base says too much."""
        base, own = info.base, info.own
        while self._old and base is not None and any(m.name in info.not_in_2018 for m in base.members):
            own, base = base.own + own, base.base
        return base, tuple(member for member in own if info.has(member, self._old))

    def _complex(self, info: TypeInfo) -> str:
        base, own = self._base_and_own(info)
        elements = "".join(self._element(member) for member in own if not member.attribute)
        elements += self._revision(info.name)
        if self._old:
            # In the order of registration, which the plug-in chose.
            elements += "".join(
                f'<xs:element ref="e{namespaces().index(ext.declared.namespace)}:{ext.declared.element}"'
                ' minOccurs="0"/>'
                for ext in extensions.children_of(info.name)
            )
        elif base is None:
            elements += _ANY_OTHER
        inner = f"<xs:sequence>{elements}</xs:sequence>"
        inner += "".join(self._attribute(member) for member in own if member.attribute)
        inner += self._any_attribute()
        if base is None:
            return f'<xs:complexType name="{info.name}">{inner}</xs:complexType>'
        return _extension_type(info.name, base.name, inner)

    def _attribute(self, member: Member) -> str:
        use = ' use="required"' if member.low else ""
        return f'<xs:attribute name="{member.name}" type="{self._type_name(member)}"{use}/>'

    def _element(self, member: Member) -> str:
        high = "unbounded" if member.high is None else member.high
        occurs = (f' minOccurs="{member.low}"' if member.low != 1 else "") + (
            f' maxOccurs="{high}"' if high != 1 else ""
        )
        empty = (
            f' default="{self._empty(member)}"' if member.empty_means is not None and not self._old else ""
        )
        return f'<xs:element name="{member.name}" type="{self._type_name(member)}"{occurs}{empty}/>'

    @staticmethod
    def _empty(member: Member) -> str:
        is_hex = member.simple is not None and member.simple.kind == "hex_int"
        return f"0{member.empty_means}" if is_hex else str(member.empty_means)

    def _root(self, info: TypeInfo) -> str:
        if self._old:
            return f'<xs:element name="{info.name}" type="{info.name}"/>'
        return (
            f'<xs:element name="{info.name}"><xs:complexType><xs:complexContent>'
            f'<xs:extension base="{info.name}"><xs:attribute name="schemaVer" type="SEPVersion"/>'
            "</xs:extension></xs:complexContent></xs:complexType></xs:element>"
        )


def extension_text(namespace: str, edition: Edition) -> str:
    """The schema of one foreign namespace: its elements as globals, of the standard's types."""
    writer = SchemaWriter(edition)
    elements = []
    for ext in extensions.registered():
        if ext.declared.namespace != namespace:
            continue
        if ext.members:
            elements.append(_with_members(ext, writer, edition))
            continue
        if ext.simple is not None:
            name = writer._simple_name(ext.simple)
        else:
            name = NAMES[ext.declared.wire_type].name
        elements.append(f'<xs:element name="{ext.declared.element}" type="{_qualified(name)}"/>')
    imported = f'<xs:import namespace="{NAMESPACE}" schemaLocation="{MAIN_LOCATION}"/>'
    return _document(namespace, f' xmlns:sep="{NAMESPACE}"', [imported, *elements])


def _with_members(ext: extensions.Extension, writer: SchemaWriter, edition: Edition) -> str:
    """An element with children of its own: a Resource's href, then one of each member."""
    children = "".join(
        f'<xs:element name="{name}" type="{_qualified(writer._simple_name(simple))}"/>'
        for name, simple in ext.members
    )
    any_attribute = _ANY_ATTRIBUTE if edition is Edition.E2023 else ""
    return (
        f'<xs:element name="{ext.declared.element}"><xs:complexType><xs:sequence>{children}</xs:sequence>'
        f'<xs:attribute name="href" type="xs:anyURI"/>{any_attribute}</xs:complexType></xs:element>'
    )


def _qualified(name: str) -> str:
    return name if name.startswith("xs:") else f"sep:{name}"


def _quoted(text: str) -> str:
    escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace('"', "&quot;")
    return f'"{escaped}"'


def _document(namespace: str, prefixes: str, body: Iterable[str]) -> str:
    return (
        f'<xs:schema xmlns:xs="{_XS}" xmlns={_quoted(namespace)}{prefixes} '
        f'targetNamespace={_quoted(namespace)} elementFormDefault="qualified">{"".join(body)}</xs:schema>'
    )


def _extension_type(name: str, base: str, inner: str) -> str:
    return (
        f'<xs:complexType name="{name}"><xs:complexContent><xs:extension base="{base}">{inner}'
        "</xs:extension></xs:complexContent></xs:complexType>"
    )


def _simple_content(name: str, content: str) -> str:
    return f'<xs:complexType name="{name}"><xs:simpleContent>{content}</xs:simpleContent></xs:complexType>'


def _simple_type(name: str, simple: Simple) -> str:
    facets = ""
    if simple.kind in ("hex_int", "hex_text"):
        facets = f'<xs:maxLength value="{simple.octets}"/>'
    elif simple.length is not None:
        facets = f'<xs:maxLength value="{simple.length}"/>'
    elif simple.kind == "int":
        facets = f'<xs:minInclusive value="{simple.low}"/><xs:maxInclusive value="{simple.high}"/>'
    restriction = f'<xs:restriction base="xs:{simple.xsd}">{facets}</xs:restriction>'
    return f'<xs:simpleType name="{name}">{restriction}</xs:simpleType>'
