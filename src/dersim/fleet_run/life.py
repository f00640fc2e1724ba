"""One attempt of a shard on a worker of Dask: lease, heartbeat of the command, orders, events.

The only module that uses `distributed` on the worker's side. A task of Dask cannot be cancelled from outside,
and one whose worker only hung runs a second time beside the new one; so every attempt looks once a second
whether it is still wanted (`running.py`).
"""

from __future__ import annotations

import contextlib
import os
import socket
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from distributed import Variable, get_client, get_worker, secede
from distributed.client import ClosedClientError

from dersim.fleet_run.messages import NOBODY, Look, NoContactError, Run

#: The longest wait for an answer of the scheduler, s.
_ANSWER_S = 2.0
_ALIVE = ("executing", "long-running")


class Life:
    """A `messages.ShardLife`; made in the task's own thread. attempt: the name of this attempt."""

    def __init__(self, run: Run, shard: str) -> None:
        self._worker = get_worker()
        self._key = self._worker.get_current_task()
        self._client = get_client()
        secede()  # else a lost shard waits behind this one, which does not end, on the only other worker
        self.attempt = uuid.uuid4().hex[:12]
        self.worker = str(self._worker.address)
        self.folder = Path(self._worker.local_directory) / f"dersim-{self.attempt}"
        self._run = run
        self._lease = Variable(run.lease(shard), client=self._client)
        self._beat = Variable(run.beat, client=self._client)
        self._saved = Variable(run.saved(shard), client=self._client)

    def take_lease(self) -> bool:
        """As `ShardLife.take_lease`."""
        with _contact():
            before = self._lease.get(timeout=_ANSWER_S)
            mine = {"attempt": self.attempt, "host": socket.gethostname(), "pid": os.getpid()}
            self._lease.set(mine, timeout=_ANSWER_S)
        return bool(before["attempt"]) and not _is_over(before)

    def give_back(self) -> None:
        """As `ShardLife.give_back`."""
        with contextlib.suppress(NoContactError), _contact():
            if self._lease.get(timeout=_ANSWER_S)["attempt"] == self.attempt:
                self._lease.set(NOBODY, timeout=_ANSWER_S)

    def look(self) -> Look:
        """As `ShardLife.look`."""
        task = self._worker.state.tasks.get(self._key)
        is_up = self._worker.status.name in ("running", "paused")
        with _contact():
            holder = self._lease.get(timeout=_ANSWER_S)
            beat = self._beat.get(timeout=_ANSWER_S)
        wanted = is_up and task is not None and task.state in _ALIVE
        return Look(holder["attempt"] == self.attempt, beat["n"], beat["stop"], wanted)

    def save(self, data: bytes) -> None:
        """As `ShardLife.save`."""
        with _contact():
            self._saved.set(data, timeout=_ANSWER_S)

    def saved(self) -> bytes:
        """As `ShardLife.saved`."""
        with _contact():
            return bytes(self._saved.get(timeout=_ANSWER_S))

    def take_orders(self, take: Callable[[dict[str, Any]], None]) -> None:
        """As `ShardLife.take_orders`."""
        self._client.subscribe_topic(self._run.orders(self.attempt), lambda event: take(event[1]))

    def take_no_orders(self) -> None:
        """As `ShardLife.take_no_orders`."""
        with contextlib.suppress(ValueError, NoContactError), _contact():
            self._client.unsubscribe_topic(self._run.orders(self.attempt))

    def tell(self, event: dict[str, Any]) -> None:
        """As `ShardLife.tell`."""
        with contextlib.suppress(NoContactError), _contact():
            self._worker.log_event(self._run.topic, event)


@contextlib.contextmanager
def _contact() -> Iterator[None]:
    try:
        yield
    except (OSError, TimeoutError, RuntimeError, AttributeError, ClosedClientError) as error:
        # CommClosedError is an OSError; AttributeError: of a client that is closed.
        raise NoContactError(f"the scheduler does not answer: {error}") from None


def _is_over(holder: dict[str, Any]) -> bool:
    """Whether the process of a holder was on this machine and is no more."""
    if holder["host"] != socket.gethostname():
        return False
    try:
        os.kill(holder["pid"], 0)
    except ProcessLookupError:
        return True
    except OSError:
        return False
    return False
