"""One front-end under supervision: bound once, run, and after a failure bound and run again.

A failure is logged in one line, its traceback at level Debug, and shown as state ``failed`` until the
front-end runs again; it never reaches a sibling. The pause before a restart doubles from 1 s to 60 s, and
starts anew after a minute of good running. These pauses are in real time. Cancellation passes through: it is
the only stop.

With `fail_fast` nothing is restarted: the failure ends the process, so that no bug hides behind a restart.
"""

from __future__ import annotations

import traceback
from collections.abc import Mapping
from typing import TYPE_CHECKING

import trio

from dersim.errors import DersimError, root_cause
from dersim.logbuffer import LogBuffer
from dersim.plugin.extension import Frontend, FrontendStatus

if TYPE_CHECKING:
    from dersim.device import Device

FIRST_PAUSE_S = 1.0
LONGEST_PAUSE_S = 60.0
GOOD_RUN_S = 60.0


class FrontendFailed(DersimError):  # noqa: N818 - a state of the program, named as one
    """A front-end, or a DER's physics, failed under `--fail_fast`; its own error is the cause."""


class Supervised:
    """A front-end, the name it was registered by, and the number of its DER (0: the fleet's)."""

    def __init__(
        self, frontend: Frontend, name: str, device: int, log: LogBuffer, *, fail_fast: bool = False
    ) -> None:
        self.frontend = frontend
        self.name = name
        self.device = device
        self.failures = 0
        self._log = log
        self._fail_fast = fail_fast
        self._bound = False
        self._trouble = ""

    def __str__(self) -> str:
        return f"front-end {self.name} of DER {self.device}" if self.device else f"front-end {self.name}"

    def status(self) -> FrontendStatus:
        """Its own word, or ``failed`` with the cause."""
        return FrontendStatus("failed", self._trouble) if self._trouble else self.frontend.status()

    async def bind(self) -> Mapping[str, str]:
        """Open what listens, once before `run`; errors are the caller's."""
        addresses = await self.frontend.bind()
        self._bound = True
        return addresses

    async def run(self) -> None:
        """Run until cancelled, or until the front-end comes to an end of its own."""
        pause_s = FIRST_PAUSE_S
        while True:
            began = trio.current_time()
            try:
                await self._attempt()
            except Exception as error:  # noqa: BLE001 - the supervisor: a failing front-end must not end its siblings
                self._report(error)
            else:
                return
            if trio.current_time() - began >= GOOD_RUN_S:
                pause_s = FIRST_PAUSE_S
            self._log.log("Info", "Engine", f"{self}: starting it again in {pause_s:g} s", self.device)
            await trio.sleep(pause_s)
            pause_s = min(pause_s * 2, LONGEST_PAUSE_S)

    async def _attempt(self) -> None:
        if not self._bound:
            await self.bind()
        self._trouble = ""
        self._bound = False  # used up: after a failure everything is opened anew
        await self.frontend.run()

    def _report(self, error: Exception) -> None:
        cause = root_cause(error)
        self.failures += 1
        self._trouble = str(cause) if isinstance(cause, DersimError) else repr(cause)
        self._log.log("Error", "Engine", f"{self} failed: {self._trouble}", self.device)
        self._log.log("Debug", "Engine", "".join(traceback.format_exception(error)), self.device)
        if self._fail_fast:
            raise FrontendFailed(f"{self} failed: {self._trouble}") from error


class SupervisedPhysics:
    """The steps of all DERs. One whose step fails stands still from then on, and the others go on.

    There is nothing to restart: the failure is a bug, and the same step would fail in the same way.
    """

    def __init__(self, log: LogBuffer, *, fail_fast: bool = False) -> None:
        self._log = log
        self._fail_fast = fail_fast
        self._failed: dict[int, str] = {}

    def step(self, device: Device, now_s: float) -> None:
        """Step one DER, unless it has failed before."""
        if device.number in self._failed:
            return
        try:
            device.step(now_s)
        except Exception as error:  # the supervisor: a failing DER must not stop the others
            self._failed[device.number] = repr(error)
            what = f"the physics of DER {device.number} failed: {error!r}"
            self._log.log("Error", "Engine", f"{what}; it stands still from now on", device.number)
            self._log.log("Debug", "Engine", "".join(traceback.format_exception(error)), device.number)
            if self._fail_fast:
                raise FrontendFailed(what) from error

    def status(self, number: int) -> dict[str, FrontendStatus]:
        """``physics: failed`` for a DER that stands still, else nothing."""
        cause = self._failed.get(number)
        return {} if cause is None else {"physics": FrontendStatus("failed", cause)}
