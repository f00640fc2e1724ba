"""The way of each control through the fleet: published, seen, started, applied, answered.

Seconds are simulated, times are the server's. A control counts as missed by the DERs that followed its
program before it ended and never saw it, once it is over or was published `PATIENCE_S` ago.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from dersim.load.latencies import Buckets
from dersim.timestamps import rfc3339_or_none

#: The steps of a control, each with the moment from which it counts.
STEPS: Mapping[str, str] = {
    "seen": "since it was published (creationTime)",
    "started": "after its effective start",
    "applied": "since its start, P within 2 % of what it asks for",
    "response 1": "event received, accepted by the server, since it was seen",
    "response 2": "event started, accepted, since its start",
    "response 3": "event completed, accepted, since its end",
}
MOST_CONTROLS = 500
MOST_PROGRAMS = 200
#: How long after its publication every DER should have seen a control, s.
PATIENCE_S = 300.0
_CHUNK = 1024


class Devices:
    """A set of DER numbers, in one bit each."""

    __slots__ = ("_chunks",)

    def __init__(self, numbers: Iterable[int] = ()) -> None:
        self._chunks: dict[int, int] = {}
        for number in numbers:
            self.put(number)

    def put(self, number: int) -> bool:
        """Add a number; whether it is new."""
        chunk, bit = divmod(number, _CHUNK)
        held = self._chunks.get(chunk, 0)
        self._chunks[chunk] = held | 1 << bit
        return not held >> bit & 1

    def __contains__(self, number: int) -> bool:
        chunk, bit = divmod(number, _CHUNK)
        return bool(self._chunks.get(chunk, 0) >> bit & 1)

    def __len__(self) -> int:
        return sum(held.bit_count() for held in self._chunks.values())

    def add(self, other: Devices) -> None:
        """Add all of another set."""
        for chunk, held in other._chunks.items():
            self._chunks[chunk] = self._chunks.get(chunk, 0) | held

    def without(self, other: Devices) -> int:
        """How many are in this set and not in the other one."""
        theirs = other._chunks
        return sum((held & ~theirs.get(chunk, 0)).bit_count() for chunk, held in self._chunks.items())

    def to_json(self) -> dict[str, str]:
        """The set as JSON values."""
        return {str(chunk): f"{held:x}" for chunk, held in self._chunks.items()}

    @classmethod
    def from_json(cls, shape: Mapping[str, str]) -> Devices:
        """The inverse of `to_json`."""
        made = cls()
        made._chunks = {int(chunk): int(held, 16) for chunk, held in shape.items()}
        return made


class ControlFacts(NamedTuple):
    """What identifies a control. end_s: the latest effective end that any DER gave it."""

    mrid: str
    program: str
    published_s: float
    start_s: float
    end_s: float
    modes: str


class Reaction:
    """One control on all DERs."""

    def __init__(self, facts: ControlFacts) -> None:
        self.facts = facts
        self.seen = Devices()
        self.steps: dict[str, Buckets] = {}

    def record(self, step: str, seconds: float) -> None:
        """One DER has made this step."""
        self.steps.setdefault(step, Buckets()).record(max(seconds, 0.0))

    def add(self, other: Reaction) -> None:
        """Add what another process has seen of the same control."""
        self.learn(other.facts)
        self.seen.add(other.seen)
        for step, buckets in other.steps.items():
            self.steps.setdefault(step, Buckets()).add(buckets)

    def learn(self, facts: ControlFacts) -> None:
        """The same control as another DER knows it."""
        if facts.end_s > self.facts.end_s:
            self.facts = facts

    def to_json(self) -> list[Any]:
        """The reaction as JSON values."""
        steps = {
            step: [list(map(list, buckets.counts.items())), buckets.most_s]
            for step, buckets in self.steps.items()
        }
        return [list(self.facts), self.seen.to_json(), steps]

    @classmethod
    def from_json(cls, shape: list[Any]) -> Reaction:
        """The inverse of `to_json`."""
        made = cls(ControlFacts(*shape[0]))
        made.seen = Devices.from_json(shape[1])
        for step, (counts, most_s) in shape[2].items():
            buckets = made.steps[step] = Buckets()
            buckets.counts, buckets.most_s = dict(map(tuple, counts)), most_s
        return made


class _Followers:
    """The DERs that follow a program, and since when, server time."""

    __slots__ = ("devices", "newest_s", "since_s")

    def __init__(self) -> None:
        self.devices = Devices()
        self.since_s: dict[int, float] = {}
        self.newest_s = -math.inf

    def put(self, device: int, since_s: float) -> None:
        """Add a DER, or make its time earlier; the newest time stays."""
        known_s = self.since_s.get(device)
        if known_s is None or since_s < known_s:
            self.since_s[device] = since_s
            self.devices.put(device)
            self.newest_s = max(self.newest_s, since_s)

    def without(self, seen: Devices, before_s: float) -> int:
        """How many followed it before this time and are not among `seen`."""
        if self.newest_s < before_s:
            return self.devices.without(seen)
        return sum(since_s < before_s and each not in seen for each, since_s in self.since_s.items())


class Reactions:
    """The controls of a run, the newest MOST_CONTROLS of them, and who follows which program since when."""

    def __init__(self) -> None:
        self.forgotten = 0
        self._held: OrderedDict[str, Reaction] = OrderedDict()
        self._followers: dict[str, _Followers] = {}

    def of(self, facts: ControlFacts) -> Reaction:
        """The reaction to a control."""
        found = self._held.get(facts.mrid)
        if found is None:
            found = self._held[facts.mrid] = Reaction(facts)
            while len(self._held) > MOST_CONTROLS:
                self._held.popitem(last=False)
                self.forgotten += 1
        else:
            found.learn(facts)
        return found

    def follow(self, program: str, device: int, since_s: float) -> None:
        """A DER follows a program (its mRID) since this server time."""
        if program in self._followers or len(self._followers) < MOST_PROGRAMS:
            self._followers.setdefault(program, _Followers()).put(device, since_s)

    def add(self, other: Reactions) -> None:
        """Add those of another process."""
        self.forgotten += other.forgotten
        for reaction in other._held.values():
            self.of(reaction.facts).add(reaction)
        for program, followers in other._followers.items():
            for device, since_s in followers.since_s.items():
                self.follow(program, device, since_s)

    def missed(self, reaction: Reaction, now_s: float) -> int | None:
        """How many DERs never saw a control; None where it is too early to tell. now_s: server time."""
        facts = reaction.facts
        if now_s < min(facts.end_s, facts.published_s + PATIENCE_S):
            return None
        followers = self._followers.get(facts.program)
        return 0 if followers is None else followers.without(reaction.seen, facts.end_s)

    def never_seen(self, now_s: float) -> int:
        """The sum over all controls."""
        return sum(self.missed(each, now_s) or 0 for each in self._held.values())

    def step(self, step: str) -> Buckets:
        """One step of all controls and DERs."""
        whole = Buckets()
        for reaction in self._held.values():
            if (buckets := reaction.steps.get(step)) is not None:
                whole.add(buckets)
        return whole

    def shown(self, now_s: float) -> list[dict[str, Any]]:
        """Each control, by the time of its publication. now_s: server time."""
        ordered = sorted(self._held.values(), key=lambda each: (each.facts.published_s, each.facts.mrid))
        return [
            {
                "mrid": each.facts.mrid,
                "program": each.facts.program,
                "published": rfc3339_or_none(each.facts.published_s),
                "start": rfc3339_or_none(each.facts.start_s),
                "end": rfc3339_or_none(each.facts.end_s),
                "modes": each.facts.modes,
                "devices": self._following(each.facts.program),
                "seen_by": len(each.seen),
                "never_seen": self.missed(each, now_s),
                "steps": {step: _shown(each.steps.get(step)) for step in STEPS},
            }
            for each in ordered
        ]

    def _following(self, program: str) -> int:
        followers = self._followers.get(program)
        return 0 if followers is None else len(followers.since_s)

    def to_json(self) -> dict[str, Any]:
        """All of it as JSON values."""
        return {
            "forgotten": self.forgotten,
            "controls": [each.to_json() for each in self._held.values()],
            "followers": {
                name: list(map(list, who.since_s.items())) for name, who in self._followers.items()
            },
        }

    @classmethod
    def from_json(cls, shape: Mapping[str, Any]) -> Reactions:
        """The inverse of `to_json`."""
        made = cls()
        made.forgotten = shape["forgotten"]
        made._held = OrderedDict((each[0][0], Reaction.from_json(each)) for each in shape["controls"])
        for program, who in shape["followers"].items():
            for device, since_s in who:
                made.follow(program, device, since_s)
        return made


def _shown(buckets: Buckets | None) -> dict[str, Any] | None:
    shown = None if buckets is None else buckets.shown_s()
    return None if buckets is None or shown is None else {"count": buckets.count, **shown}
