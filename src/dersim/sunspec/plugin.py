"""SunSpec Modbus as a plug-in: its flags and its front-end."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterable
from typing import TYPE_CHECKING

from dersim.plugin.extension import FrontendType
from dersim.plugin.hookspecs import hookimpl

if TYPE_CHECKING:
    from dersim.options import OptionParser
    from dersim.plugin.extension import Frontend, FrontendContext

order = 30


@hookimpl
def add_options(parser: OptionParser) -> None:
    """Add the flags of Modbus TCP and RTU."""
    from dersim.sunspec import config  # noqa: PLC0415 - only where the plug-in is selected

    config.add_options(parser)


@hookimpl
def register_frontends(options: Namespace) -> Iterable[FrontendType]:
    """One register map per DER, and the serial line. `--mb_enable no` leaves out the TCP listeners only."""
    line = FrontendType("rtu", "fleet", _make_rtu, order=45, doc="SunSpec Modbus on a serial line")
    return (
        *((line,) if options.rtu_enable else ()),
        FrontendType(
            name="modbus",
            scope="device",
            make=_make,
            # A Modbus client polls in real time, but nothing that it reads has a time of its own.
            peer_follows_simulated_time=True,
            order=40,
            doc="SunSpec Modbus server",
        ),
    )


def _make(context: FrontendContext) -> Frontend:
    from dersim.sunspec.server import ModbusServer  # noqa: PLC0415 - only where it runs

    return ModbusServer(context)


def _make_rtu(context: FrontendContext) -> Frontend:
    from dersim.sunspec.rtu import RtuServer  # noqa: PLC0415 - only where it runs

    return RtuServer(context)
