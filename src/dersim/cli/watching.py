"""`dersim sim --watch_invariants`: watches the run, and tells at its end what was found."""

from __future__ import annotations

import os
import sys
from argparse import Namespace
from typing import TYPE_CHECKING

from dersim.invariants.watcher import SHARE, Watcher
from dersim.options import CSIP_PIN_VARIABLE, OptionParser, yes_no
from dersim.plugin.services import CompanionService

if TYPE_CHECKING:
    from dersim.clock import SimClock
    from dersim.engine.simulator import Simulator
    from dersim.logbuffer import LogBuffer

#: Set to ``yes``, as in our tests, it makes the flag the default.
VARIABLE = "DERSIM_WATCH_INVARIANTS"
#: The exit code of a run under --fail_fast in which an invariant was violated.
VIOLATED = 1


def add_flag(parser: OptionParser) -> None:
    """--watch_invariants."""
    parser.add_argument_group("invariants").add_argument(
        "--watch_invariants",
        type=yes_no,
        nargs="?",
        const=True,
        default=os.environ.get(VARIABLE) == "yes",
        metavar="yes|no",
        help="check all the time that the simulator keeps its own rules (docs/invariants.md), in at most "
        "2 %% of the time; a violation is an error in the log, and exit code 1 at the end with --fail_fast",
    )


class InvariantWatch:
    """The watch of one run."""

    def __init__(self, options: Namespace, simulator: Simulator, clock: SimClock, log: LogBuffer) -> None:
        self._options = options
        self._simulator = simulator
        self._log = log
        fleet, services = simulator.fleet, simulator.services
        self.watcher = Watcher(
            fleet, services, clock, log, share=SHARE, buffers=simulator.buffers, fences=simulator.fences
        )
        services.offer(Watcher, self.watcher)

    @classmethod
    def of(
        cls, options: Namespace, simulator: Simulator, clock: SimClock, log: LogBuffer
    ) -> InvariantWatch | None:
        """What the flag asks for; None without it."""
        return cls(options, simulator, clock, log) if options.watch_invariants else None

    async def run(self) -> None:
        """Watch, from the ready line until cancelled."""
        self.watcher.secrets += secrets_of(self._options, self._simulator)
        await self.watcher.run()

    def finish(self) -> int:
        """Tell what was found; the exit code."""
        found = self.watcher.total
        self._log.log("Error" if found else "Info", "Engine", self.watcher.summary())
        if not (found and self._options.fail_fast):
            return 0
        print(f"dersim sim: {self.watcher.summary()}", file=sys.stderr, flush=True)
        return VIOLATED


def secrets_of(options: Namespace, simulator: Simulator) -> list[str]:
    """The PINs and the token of a run."""
    found = [getattr(options, "csip_pin", None), getattr(options, "token", None)]
    found.append(os.environ.get(CSIP_PIN_VARIABLE))
    companion = simulator.services.find(CompanionService)
    if companion is not None:
        found.append(companion.pin)
    return sorted({str(each) for each in found if each})
