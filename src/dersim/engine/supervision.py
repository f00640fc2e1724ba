"""One front-end under supervision: bound once, run, and after a failure bound and run again.

A failure is logged in one line, its traceback at level Debug, and shown as state ``failed`` until the
front-end runs again; its siblings go on. The pause before a restart doubles from 1 s to 60 s, real time,
and is 1 s again after a minute without failure. Cancellation is the only stop: a `run`
that returns has failed too.

With `fail_fast` nothing is restarted: the failure ends the process, so that no bug hides behind a restart.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import trio

from dersim.errors import DersimError, PluginError, origin_of, root_cause
from dersim.fences import Fences
from dersim.functions.checked import Checked
from dersim.hardware.checked_source import CheckedSource
from dersim.logbuffer import LogBuffer
from dersim.plugin.extension import Frontend, FrontendStatus

if TYPE_CHECKING:
    from dersim.device import Device

FIRST_PAUSE_S = 1.0
LONGEST_PAUSE_S = 60.0
GOOD_RUN_S = 60.0

#: A first `run` that returns sooner than this never served: a mistake of its plug-in.
AT_ONCE_S = 1.0
_RETURNED = "its run returned instead of serving until it is cancelled"


class FrontendFailed(DersimError):  # noqa: N818 - a state of the program, named as one
    """A front-end, or a DER's physics, failed under `--fail_fast`; its own error is the cause."""


class Supervised:
    """A front-end, the name it was registered by, its plug-in, and the number of its DER (0: the fleet's)."""

    def __init__(
        self,
        frontend: Frontend,
        name: str,
        device: int,
        log: LogBuffer,
        fences: Fences,
        *,
        plugin: str = "dersim",
    ) -> None:
        self.frontend = frontend
        self.name = name
        self.device = device
        self._plugin = plugin
        self._log = log
        self._fences = fences
        self._bound = False
        self._trouble = ""
        self._status_fails = False

    def __str__(self) -> str:
        return f"front-end {self.name} of DER {self.device}" if self.device else f"front-end {self.name}"

    def status(self) -> FrontendStatus:
        """The front-end's own status, or ``failed`` with the cause."""
        if self._trouble:
            return FrontendStatus("failed", self._trouble)
        what = f"status() of {self}, plug-in {self._plugin}"
        quiet = self._status_fails  # called every second, logged once
        with self._fences.around("frontend_status", "Engine", what, self.device, quiet=quiet) as ended:
            own = FrontendStatus(*map(str, self.frontend.status()))
        self._status_fails = ended.error is not None
        return FrontendStatus("failed", f"its status() failed: {ended}") if self._status_fails else own

    async def bind(self) -> Mapping[str, str]:
        """Open the listeners, once before `run`; errors are raised."""
        addresses = await self.frontend.bind()
        if not isinstance(addresses, Mapping):
            raise PluginError(
                f"plug-in {self._plugin}: bind of {self} returned {addresses!r}; "
                f"return names with addresses, {{}} where nothing listens"
            )
        self._bound = True
        return addresses

    async def run(self) -> None:
        """Run until cancelled. PluginError where the first run returns at once."""
        pause_s, first = FIRST_PAUSE_S, True
        while True:
            began = trio.current_time()
            with self._fences.around(
                "frontend", "Engine", f"{self} failed", self.device, raises=FrontendFailed
            ) as ended:
                await self._attempt()
                if not first or trio.current_time() - began >= AT_ONCE_S:
                    raise FrontendFailed(_RETURNED)
            if ended.error is None:
                raise PluginError(
                    f"plug-in {self._plugin}: {self}: {_RETURNED}; "
                    f"correct it, or leave it out with --without {self._plugin}"
                )
            self._trouble, first = str(ended), False
            if trio.current_time() - began >= GOOD_RUN_S:
                pause_s = FIRST_PAUSE_S
            self._log.log("Info", "Engine", f"{self}: starting it again in {pause_s:g} s", self.device)
            await trio.sleep(pause_s)
            pause_s = min(pause_s * 2, LONGEST_PAUSE_S)

    async def _attempt(self) -> None:
        if not self._bound:
            await self.bind()
        self._trouble = ""
        self._bound = False  # after a failure everything is opened again
        await self.frontend.run()


class SupervisedPhysics:
    """The steps of all DERs. One whose step fails is not stepped again; the others go on.

    There is nothing to restart: the failure is a bug, and the same step would fail in the same way.
    owners: the plug-in of each control function and device type.
    """

    def __init__(self, fences: Fences, owners: Mapping[str, str] | None = None) -> None:
        self._fences = fences
        self._owners = owners or {}
        self._failed: dict[int, str] = {}

    def step(self, device: Device, now_s: float) -> None:
        """Step one DER, unless it has failed before."""
        if device.number in self._failed:
            return
        try:  # not `Fences.around`: this runs for every DER at every tick
            device.step(now_s)
        except (Exception, SystemExit) as error:  # noqa: BLE001 - a fence: this DER ends here, logged and counted
            self._fences.tell(
                error, "physics", "Engine", self._what(device), device.number, raises=FrontendFailed
            )
            self._stop(device, error)

    def failed(self, device: Device, error: BaseException) -> None:
        """Stop a DER after an error in a step that a command caused."""
        what = self._what(device)
        self._fences.tell(error, "physics", "Engine", what, device.number, raises=FrontendFailed)
        self._stop(device, error)

    def _what(self, device: Device) -> Callable[[BaseException], str]:
        return lambda error: (
            f"DER {device.number} failed and is not stepped again: {_culprit(device, error, self._owners)}"
        )

    def _stop(self, device: Device, error: BaseException) -> None:
        cause = root_cause(error)
        told = str(cause) if isinstance(cause, DersimError) else repr(cause)
        self._failed[device.number] = reason = f"{_culprit(device, error, self._owners)}: {told}"
        device.fail(reason)

    def status(self, number: int) -> dict[str, FrontendStatus]:
        """``physics: failed`` for a DER that has failed, else nothing."""
        cause = self._failed.get(number)
        return {} if cause is None else {"physics": FrontendStatus("failed", cause)}


def _culprit(device: Device, error: BaseException, owners: Mapping[str, str]) -> str:
    """The control function or DC side in whose method the error was raised, its plug-in, and the line."""
    kind = device.device_type.name
    source: object = device.source
    if isinstance(source, CheckedSource):
        source = source.source
    parts: list[tuple[object, str, str]] = [(source, f"the DC side of {kind!r}", kind)]
    parts += [(each, f"control function {name!r}", name) for name, each in device.functions.items()]
    place = "" if isinstance(root_cause(error), DersimError) else f" in {origin_of(error)}"
    trace = error.__traceback__
    while trace is not None:
        acting = trace.tb_frame.f_locals.get("self")
        if isinstance(acting, Checked):
            acting = acting.function
        elif isinstance(acting, CheckedSource):
            acting = acting.source
        for part, title, name in parts:
            if acting is not None and part is acting:
                return f"{title} of plug-in {owners.get(name, '?')}{place}"
        trace = trace.tb_next
    return f"its step{place}"
