"""What a plug-in may add to dersim: sixteen hooks, each called once at start-up, in the order below.

A plug-in is a module (or an object) with functions marked `@hookimpl`; it is found by the entry-point group
``dersim`` of its distribution. Hooks only *declare*: they return plain objects (`extension.py`,
`functions/contract.py`), and those objects run. No hook is called during the simulation: one call costs more
than a whole step of a DER. All are plain functions; an ``async def`` hook is refused.

A plug-in may have ``order: int`` (default 100): hooks are called in rising order, then by name.
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
    from dersim.plugin.csip_profile import CsipProfile
    from dersim.plugin.extension import FrontendType, GridType
    from dersim.plugin.panel import Panel
    from dersim.plugin.server_parts import DeviceResource, ServerDocument, ServerProfile
    from dersim.plugin.sunspec_model import SunspecModel
    from dersim.routes import Route
    from dersim.setpoint_sources import SetpointSource

PROJECT = "dersim"

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


@hookspec
def add_options(parser: OptionParser) -> None:
    """Add the plug-in's flags to `dersim sim`, as to an argparse parser; called before the flags are read."""


@hookspec
def adapt_options(options: Namespace, given: frozenset[str]) -> None:
    """Change defaults that do not suit a run of the plug-in; called once, after all flags are read.

    given: the names of the options that the user has set. Leave those as they are, and say what you change
    in the help of your own flag.
    """


@hookspec
def register_device_types() -> Iterable[DeviceType]:  # type: ignore[empty-body]  # a specification
    """The device types for `--device_type`; called after all flags are read."""


@hookspec
def register_control_functions() -> Iterable[FunctionType]:  # type: ignore[empty-body]  # a specification
    """Kinds of control functions, such as Volt-Var; every DER gets its own instances."""


@hookspec
def register_setpoint_sources() -> Iterable[SetpointSource]:  # type: ignore[empty-body]  # a specification
    """Who asks for setpoints over the plug-in's protocol: among the local sources the latest wins."""


@hookspec
def register_sunspec_models() -> Iterable[Mapping[str, Any] | SunspecModel]:  # type: ignore[empty-body]  # a specification
    """SunSpec models, served beside the standard ones; a definition alone, as JSON, keeps what is written."""


@hookspec
def register_schema_extensions(options: Namespace) -> Iterable[SchemaExtension]:  # type: ignore[empty-body]  # a specification
    """Elements of a foreign namespace for the 2030.5 codec and schemas; checked by xmlschema.

    options: without flags of plug-ins in a program that has none, such as `dersim server`.
    """


@hookspec
def register_csip_profiles(options: Namespace) -> Iterable[CsipProfile]:  # type: ignore[empty-body]  # a specification
    """What a national profile asks of the CSIP client; a run has one at the most."""


@hookspec
def register_grids(options: Namespace) -> Iterable[GridType]:  # type: ignore[empty-body]  # a specification
    """The grids behind the fleet for these options; none where no flag asks for one."""


@hookspec
def register_frontends(options: Namespace) -> Iterable[FrontendType]:  # type: ignore[empty-body]  # a specification
    """The front-ends for these options, without those that a flag switches off."""


@hookspec
def register_ui_panels(options: Namespace) -> Iterable[Panel]:  # type: ignore[empty-body]  # a specification
    """Pages for the dashboard, in its menu; none where no flag asks for what they show."""


# ---- the companion server: `dersim server`, and that of --demo, where the flags of these have their defaults


@hookspec
def add_server_options(parser: OptionParser) -> None:
    """Add the plug-in's flags to `dersim server`, as to an argparse parser."""


@hookspec
def register_server_profiles(options: Namespace) -> Iterable[ServerProfile]:  # type: ignore[empty-body]  # a specification
    """What a profile asks of the companion server; two that disagree are refused."""


@hookspec
def register_server_resources(options: Namespace) -> Iterable[DeviceResource | ServerDocument]:  # type: ignore[empty-body]  # a specification
    """Documents that the companion server has for each EndDevice, or once, beside those of the standard."""


@hookspec
def register_server_routes(options: Namespace) -> Iterable[Route]:  # type: ignore[empty-body]  # a specification
    """Addresses of the operator's REST, below /api/NAME/; handlers get an `OperatorCall`."""


@hookspec
def register_server_panels(options: Namespace) -> Iterable[Panel]:  # type: ignore[empty-body]  # a specification
    """Views of the utility's page."""
