"""The state file of one run of the simulator, from the command line to the last save."""

from __future__ import annotations

import math
import time
from argparse import Namespace
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from dersim.errors import ConfigError, DersimError
from dersim.kept import value
from dersim.sim_state import resuming
from dersim.sim_state.resuming import Head
from dersim.sim_state.saving import Saving
from dersim.sim_state.store import Store
from dersim.timestamps import rfc3339

if TYPE_CHECKING:
    from dersim.clock import SimClock
    from dersim.engine.simulator import Simulator
    from dersim.logbuffer import LogBuffer


class SimState:
    """The file of `--state`. saving: while the run lasts.

    Call `of`, then `begin` once there is a clock, `restore` before the run, `run` beside it, `finish` at its
    end.
    """

    def __init__(self, options: Namespace) -> None:
        """Open the file. ConfigError for one that cannot be used, or is of another run."""
        self._options = options
        self._store = Store(options.state)
        self.saving: Saving | None = None
        try:
            with self._naming():
                kept = self._store.read()
                self._ders = kept.ders
                self.head = None if kept.run is None else self._checked(kept.run)
                self._latest_s = _latest_s(kept.ders)
        except BaseException:
            self._store.close()
            raise

    @classmethod
    def of(cls, options: Namespace) -> SimState | None:
        """The state that the flags ask for, with the seed in `options` that it has; None without one."""
        if options.state is None:
            if options.resume == "stand":  # the other is what happens anyway
                raise ConfigError(
                    "--resume stand: is for the file of --state FILE; give it, or leave this out"
                )
            return None
        if options.resume == "stand" and options.wall_clock:
            raise ConfigError("--resume stand and -wc yes: simulated time is the computer's; leave out one")
        state = cls(options)
        if state.head is not None:
            options.seed = state.head.seed
            options.plan = replace(options.plan, began_s=state.head.began_s)
        return state

    def _checked(self, document: dict[str, Any]) -> Head:
        head = resuming.head_of(document)
        resuming.check(head, self._options)
        if len(self._ders) != head.ders:
            raise ConfigError(
                f"it has the states of {len(self._ders)} of {head.ders} DERs; move it away to begin anew"
            )
        return head

    def _naming(self) -> _Naming:
        return _Naming(f"--state {self._options.state}: ")

    def start_s(self, first_s: float | None) -> float | None:
        """The first instant of simulated time. first_s: that of a run without a state; None: now."""
        if self.head is None:
            return first_s
        return resuming.start_s(self.head, self._latest_s, self._options)

    def begin(self, clock: SimClock) -> None:
        """The clock is made: what is saved from now on is of this run."""
        self._clock = clock
        options, before = self._options, self.head
        plan = options.plan
        self._first = Head(
            seed=options.seed,
            lives=1 if before is None else before.lives + 1,
            first=plan.first,
            ders=plan.count,
            groups=resuming.digest_of(plan),
            began_s=clock.now_s() if before is None else before.began_s,
            sim_s=0.0,
            true_s=0.0,
            clean=False,
            late_s=0.0,
            follows=_follows(options) if before is None else before.follows,
        )

    @property
    def lives(self) -> int:
        """How many processes have run this, with this one."""
        return self._first.lives

    def restore(self, simulator: Simulator, log: LogBuffer) -> None:
        """Before the run. ConfigError for a state that these DERs cannot take over."""
        states = simulator.states
        states.keeps = states.repeats = True
        simulator.life = self.lives
        saved_s = None
        if self.head is not None:
            saved_s = self.head.true_s
            with self._naming():
                simulator.restore(self._ders)
            log.log("Info", "Engine", self._told(self.head))
            self._ders = {}
        for device in simulator.fleet.devices:
            device.on_change = partial(states.want, device.number)
        self.saving = saving = Saving(self._store, simulator, log, self._head, saved_s)
        simulator.more_statuses["state"] = saving.status
        simulator.metrics["state"] = saving.metrics

    def _told(self, head: Head) -> str:
        saved, away_s = rfc3339(head.true_s), max(0.0, time.time() - head.true_s)
        ended = "stopped" if head.clean else "ended without a stop"
        return (
            f"--state {self._options.state} goes on: the run of {head.ders} DER(s) that {ended}, "
            f"saved {saved}, {away_s:.0f} s ago; simulated time goes on at {rfc3339(self._clock.now_s())}"
        )

    def _head(self, *, clean: bool = False) -> dict[str, Any]:
        clock, pause_s = self._clock, 0.0 if self.saving is None else self.saving.pause_s
        late_s = 2 * (clock.tick_s + pause_s * clock.rate)
        now = self._first._replace(sim_s=clock.now_s(), true_s=time.time(), clean=clean, late_s=late_s)
        return now._asdict()

    async def run(self) -> None:
        """Save until cancelled."""
        assert self.saving is not None  # noqa: S101 - `restore` has made it
        await self.saving.run()

    def finish(self) -> None:
        """The run is over: save all once more, if it had begun."""
        if self.saving is not None and self._clock.started:
            self.saving.save_now(self._head(clean=True))

    def close(self) -> None:
        """Let go of the file."""
        self._store.close()


def _follows(options: Namespace) -> bool:
    """Whether the simulated time of a run that begins now is the computer's clock."""
    return options.rate == 1 and (options.wall_clock or options.start_clock_time is None)


def _latest_s(ders: Mapping[str, Any]) -> float:
    """The last step of any DER, simulated UTC s."""
    try:
        times = [value(each["device"]["time_s"]) for each in ders.values()]
        return max((each for each in times if not math.isnan(each)), default=0.0)
    except (LookupError, TypeError) as error:
        raise ConfigError(f"its content cannot be used: {error!r}; move it away to begin anew") from None


class _Naming:
    """A ConfigError within the block says which file it is about."""

    def __init__(self, words: str) -> None:
        self._words = words

    def __enter__(self) -> None:
        return None

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if isinstance(error, DersimError) and not str(error).startswith("--state"):
            raise ConfigError(f"{self._words}{error}") from None
