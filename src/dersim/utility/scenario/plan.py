"""A scenario as the reader has checked it. Times are seconds from its start."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

from dersim.ieee2030_5 import Edition
from dersim.modes import ModeValue
from dersim.utility.config import RegistrationMode, UtilityConfig
from dersim.utility.faults.plans import FaultPlan
from dersim.utility.groups import TimeOf

Modes = Mapping[str, ModeValue]


class DevicePlan(NamedTuple):
    """A device to register. pin: None takes that of the server. resources: documents of plug-ins by name."""

    lfdi: str
    pin: int | None = None
    enabled: bool = True
    group: str | None = None
    aggregator: str | None = None
    resources: Mapping[str, Mapping[str, Any]] = MappingProxyType({})


class GroupPlan(NamedTuple):
    """A group; parent None: below all DERs."""

    name: str
    level: str
    parent: str | None
    devices: Sequence[str]
    patterns: Sequence[str]
    time: TimeOf | None


class ProgramPlan(NamedTuple):
    """A program; without groups it is for all devices."""

    name: str
    primacy: int
    groups: Sequence[str]
    default: Modes | None


class Series(NamedTuple):
    """One control, or one after the other. total: how many; steps: their modes, again from the first.

    order: further members of each `ControlOrder`.
    """

    program: str
    start_s: float
    duration_s: int
    steps: Sequence[Modes]
    every_s: float
    total: int
    lead_s: float
    order: Mapping[str, Any]


class EventPlan(NamedTuple):
    """Something that happens at one moment. kind: the key of the file; data: what is behind it."""

    at_s: float
    kind: str
    data: Any


class Scenario(NamedTuple):
    """All of it. name: of the file, for logs and pages."""

    name: str
    description: str
    personality: Edition | None
    registration: RegistrationMode | None
    pin: int | None
    poll_rates: Mapping[str, int]
    groups: Sequence[GroupPlan]
    devices: Sequence[DevicePlan]
    programs: Sequence[ProgramPlan]
    series: Sequence[Series]
    events: Sequence[EventPlan]
    faults: Sequence[FaultPlan]

    def configure(self, config: UtilityConfig) -> None:
        """Change the configuration of a server that begins with this scenario."""
        config.own_programs = config.cycle = False
        config.personality = self.personality
        if self.registration is not None:
            config.registration = self.registration
        if self.pin is not None:
            config.pin = self.pin
