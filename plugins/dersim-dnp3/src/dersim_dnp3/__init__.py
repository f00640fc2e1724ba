"""A DNP3 outstation for each DER, with the points of IEEE 1815.2: `dersim sim --dnp3_enable yes`."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterable
from pathlib import Path

from dersim.plugin import (
    Frontend,
    FrontendContext,
    FrontendType,
    OptionParser,
    Panel,
    SetpointSource,
    hookimpl,
)

order = 60


@hookimpl
def add_options(parser: OptionParser) -> None:
    """Add the flags of the outstation."""
    from dersim_dnp3 import config  # noqa: PLC0415 - only where the plug-in is selected

    config.add_options(parser)


@hookimpl
def register_setpoint_sources() -> Iterable[SetpointSource]:
    """Who asks: a local source, as Modbus and REST."""
    from dersim_dnp3.see import DNP3  # noqa: PLC0415 - only where the plug-in is selected

    return [DNP3]


@hookimpl
def register_frontends(options: Namespace) -> Iterable[FrontendType]:
    """The outstation of each DER, where a flag asks for them."""
    if not options.dnp3_enable:
        return []
    return [
        # Masters live in real time: their time-outs, and the time that they write.
        FrontendType(
            "dnp3", "device", _make_server, peer_follows_simulated_time=False, doc="DNP3 outstation"
        ),
    ]


@hookimpl
def register_ui_panels(options: Namespace) -> Iterable[Panel]:
    """The page of the points."""
    if not options.dnp3_enable:
        return []
    page = Path(__file__).parent / "page"
    return [
        Panel("dnp3", "DNP3", str(page / "dnp3.js"), "points, commands and conversation", folder=str(page))
    ]


def _make_server(context: FrontendContext) -> Frontend:
    from dersim_dnp3.frontend import OutstationServer  # noqa: PLC0415 - only where it runs

    return OutstationServer(context)
