"""The operator of `dersim conformance`, asked at the terminal and on a live page, and that page."""

from __future__ import annotations

import io
import sys
from argparse import Namespace
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial

import trio

from dersim.conformance.live.app import make_app
from dersim.conformance.live.board import Board
from dersim.conformance.operator import Nobody, Operator, Person, ask_at_terminal, first_of
from dersim.errors import ConfigError
from dersim.fences import Fences
from dersim.logbuffer import LogBuffer
from dersim.options import OptionParser, port
from dersim.pages.serving import WebServer
from dersim.pages.sockets import bind_socket, url_of

#: Loopback only: whoever reaches the page answers for the operator.
HOST, PAGE_PORT = "127.0.0.1", 8110
#: How long the page stays to show the last verdict, s.
LAST_LOOK_S = 2.0


def add_flags(parser: OptionParser) -> None:
    """The flags."""
    group = parser.add_argument_group("the operator, for a device or server of your own")
    add = group.add_argument
    add("--operator", action="store_true",
        help="ask for what only a person can do; so it is where stdin is a terminal")  # fmt: skip
    add("--skip-operator", action="store_true", help="ask nobody: what depends on it is not seen")
    add("--page", action="store_true", help="show a page on 127.0.0.1 with what happens and what to do next")
    add("--page-port", "--page_port", type=port, default=PAGE_PORT, help="port of the page")


def check(options: Namespace) -> None:
    """ConfigError for flags that do not go together."""
    if options.operator and options.skip_operator:
        raise ConfigError("--operator and --skip-operator: leave one out")
    is_ours = options.server in (None, "self") and not options.client_under_test
    for name in ("operator", "skip_operator"):
        if getattr(options, name) and is_ours:
            flag = f"--{name.replace('_', '-')}"
            raise ConfigError(f"{flag}: is for --client-under-test and --server URL; leave it out")
    if options.page and is_ours and not options.realtime:
        raise ConfigError("--page: is for real time; give --realtime, --client-under-test or --server URL")


def operator_of(options: Namespace, board: Board) -> Operator:
    """Who is asked."""
    if options.skip_operator:
        return Nobody()
    at_terminal = options.operator or sys.stdin.isatty()
    places = [ask for ask, asked in ((ask_at_terminal, at_terminal), (board.ask, options.page)) if asked]
    return Person(first_of(*places)) if places else Nobody()


@asynccontextmanager
async def live_page(options: Namespace, board: Board, said: Callable[[str], None]) -> AsyncIterator[None]:
    """Serve the page as long as the campaign runs, if it is asked for."""
    if not options.page:
        yield
        return
    listening = bind_socket("--page-port", HOST, options.page_port)
    log = LogBuffer(stream=io.StringIO())
    site = WebServer(make_app(board, Fences(log)), listening, log, Fences(log))
    async with trio.open_nursery() as nursery:
        nursery.start_soon(partial(site.serve, trio.lowlevel.checkpoint))
        said(f"the page is {url_of(listening)}/")
        yield
        board.over = True
        await trio.sleep(LAST_LOOK_S)
        nursery.cancel_scope.cancel()
