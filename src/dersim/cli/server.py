"""`dersim server`: the companion server alone, in real time, until a signal stops it.

Of plug-ins it uses the elements that they add to 2030.5 documents, and what they register for the server.
"""

from __future__ import annotations

import argparse
import os
import re
import time
from argparse import Namespace
from collections.abc import Collection, Sequence
from pathlib import Path

import trio

from dersim.cli.background import in_a_thread
from dersim.cli.commands import command_parser
from dersim.cli.stopping import STOP_DEADLINE_S, Watchdog, stop_at_signals
from dersim.cli.terminal import Terminal, stderr
from dersim.engine.collector import tune_collector
from dersim.errors import ConfigError
from dersim.ieee2030_5.schema import making_ready_by
from dersim.logbuffer import LogBuffer
from dersim.options import (
    PIN_VARIABLE,
    LooseParser,
    OptionParser,
    count,
    lab_address,
    names,
    port,
    readable_file,
    yes_no,
)
from dersim.plugin.candidates import DEFAULT_PLUGINS, find
from dersim.plugin.loader import PluginSet
from dersim.plugin.registry import Selection
from dersim.plugin.server_parts import ServerParts
from dersim.utility import certificates
from dersim.utility.admin.flags import add_admin_port, admin_port_of
from dersim.utility.config import DEFAULT_NOTIFY_GAP_S, DEFAULT_PIN, DEFAULT_STATE_DAYS, UtilityConfig
from dersim.utility.end_devices import check_pin
from dersim.utility.event_status import ENDED_LISTED_S
from dersim.utility.mrids import HIGHEST_PEN, PEN
from dersim.utility.scenario.plan import Scenario
from dersim.utility.scenario.reader import read_scenario
from dersim.utility.server import UtilityServer

MAX_LATENCY_S = 60


def main(args: Sequence[str]) -> int:
    """Run until stopped; the exit code. ConfigError and PluginError are the caller's."""
    plugins = selected_plugins(args)
    parser = make_parser(plugins)
    if pin := os.environ.get(PIN_VARIABLE):
        parser.set_defaults(pin=pin)  # argparse converts a default that is a text
    options = parser.parse_args(args)
    plugins.learn_extensions(options)
    return run(options, plugins.server_parts(options), parser.given(args))


def selected_plugins(args: Sequence[str]) -> PluginSet:
    """The plug-ins of others that `args` selects; ConfigError for a name that nothing has."""
    parser = LooseParser(prog="dersim server", add_help=False)
    _add_selection(parser)
    found, _ = parser.parse_known_args(list(args))
    built_in = {each.name for each in DEFAULT_PLUGINS}
    third_party = [each for each in find() if each.name not in built_in]
    selection = Selection(found.plugins, found.without)
    selection.check(each.name for each in third_party)
    wanted = [each for each in third_party if not found.plugins or each.name in found.plugins]
    return PluginSet(wanted, selection)


def make_parser(plugins: PluginSet | None = None) -> OptionParser:
    """All flags of `dersim server` with those of these plug-ins; None: of all that are installed."""
    parser = make_serving_parser()
    _add_selection(parser)
    (selected_plugins(()) if plugins is None else plugins).add_options(parser, "add_server_options")
    return parser


def _add_selection(parser: OptionParser) -> None:
    group = parser.add_argument_group("plug-ins")
    group.add_argument(
        "--plugins", type=names, default=(), metavar="NAME,...", help="run only these plug-ins; default: all"
    )
    group.add_argument(
        "--without", type=names, default=(), metavar="NAME,...", help="leave out these plug-ins"
    )


def make_serving_parser() -> OptionParser:
    """The flags without --without, as the lab offers them."""
    parser = command_parser("server", usage="dersim server [flags]")
    add_arguments(parser)
    return parser


def add_arguments(parser: OptionParser) -> None:
    """The flags of what the server does."""
    _add_addresses(parser)
    _add_certificates(parser)
    _add_devices(parser)
    _add_behaviour(parser)
    _add_subscriptions(parser)
    _add_state(parser)


def _add_addresses(parser: OptionParser) -> None:
    addresses = parser.add_argument_group("addresses")
    addresses.add_argument("--host", default="127.0.0.1", help="address of the 2030.5 port")
    addresses.add_argument("--port", type=port, default=8443, help="the 2030.5 port")
    add_admin_port(addresses)
    addresses.add_argument(
        "--enc", type=yes_no, default=True, metavar="yes|no", help="mutual TLS or plain HTTP"
    )


def _add_certificates(parser: OptionParser) -> None:
    group = parser.add_argument_group("certificates; without these flags those of the test PKI")
    group.add_argument("--cert", type=readable_file, metavar="FILE", help="the server's certificate chain")
    group.add_argument("--key", type=readable_file, metavar="FILE", help="its private key")
    group.add_argument("--root_cert", type=readable_file, metavar="FILE", help="the CA that signs clients")
    group.add_argument("--use_test_pki_certs", type=_folder, metavar="PATH", help="the folder of a test PKI")


def _add_devices(parser: OptionParser) -> None:
    devices = parser.add_argument_group("EndDevices")
    devices.add_argument(
        "--registration",
        choices=("open", "inband", "known"),
        default="open",
        help="who becomes an EndDevice: any client of our CA, one that POSTs itself, those provisioned",
    )
    devices.add_argument(
        "--pin",
        type=_pin,
        default=DEFAULT_PIN,
        help=f"PIN of the devices' Registration; or set {PIN_VARIABLE}",
    )


def _add_behaviour(parser: OptionParser) -> None:
    behaviour = parser.add_argument_group("behaviour")
    behaviour.add_argument(
        "--strict",
        action="store_true",
        help="refuse bodies that violate the standard instead of counting them",
    )
    behaviour.add_argument(
        "--pen",
        type=count(0, HIGHEST_PEN),
        default=PEN,
        metavar="N",
        help="private enterprise number in the mRIDs of what the server makes",
    )
    behaviour.add_argument(
        "--ended_listed",
        type=count(0, 86_400),
        default=ENDED_LISTED_S,
        metavar="S",
        help="how long a control stays in its list after its end, s",
    )
    behaviour.add_argument(
        "--latency", type=_latency, default=0.0, metavar="20ms", help="by which each answer comes later"
    )
    behaviour.add_argument(
        "--advertise",
        action="store_true",
        help="advertise the server by DNS-SD, _smartenergy._tcp; needs dersim[dnssd]",
    )
    behaviour.add_argument(
        "--scenario",
        type=Path,
        metavar="FILE",
        help="scenario, YAML: programs, groups, controls, devices and faults over time (docs/scenarios.md)",
    )
    behaviour.add_argument(
        "--cycle", type=yes_no, default=False, metavar="yes|no", help="publish the demo's cycle of controls"
    )


def _add_subscriptions(parser: OptionParser) -> None:
    group = parser.add_argument_group("subscriptions")
    group.add_argument(
        "--subscriptions", type=yes_no, default=True, metavar="yes|no", help="offer them to each EndDevice"
    )
    group.add_argument(
        "--notify_gap_s",
        type=count(0, 86_400),
        default=int(DEFAULT_NOTIFY_GAP_S),
        metavar="S",
        help="at most one Notification of a Subscription in so long, s",
    )
    group.add_argument(
        "--notify_hosts",
        choices=("own", "anywhere"),
        default="own",
        help="where Notifications may go: to the address that subscribed, or anywhere",
    )
    group.add_argument(
        "--notify_http", type=yes_no, default=False, metavar="yes|no", help="Notifications without TLS, too"
    )


def _add_state(parser: OptionParser) -> None:
    group = parser.add_argument_group("state")
    group.add_argument(
        "--state",
        type=Path,
        metavar="FILE",
        help="keep everything in this file, and go on from it; without it a restart forgets all",
    )
    group.add_argument(
        "--state_days",
        type=count(1, 36_500),
        default=None,
        metavar="N",
        help=f"how long meter readings are kept in the file, days (default: {DEFAULT_STATE_DAYS})",
    )


def config_of(options: Namespace) -> UtilityConfig:
    """The configuration that the flags mean; ConfigError for a missing certificate file."""
    if options.state_days is not None and options.state is None:
        raise ConfigError("--state_days: is for the file of --state FILE; give it, or leave this out")
    admin = admin_port_of(options)
    config = UtilityConfig(
        host=options.host,
        port=options.port,
        admin_host=admin.host,
        admin_port=admin.port,
        admin_token=admin.token,
        encrypted=options.enc,
        registration=options.registration,
        pin=options.pin,
        cycle=options.cycle,
        strict=options.strict,
        latency_s=options.latency,
        advertise=options.advertise,
        pen=options.pen,
        ended_listed_s=options.ended_listed,
        subscriptions=options.subscriptions,
        notify_gap_s=options.notify_gap_s,
        notify_hosts=options.notify_hosts,
        notify_http=options.notify_http,
        state=options.state,
        state_days=options.state_days or DEFAULT_STATE_DAYS,
    )
    if options.enc:
        config.certificate, config.key, config.root = certificates.choose(
            options.cert, options.key, options.root_cert, options.use_test_pki_certs
        )
    return config


def scenario_of(options: Namespace) -> Scenario | None:
    """The scenario of --scenario. ConfigError for a mistake in it, or beside --cycle."""
    if options.scenario is None:
        return None
    if options.cycle:
        raise ConfigError("--cycle yes and --scenario: the scenario says what is published; leave one out")
    return read_scenario(options.scenario)


def run(options: Namespace, parts: ServerParts | None = None, given: Collection[str] = ()) -> int:
    """Serve until SIGINT or SIGTERM; 0. ConfigError and CertificateError are the caller's.

    parts: what plug-ins have added. given: the names of the options that the user has set.
    """
    terminal = stderr()
    log = LogBuffer(writer=terminal.writer)
    config, parts = config_of(options), parts or ServerParts()
    config.follow(parts.one_profile(), given)
    server = UtilityServer(config, time.time, log, scenario=scenario_of(options), parts=parts)
    if (lab := lab_address()) is not None:
        server.addresses = {"lab": lab}
    tune_collector()
    with making_ready_by(in_a_thread):
        trio.run(_run_until_stopped, server, terminal)
    return 0


async def _run_until_stopped(server: UtilityServer, terminal: Terminal) -> None:
    watchdog, scope = Watchdog(STOP_DEADLINE_S), trio.CancelScope()
    try:
        with stop_at_signals(scope.cancel, watchdog), scope:
            shown = await server.bind()
            print(" ".join(["dersim ready", *(f"{key}={url}" for key, url in shown.items())]), flush=True)
            terminal.table(shown)
            await server.run()
    finally:
        watchdog.cancel()


def _folder(text: str) -> Path:
    path = Path(text)
    if not path.is_dir():
        raise argparse.ArgumentTypeError(f"{text}: no such folder; give that of a test PKI")
    return path


def _latency(text: str) -> float:
    """Seconds: 20ms, 1.5s."""
    found = re.fullmatch(r"([0-9]{1,6}(?:\.[0-9]{1,6})?)(ms|s)", text)
    seconds = -1.0 if found is None else float(found[1]) / (1000 if found[2] == "ms" else 1)
    if not 0 <= seconds <= MAX_LATENCY_S:
        raise argparse.ArgumentTypeError(
            f"a time such as 20ms or 1.5s, at most {MAX_LATENCY_S} s, not {text!r}"
        )
    return seconds


def _pin(text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,6}", text):
        raise argparse.ArgumentTypeError(f"a PIN such as {DEFAULT_PIN} is needed, not {text!r}")
    try:
        check_pin(int(text))
    except ConfigError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    return int(text)
