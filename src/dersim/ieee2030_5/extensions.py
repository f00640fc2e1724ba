"""Elements of foreign namespaces that plug-ins have declared, e.g. CSIP-AUS's opModExpLimW.

A declared extension gets reader, writer and schema like the standard's own members; its value is found in the
`extra` slot of its resource. Register extensions at start-up: all compiled readers, writers and schemas are
dropped.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, NamedTuple, get_args, get_origin

from dersim.errors import PluginError
from dersim.ieee2030_5 import resources
from dersim.ieee2030_5.declare import NAMES, Simple
from dersim.ieee2030_5.edition import NAMESPACE
from dersim.ieee2030_5.resources import simple as simple_types
from dersim.modes import ModeSpec


@dataclass(frozen=True, slots=True)
class SchemaExtension:
    """A foreign element of 2030.5 documents: its namespace, name, parents and mode.

    See docs/plugins.md. `parents` are names of 2030.5 types, e.g. "DERControlBase". An element that the DER
    sends in its DERCapability or DERSettings has no mode but `tell`, a function of the modes that the DER
    supports, or `report`, a function of its `Device`; each returns the value on the wire (of a quantity
    such as WattHour the number alone will do), or None to leave the element out.

    members: of an element with children of its own, the simple wire type of each by name, in their order;
    `wire_type` is then "", and its value a mapping by those names, and "href". document: it may be the root
    of a document, as of a resource that the standard does not have.
    """

    namespace: str
    element: str
    parents: tuple[str, ...]
    mode: ModeSpec | None
    wire_type: str
    tell: Callable[[frozenset[str]], Any] | None = None
    report: Callable[[Any], Any] | None = None
    members: Mapping[str, str] = field(default_factory=dict, hash=False)
    document: bool = False


class Extension(NamedTuple):
    """A registered extension with its wire type resolved: exactly one of `simple`, `cls`, `members` is set.

    owner: the plug-in that declared it, "" where it is not known.
    """

    declared: SchemaExtension
    simple: Simple | None
    cls: type | None
    owner: str = ""
    members: tuple[tuple[str, Simple], ...] = ()


#: By (namespace, element).
_registered: dict[tuple[str, str], Extension] = {}
_on_change: list[Callable[[], None]] = []


def simple_type(name: str) -> Simple | None:
    """The simple type of the standard with that name, e.g. "PerCent"."""
    alias = getattr(simple_types, {"boolean": "Boolean", "anyURI": "AnyURI"}.get(name, name), None)
    if get_origin(alias) is not Annotated:
        return None
    return next((mark for mark in get_args(alias) if isinstance(mark, Simple)), None)


def register(extension: SchemaExtension, owner: str = "") -> None:
    """Register an extension of plug-in `owner`; PluginError if it is there already or its type is unknown."""
    key = (extension.namespace, extension.element)
    where = f"schema extension {extension.element!r} of {extension.namespace!r}"
    if extension.namespace in ("", NAMESPACE):
        raise PluginError(f"{where}: an extension needs a namespace of its own")
    if key in _registered and _registered[key].declared != extension:
        raise PluginError(f"{where}: registered twice, differently")
    for parent in extension.parents:
        if parent not in NAMES:
            raise PluginError(f"{where}: parent {parent!r} is not a type of dersim.ieee2030_5.resources")
    members = tuple((name, _simple(where, wire)) for name, wire in extension.members.items())
    if members and extension.wire_type:
        raise PluginError(f"{where}: give either a wire type or members")
    simple = simple_type(extension.wire_type)
    cls = None if simple or members else getattr(resources, extension.wire_type, None)
    if simple is None and cls is None and not members:
        raise PluginError(
            f"{where}: wire type {extension.wire_type!r} is neither a simple type nor a resource"
        )
    resolved = Extension(extension, simple, cls, owner, members)
    if _registered.get(key) != resolved:
        _registered[key] = resolved
        _changed()


def _simple(where: str, wire_type: str) -> Simple:
    simple = simple_type(wire_type)
    if simple is None:
        raise PluginError(f"{where}: wire type {wire_type!r} of a member is not a simple type")
    return simple


def unregister(extension: SchemaExtension) -> None:
    """Forget an extension again (for tests, and for plug-ins that are unloaded)."""
    _registered.pop((extension.namespace, extension.element), None)
    _changed()


def find(namespace: str, element: str) -> Extension | None:
    """The registered extension of that name, if any."""
    return _registered.get((namespace, element))


def registered() -> tuple[Extension, ...]:
    """All registered extensions in the order of their registration."""
    return tuple(_registered.values())


def children_of(type_name: str) -> tuple[Extension, ...]:
    """The extensions that are children of the type of that name."""
    return tuple(ext for ext in _registered.values() if type_name in ext.declared.parents)


def on_change(forget: Callable[[], None]) -> None:
    """Call `forget` whenever the set of extensions changes."""
    _on_change.append(forget)


def _changed() -> None:
    for forget in _on_change:
        forget()
