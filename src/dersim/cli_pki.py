"""`dersim pki`: look at a certificate as a 2030.5 server would, or make a test PKI."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from dersim import pki
from dersim.errors import ConfigError
from dersim.ieee2030_5 import identity
from dersim.options import OptionParser, count, readable_file

_USAGE = "dersim pki show FILE tells about a certificate; dersim pki create DIR -n COUNT makes a test PKI"


def main(args: Sequence[str]) -> int:
    """Show or create; the exit code is 0 even for a certificate that would be refused, since it was shown."""
    if not args or args[0] in ("--help", "-h"):
        print(f"usage: {_USAGE}")
        return 0
    if args[0] == "show":
        return _show(args[1:])
    if args[0] == "create":
        return _create(args[1:])
    raise ConfigError(f"pki {args[0]}: no such command; {_USAGE}")


def _show(args: Sequence[str]) -> int:
    parser = OptionParser(prog="dersim pki show", description="Tell what a PEM certificate file holds.")
    parser.add_argument("file", type=readable_file, metavar="FILE", help="certificate, with its chain if any")
    found = pki.describe(parser.parse_args(args).file)
    print(f"LFDI          {found.lfdi}")
    print(f"SFDI          {identity.format_sfdi(found.sfdi)}")
    print(f"expires       {found.not_after:%Y-%m-%dT%H:%M:%SZ}")
    for number, subject in enumerate(found.subjects, 1):
        print(f"certificate {number} {subject}")
    for refusal in found.refusals or ("nothing to refuse",):
        print(f"chain check   {refusal}")
    for remark in found.remarks:
        print(f"remark        {remark}")
    return 0


def _create(args: Sequence[str]) -> int:
    parser = OptionParser(
        prog="dersim pki create", description="Make a test PKI: root, CA, a server and numbered devices."
    )
    parser.add_argument("folder", type=Path, metavar="DIR", help="new or empty folder")
    parser.add_argument(
        "-n", dest="count", type=count(1, 10_000), default=10, metavar="COUNT", help="numbered devices"
    )
    options = parser.parse_args(args)
    folder = pki.create(options.folder, options.count)
    print(f"{folder}: a test PKI with {options.count} numbered devices; never use it in production")
    return 0
