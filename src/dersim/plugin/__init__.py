"""Everything that a plug-in imports from dersim.

Each name is imported from its own module at its first use, so that a plug-in with one control function does
not load the rest.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dersim.buffers import BufferSize
    from dersim.csip.means import Means
    from dersim.csip.mirror import OF_DER as DER_MIRROR
    from dersim.csip.mirror import MirrorKind
    from dersim.csip.mirror import Quantity as MeterQuantity
    from dersim.csip.mirror import average as mean_quantity
    from dersim.csip.mirror import instantaneous as instant_quantity
    from dersim.csip.site_mirror import OF_SITE as SITE_MIRROR
    from dersim.csv_text import cell as csv_cell
    from dersim.csv_text import open_csv
    from dersim.device import Device, ManualClock
    from dersim.errors import ConfigError, GridNotSolved, PluginError, RemoteProtocolError
    from dersim.fleet import Fleet
    from dersim.floods import Flood
    from dersim.functions.contract import NOTHING, ControlFunction, Demand, FunctionType, Parameter, Stage
    from dersim.functions.filters import Lag
    from dersim.grid.conditions import Conditions
    from dersim.grid.contract import Grid, Outputs, Settled
    from dersim.grid.profiles import CLEAR_DAY
    from dersim.hardware.device_type import DeviceType
    from dersim.hardware.measured import Measured
    from dersim.hardware.nameplate import Nameplate
    from dersim.hardware.settings import Settings
    from dersim.hardware.source import DcPoint, Part, Source
    from dersim.hardware.state import DcSide, DeviceState
    from dersim.http11.listen import bind as listen
    from dersim.ieee2030_5.declare import Extra
    from dersim.ieee2030_5.extensions import SchemaExtension
    from dersim.json_schema import Schema as JsonSchema
    from dersim.json_schema import described, file_schema, unit
    from dersim.local_control.curve_defaults import never as never_curve
    from dersim.local_control.curve_defaults import ride_through as default_ride_through
    from dersim.local_control.curve_defaults import volt_var as default_volt_var
    from dersim.local_control.curve_defaults import volt_watt as default_volt_watt
    from dersim.local_control.curve_defaults import watt_var as default_watt_var
    from dersim.local_control.permission import permit, permitted
    from dersim.local_control.refused import Refused
    from dersim.local_control.reversion import Timer, Timers
    from dersim.local_control.submitting import allow, update_settings
    from dersim.local_control.submitting import check as check_local
    from dersim.local_control.submitting import submit as submit_local
    from dersim.local_control.switch import Switch
    from dersim.local_control.switched import Switched
    from dersim.local_control.view import View as LocalView
    from dersim.logbuffer import LogBuffer
    from dersim.metric_families import MetricFamily
    from dersim.modes import Curve, FixedPowerFactor, FixedVar, FreqDroop, ModeSpec, ModeValue
    from dersim.options import OptionParser, count, number, port, readable_file, yes_no
    from dersim.parquet import parquet_modules
    from dersim.plugin.builtin import DEVICE_TYPES, FUNCTION_TYPES, make_device
    from dersim.plugin.csip_profile import CsipAccess, CsipAnswer, CsipProfile, CsipVisit
    from dersim.plugin.extension import (
        Frontend,
        FrontendContext,
        FrontendStatus,
        FrontendType,
        GridType,
        PluginInfo,
        Scope,
    )
    from dersim.plugin.hookspecs import hookimpl
    from dersim.plugin.panel import Panel
    from dersim.plugin.routes import Call
    from dersim.plugin.server_parts import (
        DeviceResource,
        OperatorCall,
        OperatorView,
        ServerDocument,
        ServerProfile,
    )
    from dersim.plugin.services import (
        CompanionService,
        ConversationService,
        CsipService,
        FoundResources,
        HttpExchange,
        NotifyTransportService,
        OverviewService,
        PeersService,
        PresenceService,
        RecordingService,
        SunspecService,
        TransportService,
    )
    from dersim.plugin.sunspec_model import SunspecModel, SunspecPoints
    from dersim.routes import Query, Reply, Route
    from dersim.setpoint_sources import SetpointSource
    from dersim.setpoints import InForce, Outcome, SetpointChange, Verdict
    from dersim.suggestions import hint
    from dersim.timestamps import rfc3339
    from dersim.tls.mutual import TlsFiles
    from dersim.tls.mutual import mutual_context as mutual_tls_context
    from dersim.tls.reasons import explain as explain_tls
    from dersim.yaml_text import FileError, YamlDocument
    from dersim.yaml_text import read as read_yaml

_MODULES = {
    "dersim.buffers": ("BufferSize",),
    "dersim.csip.means": ("Means",),
    "dersim.csip.mirror": ("MirrorKind",),
    "dersim.csv_text": ("open_csv",),
    "dersim.device": ("Device", "ManualClock"),
    "dersim.errors": ("ConfigError", "GridNotSolved", "PluginError", "RemoteProtocolError"),
    "dersim.functions.contract": (
        "NOTHING",
        "ControlFunction",
        "Demand",
        "FunctionType",
        "Parameter",
        "Stage",
    ),
    "dersim.functions.filters": ("Lag",),
    "dersim.grid.conditions": ("Conditions",),
    "dersim.fleet": ("Fleet",),
    "dersim.floods": ("Flood",),
    "dersim.grid.contract": ("Grid", "Outputs", "Settled"),
    "dersim.grid.profiles": ("CLEAR_DAY",),
    "dersim.hardware.device_type": ("DeviceType",),
    "dersim.hardware.measured": ("Measured",),
    "dersim.hardware.nameplate": ("Nameplate",),
    "dersim.hardware.settings": ("Settings",),
    "dersim.hardware.source": ("DcPoint", "Part", "Source"),
    "dersim.ieee2030_5.declare": ("Extra",),
    "dersim.ieee2030_5.extensions": ("SchemaExtension",),
    "dersim.hardware.state": ("DcSide", "DeviceState"),
    "dersim.json_schema": ("described", "file_schema", "unit"),
    "dersim.logbuffer": ("LogBuffer",),
    "dersim.local_control.permission": ("permit", "permitted"),
    "dersim.local_control.refused": ("Refused",),
    "dersim.local_control.reversion": ("Timer", "Timers"),
    "dersim.local_control.submitting": ("allow", "update_settings"),
    "dersim.local_control.switch": ("Switch",),
    "dersim.local_control.switched": ("Switched",),
    "dersim.metric_families": ("MetricFamily",),
    "dersim.modes": ("Curve", "FixedPowerFactor", "FixedVar", "FreqDroop", "ModeSpec", "ModeValue"),
    "dersim.options": ("OptionParser", "count", "number", "port", "readable_file", "yes_no"),
    "dersim.parquet": ("parquet_modules",),
    "dersim.plugin.csip_profile": ("CsipAccess", "CsipAnswer", "CsipProfile", "CsipVisit"),
    "dersim.plugin.builtin": ("DEVICE_TYPES", "FUNCTION_TYPES", "make_device"),
    "dersim.plugin.extension": (
        "Frontend",
        "FrontendContext",
        "FrontendStatus",
        "FrontendType",
        "GridType",
        "PluginInfo",
        "Scope",
    ),
    "dersim.plugin.hookspecs": ("hookimpl",),
    "dersim.plugin.panel": ("Panel",),
    "dersim.plugin.routes": ("Call",),
    "dersim.plugin.server_parts": (
        "DeviceResource",
        "OperatorCall",
        "OperatorView",
        "ServerDocument",
        "ServerProfile",
    ),
    "dersim.plugin.services": (
        "CompanionService",
        "ConversationService",
        "CsipService",
        "FoundResources",
        "HttpExchange",
        "NotifyTransportService",
        "OverviewService",
        "PeersService",
        "PresenceService",
        "RecordingService",
        "SunspecService",
        "TransportService",
    ),
    "dersim.plugin.sunspec_model": ("SunspecModel", "SunspecPoints"),
    "dersim.routes": ("Query", "Reply", "Route"),
    "dersim.setpoint_sources": ("SetpointSource",),
    "dersim.setpoints": ("InForce", "Outcome", "SetpointChange", "Verdict"),
    "dersim.suggestions": ("hint",),
    "dersim.timestamps": ("rfc3339",),
    "dersim.tls.mutual": ("TlsFiles",),
    "dersim.yaml_text": ("FileError", "YamlDocument"),
}
#: What has another name here than in its module.
_RENAMED = {
    "DER_MIRROR": ("dersim.csip.mirror", "OF_DER"),
    "MeterQuantity": ("dersim.csip.mirror", "Quantity"),
    "SITE_MIRROR": ("dersim.csip.site_mirror", "OF_SITE"),
    "instant_quantity": ("dersim.csip.mirror", "instantaneous"),
    "mean_quantity": ("dersim.csip.mirror", "average"),
    "JsonSchema": ("dersim.json_schema", "Schema"),
    "LocalView": ("dersim.local_control.view", "View"),
    "check_local": ("dersim.local_control.submitting", "check"),
    "default_ride_through": ("dersim.local_control.curve_defaults", "ride_through"),
    "default_volt_var": ("dersim.local_control.curve_defaults", "volt_var"),
    "default_volt_watt": ("dersim.local_control.curve_defaults", "volt_watt"),
    "default_watt_var": ("dersim.local_control.curve_defaults", "watt_var"),
    "never_curve": ("dersim.local_control.curve_defaults", "never"),
    "submit_local": ("dersim.local_control.submitting", "submit"),
    "csv_cell": ("dersim.csv_text", "cell"),
    "explain_tls": ("dersim.tls.reasons", "explain"),
    "listen": ("dersim.http11.listen", "bind"),
    "mutual_tls_context": ("dersim.tls.mutual", "mutual_context"),
    "read_yaml": ("dersim.yaml_text", "read"),
}
_HOMES = {name: (module, name) for module, names in _MODULES.items() for name in names} | _RENAMED

__all__ = [
    "CLEAR_DAY",
    "DER_MIRROR",
    "DEVICE_TYPES",
    "FUNCTION_TYPES",
    "NOTHING",
    "SITE_MIRROR",
    "BufferSize",
    "Call",
    "CompanionService",
    "Conditions",
    "ConfigError",
    "ControlFunction",
    "ConversationService",
    "CsipAccess",
    "CsipAnswer",
    "CsipProfile",
    "CsipService",
    "CsipVisit",
    "Curve",
    "DcPoint",
    "DcSide",
    "Demand",
    "Device",
    "DeviceResource",
    "DeviceState",
    "DeviceType",
    "Extra",
    "FileError",
    "FixedPowerFactor",
    "FixedVar",
    "Fleet",
    "Flood",
    "FoundResources",
    "FreqDroop",
    "Frontend",
    "FrontendContext",
    "FrontendStatus",
    "FrontendType",
    "FunctionType",
    "Grid",
    "GridNotSolved",
    "GridType",
    "HttpExchange",
    "InForce",
    "JsonSchema",
    "Lag",
    "LocalView",
    "LogBuffer",
    "ManualClock",
    "Means",
    "Measured",
    "MeterQuantity",
    "MetricFamily",
    "MirrorKind",
    "ModeSpec",
    "ModeValue",
    "Nameplate",
    "NotifyTransportService",
    "OperatorCall",
    "OperatorView",
    "OptionParser",
    "Outcome",
    "Outputs",
    "OverviewService",
    "Panel",
    "Parameter",
    "Part",
    "PeersService",
    "PluginError",
    "PluginInfo",
    "PresenceService",
    "Query",
    "RecordingService",
    "Refused",
    "RemoteProtocolError",
    "Reply",
    "Route",
    "SchemaExtension",
    "Scope",
    "ServerDocument",
    "ServerProfile",
    "SetpointChange",
    "SetpointSource",
    "Settings",
    "Settled",
    "Source",
    "Stage",
    "SunspecModel",
    "SunspecPoints",
    "SunspecService",
    "Switch",
    "Switched",
    "Timer",
    "Timers",
    "TlsFiles",
    "TransportService",
    "Verdict",
    "YamlDocument",
    "allow",
    "check_local",
    "count",
    "csv_cell",
    "default_ride_through",
    "default_volt_var",
    "default_volt_watt",
    "default_watt_var",
    "described",
    "explain_tls",
    "file_schema",
    "hint",
    "hookimpl",
    "instant_quantity",
    "listen",
    "make_device",
    "mean_quantity",
    "mutual_tls_context",
    "never_curve",
    "number",
    "open_csv",
    "parquet_modules",
    "permit",
    "permitted",
    "port",
    "read_yaml",
    "readable_file",
    "rfc3339",
    "submit_local",
    "unit",
    "update_settings",
    "yes_no",
]


def __getattr__(name: str) -> Any:
    """The object, from the module that defines it."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module, own_name = _HOMES[name]
    return getattr(importlib.import_module(module), own_name)
