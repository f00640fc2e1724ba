"""The companion server in `dersim sim --demo`: the front-end `utility`, on the simulator's clock."""

from __future__ import annotations

import ipaddress
from argparse import Namespace
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.serialization import Encoding

from dersim import pki
from dersim.errors import ConfigError
from dersim.ieee2030_5 import identity
from dersim.plugin.extension import FrontendContext, FrontendStatus, FrontendType
from dersim.plugin.hookspecs import hookimpl
from dersim.plugin.services import CompanionService
from dersim.state_file import of_server
from dersim.tls.files import load_certificates
from dersim.utility import certificates
from dersim.utility.admin.flags import add_admin_port, admin_port_of
from dersim.utility.config import UtilityConfig
from dersim.utility.scenario.reader import read_scenario
from dersim.utility.server import UtilityServer

if TYPE_CHECKING:
    from dersim.options import OptionParser

#: Before the CSIP clients (100), which read its `url` once it is bound.
order = 10


class DemoServer(UtilityServer):
    """A companion server as a front-end of the fleet (`CompanionService`)."""

    port_flag = "--csip_server_port"
    demo = True

    @property
    def pin(self) -> int:
        """The PIN in the Registration of its devices."""
        return self.config.pin

    def status(self) -> FrontendStatus:
        """For the overview: the numbers of EndDevices and requests."""
        head_end = self.head_end
        devices, requests = len(head_end.end_devices), head_end.request_log.count
        return FrontendStatus("listening", f"{self.url}: {devices} EndDevice(s), {requests} requests")


@hookimpl
def add_options(parser: OptionParser) -> None:
    """Those of the admin port; the 2030.5 port is that of the client's --csip_server_port."""
    group = parser.add_argument_group("demo")
    add_admin_port(group)
    group.add_argument(
        "--scenario",
        type=Path,
        metavar="FILE",
        help="what the demo's server does, instead of its cycle of controls (docs/scenarios.md)",
    )


@hookimpl
def register_frontends(options: Namespace) -> Iterable[FrontendType]:
    """With --demo, the server."""
    if not options.demo:
        return []
    _check_address(str(getattr(options, "csip_server_ip", "127.0.0.1")))
    return [
        FrontendType(
            "utility", "fleet", make, order=order, doc="companion IEEE 2030.5 server with a cycle of controls"
        )
    ]


def _check_address(host: str) -> None:
    try:
        local = ipaddress.ip_address(host).is_loopback
    except ValueError:
        local = host == "localhost"
    if not local:
        raise ConfigError(
            f"--csip_server_ip {host}: --demo brings its own server on 127.0.0.1; leave one of the two out"
        )


def make(context: FrontendContext) -> DemoServer:
    """The server of this run, with a state file beside the simulator's; ConfigError: no test PKI."""
    options = context.options
    admin = admin_port_of(options)
    config = UtilityConfig(
        host=str(getattr(options, "csip_server_ip", "127.0.0.1")),
        port=getattr(options, "csip_server_port", 8443),
        admin_host=admin.host,
        admin_port=admin.port,
        admin_token=admin.token,
        encrypted=bool(getattr(options, "csip_enc", True)),
        cycle=True,
        state=None if getattr(options, "state", None) is None else of_server(options.state),
    )
    scenario = (
        None if options.scenario is None else read_scenario(options.scenario, partial(_lfdi_of, context))
    )
    if config.encrypted:
        folder = getattr(options, "use_test_pki_certs", None)
        config.certificate, config.key, config.root = certificates.of_folder(
            None if folder is None else Path(folder)
        )
    parts = context.server_parts
    config.follow(parts.one_profile())
    server = DemoServer(
        config, context.clock.now_s, context.log, context.fences, scenario=scenario, parts=parts
    )
    options.pin = config.pin  # which the clients check
    server.addresses = context.addresses
    context.offer(CompanionService, server)
    context.buffers["utility_requests"] = server.head_end.request_log.size
    context.buffers["utility_responses"] = server.head_end.responses.size
    context.buffers["utility_readings"] = server.head_end.mirrors.size
    return server


def _lfdi_of(context: FrontendContext, number: int) -> str:
    """The LFDI of DER `number` by its pair of the test PKI; ConfigError where it has none."""
    options, fleet = context.options, context.fleet
    if fleet.find(number) is None:
        raise ConfigError(f"there is no DER {number} in this run")
    if not getattr(options, "csip_enc", True):
        raise ConfigError("without TLS the LFDI of a DER is not known beforehand; leave out --csip_enc no")
    given = getattr(options, "use_test_pki_certs", None)
    if not fleet.numbered and given is None:
        raise ConfigError("a single DER may have any certificate; run more of them, or give devices")
    folder = pki.bundled_dir() if given is None else Path(given)
    pair = pki.ensure_device(folder, number if fleet.numbered else None)
    return identity.lfdi(load_certificates(pair.cert, "the DER's certificate")[0].public_bytes(Encoding.DER))


if TYPE_CHECKING:
    _server: type[CompanionService] = DemoServer
