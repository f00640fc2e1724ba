"""The one door back in: who asked for what, until when, and what is in force.

Skeleton of the types; see docs/design.md.
"""

from __future__ import annotations

from enum import Enum, IntEnum
from typing import NamedTuple

from dersim.modes import ModeValue


class Source(IntEnum):
    """Who asks. Higher rules; between MODBUS, REST and OPERATOR the latest rules (public contract)."""

    NAMEPLATE = 0
    CSIP_DEFAULT = 10
    OPERATOR = 20
    REST = 21
    MODBUS = 22
    CSIP = 30

    @property
    def rank(self) -> int:
        """Equal for the local sources, among which the latest rules."""
        return self.value // 10

    @property
    def label(self) -> str:
        """The name that users read."""
        return self.name.lower().replace("_", "-")


class Verdict(Enum):
    """What `submit` says of a change."""

    ACCEPTED = "accepted"
    UNSUPPORTED = "unsupported"
    OUT_OF_RANGE = "out of range"


class Outcome(NamedTuple):
    """A verdict with its reason in words, empty where accepted."""

    verdict: Verdict
    reason: str = ""


class SetpointChange(NamedTuple):
    """One wish. `value` None withdraws what this source had asked for that mode.

    expires_s: simulated UTC at which it ends by itself (reversion); None: until withdrawn.
    detail: what the source calls it, e.g. the control's mRID or the register.
    """

    source: Source
    mode: str
    value: ModeValue | None
    detail: str = ""
    expires_s: float | None = None


class InForce(NamedTuple):
    """A setpoint that acts now, or one that is `overridden_by` another."""

    mode: str
    value: ModeValue
    source: Source
    detail: str
    since_s: float
    until_s: float | None
    overridden_by: str = ""


class JournalEntry(NamedTuple):
    """What was asked, by whom, and what came of it."""

    time_s: float
    source: Source
    mode: str
    value: ModeValue | None
    detail: str
    until_s: float | None
    outcome: Outcome
