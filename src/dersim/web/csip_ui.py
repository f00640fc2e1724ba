"""The plug-in `csip_ui`: the CSIP management web UI on a port of its own."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterable
from typing import TYPE_CHECKING

from dersim.options import port
from dersim.plugin.extension import FrontendContext, FrontendType
from dersim.plugin.hookspecs import hookimpl
from dersim.web.frontend import WebFrontend

if TYPE_CHECKING:
    from dersim.options import OptionParser

order = 81


@hookimpl
def add_options(parser: OptionParser) -> None:
    """Where the management UI listens."""
    group = parser.add_argument_group("CSIP management UI")
    group.add_argument(
        "--csip_website_ip", default="127.0.0.1", metavar="IP", help="bind address of the CSIP web UI"
    )
    group.add_argument(
        "--csip_website_port", type=port, default=5000, metavar="PORT", help="port of the CSIP web UI"
    )


@hookimpl
def register_frontends(options: Namespace) -> Iterable[FrontendType]:
    """One web site for the fleet."""
    del options
    return [FrontendType("csip_ui", "fleet", _make, order=81, doc="the CSIP management web UI")]


def _make(context: FrontendContext) -> WebFrontend:
    options = context.options
    return WebFrontend(
        "csip_ui", context, "--csip_website", options.csip_website_ip, options.csip_website_port
    )
