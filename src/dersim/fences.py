"""Fences: an unexpected error ends one unit of work and nothing else.

A unit of work is a connection, a request, a poll, a control, a call of a plug-in. An unexpected error in it
is a bug, of dersim or of a plug-in. It is logged in one line, with the traceback at level Debug, and counted
by place (`dersim_unexpected_errors_total{place}` of `/metrics`). Under `--fail_fast` it ends the process.

Expected errors (`DersimError` and its subclasses) are handled where they happen and need no fence.
"""

from __future__ import annotations

import contextlib
import traceback
from collections import Counter
from collections.abc import Callable, Iterator

import trio

from dersim.errors import DersimError, PluginError, origin_of, root_cause
from dersim.logbuffer import Log


@contextlib.contextmanager
def at_start(plugin: str, what: str) -> Iterator[None]:
    """A fence around a plug-in's code at start-up: PluginError with its name, `what` failed, and where.

    Errors that are meant for the user pass unchanged.
    """
    try:
        yield
    except DersimError:
        raise
    except (Exception, SystemExit) as error:
        raise PluginError(
            f"plug-in {plugin}: {what} failed: {root_cause(error)!r} in {origin_of(error)}; "
            f"correct or uninstall it, or leave it out with --without {plugin}"
        ) from error


class Ended:
    """The result of a unit of work: the `error` that ended it, or None."""

    error: BaseException | None = None

    def __str__(self) -> str:
        """For people: the text of an error that is meant for users, else the error and its place."""
        if self.error is None:
            return ""
        cause = root_cause(self.error)
        return str(cause) if isinstance(cause, DersimError) else f"{cause!r} in {origin_of(cause)}"


#: A unit of work for the log, in words; or a function that makes them of the error.
What = str | Callable[[BaseException], str]


class Fences:
    """The fences of a program, and how often each place met an unexpected error (`counts`)."""

    def __init__(self, log: Log, *, fail_fast: bool = False) -> None:
        self.counts: Counter[str] = Counter()
        self.fail_fast = fail_fast
        self._log = log

    @contextlib.contextmanager
    def around(
        self,
        place: str,
        module: str,
        what: What,
        device: int = 0,
        *,
        quiet: bool = False,
        raises: type[DersimError] | None = None,
    ) -> Iterator[Ended]:
        """End the unit in the body if it raises; cancellation passes, a `sys.exit()` does not.

        place: the kind of unit, a label of the metric, e.g. "web_connection". module: of the log.
        what: this unit, for the log, e.g. "GET /dcap of 127.0.0.1:50000". quiet: count it, but do not log.
        raises: under fail_fast, what is raised, with the error as its cause; None: the error itself.
        """
        ended = Ended()
        try:
            yield ended
        except (Exception, SystemExit) as error:  # noqa: BLE001 - a fence: the unit ends here, logged and counted
            ended.error = error
            self.tell(error, place, module, what, device, quiet=quiet, raises=raises)
        except BaseExceptionGroup as group:  # of a nursery that failed and was cancelled
            cancelled, rest = _split_cancellation(group)
            if rest is None or not _is_error(rest):
                raise
            ended.error = rest
            self.tell(rest, place, module, what, device, quiet=quiet, raises=raises)
            if cancelled is not None:
                raise cancelled from None

    @contextlib.contextmanager
    def around_unforeseen(self, place: str, module: str, what: str, device: int = 0) -> Iterator[None]:
        """As `around`, but a DersimError passes: it is handled outside of the unit."""
        foreseen: DersimError | None = None
        with self.around(place, module, what, device):
            try:
                yield
            except DersimError as error:
                foreseen = error
        if foreseen is not None:
            raise foreseen

    def tell(
        self,
        error: BaseException,
        place: str,
        module: str,
        what: What,
        device: int = 0,
        *,
        quiet: bool = False,
        raises: type[DersimError] | None = None,
    ) -> None:
        """Log and count what ended a unit; under fail_fast it is raised again."""
        self.counts[place] += 1
        cause = root_cause(error)
        unit = what if isinstance(what, str) else what(error)
        line = f"{unit}: {cause}" if isinstance(cause, DersimError) else f"{unit}: unexpected {cause!r}"
        if not quiet:
            self._log.log("Error", module, line, device)
            self._log.log("Debug", module, "".join(traceback.format_exception(error)), device)
        if self.fail_fast:
            if raises is None:
                raise error
            raise raises(line) from error


def _is_error(error: BaseException) -> bool:
    """Whether a fence ends it: no cancellation, no Ctrl-C."""
    if isinstance(error, BaseExceptionGroup):
        return all(map(_is_error, error.exceptions))
    return isinstance(error, Exception | SystemExit)


def _split_cancellation(
    group: BaseExceptionGroup[BaseException],
) -> tuple[BaseException | None, BaseException | None]:
    return group.split(trio.Cancelled)
