"""The meter of a site: a limit of what it exports, with a control function, a port, registers and a page."""

from argparse import Namespace
from collections.abc import Iterable
from importlib.resources import files

from dersim.plugin import (
    FrontendType,
    FunctionType,
    ModeSpec,
    OptionParser,
    Panel,
    Parameter,
    SchemaExtension,
    SunspecModel,
    hookimpl,
    port,
)
from dersim_site_meter.export_limit import HIGHEST_W, LIMIT, LOAD, ExportLimit
from dersim_site_meter.meter_port import MeterPort
from dersim_site_meter.registers import DEFINITION, SiteRegisters

_NAMESPACE = "urn:dersim:site-meter"


@hookimpl
def add_options(parser: OptionParser) -> None:
    """The port of the meter."""
    group = parser.add_argument_group("site meter")
    group.add_argument("--site_port", type=port, default=8502, help="TCP port of the site's meter; 0: free")


@hookimpl
def register_schema_extensions() -> Iterable[SchemaExtension]:
    """The two modes; no document of 2030.5 carries them."""
    return [
        SchemaExtension(
            _NAMESPACE, mode, (), ModeSpec(mode, "number", "W", low=0, high=HIGHEST_W, local=True), "UInt32"
        )
        for mode in (LIMIT, LOAD)
    ]


@hookimpl
def register_control_functions() -> Iterable[FunctionType]:
    """The limit of the export."""
    parameters = {mode: (Parameter("", "W", 0, HIGHEST_W, "of this site"),) for mode in (LIMIT, LOAD)}
    return [
        FunctionType(
            name="site-export",
            modes=(LIMIT, LOAD),
            stage="grid",
            make=ExportLimit,
            parameters=parameters,
            sunspec_models=(64910,),
            doc="limit what the site exports",
        )
    ]


@hookimpl
def register_sunspec_models() -> Iterable[SunspecModel]:
    """64910, the site."""
    return [SunspecModel(DEFINITION, SiteRegisters)]


@hookimpl
def register_frontends(options: Namespace) -> Iterable[FrontendType]:
    """The port of each DER's meter."""
    del options
    return [FrontendType("site-meter", "device", MeterPort, doc="lines of text over TCP: read, load, limit")]


@hookimpl
def register_ui_panels() -> Iterable[Panel]:
    """The page."""
    path = files("dersim_site_meter") / "site.js"
    return [Panel("site-meter", "Site meter", str(path), "what the site exports, and the limit")]
