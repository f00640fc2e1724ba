"""Who asks for setpoints, and who overrules whom: the one place that knows.

What comes with dersim asks in six names. A plug-in with a protocol of its own gives one more, by its hook
`register_setpoint_sources`: a local one, so that among it, Modbus, REST and the operator the latest wins. Who
wants to know whether a setpoint is local asks its source (`is_local`) and keeps no list.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum
from typing import ClassVar


class Rank(IntEnum):
    """What overrules what: the higher the lower; within one rank the latest wins (public contract)."""

    NAMEPLATE = 0
    DEFAULT = 1
    LOCAL = 2
    EVENT = 3


@dataclass(frozen=True, slots=True)
class SetpointSource:
    """Who asks for a setpoint.

    label: its name in documents, logs and state files; small letters, digits and hyphens. title: as people
    write it, "" as the label. One that a plug-in makes is always of rank LOCAL.
    """

    label: str
    title: str = field(default="", compare=False)
    rank: Rank = field(default=Rank.LOCAL, compare=False)

    NAMEPLATE: ClassVar[SetpointSource]
    CSIP_DEFAULT: ClassVar[SetpointSource]
    OPERATOR: ClassVar[SetpointSource]
    REST: ClassVar[SetpointSource]
    MODBUS: ClassVar[SetpointSource]
    CSIP: ClassVar[SetpointSource]

    @property
    def is_local(self) -> bool:
        """Whether it is a local one, among which the latest wins."""
        return self.rank is Rank.LOCAL

    @property
    def kept(self) -> int | str:
        """Its sign in a state file: a number for those that come with dersim, else the label."""
        return _NUMBERS.get(self.label, self.label)


#: The signs in state files of those that come with dersim.
_NUMBERS = {"nameplate": 0, "csip-default": 10, "operator": 20, "rest": 21, "modbus": 22, "csip": 30}

SetpointSource.NAMEPLATE = SetpointSource("nameplate", rank=Rank.NAMEPLATE)
SetpointSource.CSIP_DEFAULT = SetpointSource("csip-default", "default", Rank.DEFAULT)
SetpointSource.OPERATOR = SetpointSource("operator")
SetpointSource.REST = SetpointSource("rest", "REST")
SetpointSource.MODBUS = SetpointSource("modbus", "Modbus")
SetpointSource.CSIP = SetpointSource("csip", "CSIP event", Rank.EVENT)

BUILT_IN = (
    SetpointSource.NAMEPLATE,
    SetpointSource.CSIP_DEFAULT,
    SetpointSource.OPERATOR,
    SetpointSource.REST,
    SetpointSource.MODBUS,
    SetpointSource.CSIP,
)
_LABELS: dict[int | str, str] = {number: label for label, number in _NUMBERS.items()}
_known = {source.label: source for source in BUILT_IN}


def register(source: SetpointSource) -> None:
    """Make a plug-in's source known to this process, for state files, records and pages."""
    _known[source.label] = source


def named(label: str) -> SetpointSource | None:
    """The source of a label; None for that of a plug-in that is not part of this run."""
    return _known.get(label)


def from_kept(sign: int | str) -> SetpointSource | None:
    """The source of a sign in a state file; None as in `named`."""
    return named(_LABELS.get(sign, str(sign)))


def title_of(label: str) -> str:
    """What people call a source; the label itself where there is no other word for it."""
    source = named(label)
    return source.title or label if source is not None else label
