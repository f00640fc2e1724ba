"""The command `dersim nameplate`: `from-modbus` reads the inverter on the bench and writes its nameplate."""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from dersim.cli.commands import command_parser
from dersim.errors import ConfigError
from dersim.numeric import shown
from dersim.options import OptionParser, count, host, new_file, number, port
from dersim.twin import Twin, nameplate_from_modbus
from dersim.twin.from_modbus import PORT

#: A point of a curve, which json.dumps writes on four lines.
_PAIR = re.compile(r"\[\s+(-?[0-9.e+-]+),\s+(-?[0-9.e+-]+)\s+\]")


def main(args: Sequence[str]) -> int:
    """Run `dersim nameplate` with the words after it; the exit code. Errors are raised as DersimError."""
    return run(make_parser().parse_args(args))


def make_parser() -> OptionParser:
    """The sub-command `from-modbus` with its flags."""
    parser = command_parser("nameplate")
    commands = parser.add_subparsers(dest="nameplate_command", required=True, metavar="from-modbus")
    one = commands.add_parser(
        "from-modbus",
        help="read a SunSpec device and write a nameplate with its settings and curves",
        description="Read the SunSpec registers of a device and write a nameplate, with which the simulator "
        "is its twin. Nothing is written to the device.",
        allow_abbrev=False,
    )
    one.add_argument(
        "device", type=_device, metavar="HOST[:PORT]", help=f"the device; port {PORT} if none is given"
    )
    one.add_argument("--unit", type=count(0, 255), default=1, metavar="ID", help="Modbus unit id")
    one.add_argument("--out", type=new_file, metavar="FILE", help="where the nameplate goes; default: stdout")
    one.add_argument(
        "--timeout",
        type=number(0.05, 60, unit="seconds"),
        default=3.0,
        metavar="S",
        help="longest wait for the connection and for each answer, seconds",
    )
    one.add_argument(
        "--json", action="store_true", help="print the nameplate and the report as one JSON document"
    )
    return parser


class _Device(NamedTuple):
    host: str
    port: int


def _device(text: str) -> _Device:
    bare = text if text.count(":") > 1 and not text.startswith("[") else re.sub(r":[0-9]+$", "", text)
    given = text[len(bare) + 1 :]
    device = _Device(host(bare), port(given) if given else PORT)
    if not device.port:
        raise argparse.ArgumentTypeError(f"a port from 1 to 65535 is needed, not {shown(given)}")
    return device


def run(options: argparse.Namespace) -> int:
    """Read, write and report; 0 also where something could not be read, which is listed on stderr."""
    out: Path | None = options.out
    device = options.device
    twin = nameplate_from_modbus(device.host, device.port, unit=options.unit, timeout_s=options.timeout)
    text = _PAIR.sub(r"[\1, \2]", json.dumps(twin.document, indent=2)) + "\n"
    if out is not None:
        try:
            out.write_text(text, encoding="utf-8")
        except OSError as error:
            raise ConfigError(
                f"--out {out}: {error.strerror or error}; give a file that can be written"
            ) from error
    if options.json:
        print(json.dumps(_report(twin), indent=2))
    elif out is None:
        print(text, end="")
    print("\n".join(_lines(twin, out)), file=sys.stderr)
    return 0


def _report(twin: Twin) -> dict[str, object]:
    return {
        "source": twin.source,
        "models": twin.models,
        "device_type": twin.device_type,
        "unread": twin.unread,
        "assumed": twin.assumed,
        "differs": twin.differs,
        "nameplate": twin.document,
    }


def _lines(twin: Twin, out: Path | None) -> Iterator[str]:
    yield f"read {twin.source}: models {', '.join(map(str, twin.models))}"
    for title, lines in (
        ("could not be read or used:", twin.unread),
        ("assumed, because no register says it:", twin.assumed),
        ("shown otherwise by the twin:", twin.differs),
    ):
        if lines:
            yield title
            yield from (f"  {line}" for line in lines)
    yield f"start the twin: dersim sim -d {twin.device_type} -f {out or 'FILE'}"
