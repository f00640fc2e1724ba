"""What a shard, its life on a worker and the command tell one another: plain values that msgpack carries."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal, NamedTuple, Protocol

from dersim.errors import DersimError

#: How an attempt ended: told to stop, or to go on elsewhere; another one has its lease; nobody wants it any
#: more; it cannot run.
Outcome = Literal["stopped", "moved", "fenced", "abandoned", "failed"]

#: The value of a lease that nobody holds.
NOBODY = {"attempt": "", "host": "", "pid": 0}


class Run(NamedTuple):
    """One `dersim fleet`. id: in the names of its topics and Variables."""

    id: str

    @property
    def topic(self) -> str:
        """Where all shards tell their numbers and answers."""
        return f"dersim-{self.id}"

    def orders(self, attempt: str) -> str:
        """Where one attempt of a shard is told what to do."""
        return f"dersim-{self.id}-{attempt}"

    @property
    def beat(self) -> str:
        """The Variable of the command: {"n": rises while it lives, "stop": whether all are to stop}."""
        return f"dersim-{self.id}-beat"

    def lease(self, shard: str) -> str:
        """The Variable that says which attempt of a shard may talk to the server, as `NOBODY`."""
        return f"dersim-{self.id}-lease-{shard}"

    def saved(self, shard: str) -> str:
        """The Variable with the last states of a shard's DERs, bytes; empty: none yet."""
        return f"dersim-{self.id}-saved-{shard}"


class Look(NamedTuple):
    """What an attempt sees. mine: it holds the lease. beat: the command's. wanted: its task is running."""

    mine: bool
    beat: int
    stop: bool
    wanted: bool


class NoContactError(DersimError):
    """The scheduler does not answer."""


class ShardLife(Protocol):
    """One attempt of a shard as the rest of dersim sees it; `life.Life` is the one on Dask.

    All but `tell` may block. folder: for its files; it is not there yet.
    """

    attempt: str
    worker: str
    folder: Path

    def take_lease(self) -> bool:
        """Take the lease; returns whether the holder before may still run. NoContactError."""
        ...

    def give_back(self) -> None:
        """This attempt has ended: the next one need not wait."""
        ...

    def look(self) -> Look:
        """Ask the scheduler and the worker; NoContactError."""
        ...

    def save(self, data: bytes) -> None:
        """Keep the states of its DERs where the next attempt finds them; NoContactError."""
        ...

    def saved(self) -> bytes:
        """What was kept last, by any attempt; empty: nothing. NoContactError."""
        ...

    def take_orders(self, take: Callable[[dict[str, Any]], None]) -> None:
        """Call `take` with each order, in another thread."""
        ...

    def take_no_orders(self) -> None:
        """The end of `take_orders`."""
        ...

    def tell(self, event: dict[str, Any]) -> None:
        """Tell the command; does not wait."""
        ...


class Summary(NamedTuple):
    """The end of one attempt. message: what went wrong. numbers: as it told them last.

    config_error: whether the message is about the user's flags or files. load: what was measured since it
    told its numbers last, as in `LoadTally.to_bytes`; empty: nothing.
    """

    shard: str
    attempt: str
    outcome: Outcome
    message: str = ""
    numbers: dict[str, Any] | None = None
    config_error: bool = False
    load: bytes = b""


class Done(NamedTuple):
    """The end of a task. summary: None where Dask has lost it, and why then is in `reason`.

    is_lost: the scheduler was lost with it, which is no failure of the shard.
    """

    key: str
    summary: Summary | None
    reason: str = ""
    is_lost: bool = False
