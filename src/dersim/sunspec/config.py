"""The flags of SunSpec Modbus, over TCP and over a serial line."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from dersim import options as kinds
from dersim.sunspec.security import CIPHERS, VERSIONS

if TYPE_CHECKING:
    from dersim.options import OptionParser

PORT = 8502
_BAUDS = (9600, 19200, 38400, 57600, 115200)


def add_options(parser: OptionParser) -> None:
    """Add the flags to the command line."""
    tcp = parser.add_argument_group("SunSpec Modbus TCP")
    tcp.add_argument(
        "--mb_enable", "-mb", type=kinds.yes_no, default="yes", metavar="yes|no", help="serve it"
    )
    tcp.add_argument("--mb_host", default="127.0.0.1", metavar="HOST", help="address to listen on")
    tcp.add_argument(
        "--mb_port",
        "-p",
        type=kinds.port,
        default=PORT,
        metavar="PORT",
        help="of the first DER; one more for each",
    )
    tcp.add_argument(
        "--mb_enc", "-e", type=kinds.yes_no, default="no", metavar="yes|no", help="TLS (Secure SunSpec)"
    )
    tcp.add_argument("--mb_cert", "-mbc", default="", metavar="FILE", help="our certificate, PEM")
    tcp.add_argument("--mb_key", "-mbk", default="", metavar="FILE", help="its key, PEM")
    tcp.add_argument("--mb_root_cert", "-mbr", default="", metavar="FILE", help="CA of the clients, PEM")
    tcp.add_argument("--mb_ciphers", "-mbx", default=CIPHERS, metavar="LIST", help="suites of TLS 1.2")
    tcp.add_argument("--mb_tls_version", "-mbv", default="1.2", choices=tuple(VERSIONS), help="TLS version")
    rtu = parser.add_argument_group("SunSpec Modbus RTU")
    rtu.add_argument(
        "--rtu_enable", "-rtu", type=kinds.yes_no, default="no", metavar="yes|no", help="serve a serial line"
    )
    rtu.add_argument("--rtu_port", default="COM10", metavar="PORT", help="serial port, e.g. /dev/ttyUSB0")
    rtu.add_argument("--rtu_baud", type=_baud, default=9600, metavar="BAUD", help="bits per second")
    rtu.add_argument("--rtu_parity", choices=("N", "E", "O"), default="N", help="none, even or odd")
    rtu.add_argument("--rtu_stopbits", type=int, choices=(1, 2), default=1, help="stop bits")


def _baud(text: str) -> int:
    if text not in map(str, _BAUDS):
        allowed = ", ".join(map(str, _BAUDS))
        raise argparse.ArgumentTypeError(f"one of {allowed} is needed, not {text!r}")
    return int(text)
