"""The flags of the CSIP client, and the settings that follow from them for one DER."""

from __future__ import annotations

import os
from argparse import ArgumentTypeError, Namespace
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal
from urllib.parse import urlsplit

from dersim import pki
from dersim.csip.links import Origin, resolve
from dersim.errors import ConfigError, RemoteProtocolError
from dersim.exchanges.conversation import DEFAULT_MIB, MOST_DEVICES_UNSEEN
from dersim.ieee2030_5 import Edition
from dersim.ieee2030_5.identity import OTHER_PIN_RULE, pin_is_by_sfdi_rule, pin_is_valid
from dersim.numeric import shown
from dersim.options import CSIP_PIN_VARIABLE, OptionParser, count, host, number, port, yes_no
from dersim.plugin.services import CompanionService

if TYPE_CHECKING:
    from dersim.plugin.extension import FrontendContext

#: The PIN in the Registrations of the demo's server.
DEMO_PIN = 111115
#: A notificationURI has 255 bytes at the most, with our path.
MAX_NOTIFY_URL_CHARS = 200
DEFAULT_CERT, DEFAULT_KEY, DEFAULT_ROOT = "cert.pem", "key.pem", "root.pem"


@dataclass(frozen=True, slots=True)
class CsipConfig:
    """The settings of one DER's client. `cert`, `key`, `root`: as given, None where the flag was not.

    pin: None means not checked. put_refresh_s: how often unchanged PUTs are repeated, None never.
    conversation_mib: None for the default. pcap: keep the TLS records and their secrets.
    """

    origin: Origin
    dcap: str
    edition: Edition
    cert: Path | None = None
    key: Path | None = None
    root: Path | None = None
    test_pki: Path | None = None
    check_hostname: bool = False
    pin: int | None = None
    event_removed: Literal["keep", "cancel"] = "keep"
    put_refresh_s: float | None = None
    validation: Literal["fast", "full", "off"] = "fast"
    strict: bool = False
    conversation_mib: int | None = None
    pcap: bool = False
    subscriptions: bool = False

    @classmethod
    def from_options(cls, options: Namespace) -> CsipConfig:
        """Read the flags; ConfigError names the one that is wrong."""
        origin = Origin(options.csip_enc, options.csip_server_ip, options.csip_server_port)
        test_pki = options.use_test_pki_certs
        if test_pki is None and options.demo and options.csip_cert is None:
            test_pki = pki.bundled_dir()
        if test_pki is not None and not test_pki.is_dir():
            raise ConfigError(
                f"--use_test_pki_certs: {test_pki} is not a folder; give the certificates' folder"
            )
        return cls(
            origin=origin,
            dcap=_dcap(options.dcap, origin),
            edition=Edition.E2018 if options.csip_2018_compat else Edition.E2023,
            cert=options.csip_cert,
            key=options.csip_key,
            root=options.csip_root_cert,
            test_pki=test_pki,
            check_hostname=options.csip_check_hostname,
            pin=_wanted_pin(options),
            event_removed=options.event_removed,
            put_refresh_s=options.put_refresh_s,
            validation=options.validation,
            strict=options.strict,
            conversation_mib=options.conversation,
            pcap=options.pcap,
            subscriptions=options.csip_subscriptions,
        )

    @property
    def dcap_url(self) -> str:
        """The DeviceCapability's whole URL, for messages."""
        return self.dcap if self.dcap.startswith("http") else self.origin.url(self.dcap)


def with_port_of_demo(config: CsipConfig, context: FrontendContext) -> CsipConfig:
    """With the port that the demo's server has bound, for --csip_server_port 0."""
    if config.origin.port:
        return config
    server = context.service(CompanionService)
    if server is None:
        raise ConfigError("--csip_server_port 0: only --demo picks a free port; give the server's own")
    return replace(config, origin=config.origin._replace(port=server.port))


def warn_of_pin(config: CsipConfig, context: FrontendContext) -> None:
    """A warning of a PIN whose check digit is by the other rule."""
    if config.pin is not None and not pin_is_by_sfdi_rule(config.pin):
        context.log.log("Warning", "CSIP", OTHER_PIN_RULE, context.fleet.devices[0].number)


def add_options(parser: OptionParser) -> None:
    """Add the flags of the CSIP client."""
    group = parser.add_argument_group("IEEE 2030.5 CSIP client")
    add = group.add_argument
    add("--csip_client_enable", "-csip_enable", type=yes_no, default=True, metavar="yes|no",
        help="run the CSIP client")  # fmt: skip
    add("--csip_server_ip", "-csip_serv", default="127.0.0.1", type=host,
        help="IP or host name of the 2030.5 server")  # fmt: skip
    add("--csip_server_port", "-csip_port", type=port, default=8443, help="its HTTPS port")
    add("--csip_enc", "-ce", type=yes_no, default=True, metavar="yes|no",
        help="mutual TLS; no: plain HTTP")  # fmt: skip
    add("--csip_cert", "-cc", type=Path, default=None, metavar="FILE",
        help=f"client certificate with its chain, PEM ({DEFAULT_CERT})")  # fmt: skip
    add("--csip_key", "-ck", type=Path, default=None, metavar="FILE",
        help=f"its private key, PEM ({DEFAULT_KEY})")  # fmt: skip
    add("--csip_root_cert", "-cr", type=Path, default=None, metavar="FILE",
        help=f"CA certificates that verify the server, PEM ({DEFAULT_ROOT})")  # fmt: skip
    add("--dcap", default="/dcap", help="path of the DeviceCapability on the server")
    add("--use_test_pki_certs", type=Path, default=None, metavar="PATH",
        help="take cert.pem, key.pem, cert_root.pem from PATH; with -N cert_1.pem, ...")  # fmt: skip
    add("--csip-2018-compat", action="store_true", dest="csip_2018_compat",
        help="send the XML of IEEE 2030.5-2018")  # fmt: skip
    add("--csip_pin", type=_pin, default=None, metavar="PIN|none",
        help=f"the Registration's PIN, six digits; none: no check; or set {CSIP_PIN_VARIABLE}")  # fmt: skip
    add("--csip_check_hostname", type=yes_no, default=False, metavar="yes|no",
        help="check the server certificate's host name")  # fmt: skip
    add("--event_removed", choices=("keep", "cancel"), default="keep",
        help="what becomes of a DERControl that vanishes from its list")  # fmt: skip
    add("--put_refresh_s", type=number(1, 1e7, unit="seconds"), default=None, metavar="SECONDS",
        help="repeat unchanged PUTs this often")  # fmt: skip
    add("--validation", choices=("fast", "full", "off"), default="fast",
        help="check of what the server sends against the schema")  # fmt: skip
    add("--conversation", type=count(0, 1 << 20), default=None, metavar="MIB",
        help="memory for the exchanges with the server that are kept, whole fleet; 0: none"
             f" ({DEFAULT_MIB}; 0 above {MOST_DEVICES_UNSEEN} DERs without a web site)")  # fmt: skip
    add("--pcap", type=yes_no, nargs="?", const=True, default=False, metavar="yes|no",
        help="keep TLS records and secrets for an export to Wireshark, PINs readable")  # fmt: skip
    add("--csip_subscriptions", type=yes_no, default=False, metavar="yes|no",
        help="subscribe where the server offers it, and poll that rarely")  # fmt: skip
    add("--csip_notify_host", type=host, default="127.0.0.1", metavar="HOST",
        help="address on which notifications are taken")  # fmt: skip
    add("--csip_notify_port", type=port, default=0, metavar="PORT",
        help="its port, with the TLS of --csip_enc; 0: any free one")  # fmt: skip
    add("--csip_notify_url", type=_notify_url, default=None, metavar="URL",
        help="what the server is told instead, such as https://192.0.2.5:9443")  # fmt: skip
    add("--strict", action="store_true", help="refuse documents that break the schema")


def _wanted_pin(options: Namespace) -> int | None:
    """The PIN to check: of the flag, the environment, or the demo's server."""
    pin = options.csip_pin
    if pin is None and (text := os.environ.get(CSIP_PIN_VARIABLE)):
        try:
            pin = _pin(text)
        except ArgumentTypeError as error:
            raise ConfigError(f"{CSIP_PIN_VARIABLE} of the environment: {error}") from None
    if pin is None and options.demo:
        return int(getattr(options, "pin", DEMO_PIN))
    return None if pin == "none" else pin


def _dcap(text: str, origin: Origin) -> str:
    """The path or whole URL of the DeviceCapability; ConfigError for one that cannot be asked for."""
    href = text if text.startswith(("/", "http://", "https://")) else f"/{text}"
    try:
        resolve(origin, href)
    except RemoteProtocolError as error:
        raise ConfigError(f"--dcap: {error}; give a path such as /dcap") from None
    return href


def _notify_url(text: str) -> str:
    """Scheme, host and port, perhaps with a path in front of ours; without a slash at the end."""
    url = text.rstrip("/")
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise ArgumentTypeError(f"a URL such as https://192.0.2.5:9443 is needed, not {shown(text)}")
    if len(url) > MAX_NOTIFY_URL_CHARS:
        raise ArgumentTypeError(f"has {len(url)} characters; at most {MAX_NOTIFY_URL_CHARS} are possible")
    return url


def _pin(text: str) -> int | str:
    if text == "none":
        return text
    pin = count(0, 999_999)(text)
    if not pin_is_valid(pin):
        raise ArgumentTypeError(
            "the check digit of the PIN is wrong; the six digits sum to 0 mod 10, or the first five to the"
            " last"
        )
    return pin
