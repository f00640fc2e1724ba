"""What a plug-in may add to dersim: seven hooks, each called once at start-up, in the order below.

A plug-in is a module (or an object) whose functions bear `@hookimpl`; it is found by the entry-point group
``dersim`` of its distribution. Hooks only *declare*: they return plain objects of `extension.py`, and those
objects run. No hook is called on the tick, for one call costs more than a whole step of a device. All are
plain functions; an ``async def`` hook is refused, since nobody would await it.

A plug-in may bear ``order: int`` (100 where absent): plug-ins are asked in rising order, then by name.
"""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import pluggy

if TYPE_CHECKING:
    from dersim.functions.contract import FunctionType
    from dersim.hardware.device_type import DeviceType
    from dersim.ieee2030_5.extensions import SchemaExtension
    from dersim.options import OptionParser
    from dersim.plugin.extension import FrontendType, Panel

PROJECT = "dersim"

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


@hookspec
def add_options(parser: OptionParser) -> None:
    """Add the plug-in's flags to `dersim sim`, as to an argparse parser; called before the flags are read."""


@hookspec
def register_device_types() -> Iterable[DeviceType]:  # type: ignore[empty-body]  # a specification
    """The kinds of machine that `--device_type` may name; called once the flags are known to be good."""


@hookspec
def register_control_functions() -> Iterable[FunctionType]:  # type: ignore[empty-body]  # a specification
    """The control functions, such as Volt-Var, of which every DER gets its own instances."""


@hookspec
def register_sunspec_models() -> Iterable[Mapping[str, Any]]:  # type: ignore[empty-body]  # a specification
    """SunSpec model definitions in the SunSpec Alliance's JSON form, served beside the standard ones."""


@hookspec
def register_schema_extensions() -> Iterable[SchemaExtension]:  # type: ignore[empty-body]  # a specification
    """Elements of a foreign namespace that the 2030.5 codec and schema shall know; judged by xmlschema."""


@hookspec
def register_frontends(options: Namespace) -> Iterable[FrontendType]:  # type: ignore[empty-body]  # a specification
    """The protocol front-ends that these options ask for; one switched off by its flag is left out."""


@hookspec
def register_ui_panels() -> Iterable[Panel]:  # type: ignore[empty-body]  # a specification
    """Pages for the dashboard."""
