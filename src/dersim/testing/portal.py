"""A trio loop in a thread of its own, for tests that run in none or in another one.

In virtual time the clock stands still while nobody waits, so that a test decides when time passes; it jumps
while a test waits.
"""

from __future__ import annotations

import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import CancelledError, Future
from typing import Any, NoReturn, TypeVar

import trio
import trio.testing

from dersim.errors import DersimError
from dersim.virtual_time import seeded_schedule, virtual_clock

__tracebackhide__ = True  # pytest shows the line of the test, not ours


T = TypeVar("T")

#: How long the loop may take to begin and to end, real seconds.
_PATIENCE_S = 30.0
#: How often it is looked whether the loop still runs, real seconds.
_LOOK_S = 0.5
_STANDING = float("inf")


class Waits:
    """What a test gets of work that takes time: its result, or in an async test an awaitable of it."""

    def __init__(self, *, in_async: bool) -> None:
        self._in_async = in_async

    def __call__(self, done: Future[T], result: Callable[[Future[T]], T] = Future.result) -> Any:
        """result: how the future is waited for."""
        if self._in_async:
            return _awaited(done, result)
        return bare(result, done)


def bare(result: Callable[[Future[T]], T], done: Future[T]) -> T:
    """The result; an error that is meant for the user is raised without the frames of the loop."""
    try:
        return result(done)
    except (AssertionError, DersimError) as error:
        raise error.with_traceback(None) from None


class Portal:
    """Runs `main(portal)` in a trio loop in a thread; `main` calls `serve` in the end.

    virtual: with a clock that jumps while somebody waits. seed: of the order of tasks then.
    """

    def __init__(
        self, main: Callable[[Portal], Awaitable[None]], waits: Waits, *, virtual: bool, seed: int = 1
    ) -> None:
        self._main = main
        self._seed = seed
        self._waits = waits
        self._clock = virtual_clock() if virtual else None
        self._token: trio.lowlevel.TrioToken | None = None
        self._nursery: trio.Nursery | None = None
        self._stopping: trio.Event | None = None
        self._waiting = 0
        self._begun: Future[None] = Future()
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="dersim.testing", daemon=True)

    @property
    def is_virtual(self) -> bool:
        """Whether time is virtual."""
        return self._clock is not None

    # ---- of the test's thread

    def start(self) -> None:
        """Run the loop; an error of `main` before `serve` is raised here."""
        self._thread.start()
        self._begun.result(_PATIENCE_S)

    def stop(self) -> None:
        """End the loop; the error that has ended it is raised here."""
        if self._token is not None and self._thread.is_alive():
            self._soon(self._end)
        self._thread.join(_PATIENCE_S)
        if self._error is not None:
            error, self._error = self._error, None
            raise error

    def call(self, work: Callable[..., T], *args: Any) -> T:
        """What `work` returns, called in the loop now."""
        if threading.current_thread() is self._thread:
            return work(*args)
        done: Future[T] = Future()
        self._soon(lambda: settle(done, lambda: work(*args)))
        return bare(self._result, done)

    def wait(self, work: Callable[..., Awaitable[T]], *args: Any) -> Any:
        """What `work` returns, which lets time pass; in an async test an awaitable of it."""
        done: Future[T] = Future()
        self._soon(lambda: self._begin(work, args, done))
        return self._waits(done, self._result)

    def _soon(self, work: Callable[[], object]) -> None:
        assert self._token is not None, "the loop has not begun"  # noqa: S101 - `start` was not called
        try:
            self._token.run_sync_soon(work)
        except trio.RunFinishedError:
            self._raise_end()

    def _result(self, done: Future[T]) -> T:
        while True:
            try:
                return done.result(_LOOK_S)
            except TimeoutError:
                if done.done():
                    raise
            except CancelledError:
                self._raise_end()
            if not self._thread.is_alive() and not done.done():
                self._raise_end()

    def _raise_end(self) -> NoReturn:
        self._thread.join(_PATIENCE_S)
        if self._error is not None:
            error, self._error = self._error, None
            raise error
        raise RuntimeError("the world of this test has ended; nothing can be asked of it any more")

    # ---- of the loop's thread

    def _run(self) -> None:
        try:
            if self._clock is None:
                trio.run(self._main, self)
            else:
                with seeded_schedule(self._seed):
                    trio.run(self._main, self, clock=self._clock)
        except BaseException as error:  # noqa: BLE001 - handed over to the test's thread
            self._error = error
            if not self._begun.done():
                self._error = None
                self._begun.set_exception(error)

    async def serve(self) -> None:
        """Carry out what is asked until `stop`."""
        self._token = trio.lowlevel.current_trio_token()
        self._stopping = trio.Event()
        async with trio.open_nursery() as nursery:
            self._nursery = nursery
            if self._clock is not None:
                self._let_stand()
                await trio.testing.wait_all_tasks_blocked()
            self._begun.set_result(None)
            await self._stopping.wait()
            self._let_run()
            nursery.cancel_scope.cancel()

    def _end(self) -> None:
        assert self._stopping is not None  # noqa: S101 - `serve` has set it before anybody can ask
        self._stopping.set()

    def _begin(self, work: Callable[..., Awaitable[T]], args: tuple[Any, ...], done: Future[T]) -> None:
        assert self._nursery is not None  # noqa: S101 - as above
        self._nursery.start_soon(self._carry_out, work, args, done)

    async def _carry_out(
        self, work: Callable[..., Awaitable[T]], args: tuple[Any, ...], done: Future[T]
    ) -> None:
        self._waiting += 1
        self._let_run()
        try:
            found = await work(*args)
        except trio.Cancelled:
            done.cancel()
            raise
        except BaseException as error:  # noqa: BLE001 - handed over to the thread that asks
            await self._rest()
            done.set_exception(error)
        else:
            await self._rest()
            done.set_result(found)

    async def _rest(self) -> None:
        """Stop time, and let all others do what is due at this instant: then nothing is left to chance."""
        self._waiting -= 1
        if not self._waiting and self._clock is not None:
            self._let_stand()
            await trio.testing.wait_all_tasks_blocked()

    def _let_run(self) -> None:
        if self._clock is not None:
            self._clock.autojump_threshold = 0

    def _let_stand(self) -> None:
        if self._clock is not None:
            self._clock.autojump_threshold = _STANDING


def settle(done: Future[T], work: Callable[[], T]) -> None:
    """Carry out work for another thread, which gets its result or its error."""
    try:
        done.set_result(work())
    except BaseException as error:  # noqa: BLE001 - handed over to the thread that asks
        done.set_exception(error)


async def _awaited(done: Future[T], result: Callable[[Future[T]], T]) -> T:
    """The result, for an async test in whichever loop it runs."""
    try:
        if _in_trio():
            return await trio.to_thread.run_sync(result, done, abandon_on_cancel=True)
        import asyncio  # noqa: PLC0415 - only for a test in its loop

        return await asyncio.get_running_loop().run_in_executor(None, result, done)
    except (AssertionError, DersimError) as error:
        raise error.with_traceback(None) from None


def _in_trio() -> bool:
    try:
        trio.lowlevel.current_task()
    except RuntimeError:
        return False
    return True
