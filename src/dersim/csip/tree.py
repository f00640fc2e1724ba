"""The resources of the server that concern this DER, as last read.

`discovery.py` and `programs.py` fill it, everything else reads it. A branch that could not be read keeps its
last content; a branch that the server says is gone is None or empty.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from dersim.ieee2030_5 import resources as r
from dersim.ieee2030_5.declare import TYPES
from dersim.plugin.services import DerResource

#: The standard's default of pollRate, s (2030.5-2018 B.2.3).
DEFAULT_POLL_RATE_S = 900.0
#: The poll rate of a DERList without pollRate, s: it drives the four PUTs.
DER_POLL_RATE_S = 30.0
#: When to look again for a branch that could not be read, s, at the latest; DERs differ by so much of it.
BRANCH_RETRY_S, RETRY_SPREAD = 30.0, 0.3
#: No resource is polled more often than this, whatever its pollRate says, s.
POLL_FLOOR_S = 5.0


def branch_retry_s(lfdi: str) -> float:
    """When the DER of this LFDI looks again for such a branch, s: those of a fleet do not ask in step."""
    return BRANCH_RETRY_S * (1.0 - RETRY_SPREAD * int(lfdi[:8], 16) / 2**32)


def poll_rate_s(resource: object, default_s: float = DEFAULT_POLL_RATE_S) -> float:
    """The pollRate of a resource, or the default; never under the floor."""
    rate = getattr(resource, "pollRate", None)
    return max(float(rate) if rate is not None else default_s, POLL_FLOOR_S)


def links_of(resource: Any) -> dict[str, str]:
    """The hrefs of all links, without their counts, which change often."""
    members = TYPES[type(resource)].elements
    links = ((each.name, getattr(resource, each.name)) for each in members if each.name.endswith("Link"))
    return {name: link.href for name, link in links if link is not None}


@dataclass(slots=True)
class ProgramNode:
    """A DERProgram of the list `list_href`, with its resources. controls None: not read, or unreadable.

    default_read: the server has given its default, or has said that there is none.
    """

    program: r.DERProgram
    href: str
    default: r.DefaultDERControl | None = None
    controls: tuple[r.DERControl, ...] | None = None
    list_href: str = ""
    default_read: bool = False

    @property
    def controls_href(self) -> str:
        """The href of the DERControlList, "" without one."""
        link = self.program.DERControlListLink
        return "" if link is None else link.href


@dataclass(slots=True)
class ProgramListNode:
    """A DERProgramList: one poll rate for its programs with all their controls, defaults and curves.

    read: it could be read; what is not in it is not ours.
    """

    href: str
    rate_s: float = DEFAULT_POLL_RATE_S
    programs: dict[str, ProgramNode] = field(default_factory=dict)
    read: bool = False


@dataclass(slots=True)
class DerNode:
    """Our DER: where its four resources are PUT. None: the server does not take that one."""

    href: str
    capability: str | None
    settings: str | None
    status: str | None
    availability: str | None

    def href_of(self, name: DerResource) -> str | None:
        """Where this resource is PUT."""
        return {
            "DERCapability": self.capability,
            "DERSettings": self.settings,
            "DERStatus": self.status,
            "DERAvailability": self.availability,
        }[name]


@dataclass(slots=True)
class RegistrationView:
    """Whether there is a Registration, and whether its PIN is ours; None: not asked."""

    present: bool = False
    verified: bool | None = None


@dataclass(slots=True)
class Tree:
    """All that is known of the server.

    unreadable: why the last reading of a link failed, by href. curves: those of the DERCurveLists, by href.
    assignments_read: which program lists are ours is known.
    """

    dcap: r.DeviceCapability | None = None
    end_device: r.EndDevice | None = None
    end_device_href: str | None = None
    registration: RegistrationView = field(default_factory=RegistrationView)
    fsas: tuple[r.FunctionSetAssignments, ...] = ()
    assignments_read: bool = False
    program_lists: dict[str, ProgramListNode] = field(default_factory=dict)
    curves: dict[str, r.DERCurve] = field(default_factory=dict)
    der: DerNode | None = None
    log_events: str | None = None
    mirrors: str | None = None
    unreadable: dict[str, str] = field(default_factory=dict)

    @property
    def programs_listed(self) -> bool:
        """Whether all lists of programs were read: a program that is in none of them is not ours."""
        return self.assignments_read and all(node.read for node in self.program_lists.values())

    @property
    def programs_read(self) -> bool:
        """Whether all programs were read, with their defaults and controls."""
        nodes = (each for node in self.program_lists.values() for each in node.programs.values())
        return self.programs_listed and all(each.default_read and each.controls is not None for each in nodes)

    def program_nodes(self) -> list[ProgramNode]:
        """Every program once, however many links lead to it.

        One mRID is one program (without mRID: one href), unless the DERControlLists differ: then a server has
        given one mRID to two programs.
        """
        found: dict[tuple[str, str], ProgramNode] = {}
        for node in self.program_lists.values():
            for each in node.programs.values():
                found.setdefault((each.program.mRID.upper() or each.href, each.controls_href), each)
        return list(found.values())

    def linked(self) -> frozenset[str]:
        """The hrefs of what was found, and of all that it links to."""
        programs = (each.program for node in self.program_lists.values() for each in node.programs.values())
        found = [each for each in (self.dcap, self.end_device, *self.fsas, *programs) if each is not None]
        return frozenset(href for each in found for href in (each.href, *links_of(each).values()) if href)
