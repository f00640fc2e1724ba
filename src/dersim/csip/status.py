"""The connection status of a client: its state, the last error, and the time of the next attempt."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

import trio

State = Literal["disabled", "discovering", "connected", "retrying", "failed", "away"]


class Trouble(NamedTuple):
    """The last error of a branch that fails, and since when it fails: simulated time, s."""

    since_s: float
    error: str


@dataclass(slots=True)
class ClientStatus:
    """The status of one client. troubles: the branches whose last poll failed, with the reason."""

    phase: State = "discovering"
    last_error: str | None = None
    retry_at: float | None = None
    troubles: dict[Hashable, Trouble] = field(default_factory=dict)

    @property
    def state(self) -> State:
        """`connected` only where every last exchange succeeded (public contract)."""
        return "retrying" if self.phase == "connected" and self.troubles else self.phase

    @property
    def retry_in_s(self) -> float | None:
        """Real seconds until the next attempt, where one is planned."""
        return None if self.retry_at is None else max(self.retry_at - trio.current_time(), 0.0)

    def enter(self, phase: State, error: str | None = None) -> None:
        """Change the phase; an error is kept until we are connected."""
        self.phase = phase
        self.retry_at = None
        if phase == "connected":
            self.troubles.clear()
            self.last_error = None
        elif error is not None:
            self.last_error = error

    def add_trouble(self, key: Hashable, error: str, now_s: float) -> None:
        """A branch could not be read. now_s: simulated time, s."""
        known = self.troubles.get(key)
        self.troubles[key] = Trouble(now_s if known is None else known.since_s, error)
        self.last_error = error

    def clear_trouble(self, key: Hashable) -> None:
        """A branch could be read."""
        if self.troubles.pop(key, None) is not None and not self.troubles:
            self.last_error = None
