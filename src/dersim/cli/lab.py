"""`dersim lab`: serve the lab page until a signal stops it, then stop what it started."""

from __future__ import annotations

import os
import signal
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import trio

from dersim import pki
from dersim.cli import server, sim_options
from dersim.cli.commands import command_parser
from dersim.cli.terminal import stderr
from dersim.errors import bare_errors
from dersim.fences import Fences
from dersim.lab.app import make_lab_app
from dersim.lab.programs import Programs
from dersim.lab.state import LabState
from dersim.logbuffer import LogBuffer
from dersim.options import OptionParser, port
from dersim.pages.serving import WebServer
from dersim.pages.sockets import bind_socket, url_of

#: Loopback only: the page starts programs. From elsewhere: ssh -L 8100:127.0.0.1:8100.
HOST = "127.0.0.1"
DEFAULT_PORT = 8100

_SIGNALS = [signal.SIGINT, signal.SIGTERM] + ([signal.SIGHUP] if hasattr(signal, "SIGHUP") else [])


def main(args: Sequence[str]) -> int:
    """Run `dersim lab` with these arguments; the exit code."""
    options = make_parser().parse_args(args)
    with bare_errors():
        trio.run(serve, options.port, make_programs(), _seen_from_here(pki.bundled_dir()))
    return 0


def make_parser() -> OptionParser:
    """The flags of `dersim lab`."""
    parser = command_parser(
        "lab",
        description="Serve a page on 127.0.0.1 that starts, watches and stops the companion IEEE 2030.5 "
        "server and the DER simulator.",
    )
    parser.add_argument("--port", type=port, default=DEFAULT_PORT, help="port of the page")
    return parser


def make_programs() -> Programs:
    """The two programs with the parsers of `dersim server` and `dersim sim`."""
    return Programs(
        server_parser=lambda _: server.make_serving_parser(),
        simulator_parser=lambda line: sim_options.make_parser(line)[0],
    )


def _seen_from_here(folder: Path) -> Path:
    """Relative to the working folder where possible: it is shorter to read, and the children start there."""
    here = Path.cwd()
    return folder.relative_to(here) if folder.is_relative_to(here) else folder


async def serve(
    lab_port: int,
    programs: Programs,
    test_pki: Path,
    *,
    task_status: trio.TaskStatus[str] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Serve until SIGINT, SIGTERM or SIGHUP; `started` with the page's URL. ConfigError: the port is busy."""
    listening = bind_socket("--port", HOST, lab_port)
    with trio.open_signal_receiver(*_SIGNALS) as signals:
        async with trio.open_nursery() as children:
            state = LabState(programs, test_pki)
            terminal = stderr()
            log = LogBuffer(writer=terminal.writer)
            fences = Fences(log, fail_fast=os.environ.get(sim_options.FAIL_FAST_VARIABLE) == "yes")
            site = WebServer(make_lab_app(state, children, fences), listening, log, fences)
            async with trio.open_nursery() as web:
                web.start_soon(partial(site.serve, trio.lowlevel.checkpoint))
                state.url = url = url_of(listening)
                print(f"dersim ready lab={url}", flush=True)
                terminal.table({"lab": url})
                task_status.started(url)
                await anext(aiter(signals))
                web.cancel_scope.cancel()
            # The children last: with the page closed, nobody can start them again.
            await state.stop_all()
            children.cancel_scope.cancel()
