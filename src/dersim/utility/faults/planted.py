"""One planted fault: whom it meets, how often, until when."""

from __future__ import annotations

import hashlib
import math
from typing import Any, Literal, NamedTuple

from dersim.timestamps import rfc3339
from dersim.utility.faults.actions import Action, ConnectionAction
from dersim.utility.faults.path_faults import pattern_of
from dersim.utility.faults.plans import FaultPlan

State = Literal["waiting", "active", "over"]
#: Devices whose draws are counted; beyond this number the count of the first begins anew.
_DEVICES = 20_000


class Client(NamedTuple):
    """Who sent a request: LFDI, None without TLS, and the number of its EndDevice."""

    lfdi: str | None
    number: int | None


class PlantedFault:
    """A fault from planting to its end. Times are the server's, UTC seconds; ends_s is inf without an end."""

    def __init__(self, number: int, plan: FaultPlan, action: Action, now_s: float) -> None:
        self.number = number
        self.plan = plan
        self.action = action
        data = plan.data
        self.starts_s = now_s + data.get("start_in_s", 0.0)
        self.ends_s = self.starts_s + data.get("duration_s", math.inf)
        self.count: int | None = data.get("count")
        self.acted = 0
        self.last_s: float | None = None
        #: Why it is over, "" until then.
        self.over = ""
        self.has_begun = False
        self._pattern = pattern_of(data.get("path", "*"))
        self._draws: dict[str | None, int] = {}

    @property
    def name(self) -> str:
        """What logs call it: "planted fault #3 (status 503)"."""
        words = f" {self.action.words}" if self.action.words else ""
        return f"planted fault #{self.number} ({self.plan.kind}{words})"

    @property
    def mark(self) -> str:
        """What the request log and the header call it: "#3 status 503"."""
        return f"#{self.number} {self.plan.kind} {self.action.words}".strip()

    def state(self, now_s: float) -> State:
        """Waiting for its start, active, or over."""
        if self.over or now_s >= self.ends_s:
            return "over"
        return "waiting" if now_s < self.starts_s else "active"

    def meets(self, method: str, path: str, client: Client) -> bool:
        """Whether this request is in its scope."""
        data = self.plan.data
        wanted = data.get("device")
        return (
            data.get("method", method) == method
            and (wanted is None or wanted == (client.number if isinstance(wanted, int) else client.lfdi))
            and (self.plan.kind == "moved" or self._pattern.fullmatch(path) is not None)
        )

    def draw(self, client: Client) -> bool:
        """Whether it acts this time: depends on seed, client, and how often this client was in its scope."""
        probability = self.plan.data.get("probability", 1)
        if probability >= 1:
            return True
        turn = self._draws.get(client.lfdi, 0)
        if turn == 0 and len(self._draws) >= _DEVICES:
            del self._draws[next(iter(self._draws))]
        self._draws[client.lfdi] = turn + 1
        text = f"{self.plan.data.get('seed', self.number)} {client.lfdi} {turn}"
        drawn = int.from_bytes(hashlib.blake2b(text.encode(), digest_size=7).digest(), "big") / 2**56
        return bool(drawn < probability)

    def has_acted(self, now_s: float) -> None:
        """Count it; at its count it is over."""
        self.acted += 1
        self.last_s = now_s
        if self.count is not None and self.acted >= self.count:
            self.over = f"it has acted {self.acted} time(s)"

    def to_json(self, now_s: float) -> dict[str, Any]:
        """The form of `GET /api/utility/faults`."""
        state = self.state(now_s)
        until_s = self.starts_s if state == "waiting" else self.ends_s
        left_s = None if state == "over" or math.isinf(until_s) else max(until_s - now_s, 0.0)
        return {
            "id": self.number,
            "kind": self.plan.kind,
            "words": self.mark.partition(" ")[2],
            "state": state,
            "starts": rfc3339(self.starts_s),
            "ends": None if math.isinf(self.ends_s) else rfc3339(self.ends_s),
            "begins_in_s": left_s if state == "waiting" else None,
            "remaining_s": left_s if state == "active" else None,
            "acted": self.acted,
            "remaining_count": None if self.count is None else max(self.count - self.acted, 0),
            "last_acted": None if self.last_s is None else rfc3339(self.last_s),
            "over_because": self.over or None,
            "fault": self.plan.data,
        }

    @property
    def scope(self) -> str:
        """Whom it meets, in words."""
        data = self.plan.data
        if isinstance(self.action, ConnectionAction):
            return "new connections"
        what = " ".join(part for part in (data.get("method"), data.get("path")) if part)
        whose = f"device {data['device']}" if "device" in data else ""
        return " of ".join(part for part in (what, whose) if part) or "everything"
