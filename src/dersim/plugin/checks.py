"""Checks of each object that a plug-in registers; a mistake is a PluginError that names the plug-in."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from pathlib import Path
from types import NoneType
from typing import Any, get_args

from dersim.errors import PluginError
from dersim.fences import at_start
from dersim.functions.contract import FunctionType, Stage
from dersim.grid.contract import HELD
from dersim.hardware.device_type import DeviceType
from dersim.ieee2030_5.extensions import SchemaExtension
from dersim.numeric import shown
from dersim.plugin.extension import FrontendType, GridType, Panel, Scope
from dersim.plugin.sunspec_model import SunspecModel

#: Of each hook that returns something: the class of the items, and the table of the `Registry`.
RESULTS: Mapping[str, tuple[type, str]] = {
    "register_device_types": (DeviceType, "device_types"),
    "register_control_functions": (FunctionType, "functions"),
    "register_sunspec_models": (SunspecModel, "sunspec_models"),
    "register_schema_extensions": (SchemaExtension, "schema_extensions"),
    "register_grids": (GridType, "grids"),
    "register_frontends": (FrontendType, "frontends"),
    "register_ui_panels": (Panel, "panels"),
}


#: Of each kind of object, what its fields must be; what else is called or compared fails far from its cause.
_FIELDS: Mapping[type, Mapping[str, tuple[type, ...]]] = {
    DeviceType: {"profile": (str, Path), "aliases": (tuple, list)},
    FunctionType: {
        "order": (int,),
        "standing": (bool,),
        "parameters": (Mapping,),
        "sunspec_models": (tuple, list),
        "doc": (str,),
    },
    FrontendType: {"order": (int,), "peer_follows_simulated_time": (bool,)},
    GridType: {"order": (int,), "holds": (tuple, list)},
    Panel: {"title": (str,), "module_path": (str,), "folder": (str, NoneType)},
    SunspecModel: {"definition": (Mapping,)},
}


def in_full(item: Any) -> Any:
    """An item as it is registered: of a SunSpec model its definition alone will do."""
    return SunspecModel(item) if isinstance(item, Mapping) else item


def name_of(plugin: str, hook: str, item: Any, *, trusted: bool) -> str:
    """Check an item that `hook` returned; the name under which it is registered.

    trusted: comes with dersim, and its parameters are checked by a test instead of at every start.
    """
    kind, _ = RESULTS[hook]
    if not isinstance(item, kind):
        raise PluginError(f"plug-in {plugin}: {hook} gave {item!r}; give objects of {kind.__name__}")
    _check_fields(plugin, item)
    match item:
        case SchemaExtension():
            return f"{{{item.namespace}}}{item.element}"
        case FrontendType():
            _check_frontend(plugin, item)
        case GridType():
            _check_grid(plugin, item)
        case Panel() if not Path(item.module_path).is_file():
            raise PluginError(
                f"plug-in {plugin}: panel {item.name!r}: its module {shown(item.module_path)} is no file; "
                f"give the path of an ES module"
            )
        case Panel() if item.folder is not None and not Path(item.folder).is_dir():
            raise PluginError(
                f"plug-in {plugin}: panel {item.name!r}: its folder {shown(item.folder)} is none; "
                f"give the path of a folder, or None"
            )
        case FunctionType() if not trusted:
            _check_function(plugin, item)
        case SunspecModel():
            return _check_sunspec_model(plugin, item)
    name: Any = item.name
    if not isinstance(name, str) or not name:
        raise PluginError(f"plug-in {plugin}: {hook} gave {item!r}; it needs a name")
    return name


def _check_sunspec_model(plugin: str, item: SunspecModel) -> str:
    number = item.definition.get("id")
    if not isinstance(number, int) or isinstance(number, bool):
        raise PluginError(
            f"plug-in {plugin}: register_sunspec_models gave {item.definition!r}; "
            f"a SunSpec model needs a whole number as id"
        )
    what = f"plug-in {plugin}: SunSpec model {number}"
    if item.make is not None:
        _check_call(f"{what}: make", item.make, 2)
    _check_call(f"{what}: suits", item.suits, 1)
    return str(number)


def _check_fields(plugin: str, item: object) -> None:
    for field, kinds in _FIELDS.get(type(item), {}).items():
        value = getattr(item, field)
        if not isinstance(value, kinds):
            wanted = " or ".join(kind.__name__ for kind in kinds)
            raise PluginError(
                f"plug-in {plugin}: {type(item).__name__} {getattr(item, 'name', '')!r}: "
                f"its {field} is {value!r}; give {wanted}"
            )
    if isinstance(item, DeviceType):
        _check_call(f"plug-in {plugin}: device type {item.name!r}: make_source", item.make_source, 1)


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
        _check_call(f"{what}: {attribute}", getattr(kind, attribute), arguments)
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
    _check_call(f"{what}: make", kind.make, 1)


def _check_grid(plugin: str, kind: GridType) -> None:
    what = f"plug-in {plugin}: grid {kind.name!r}"
    if not kind.holds or not set(kind.holds) <= set(HELD):
        raise PluginError(f"{what} holds {kind.holds!r}; say at least one of {', '.join(HELD)}")
    _check_call(f"{what}: make", kind.make, 1)


def _check_call(what: str, function: object, arguments: int) -> None:
    """PluginError where `function` cannot be called with so many arguments."""
    if not callable(function):
        raise PluginError(f"{what} is {function!r}; give a function")
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):
        return  # a builtin without a signature
    try:
        signature.bind(*range(arguments))
    except TypeError as error:
        raise PluginError(
            f"{what} takes {signature}, but is called with {arguments} argument(s): {error}"
        ) from None
