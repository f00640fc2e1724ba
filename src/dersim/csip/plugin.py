"""The CSIP client as a plug-in: its flags and its front-end."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterable
from typing import TYPE_CHECKING

from dersim.plugin.extension import FrontendType
from dersim.plugin.hookspecs import hookimpl
from dersim.plugin.services import TransportService

if TYPE_CHECKING:
    from dersim.options import OptionParser
    from dersim.plugin.extension import Frontend, FrontendContext

order = 20


@hookimpl
def add_options(parser: OptionParser) -> None:
    """Add the flags of the CSIP client."""
    from dersim.csip import config  # noqa: PLC0415 - only where the plug-in is selected

    config.add_options(parser)


@hookimpl
def register_frontends(options: Namespace) -> Iterable[FrontendType]:
    """One client per DER, unless `--csip_client_enable no`."""
    if not options.csip_client_enable:
        return ()
    clients = (
        FrontendType(
            name="csip",
            scope="device",
            make=_make,
            # Only the demo's server lives in our simulated time.
            peer_follows_simulated_time=bool(options.demo),
            order=50,
            doc="IEEE 2030.5 CSIP client",
        ),
    )
    if not options.csip_subscriptions:
        return clients
    doc = "listener for notifications of the CSIP client"
    return (FrontendType(name="csip_notify", scope="fleet", make=_make_listener, order=45, doc=doc), *clients)


def _make_listener(context: FrontendContext) -> Frontend:
    from dersim.csip.subscriptions import listener  # noqa: PLC0415 - only where it runs

    return listener.make(context)


def _make(context: FrontendContext) -> Frontend:
    from dersim.csip.client import CsipClient  # noqa: PLC0415 - only where it runs

    transport = context.service(TransportService)
    return CsipClient(context) if transport is None else CsipClient(context, open_tcp=transport.open_tcp)
