"""The command `dersim conformance`: the CSIP test procedures, for a client or a server under test."""

from __future__ import annotations

import json
import shlex
import sys
import tempfile
import time
from argparse import ArgumentTypeError, Namespace
from collections.abc import Callable, Iterator, Sequence
from contextlib import aclosing, contextmanager
from pathlib import Path

import trio

from dersim.cli import conformance_operator, conformance_server
from dersim.cli.commands import command_parser
from dersim.cli.outcomes import CHECK_FAILED
from dersim.conformance import campaign, report
from dersim.conformance.head import RunHead
from dersim.conformance.html.document import html
from dersim.conformance.kit import CLIENT, Kit, make_kit
from dersim.conformance.live.board import Board
from dersim.conformance.modbus import Address, Meter, address
from dersim.conformance.procedure import Outcome, Procedure, Record, Verdict
from dersim.conformance.real import WAIT_S, RealRun
from dersim.errors import ConfigError, bare_errors, root_cause
from dersim.load.head import versions
from dersim.options import OptionParser, new_file, number, port

Tell = Callable[[Outcome], None]

_MARKS = {Verdict.PASS: "pass", Verdict.WARN: "warn", Verdict.NOT_SEEN: "----", Verdict.FAIL: "FAIL"}


def main(args: Sequence[str]) -> int:
    """Run the procedures; 0, or 3 if a verdict is fail. ConfigError for a bad flag."""
    options = make_parser().parse_args(args)
    _check(options)
    options.began_s, options.command = time.time(), shlex.join(["dersim", "conformance", *args])
    if options.server is not None:
        return _main_server(options)
    procedures = campaign.chosen(options.only)
    if options.list:
        _list(procedures)
        return 0
    with tempfile.TemporaryDirectory(prefix="dersim-conformance-") as folder, _collected(options) as done:
        kit = make_kit(options.kit or Path(folder))
        _run(procedures, kit, options, done.tell)
    return _conclude(done.outcomes, options)


def _main_server(options: Namespace) -> int:
    procedures = campaign.chosen(options.only, conformance_server.PROCEDURES)
    if options.list:
        _list(procedures)
        return 0
    with tempfile.TemporaryDirectory(prefix="dersim-conformance-") as folder, _collected(options) as done:
        kit = make_kit(options.kit or Path(folder))
        conformance_server.run(procedures, kit, options, _say, done.tell)
    return _conclude(done.outcomes, options)


class _Done:
    """The outcomes so far."""

    def __init__(self) -> None:
        self.outcomes: list[Outcome] = []

    def tell(self, outcome: Outcome) -> None:
        """Print an outcome and keep it."""
        _tell(outcome)
        self.outcomes.append(outcome)


@contextmanager
def _collected(options: Namespace) -> Iterator[_Done]:
    """Where outcomes are kept; where the run is stopped or fails, the reports have those that are done."""
    done, ended = _Done(), False
    try:
        with bare_errors():
            yield done
        ended = True
    except BaseExceptionGroup as group:
        if isinstance(root_cause(group), KeyboardInterrupt):
            raise KeyboardInterrupt from None
        raise
    finally:
        if done.outcomes and not ended:
            _write(done.outcomes, options, _head(options))
            _say(f"ended early; the reports have the {len(done.outcomes)} procedures that were done")


def _conclude(outcomes: Sequence[Outcome], options: Namespace) -> int:
    _write(outcomes, options, _head(options))
    _tell_sum(outcomes)
    return CHECK_FAILED if campaign.has_failed(outcomes, strict=options.strict) else 0


def modbus_address(text: str) -> Address:
    """The value of `--modbus`; ArgumentTypeError for what is none."""
    try:
        return address(text)
    except ConfigError as error:
        raise ArgumentTypeError(str(error).partition(": ")[2]) from None


def make_parser() -> OptionParser:
    """The flags of the command."""
    parser = command_parser("conformance", usage="dersim conformance [flags]")
    add = parser.add_argument
    add(
        "--only",
        action="append",
        default=[],
        metavar="GLOB",
        help="ids to run, such as BASIC-02*; repeatable",
    )
    add("--list", action="store_true", help="print the ids and their titles, and run nothing")
    add(
        "--client-under-test",
        action="store_true",
        help="wait for a client of your own instead of running ours",
    )
    add("--host", default="127.0.0.1", help="address to listen on in real time")
    add("--port", type=port, default=8443, help="port to listen on in real time")
    add("--kit", type=Path, default=None, metavar="FOLDER", help="the certificates; made where missing")
    add("--realtime", action="store_true", help="our own client over sockets instead of virtual time")
    add("--virtual", action="store_true", help="our own client in virtual time, which is the default")
    add(
        "--scale", type=number(0.1, 1), default=1.0, metavar="F",
        help="real seconds per printed second, 0.1 to 1; for clients that take poll rates of 2 s",
    )  # fmt: skip
    add("--wait", type=number(1, 86_400, unit="seconds"), default=WAIT_S, metavar="S",
        help="how long a client under test may take to connect")  # fmt: skip
    conformance_operator.add_flags(parser)
    conformance_server.add_flags(parser)
    add("--restart", default=None, metavar="COMMAND",
        help="restarts the client under test before each procedure, instead of the operator")  # fmt: skip
    add("--modbus", type=modbus_address, default=None, metavar="HOST:PORT[:UNIT]",
        help="read the power of the client under test by SunSpec over Modbus")  # fmt: skip
    add("--strict", action="store_true", help="a warning is a failure, too")
    add("--junit", type=new_file, default=None, metavar="FILE", help="write the verdicts as JUnit XML")
    add("--json", type=new_file, default=None, metavar="FILE", help="write verdicts and evidence as JSON")
    add("--html", type=new_file, default=None, metavar="FILE", help="write a report with all evidence")
    return parser


def _check(options: Namespace) -> None:
    if options.virtual and (options.realtime or options.client_under_test):
        raise ConfigError("--virtual: is for our own client alone; leave it or the other flag out")
    conformance_operator.check(options)
    conformance_server.check(options)
    in_real_time = options.realtime or options.client_under_test or options.server not in (None, "self")
    if options.scale != 1.0 and not in_real_time:
        raise ConfigError("--scale: is for real time; give --realtime, --client-under-test or --server URL")
    if options.restart is not None and not options.client_under_test:
        raise ConfigError("--restart: is for --client-under-test; leave it out")
    if options.modbus is not None and not options.client_under_test:
        raise ConfigError("--modbus: is for --client-under-test; ours is seen at its terminals")
    if options.client_under_test and options.kit is None:
        raise ConfigError(
            "--kit FOLDER is needed with --client-under-test: its certificates are for the client"
        )


def _run(procedures: Sequence[Procedure], kit: Kit, options: Namespace, tell: Tell) -> None:
    if not (options.realtime or options.client_under_test):
        for outcome in campaign.run_virtual(procedures, kit):
            tell(outcome)
        return
    board = Board(kit.lfdi)
    how = RealRun(
        kit,
        kit.lfdi,
        scale=options.scale,
        own=not options.client_under_test,
        wait_s=options.wait,
        operator=conformance_operator.operator_of(options, board),
        restart=options.restart,
        meter=None if options.modbus is None else Meter(options.modbus, _say),
        called=board.call_out,
    )
    if options.client_under_test:
        _say(
            f"the client's certificate is {kit.cert(CLIENT)}, its key {kit.key(CLIENT)}, its root {kit.root}"
        )
        _say(
            f"the registered LFDI is {kit.lfdi}, the PIN 111115; "
            "restart the client where it does not connect again"
        )
    trio.run(_run_real, procedures, how, options, board, tell)


async def _run_real(
    procedures: Sequence[Procedure], how: RealRun, options: Namespace, board: Board, tell: Tell
) -> None:
    if how.meter is not None:
        await how.meter.open()
        _say(f"power is read by Modbus at {how.meter.where}, SunSpec model {how.meter.model}")
    found = campaign.run_real(procedures, how, options.host, options.port, _say, board)
    async with conformance_operator.live_page(options, board, _say), aclosing(found):
        async for outcome in found:
            tell(outcome)


def _list(procedures: Sequence[Record]) -> None:
    for each in procedures:
        print(f"{each.id:12}{each.required or '-':5}{each.title}")


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _tell(outcome: Outcome) -> None:
    record = outcome.procedure
    verdicts = f"{_MARKS[outcome.conformance]} {_MARKS[outcome.compatibility]}"
    print(f"{verdicts}  {record.id:12}{record.title}", flush=True)
    if outcome.error:
        print(f"           {outcome.error}")
    for criterion, finding in outcome.judged:
        if finding.verdict is not Verdict.PASS:
            print(f"           {finding.verdict.value}: {criterion.text}: {finding.text}", flush=True)


def _tell_sum(outcomes: Sequence[Outcome]) -> None:
    for kind in ("conformance", "compatibility"):
        counts = {verdict: sum(getattr(each, kind) is verdict for each in outcomes) for verdict in Verdict}
        said = ", ".join(f"{count} {verdict.value}" for verdict, count in counts.items() if count)
        print(f"{kind}: {said}")


def _head(options: Namespace) -> RunHead:
    in_real_time = options.realtime or options.client_under_test or options.server not in (None, "self")
    return RunHead(
        options.began_s,
        time.time(),
        options.command,
        versions(),
        "real" if in_real_time else "virtual",
        options.scale,
        "under test" if options.client_under_test else "dersim",
        options.server,
        _power(options),
    )


def _power(options: Namespace) -> str:
    if options.modbus is not None:
        return f"SunSpec over Modbus, {options.modbus}"
    return "what the device meters" if options.client_under_test else "at the terminals"


def _write(outcomes: Sequence[Outcome], options: Namespace, head: RunHead) -> None:
    if options.junit is not None:
        _write_text(options.junit, report.junit_text(outcomes))
    if options.json is not None:
        _write_text(options.json, json.dumps(report.document(outcomes, head), indent=1) + "\n")
    if options.html is not None:
        _write_text(options.html, html(outcomes, head))


def _write_text(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror or error}; give a writable file") from error
