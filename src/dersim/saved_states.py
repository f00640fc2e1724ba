"""Which states of a run were saved, for those who may only tell what a restored run will not take back.

A run that keeps checkpoints may be restored from the last one saved. A meter reading of later values would
then be followed by a lower one, and a Response of later events would be given twice. So a front-end that is
about to send such a thing waits in `barrier` until a checkpoint with its present state is saved. In a run
without checkpoints nothing waits.

Of what is being sent while the process dies nobody knows whether it arrived. `repeats` says what a restored
run does with it: it sends it again, once and the same, or never.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from functools import partial

import trio

#: Waits until the present state of a DER is saved.
Barrier = Callable[[], Awaitable[None]]


async def no_wait() -> None:
    """The barrier of a run without checkpoints."""


class SavedStates:
    """The checkpoints of one run. keeps: whether it keeps any. wanted: somebody waits for the next one.

    repeats: whether a restored run sends again what was being sent when the state was saved.
    A number is that of a DER; 0 means any: who waits for it waits for a checkpoint of all.
    """

    def __init__(self) -> None:
        self.keeps = self.repeats = False
        self.wanted = trio.Event()
        self._waiting: dict[int, list[trio.Event]] = {}
        self._taken: list[trio.Event] = []

    @property
    def wanted_numbers(self) -> list[int]:
        """The DERs whose states somebody waits for; 0: all."""
        return list(self._waiting)

    def taken(self, numbers: Iterable[int] | None = None) -> None:
        """The checkpoints of these DERs, or of all, are being taken."""
        for number in list(self._waiting) if numbers is None else numbers:
            self._taken += self._waiting.pop(number, ())
        if not self._waiting and self.wanted.is_set():  # who waits for one that is not set keeps it
            self.wanted = trio.Event()

    def saved(self) -> None:
        """What was taken is saved: who waited for it goes on."""
        passed, self._taken = self._taken, []
        for each in passed:
            each.set()

    def given_up(self) -> None:
        """Nothing can be saved: nobody waits any longer."""
        self.taken()
        self.saved()

    def want(self, number: int = 0) -> None:
        """Save the state of this DER soon; nobody waits."""
        if self.keeps:
            self._waiting.setdefault(number, [])
            self.wanted.set()

    async def barrier(self, number: int = 0) -> None:
        """Wait until a checkpoint that is taken from now on is saved; no wait where none are kept."""
        if self.keeps:
            self.want(number)
            passed = trio.Event()
            self._waiting[number].append(passed)
            await passed.wait()

    def barrier_of(self, number: int) -> Barrier:
        """The barrier of one DER."""
        return partial(self.barrier, number)
