"""The flags of the admin port, for `dersim server` and for the demo's server."""

from __future__ import annotations

import argparse
from typing import NamedTuple

from dersim.options import host, port, readable_file
from dersim.pages.guard import (
    ADMIN_TOKEN_VARIABLE,
    given_token,
    require_token_beyond_loopback,
    token,
)


class AdminPort(NamedTuple):
    """Where the admin port listens, and what it asks for."""

    host: str
    port: int
    token: str | None


def add_admin_port(group: argparse._ArgumentGroup) -> None:
    """--admin_port, --admin_host, --admin_token and --admin_token_file."""
    group.add_argument("--admin_port", type=port, default=8444, help="the operator's page and REST")
    group.add_argument(
        "--admin_host",
        type=host,
        default="127.0.0.1",
        metavar="ADDR",
        help="address of the admin port; one that other machines reach needs a token",
    )
    group.add_argument(
        "--admin_token",
        type=token,
        metavar="TEXT",
        help="a token that the operator's page and REST ask for (Authorization: Bearer)",
    )
    group.add_argument(
        "--admin_token_file",
        type=readable_file,
        metavar="FILE",
        help=f"the same token out of a file; or set the environment variable {ADMIN_TOKEN_VARIABLE}",
    )


def admin_port_of(options: argparse.Namespace) -> AdminPort:
    """What the flags mean; ConfigError where others could reach the port and no token guards it."""
    secret = given_token(options, "admin_token", ADMIN_TOKEN_VARIABLE)
    require_token_beyond_loopback("--admin_host", options.admin_host, secret, "add --admin_token_file FILE")
    return AdminPort(options.admin_host, options.admin_port, secret)
