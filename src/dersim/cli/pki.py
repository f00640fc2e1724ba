"""The command `dersim pki`: make a test PKI, or show a certificate file."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from dersim import pki
from dersim.cli.commands import command_parser
from dersim.errors import ConfigError
from dersim.ieee2030_5 import identity
from dersim.options import OptionParser

_MOST = 100_000


def main(args: Sequence[str]) -> int:
    """Run `dersim pki` with the words after it; the exit code. Errors are raised as DersimError."""
    return run(make_parser().parse_args(args))


def make_parser() -> OptionParser:
    """The sub-commands `show` and `create` with their flags."""
    parser = command_parser("pki")
    add_arguments(parser)
    return parser


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the sub-commands `show` and `create`."""
    commands = parser.add_subparsers(dest="pki_command", required=True, metavar="show|create")
    show = commands.add_parser(
        "show", help="show LFDI, SFDI and the result of the chain check", allow_abbrev=False
    )
    show.add_argument("file", type=_path, metavar="FILE", help="a PEM file with a certificate and its chain")
    create = commands.add_parser("create", help="make a test PKI in a new folder", allow_abbrev=False)
    create.add_argument("folder", type=_path, metavar="DIR", help="the folder to make")
    create.add_argument("-n", "--count", type=int, default=10, metavar="COUNT", help="how many numbered DERs")
    create.add_argument(
        "--comm-004",
        action="store_true",
        dest="conformance",
        help="make the seven chains of the CSIP conformance test COMM-004 instead",
    )


def _path(text: str) -> Path:
    if not text:
        raise argparse.ArgumentTypeError("an empty path; name a file or a folder, . for this one")
    return Path(text)


def run(args: argparse.Namespace) -> int:
    """Carry out what `add_arguments` has parsed; 0, or 1 where `show` finds a chain that is refused."""
    if args.pki_command == "show":
        return _show(args.file)
    if args.conformance:
        return _create_conformance_chains(args.folder)
    return _create(args.folder, args.count)


def _show(file: Path) -> int:
    described = pki.describe(file)
    print(f"{described.path}")
    print(f"  LFDI       {described.lfdi}")
    print(f"  SFDI       {described.sfdi}  ({identity.format_sfdi(described.sfdi)})")
    print(f"  not after  {described.not_after:%Y-%m-%d %H:%M:%S}Z")
    for number, subject in enumerate(described.subjects, 1):
        print(f"  chain {number}    {subject}")
    for remark in described.remarks:
        print(f"  remark     {remark}")
    for reason in described.refusals:
        print(f"  REFUSED    {reason}")
    if not described.refusals:
        print("  chain check: nothing that IEEE 2030.5 refuses (the root is not in the file)")
    return 1 if described.refusals else 0


def _create(folder: Path, count: int) -> int:
    if not 0 <= count <= _MOST:
        raise ConfigError(f"-n {count}: 0 to {_MOST} DERs can be made")
    pki.create(folder, count)
    print(f"{folder}: a test PKI with cert.pem, cert_server.pem and {count} numbered DERs")
    print(f"LFDI of cert.pem: {pki.describe(folder / 'cert.pem').lfdi}")
    return 0


def _create_conformance_chains(folder: Path) -> int:
    if (folder / "cert_root.pem").exists():
        raise ConfigError(f"{folder}: holds a PKI already; name another folder or remove this one")
    try:
        pki.create_conformance_chains(folder)
    except OSError as error:
        raise ConfigError(f"{folder}: the chains cannot be written: {error.strerror}") from None
    for letter, case in pki.COMM_004.items():
        print(f"cert_{letter}.pem  {'accept' if case.accept else 'refuse'}  {case.title}")
    return 0
