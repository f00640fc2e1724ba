"""Which states of a run were saved, for those who may only tell what a restored run will not take back.

A run that keeps checkpoints may be restored from the last one saved. A meter reading of later values would
then be followed by a lower one, and a Response of later events would be given twice. So a front-end that is
about to send such a thing waits in `barrier` until a checkpoint with its present state is saved. In a run
without checkpoints nothing waits.
"""

from __future__ import annotations

import trio


async def no_wait() -> None:
    """The barrier of a run without checkpoints."""


class SavedStates:
    """The checkpoints of one run. keeps: whether it keeps any. wanted: somebody waits for the next one."""

    def __init__(self) -> None:
        self.keeps = False
        self.wanted = trio.Event()
        self._taken = self._saved = 0
        self._news = trio.Event()

    def taken(self) -> None:
        """A checkpoint of all DERs was taken."""
        self._taken += 1

    def saved(self) -> None:
        """The checkpoint that was taken last is saved: who waited for it goes on."""
        self._saved = self._taken
        self.wanted = trio.Event()
        news, self._news = self._news, trio.Event()
        news.set()

    async def barrier(self) -> None:
        """Wait until a checkpoint that is taken from now on is saved; no wait where none are kept."""
        if not self.keeps:
            return
        before = self._taken
        while self._saved <= before:
            self.wanted.set()
            await self._news.wait()
