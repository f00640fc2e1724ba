"""Checks of what plug-ins declare, used for each kind of object; a mistake is a PluginError that names it."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from pathlib import Path
from types import NoneType

from dersim.errors import PluginError
from dersim.functions.contract import FunctionType
from dersim.hardware.device_type import DeviceType
from dersim.numeric import shown
from dersim.plugin.csip_profile import CsipProfile
from dersim.plugin.extension import FrontendType, GridType
from dersim.plugin.panel import Panel
from dersim.plugin.server_parts import DeviceResource, ServerDocument, ServerProfile
from dersim.plugin.sunspec_model import SunspecModel
from dersim.setpoint_sources import SetpointSource

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
    CsipProfile: {
        "mrid_end": (str,),
        "visits": (tuple, list),
        "gen_connect_status": (bool,),
        "settings_at_once": (bool,),
    },
    FrontendType: {"order": (int,), "peer_follows_simulated_time": (bool,)},
    GridType: {"order": (int,), "holds": (tuple, list)},
    Panel: {"title": (str,), "module_path": (str,), "folder": (str, NoneType)},
    SetpointSource: {"title": (str,)},
    SunspecModel: {"definition": (Mapping,)},
    ServerProfile: {"refuses": (tuple, list), "ended_listed_s": (int, NoneType)},
    DeviceResource: {
        "name": (str,),
        "namespace": (str,),
        "element": (str,),
        "title": (str,),
        "link": (str,),
        "writes": (tuple, list),
        "empty": (Mapping, NoneType),
    },
    ServerDocument: {"path": (str,), "content_type": (str,)},
}


def check_fields(plugin: str, item: object) -> None:
    """PluginError for a field of another type than it must have."""
    for field, kinds in _FIELDS.get(type(item), {}).items():
        value = getattr(item, field)
        if not isinstance(value, kinds):
            wanted = " or ".join(kind.__name__ for kind in kinds)
            raise PluginError(
                f"plug-in {plugin}: {type(item).__name__} {getattr(item, 'name', '')!r}: "
                f"its {field} is {value!r}; give {wanted}"
            )


def check_panel(plugin: str, item: Panel) -> None:
    """PluginError for a module that is no file, or a folder that is none."""
    if not Path(item.module_path).is_file():
        raise PluginError(
            f"plug-in {plugin}: panel {item.name!r}: its module {shown(item.module_path)} is no file; "
            f"give the path of an ES module"
        )
    if item.folder is not None and not Path(item.folder).is_dir():
        raise PluginError(
            f"plug-in {plugin}: panel {item.name!r}: its folder {shown(item.folder)} is none; "
            f"give the path of a folder, or None"
        )


def check_call(what: str, function: object, arguments: int) -> None:
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
