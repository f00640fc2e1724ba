"""Elements of foreign namespaces that plug-ins have declared, e.g. CSIP-AUS's opModExpLimW.

A declared extension gets reader, writer and schema like the standard's own members; its value is found in the
`extra` slot of its resource. Register extensions at start-up: all compiled readers, writers and schemas are
dropped.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
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
    sends in its DERCapability or DERSettings has no mode but `tell`: a function of the modes that the DER
    supports; it returns the value on the wire, or None to leave the element out.
    """

    namespace: str
    element: str
    parents: tuple[str, ...]
    mode: ModeSpec | None
    wire_type: str
    tell: Callable[[frozenset[str]], Any] | None = None


class Extension(NamedTuple):
    """A registered extension with its wire type resolved: exactly one of `simple` and `cls` is set.

    owner: the plug-in that declared it, "" where it is not known.
    """

    declared: SchemaExtension
    simple: Simple | None
    cls: type | None
    owner: str = ""


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
    simple = simple_type(extension.wire_type)
    cls = None if simple else getattr(resources, extension.wire_type, None)
    if simple is None and cls is None:
        raise PluginError(
            f"{where}: wire type {extension.wire_type!r} is neither a simple type nor a resource"
        )
    _registered[key] = Extension(extension, simple, cls, owner)
    _changed()


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
