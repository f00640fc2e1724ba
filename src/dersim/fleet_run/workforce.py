"""What runs the shards, as the steering sees it: `cluster.Cluster`, or one without Dask in tests."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from dersim.fleet_run.messages import Done
from dersim.fleet_run.plan import Shard


class Workforce(Protocol):
    """All methods block. NoContactError where the scheduler does not answer."""

    def workers(self) -> dict[str, float]:
        """The workers' addresses, each with the bytes that its shards may take."""
        ...

    def begin(self, shards: tuple[Shard, ...], take: Callable[[dict[str, Any]], None]) -> None:
        """Called before the first `submit`. take: gets what the shards tell, in another thread."""
        ...

    def submit(
        self,
        key: str,
        shard: Shard,
        files: Mapping[str, bytes],
        worker: str | None,
        done: Callable[[Done], None],
    ) -> None:
        """Run a shard, if possible on `worker`. done: called in another thread when it has ended."""
        ...

    def forget(self, key: str) -> None:
        """A task that has ended is not needed any more."""
        ...

    def beat(self, n: int, *, stop: bool) -> None:
        """Show all shards that the command lives, and whether they are to stop."""
        ...

    def order(self, attempt: str, order: dict[str, Any]) -> None:
        """Tell one attempt of a shard what to do."""
        ...
