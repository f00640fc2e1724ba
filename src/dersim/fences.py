"""Fences: what nobody foresaw ends one unit of work, and nothing beside it.

A unit of work is a connection, a request, a poll, a control, a call of a plug-in. Its error is a bug, of ours
or of a plug-in, so it is never silent: one line in the log, the traceback at level Debug, and a count by
place (`dersim_unexpected_errors_total{place}` of `/metrics`). Under `--fail_fast` it still ends the process.

Errors that were foreseen (`DersimError` and its kinds) are handled where they happen and need no fence.
"""

from __future__ import annotations

import contextlib
import traceback
from collections import Counter
from collections.abc import Iterator

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
            f"correct it, or leave it out with --without {plugin}"
        ) from error


class Fences:
    """The fences of a program, and how often each place met an unexpected error (`counts`)."""

    def __init__(self, log: Log, *, fail_fast: bool = False) -> None:
        self.counts: Counter[str] = Counter()
        self.fail_fast = fail_fast
        self._log = log

    @contextlib.contextmanager
    def around(self, place: str, module: str, what: str, device: int = 0) -> Iterator[None]:
        """End the unit in the body alone, whatever it raises; cancellation passes.

        place: the kind of unit, a label of the metric, e.g. "web_connection". module: of the log.
        what: this unit, for the log, e.g. "GET /dcap of 127.0.0.1:50000".
        """
        try:
            yield
        except Exception as error:  # noqa: BLE001 - a fence: the unit ends here, told and counted
            self.tell(error, place, module, what, device)

    def tell(self, error: Exception, place: str, module: str, what: str, device: int = 0) -> None:
        """Log and count what ended a unit; raises it again under fail_fast."""
        self.counts[place] += 1
        self._log.log("Error", module, f"{what}: unexpected {root_cause(error)!r}", device)
        self._log.log("Debug", module, "".join(traceback.format_exception(error)), device)
        if self.fail_fast:
            raise error
