"""Checks of each object that a plug-in registers; a mistake is a PluginError that names the plug-in."""

from __future__ import annotations

import functools
import inspect
import re
from collections.abc import Mapping
from typing import Any, get_args

from dersim.errors import PluginError
from dersim.fences import at_start
from dersim.functions.contract import FunctionType, Stage
from dersim.grid.contract import HELD
from dersim.hardware.device_type import DeviceType
from dersim.ieee2030_5.extensions import SchemaExtension
from dersim.plugin import server_checks
from dersim.plugin.csip_profile import CsipProfile, CsipVisit
from dersim.plugin.declared import check_call, check_fields, check_panel
from dersim.plugin.extension import FrontendType, GridType, Scope
from dersim.plugin.panel import Panel
from dersim.plugin.server_checks import SERVER_RESULTS
from dersim.plugin.sunspec_model import SunspecModel
from dersim.setpoint_sources import BUILT_IN, SetpointSource

#: Of each hook that returns something: the class of the items, and the table of the `Registry`.
RESULTS: Mapping[str, tuple[type, str]] = {
    "register_device_types": (DeviceType, "device_types"),
    "register_control_functions": (FunctionType, "functions"),
    "register_setpoint_sources": (SetpointSource, "setpoint_sources"),
    "register_sunspec_models": (SunspecModel, "sunspec_models"),
    "register_schema_extensions": (SchemaExtension, "schema_extensions"),
    "register_csip_profiles": (CsipProfile, "csip_profiles"),
    "register_grids": (GridType, "grids"),
    "register_frontends": (FrontendType, "frontends"),
    "register_ui_panels": (Panel, "panels"),
}
#: The same with those of the companion server.
ALL_RESULTS: Mapping[str, tuple[type | tuple[type, ...], str]] = {**RESULTS, **SERVER_RESULTS}
_LABEL = re.compile(r"[a-z][a-z0-9-]*")
_EIGHT_HEX = re.compile(r"[0-9A-F]{8}")


def in_full(item: Any) -> Any:
    """An item as it is registered: of a SunSpec model its definition alone will do."""
    return SunspecModel(item) if isinstance(item, Mapping) else item


def name_of(plugin: str, hook: str, item: Any, *, trusted: bool) -> str:
    """Check an item that `hook` returned; the name under which it is registered.

    trusted: comes with dersim, and its parameters are checked by a test instead of at every start.
    """
    if hook in SERVER_RESULTS:
        return server_checks.name_of(plugin, hook, item)
    kind, _ = RESULTS[hook]
    if not isinstance(item, kind):
        raise PluginError(f"plug-in {plugin}: {hook} gave {item!r}; give objects of {kind.__name__}")
    check_fields(plugin, item)
    match item:
        case DeviceType():
            check_call(f"plug-in {plugin}: device type {item.name!r}: make_source", item.make_source, 1)
        case FrontendType():
            _check_frontend(plugin, item)
        case GridType():
            _check_grid(plugin, item)
        case CsipProfile():
            _check_profile(plugin, item)
        case Panel():
            check_panel(plugin, item)
        case FunctionType() if not trusted:
            _check_function(plugin, item)
    name: Any = _own_name(plugin, item)
    if not isinstance(name, str) or not name:
        raise PluginError(f"plug-in {plugin}: {hook} gave {item!r}; it needs a name")
    return name


def _own_name(plugin: str, item: Any) -> Any:
    """The name of an item; of some kinds another field, or several, that are checked here."""
    match item:
        case SchemaExtension():
            return f"{{{item.namespace}}}{item.element}"
        case SetpointSource():
            return _check_source(plugin, item)
        case SunspecModel():
            return _check_sunspec_model(plugin, item)
    return item.name


def _check_source(plugin: str, item: SetpointSource) -> str:
    label: Any = item.label
    what = f"plug-in {plugin}: source of setpoints {label!r}"
    if not isinstance(label, str) or not _LABEL.fullmatch(label):
        raise PluginError(f"{what}: give a label of small letters, digits and hyphens, such as 'dnp3'")
    if item in BUILT_IN:
        raise PluginError(f"{what}: dersim has a source of this name; give another label")
    if not item.is_local:
        raise PluginError(f"{what} has the rank {item.rank!r}; leave it out: a plug-in's source is local")
    return item.label


def _check_sunspec_model(plugin: str, item: SunspecModel) -> str:
    number = item.definition.get("id")
    if not isinstance(number, int) or isinstance(number, bool):
        raise PluginError(
            f"plug-in {plugin}: register_sunspec_models gave {item.definition!r}; "
            f"a SunSpec model needs a whole number as id"
        )
    what = f"plug-in {plugin}: SunSpec model {number}"
    if item.make is not None:
        check_call(f"{what}: make", item.make, 2)
    check_call(f"{what}: suits", item.suits, 1)
    return str(number)


def _check_function(plugin: str, kind: FunctionType) -> None:
    """xmlschema checks the declared parameters."""
    from dersim.functions.schema import schema_of  # noqa: PLC0415 - saves the import of xmlschema if not needed

    what = f"plug-in {plugin}: control function {kind.name!r}"
    if kind.stage not in get_args(Stage):
        raise PluginError(f"{what} has the stage {kind.stage!r}; say one of {', '.join(get_args(Stage))}")
    if not _is_tuple_of_names(kind.modes):
        raise PluginError(
            f"{what} has the modes {kind.modes!r}; give a tuple of names, such as ('opModMaxLimW',)"
        )
    if any(isinstance(each, bool) or not isinstance(each, int) for each in kind.sunspec_models):
        raise PluginError(f"{what} has the sunspec_models {kind.sunspec_models!r}; give whole numbers")
    for attribute, arguments in (
        ("make", 2),
        ("suits", 1),
        ("suits_mode", 2),
        ("check", 4),
        ("acts_without", 1),
    ):
        check_call(f"{what}: {attribute}", getattr(kind, attribute), arguments)
    try:
        with at_start(plugin, f"the declaration of control function {kind.name!r}"):
            schema_of(kind)
    except PluginError as error:
        raise (
            error if str(error).startswith("plug-in ") else PluginError(f"plug-in {plugin}: {error}")
        ) from error


def _is_tuple_of_names(modes: object) -> bool:
    return isinstance(modes, tuple | list) and all(isinstance(mode, str) and mode for mode in modes)


def _check_frontend(plugin: str, kind: FrontendType) -> None:
    what = f"plug-in {plugin}: front-end {kind.name!r}"
    if kind.scope not in get_args(Scope):
        raise PluginError(f'{what} has the scope {kind.scope!r}; say "device" or "fleet"')
    if inspect.iscoroutinefunction(kind.make):
        raise PluginError(
            f"{what}: its make is async; give one that takes a FrontendContext and returns the front-end"
        )
    check_call(f"{what}: make", kind.make, 1)


def _check_grid(plugin: str, kind: GridType) -> None:
    what = f"plug-in {plugin}: grid {kind.name!r}"
    if not kind.holds or not set(kind.holds) <= set(HELD):
        raise PluginError(f"{what} holds {kind.holds!r}; say at least one of {', '.join(HELD)}")
    check_call(f"{what}: make", kind.make, 1)


def _check_profile(plugin: str, kind: CsipProfile) -> None:
    what = f"plug-in {plugin}: CSIP profile {kind.name!r}"
    if kind.mrid_end and not _EIGHT_HEX.fullmatch(kind.mrid_end):
        raise PluginError(f"{what} has the mrid_end {kind.mrid_end!r}; give eight hexadecimal digits")
    for name, arguments in (("mirrors", 2), ("end_device", 1), ("settings", 1), ("entry", 1)):
        if (function := getattr(kind, name)) is not None:
            check_call(f"{what}: {name}", function, arguments)
    for visit in kind.visits:
        is_one: bool = isinstance(visit, CsipVisit)
        if not is_one or not _is_async(visit.visit):
            raise PluginError(f"{what} has the visit {visit!r}; give a CsipVisit with an async function")
    if kind.entry is not None and not _is_async(kind.entry):
        raise PluginError(f"{what}: its entry is not async; give an async function that takes a CsipAccess")


def _is_async(function: Any) -> bool:
    while isinstance(function, functools.partial):
        function = function.func
    return inspect.iscoroutinefunction(function)
