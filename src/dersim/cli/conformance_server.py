"""`dersim conformance --server`: flags, operator and run for a server under test."""

from __future__ import annotations

import os
import time
from argparse import Namespace
from collections.abc import Callable, Mapping, Sequence
from contextlib import aclosing

import trio

from dersim.cli import conformance_operator
from dersim.conformance.kit import Kit
from dersim.conformance.live.board import Board
from dersim.conformance.operator import Operator
from dersim.conformance.procedure import Outcome
from dersim.conformance.server import runs
from dersim.conformance.server.admin import AdminOperator, call_over_http
from dersim.conformance.server.owner import Owner
from dersim.conformance.server.procedure import ServerProcedure
from dersim.conformance.server.procedures import ALL
from dersim.conformance.server.target import target_of
from dersim.errors import ConfigError
from dersim.options import OptionParser, port, readable_file
from dersim.pages.guard import ADMIN_TOKEN_VARIABLE

#: The value of --server for our companion server in virtual time.
SELF = "self"
#: The flags that are for a server at a URL only, as in the options.
_ONLY_URL = ("admin", "cert", "key", "root", "http_port")
PROCEDURES: Mapping[str, ServerProcedure] = ALL


def add_flags(parser: OptionParser) -> None:
    """The flags for a server under test."""
    group = parser.add_argument_group("a server under test")
    add = group.add_argument
    add("--server", default=None, metavar="URL",
        help="judge this server, https://host:port/dcap; self: our companion server, in virtual time"
        )  # fmt: skip
    add("--admin", default=None, metavar="URL",
        help="the admin port of a companion server under test, which is set up by its REST")  # fmt: skip
    add("--cert", type=readable_file, default=None, metavar="FILE", help="the DER's chain, not the kit's")
    add("--key", type=readable_file, default=None, metavar="FILE", help="its private key")
    add("--root", type=readable_file, default=None, metavar="FILE", help="the root of the server's chain")
    add("--http-port", type=port, default=None, metavar="N",
        help="where the server answers plain HTTP; without it the port of --server")  # fmt: skip
    add("--notify-host", default=None, metavar="HOST",
        help="our address for the server's Notifications; without it that which reaches the server"
        )  # fmt: skip


def check(options: Namespace) -> None:
    """ConfigError for flags that do not go together."""
    given = [name for name in _ONLY_URL if getattr(options, name)]
    if given and (options.server is None or options.server == SELF):
        raise ConfigError(f"--{given[0].replace('_', '-')}: is for --server URL; give it, or leave this out")
    if options.server is None:
        return
    if options.client_under_test or options.realtime:
        raise ConfigError("--server: the server is under test; leave --client-under-test and --realtime out")
    if options.server == SELF:
        return
    pair = [options.cert, options.key, options.root]
    if any(pair) and not all(pair):
        raise ConfigError("--cert, --key and --root: all three are needed, or none of them and --kit FOLDER")
    if not any(pair) and options.kit is None:
        raise ConfigError(
            "--server: --kit FOLDER is needed, whose root the server trusts, or --cert, --key and --root"
        )
    if options.admin and options.skip_operator:
        raise ConfigError("--skip-operator and --admin: leave one out")


def run(
    procedures: Sequence[ServerProcedure],
    kit: Kit,
    options: Namespace,
    said: Callable[[str], None],
    tell: Callable[[Outcome], None],
) -> list[Outcome]:
    """All outcomes; each is told when it is known."""
    if options.server != SELF:
        return trio.run(_run_real, procedures, kit, options, said, tell)
    outcomes = []
    for outcome in runs.run_virtual(procedures, kit):
        tell(outcome)
        outcomes.append(outcome)
    return outcomes


async def _run_real(
    procedures: Sequence[ServerProcedure],
    kit: Kit,
    options: Namespace,
    said: Callable[[str], None],
    tell: Callable[[Outcome], None],
) -> list[Outcome]:
    target = target_of(
        options.server,
        kit,
        cert=options.cert,
        key=options.key,
        root=options.root,
        http_port=options.http_port,
        notify_host=options.notify_host,
    )
    said(f"the DER that plays has the LFDI {target.own.lfdi} and the PIN 111115")
    said(f"the server must trust {target.root}")
    outcomes, board = [], Board()
    board.address = options.server
    operator = _operator(options, board)
    await target.check()
    if isinstance(operator, AdminOperator):
        await operator.check()
    found = runs.run_real(procedures, target, operator, time.time(), options.scale, said, board)
    async with conformance_operator.live_page(options, board, said), aclosing(found):
        async for outcome in found:
            tell(outcome)
            outcomes.append(outcome)
    return outcomes


def _operator(options: Namespace, board: Board) -> Operator:
    if options.admin:
        return AdminOperator(call_over_http(options.admin, os.environ.get(ADMIN_TOKEN_VARIABLE)))
    return Owner(conformance_operator.operator_of(options, board))
