"""The plug-in `rest`: dashboard, REST and WebSocket on one port."""

from __future__ import annotations

import re
from argparse import ArgumentTypeError, Namespace
from collections.abc import Iterable
from typing import TYPE_CHECKING

from dersim.numeric import shown
from dersim.options import host, names, port, readable_file
from dersim.pages.guard import TOKEN_VARIABLE, token
from dersim.plugin.extension import FrontendContext, FrontendType
from dersim.plugin.hookspecs import hookimpl
from dersim.plugin.services import OverviewService
from dersim.web.frontend import WebFrontend

if TYPE_CHECKING:
    from dersim.options import OptionParser

order = 80


@hookimpl
def add_options(parser: OptionParser) -> None:
    """The flags of the dashboard, and those that guard both web sites."""
    group = parser.add_argument_group("dashboard and REST")
    group.add_argument(
        "-wi", "--website_ip", default="127.0.0.1", metavar="IP", help="bind address of dashboard and REST"
    )
    group.add_argument(
        "-wp", "--website_port", type=port, default=8111, metavar="PORT", help="port of dashboard and REST"
    )
    group.add_argument(
        "--token",
        type=token,
        metavar="TOKEN",
        help="ask every web request for this token; auto makes one; process lists show it, unlike the next",
    )
    group.add_argument(
        "--token_file",
        type=readable_file,
        metavar="FILE",
        help=f"the same token out of a file; or set the environment variable {TOKEN_VARIABLE}",
    )
    group.add_argument(
        "--allow_host", type=_hosts, default=(), metavar="NAME,...", help="further names to answer for"
    )
    group.add_argument(
        "--cors_origin",
        type=_origins,
        default=(),
        metavar="URL,...",
        help="pages elsewhere that may call",
    )


def _hosts(text: str) -> tuple[str, ...]:
    return tuple(map(host, names(text)))


def _origins(text: str) -> tuple[str, ...]:
    """Origins as browsers send them: a scheme, a host and perhaps a port."""
    origins = names(text)
    for each in origins:
        if not re.fullmatch(r"https?://[^/?#@\s]+", each):
            raise ArgumentTypeError(f"http://HOST:PORT without a path is needed, not {shown(each)}")
    return origins


@hookimpl
def register_frontends(options: Namespace) -> Iterable[FrontendType]:
    """One web site for the fleet."""
    del options
    return [FrontendType("rest", "fleet", _make, order=80, doc="dashboard, REST and WebSocket")]


def _make(context: FrontendContext) -> WebFrontend:
    options = context.options
    site = WebFrontend("dashboard", context, "--website", options.website_ip, options.website_port)
    context.offer(OverviewService, site)
    return site
