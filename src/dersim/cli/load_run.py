"""A run of `dersim sim` under load: it records, and at the end it tells and writes what was found."""

from __future__ import annotations

import sys
import time
from argparse import Namespace
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import trio

from dersim.cli.load_flags import is_measured
from dersim.cli.outcomes import CHECK_FAILED
from dersim.cli.redaction import command_line
from dersim.errors import DersimError
from dersim.load import files, head, report, summary
from dersim.load.head import RunHead
from dersim.load.latencies import library
from dersim.load.recorder import LoadRecorder
from dersim.load.tally import LoadTally
from dersim.load.thresholds import judge_all
from dersim.plugin.services import CompanionService, CsipService

if TYPE_CHECKING:
    from dersim.cli.terminal import Terminal
    from dersim.clock import SimClock
    from dersim.engine.simulator import Simulator

_TICKS = "\u2713\u2717"


class LoadRun:
    """The measuring of one process. words: its command line."""

    def __init__(
        self, options: Namespace, simulator: Simulator, clock: SimClock, words: Sequence[str]
    ) -> None:
        self._options = options
        self._simulator = simulator
        self._words = words
        self._began_cpu_s = 0.0
        self._target, self._edition = "no 2030.5 client", "-"
        self.recorder = LoadRecorder(simulator.fleet, clock)
        simulator.services.offer(LoadRecorder, self.recorder)

    @classmethod
    def of(
        cls, options: Namespace, simulator: Simulator, clock: SimClock, words: Sequence[str]
    ) -> LoadRun | None:
        """What the flags ask for; None where load is not measured. ConfigError without hdrhistogram."""
        if not is_measured(options):
            return None
        library()
        return cls(options, simulator, clock, words)

    async def run(self) -> None:
        """Record, from the ready line until cancelled."""
        self._began_cpu_s = time.process_time()
        client = self._simulator.services.find(CsipService, self._simulator.fleet.devices[0].number)
        if client is not None:
            shown = client.snapshot()
            self._target, self._edition = f"{shown['server']}{shown['dcap']}", str(shown["edition"])
        await self.recorder.run()

    def head(self) -> RunHead:
        """What the run was."""
        options, fleet = self._options, self._simulator.fleet
        return RunHead(
            target=self._target,
            edition=self._edition,
            devices=len(fleet.devices),
            first=fleet.devices[0].number,
            ramp_per_s=options.ramp,
            wanted_s=options.duration,
            seed=options.seed,
            command=command_line(self._words),
            machine=head.machine(),
            versions=head.versions(),
            cpu_s=time.process_time() - self._began_cpu_s,
            peak_mib=head.peak_mib(),
            with_server=self._simulator.services.find(CompanionService) is not None,
        )

    def finish(self, terminal: Terminal) -> int:
        """Tell and write everything; the exit code."""
        return finish(self._options, self.head(), self.recorder.tally, terminal)


def finish(options: Namespace, run: RunHead, tally: LoadTally, terminal: Terminal) -> int:
    """The table on stderr and the files that the flags ask for; exit code 3 where a threshold failed."""
    verdicts = judge_all(options.thresholds or (), tally)
    snapshot = tally.snapshot()
    plain = not _can_write(_TICKS)
    for text, style in summary.lines(snapshot, verdicts, ascii_only=plain):
        if terminal.look.interactive or terminal.look.colour:
            terminal.line(text, style)
        else:
            print(text, file=sys.stderr)
    sys.stderr.flush()
    if options.load_report:
        write("--report", options.load_report, report.html(run, snapshot, verdicts))
    if options.load_json:
        write("--json", options.load_json, files.json_text(run, snapshot, verdicts))
    if options.load_junit:
        write("--junit", options.load_junit, files.junit_text(run, snapshot, verdicts))
    return 0 if all(each.passed for each in verdicts) else CHECK_FAILED


def write(flag: str, path: Path, text: str) -> None:
    """Write a file; DersimError says which one cannot be written, and why."""
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise DersimError(f"{flag} {path}: {error.strerror or error}; the run is over, repeat it") from error


def _can_write(text: str) -> bool:
    try:
        text.encode(sys.stderr.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def stop_after(seconds: float | None, stop: Callable[[], None]) -> tuple[Callable[[], Awaitable[None]], ...]:
    """The task that stops a run after this time; none where it goes on."""
    if seconds is None:
        return ()

    async def wait() -> None:
        await trio.sleep(seconds)
        stop()

    return (wait,)
