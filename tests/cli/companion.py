"""A companion server on loopback, in a thread, for commands that ask it over HTTP."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager

import trio

from dersim.ieee2030_5 import resources as r
from dersim.utility.config import UtilityConfig
from dersim.utility.server import UtilityServer

LFDI = "3E4F45AB31EDFE5B67E343E5E4562E31984E23E5"


class _NoLog:
    def log(self, level, module, message, device=0):
        pass


class Companion:
    """The server; `answers`: statuses that its device LFDI gives to each control, while it is listed."""

    def __init__(self, config):
        self.server = UtilityServer(config, time.time, _NoLog())
        self.answers = {}
        self.url = ""
        self._ready = threading.Event()
        self._token = None
        self._scope = None

    @property
    def head_end(self):
        return self.server.head_end

    def run(self):
        trio.run(self._run)

    async def _run(self):
        self._token = trio.lowlevel.current_trio_token()
        await self.server.bind()
        self.url = self.server.admin_url
        with trio.CancelScope() as self._scope:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self.server.run)
                nursery.start_soon(self._answer)
                self._ready.set()

    def wait(self):
        assert self._ready.wait(10)

    def stop(self):
        self._token.run_sync_soon(self._scope.cancel)

    async def _answer(self):
        answered = set()
        while True:
            for program in self.head_end.programs.listed():
                for control in program.listed_controls():
                    if control.mrid in answered:
                        continue
                    answered.add(control.mrid)
                    for lfdi, statuses in self.answers.items():
                        for status in statuses:
                            response = r.DERControlResponse(
                                endDeviceLFDI=lfdi, status=status, subject=control.mrid
                            )
                            self.head_end.responses.post(response, lfdi, time.time())
            await trio.sleep(0.005)


@contextmanager
def companion(**config):
    """A running server; its clients come by plain HTTP."""
    running = Companion(UtilityConfig(port=0, admin_port=0, encrypted=False, **config))
    running.server.head_end.provision(LFDI, None, None)
    thread = threading.Thread(target=running.run)
    thread.start()
    try:
        running.wait()
        yield running
    finally:
        running.stop()
        thread.join()
