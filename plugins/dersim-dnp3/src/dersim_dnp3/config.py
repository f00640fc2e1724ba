"""The flags of the outstation."""

from __future__ import annotations

import argparse
from argparse import Namespace
from typing import TYPE_CHECKING, NamedTuple

from dersim.plugin import ConfigError, OptionParser, number, port, readable_file, yes_no

if TYPE_CHECKING:
    from dersim_dnp3.profile import Profile

PORT = 20000
LAST_ADDRESS = 65519  # above it are the protocol's own
#: Masters of one DER where any may come.
MOST_MASTERS = 4


def add_options(parser: OptionParser) -> None:
    """Add the flags to the command line."""
    group = parser.add_argument_group("DNP3 (IEEE 1815.2)")
    add = group.add_argument
    add(
        "--dnp3_enable",
        type=yes_no,
        default="no",
        metavar="yes|no",
        help="serve each DER as a DNP3 outstation",
    )
    add("--dnp3_host", default="127.0.0.1", metavar="HOST", help="address to listen on")
    add(
        "--dnp3_port",
        type=port,
        default=PORT,
        metavar="PORT",
        help="of the first DER; one more for each; 0: free",
    )
    add("--dnp3_outstation_addr", type=_address, default=1, metavar="N", help="link address of each DER")
    add(
        "--dnp3_remote_addr",
        type=remotes,
        default="4",
        metavar="N,...|any",
        help="link addresses of the masters; any: the first 4 that speak to a DER",
    )
    add("--dnp3_profile", type=readable_file, metavar="FILE", help="changes of the point table, JSON")
    add(
        "--dnp3_unsolicited",
        type=yes_no,
        default="no",
        metavar="yes|no",
        help="report events unasked, where enabled",
    )
    add(
        "--dnp3_deadband",
        type=number(0, 100),
        default=1.0,
        metavar="PCT",
        help="change of a measurement that is an event, %% of the rating",
    )
    add("--dnp3_enc", type=yes_no, default="no", metavar="yes|no", help="TLS with certificates on both sides")
    add("--dnp3_cert", default="", metavar="FILE", help="our certificate, PEM")
    add("--dnp3_key", default="", metavar="FILE", help="its key, PEM")
    add("--dnp3_root_cert", default="", metavar="FILE", help="CA of the masters, PEM")
    add(
        "--dnp3_peers",
        type=_peers,
        default="",
        metavar="NAME,...",
        help="names or SHA-256 fingerprints of the masters' certificates; empty: all of that CA",
    )
    add("--dnp3_tls_version", default="1.2+1.3", choices=("1.2", "1.3", "1.2+1.3"), help="TLS version")


def _whole(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= 5 else None


def _address(text: str) -> int:
    address = _whole(text)
    if address is None or address > LAST_ADDRESS:
        raise argparse.ArgumentTypeError(f"a link address is 0 to {LAST_ADDRESS}, not {text!r}")
    return address


def remotes(text: str) -> tuple[int, ...]:
    """The link addresses of the masters; empty for any."""
    if text == "any":
        return ()
    return tuple(dict.fromkeys(_address(each.strip()) for each in text.split(",")))


def _peers(text: str) -> frozenset[str]:
    return frozenset(each.strip().lower().replace(":", "") for each in text.split(",") if each.strip())


class Config(NamedTuple):
    """What all DERs of a run share. masters: their link addresses; empty for any."""

    address: int
    masters: tuple[int, ...]
    profile: Profile
    unsolicited: bool
    deadband_pct: float

    @property
    def most_masters(self) -> int:
        """How many masters of one DER are kept apart."""
        return len(self.masters) or MOST_MASTERS


#: Flags that mean nothing without TLS.
_TLS_ONLY = ("cert", "key", "root_cert", "peers")


def config_of(options: Namespace) -> Config:
    """The configuration; ConfigError names the flag."""
    unused = [f"--dnp3_{each}" for each in _TLS_ONLY if getattr(options, f"dnp3_{each}")]
    if unused and not options.dnp3_enc:
        raise ConfigError(
            f"{', '.join(unused)}: only with --dnp3_enc yes; without it DNP3 is served in plain text"
        )
    if options.dnp3_outstation_addr in options.dnp3_remote_addr:
        raise ConfigError(
            f"--dnp3_remote_addr {options.dnp3_outstation_addr}: is the outstation's own; "
            "give another, or another --dnp3_outstation_addr"
        )
    from dersim_dnp3.profile import Profile, read_profile  # noqa: PLC0415 - with py1815; flags need none of it

    profile = Profile() if options.dnp3_profile is None else read_profile(options.dnp3_profile)
    return Config(
        options.dnp3_outstation_addr,
        options.dnp3_remote_addr,
        profile,
        options.dnp3_unsolicited,
        options.dnp3_deadband,
    )
