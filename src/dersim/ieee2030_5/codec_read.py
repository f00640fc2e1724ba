"""XML -> resource, in two ways, both driven by the declarations.

`trusting(cls)` is for a document that a schema has accepted: it looks every element up by its tag and
converts, and that is all. It is on the path of every poll.

`Lenient` is for the rest: documents that the schema refused, or that no schema has seen. It accepts any
order, ignores unknown elements and attributes, and takes a missing required member at the value that its
declaration names (`IfMissing`). Each departure is noted. What cannot be read is never guessed: an optional
member is left out, an item of a list is left out where a required member cannot be read, and anywhere else
the document is refused. A DERControlBase is all or nothing: an event whose limit was garbled must not act as
an event without limit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any, cast

from lxml import etree

from dersim.errors import RemoteProtocolError
from dersim.ieee2030_5 import extensions, wiretext
from dersim.ieee2030_5.declare import NAMES, NO_DEFAULT, TYPES, Extra, Member, Simple, TypeInfo
from dersim.ieee2030_5.edition import NAMESPACE, XSI
from dersim.ieee2030_5.resources import DERControlBase, Disabled, List, SubscribableList

Node = Any  # etree._Element: lxml names it privately
Reader = Callable[[Node], Any]

_NS = f"{{{NAMESPACE}}}"
_XSI_TYPE = f"{{{XSI}}}type"
#: Foreign elements that are kept of one element; no extension has ten.
MAX_EXTRAS = 256
_MRID = f"{_NS}mRID"
#: Where an mRID is looked for: among the first elements, since a list may have thousands.
_HEAD_ELEMENTS = 8
_TRUE = ("true", "1")

_readers: dict[type, Reader] = {}
extensions.on_change(_readers.clear)


def trusting(cls: type) -> Reader:
    """The reader of `cls` for elements that a schema has accepted."""
    reader = _readers.get(cls)
    if reader is None:
        reader = _readers[cls] = _compile(TYPES[cls])
    return reader


def _compile(info: TypeInfo) -> Reader:
    is_leaf = {m.name: m.simple is not None and m.simple.control is None for m in info.elements}
    leaves = {_NS + m.name: (m.name, _leaf(m)) for m in info.elements if is_leaf[m.name]}
    branches = {_NS + m.name: (m.name, m.repeated, _branch(m)) for m in info.elements if not is_leaf[m.name]}
    converters = {m.name: wiretext.trusting(m.simple) for m in info.attributes if m.simple}
    repeated = [*(m.name for m in info.elements if m.repeated), "extra"]
    cls: Any = info.cls
    find_leaf, find_branch, find_converter = leaves.get, branches.get, converters.get

    def read(node: Node) -> Any:
        values: dict[str, Any] = {}
        if converters:
            for name, text in node.items():
                if convert := find_converter(name):
                    values[name] = convert(text)
        for child in node:
            tag = child.tag
            if leaf := find_leaf(tag):
                values[leaf[0]] = leaf[1](child.text)
            elif branch := find_branch(tag):
                if branch[1]:
                    values.setdefault(branch[0], []).append(branch[2](child))
                else:
                    values[branch[0]] = branch[2](child)
            elif not tag.startswith(_NS):
                _keep_extra(values, child)
        for name in repeated:
            if name in values:
                values[name] = tuple(values[name])
        return cls(**values)

    return read


def _leaf(member: Member) -> Callable[[Any], Any]:
    """From the element's text (None if empty) to the value."""
    convert = wiretext.trusting(cast(Simple, member.simple))
    if member.empty_means is None:
        return convert
    empty = member.empty_means
    return lambda text: convert(text or empty)


def _branch(member: Member) -> Reader:
    if member.simple is not None:
        return _control(member.simple)
    declared = cast(type, member.cls)
    plain = trusting(declared)
    if not any(info.base is TYPES[declared] for info in TYPES.values()):
        return plain

    def read(node: Node) -> Any:
        derived = _derived(node, declared)
        return plain(node) if derived is None else trusting(derived)(node)

    return read


def _control(simple: Simple) -> Reader:
    convert = wiretext.trusting(simple)

    def read(node: Node) -> Any:
        value = convert(node.text)
        return Disabled(value) if node.get("disabled", "").strip() in _TRUE else value

    return read


def _derived(node: Node, declared: type) -> type | None:
    """The class that xsi:type names, if it is derived from the declared one."""
    text = node.get(_XSI_TYPE)
    if text is None:
        return None
    prefix, _, name = text.strip().rpartition(":")
    if node.nsmap.get(prefix or None) != NAMESPACE or name not in NAMES:
        return None
    cls = NAMES[name].cls
    return cls if issubclass(cls, declared) else None


def _extra(node: Node) -> Extra:
    """A foreign element; one that a plug-in has registered is parsed, any other kept as XML."""
    name = etree.QName(node)
    namespace = name.namespace or ""
    extension = extensions.find(namespace, name.localname)
    if extension is None:
        # Exclusive canonical form: complete by itself, without the namespaces of the surrounding document.
        xml = etree.tostring(node, method="c14n", exclusive=True, with_tail=False)
        return Extra(namespace, name.localname, xml.decode())
    value: Any
    if extension.members:
        value = _of_members(node, namespace, dict(extension.members))
    elif extension.cls is not None:
        value = Lenient().resource(node, extension.cls, name.localname)
    else:
        value = Lenient().simple(cast(Simple, extension.simple), node, name.localname)
    return Extra(namespace, name.localname, value)


def _of_members(node: Node, namespace: str, members: dict[str, Simple]) -> dict[str, Any]:
    """The children of an element with members of its own, by name, and its `href`; a double is refused."""
    found: dict[str, Any] = {} if node.get("href") is None else {"href": node.get("href")}
    for child in node:
        name = etree.QName(child)
        if name.namespace != namespace or name.localname not in members:
            continue
        if name.localname in found:
            raise RemoteProtocolError(f"{name.localname}: is given twice")
        found[name.localname] = Lenient().simple(members[name.localname], child, name.localname)
    return found


def foreign_document(root: Node) -> Extra | None:
    """The resource of a plug-in that this document is; None where no plug-in has declared it."""
    name = etree.QName(root)
    extension = extensions.find(name.namespace or "", name.localname)
    return _extra(root) if extension is not None and extension.declared.document else None


def _keep_extra(values: dict[str, Any], node: Node) -> None:
    extras = values.setdefault("extra", [])
    if len(extras) < MAX_EXTRAS:
        extras.append(_extra(node))


#: Never read in part: to lose a mode of a control could lose a limit.
_ALL_OR_NOTHING = (DERControlBase,)


def _may_be_left_out(info: TypeInfo, member: Member) -> bool:
    """Whether a resource is of use without this member, when it cannot be read."""
    if member.low or member.repeated or issubclass(info.cls, _ALL_OR_NOTHING):
        return False
    return member.cls is None or not issubclass(member.cls, _ALL_OR_NOTHING)


def _upwards(node: Node) -> Iterator[Node]:
    """The mRID elements of this element and of those around it, nearest first."""
    for each in (node, *node.iterancestors()):
        yield next((child for child in islice(each, _HEAD_ELEMENTS) if child.tag == _MRID), None)


class LeftOut(str):
    """A violation that cost a member, or an item of a list (`is_item`); names the mRID where there is one."""

    __slots__ = ("is_item",)
    is_item: bool

    def __new__(cls, text: str, *, is_item: bool = False) -> LeftOut:
        """As str, with `is_item`."""
        self = super().__new__(cls, text)
        self.is_item = is_item
        return self


class Lenient:
    """Reads what can be read.

    repairs: path and reason of what was taken by default, or left out (`LeftOut`). notes: of what was kept
    although it is not valid (a schema, where one was asked, has reported those already).
    """

    def __init__(self) -> None:
        self.notes: list[str] = []
        self.repairs: list[str] = []

    def resource(self, node: Node, cls: type, path: str) -> Any:
        """Read an element as `cls`; RemoteProtocolError where a required value cannot be had."""
        info = TYPES[_derived(node, cls) or cls]
        values: dict[str, Any] = {}
        self._attributes(node, info, values, path)
        self._children(node, info, values, path)
        values["extra"] = tuple(values.get("extra", ()))
        for member in info.members:
            if member.repeated:
                values[member.name] = tuple(values.get(member.name, ()))
            elif member.low and member.name not in values:
                values[member.name] = self._missing(info, member, values, path)
        return info.cls(**values)

    def simple(self, simple: Simple, node: Node, path: str, empty_means: str | None = None) -> Any:
        """Read an element's text."""
        if len(node):
            self.notes.append(f"{path}: elements where a value should be")
        text = node.text or ""
        if empty_means is not None and not text.strip():
            text = empty_means
        return self._text(simple, text, path)

    def _text(self, simple: Simple, text: str, path: str) -> Any:
        try:
            value, wrong = wiretext.read(simple, text)
        except ValueError as error:
            raise RemoteProtocolError(f"{path}: {error}") from None
        if wrong:
            self.notes.append(f"{path}: {wrong}")
        return value

    def _attributes(self, node: Node, info: TypeInfo, values: dict[str, Any], path: str) -> None:
        known = {member.name: member for member in info.attributes}
        for name, text in node.items():
            member = known.get(name)
            if member is None or member.simple is None:
                continue
            try:
                values[name] = self._text(member.simple, text, f"{path}/@{name}")
            except RemoteProtocolError as error:
                if member.low or info.cls in _ALL_OR_NOTHING:
                    raise
                self._leave_out(error, "attribute", node)

    def _children(self, node: Node, info: TypeInfo, values: dict[str, Any], path: str) -> None:
        known = {member.name: member for member in info.elements}
        counts: dict[str, int] = {}
        for child in node:
            name = etree.QName(child)
            member = known.get(name.localname) if name.namespace == NAMESPACE else None
            if member is not None:
                counts[name.localname] = count = counts.get(name.localname, 0) + 1
                at = f"{path}/{name.localname}"
                at = f"{at}[{count}]" if member.repeated else at
                if _may_be_left_out(info, member):
                    self._optional_member(child, info, member, values, at)
                else:
                    self._member(child, info, member, values, at)
            elif name.namespace != NAMESPACE:
                self._foreign(child, info, values)
            else:
                self.notes.append(f"{path}: {wiretext.shorten(name.localname)} is not known here")
                _keep_extra(values, child)

    def _optional_member(
        self, node: Node, info: TypeInfo, member: Member, values: dict[str, Any], path: str
    ) -> None:
        try:
            self._member(node, info, member, values, path)
        except RemoteProtocolError as error:
            values.pop(member.name, None)
            self._leave_out(error, "element", node)

    def _foreign(self, node: Node, info: TypeInfo, values: dict[str, Any]) -> None:
        try:
            _keep_extra(values, node)
        except RemoteProtocolError as error:
            if issubclass(info.cls, _ALL_OR_NOTHING):
                raise
            self._leave_out(error, "element", node)

    def _leave_out(self, error: RemoteProtocolError, what: str, node: Node) -> None:
        mrid = next((each.text for each in _upwards(node) if each is not None), None)
        of = f" of mRID {wiretext.shorten(mrid.strip())}" if mrid else ""
        self.repairs.append(LeftOut(f"{error}; this {what}{of} is left out", is_item=what == "item"))

    def _member(self, node: Node, info: TypeInfo, member: Member, values: dict[str, Any], path: str) -> None:
        if member.cls is None:
            value = self.simple(cast(Simple, member.simple), node, path, member.empty_means)
            if member.simple and member.simple.control and node.get("disabled", "").strip() in _TRUE:
                value = Disabled(value)
        elif member.repeated and issubclass(info.cls, List | SubscribableList):
            try:
                value = self.resource(node, member.cls, path)
            except RemoteProtocolError as error:
                self._leave_out(error, "item", node)
                return
        else:
            value = self.resource(node, member.cls, path)
        if member.repeated:
            values.setdefault(member.name, []).append(value)
            return
        if member.name in values and values[member.name] != value:
            raise RemoteProtocolError(f"{path}: is given twice, with different values")
        values[member.name] = value

    def _missing(self, info: TypeInfo, member: Member, values: dict[str, Any], path: str) -> Any:
        where = f"{path}/{'@' if member.attribute else ''}{member.name}"
        if member.name in ("all", "results") and issubclass(info.cls, List | SubscribableList):
            count = sum(len(values.get(m.name, ())) for m in info.elements if m.repeated)
            self.repairs.append(f"{where}: is missing; {count}, the number of items, is taken")
            return count
        if member.if_missing is NO_DEFAULT:
            raise RemoteProtocolError(f"{where}: is missing")
        self.repairs.append(f"{where}: is missing; {member.if_missing} is taken")
        return member.if_missing
