"""The fixture `assert_conforms`: CSIP conformance procedures as an assertion.

For our own client (virtual time), a client of the user's, which is started for each procedure, or a server of
the user's. What `dersim conformance` judges as a failure fails the test.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import trio

from dersim.conformance import campaign
from dersim.conformance.kit import CLIENT, SERVER, Kit, make_kit
from dersim.conformance.live.board import Board
from dersim.conformance.operator import Nobody
from dersim.conformance.procedure import Outcome, Procedure, Record, Verdict
from dersim.conformance.procedures import ALL
from dersim.conformance.real import RealRun
from dersim.conformance.server import runs
from dersim.conformance.server.admin import AdminOperator, call_over_http
from dersim.conformance.server.owner import Owner
from dersim.conformance.server.procedure import ServerProcedure
from dersim.conformance.server.procedures import ALL as ALL_OF_SERVERS
from dersim.conformance.server.target import target_of
from dersim.errors import ConfigError, bare_errors
from dersim.plugin.services import CertificateFiles
from dersim.testing.portal import Waits, settle

__tracebackhide__ = True  # pytest shows the line of the test, not ours


R = TypeVar("R", bound=Record)

#: How long a client may take to connect after its start, s.
CONNECTS_S = 20.0


class ClientUnderTest(NamedTuple):
    """What a client is started with. url: of DeviceCapability. pin: of its Registration."""

    url: str
    files: CertificateFiles
    lfdi: str
    pin: int = 111115


class ServerUnderTest(NamedTuple):
    """What a server is started with, and whom it must know. lfdi: of the DER that plays, with its PIN."""

    files: CertificateFiles
    lfdi: str
    pin: int = 111115


#: Starts a client; what it gives is left after the procedure, which must stop the client.
StartClient = Callable[[ClientUnderTest], AbstractContextManager[object]]
#: Starts a server and gives its URL; what it gives is left after the procedures.
StartServer = Callable[[ServerUnderTest], AbstractContextManager[str]]


class AssertConforms:
    """Runs procedures by their ids. folder: for the certificates."""

    def __init__(self, folder: Path, waits: Waits) -> None:
        self._folder, self._waits = folder, waits

    def __call__(
        self,
        *ids: str,
        client: StartClient | None = None,
        server: StartServer | None = None,
        flags: Sequence[str] = (),
        scale: float = 1.0,
        strict: bool = False,
        admin: str | None = None,
    ) -> Any:
        """The outcomes of the procedures whose ids match (`BASIC-01*`); AssertionError with what fails.

        client: starts yours; server: starts yours; without both our own client runs in virtual time. flags:
        of `dersim sim`, for our own client. scale: real seconds per printed second. strict: a warning fails.
        admin: the admin port of a companion server under test. An awaitable in an async test.
        """
        kit = make_kit(self._folder)

        def run() -> list[Outcome]:
            if server is not None:
                return _of_server(_chosen(ids, ALL_OF_SERVERS), kit, server, admin, scale)
            procedures = _chosen(ids, ALL)
            if client is not None:
                return _of_client(procedures, kit, client, scale)
            return list(campaign.run_virtual(procedures, kit, tuple(flags)))

        def judge() -> list[Outcome]:
            with bare_errors():
                outcomes = run()
            if campaign.has_failed(outcomes, strict=strict):
                raise AssertionError("\n".join(told(outcomes)))
            return outcomes

        return self._waits(_in_a_thread(judge))


def _chosen(ids: Sequence[str], known: Mapping[str, R]) -> list[R]:
    try:
        return campaign.chosen(ids, known)
    except ConfigError as error:
        raise ConfigError(str(error).replace("--only", "assert_conforms:", 1)) from None


def told(outcomes: Sequence[Outcome]) -> list[str]:
    """What does not pass, a line a criterion."""
    lines = []
    for each in outcomes:
        lines.append(f"{each.procedure.id} {each.procedure.title}: {each.conformance}")
        if each.error:
            lines.append(f"    {each.error}")
        lines += [
            f"    {finding.verdict}: {criterion.text}: {finding.text}"
            for criterion, finding in each.judged
            if finding.verdict is not Verdict.PASS
        ]
    return lines


def _of_client(procedures: Sequence[Procedure], kit: Kit, start: StartClient, scale: float) -> list[Outcome]:
    """Each procedure with a client that is started for it: it begins with a new connection."""
    files = CertificateFiles(kit.cert(CLIENT), kit.key(CLIENT), kit.root)

    async def run_one(procedure: Procedure) -> list[Outcome]:
        board = Board(kit.lfdi)
        how = RealRun(kit, kit.lfdi, scale=scale, own=False, wait_s=CONNECTS_S)
        with ExitStack() as stack:

            def said(line: str) -> None:
                if line.startswith("listening on"):
                    stack.enter_context(start(ClientUnderTest(board.address, files, kit.lfdi)))

            return [each async for each in campaign.run_real([procedure], how, "127.0.0.1", 0, said, board)]

    return [outcome for each in procedures for outcome in trio.run(run_one, each)]


def _of_server(
    procedures: Sequence[ServerProcedure], kit: Kit, start: StartServer, admin: str | None, scale: float
) -> list[Outcome]:
    files = CertificateFiles(kit.cert(SERVER), kit.key(SERVER), kit.root)
    operator = Owner(Nobody()) if admin is None else AdminOperator(call_over_http(admin, None))

    async def run(url: str) -> list[Outcome]:
        target = target_of(url, kit)
        await target.check()
        found = runs.run_real(procedures, target, operator, time.time(), scale, lambda _line: None, Board())
        return [each async for each in found]

    with start(ServerUnderTest(files, kit.lfdi)) as url:
        return trio.run(run, url)


def _in_a_thread(work: Callable[[], list[Outcome]]) -> Future[list[Outcome]]:
    """Carry out work that runs a loop of its own, beside the loop of the test."""
    done: Future[list[Outcome]] = Future()
    threading.Thread(target=settle, args=(done, work), name="dersim.conformance", daemon=True).start()
    return done
