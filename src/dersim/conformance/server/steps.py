"""What only the owner of a server can do, as steps for the operator."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from dersim.modes import MODES
from dersim.utility.config import DEFAULT_PIN


class Register(NamedTuple):
    """An EndDevice. aggregator: the LFDI of the client that acts for it."""

    lfdi: str
    pin: int = DEFAULT_PIN
    aggregator: str | None = None

    @property
    def text(self) -> str:
        """In words."""
        managed = f", managed by the aggregator {self.aggregator}" if self.aggregator else ""
        return f"Register the EndDevice with LFDI {self.lfdi} and PIN {self.pin:06}{managed}"


class Unregister(NamedTuple):
    """An EndDevice is removed."""

    lfdi: str

    @property
    def text(self) -> str:
        """In words."""
        return f"Remove the EndDevice with LFDI {self.lfdi}"


class AddGroup(NamedTuple):
    """A group: a node of the topology, or with level non_topology a group outside it.

    parent: the group above, None for the system. own_time: it has a Time resource of its own.
    """

    name: str
    level: str
    parent: str | None = None
    own_time: bool = False

    @property
    def text(self) -> str:
        """In words."""
        where = f" below {self.parent}" if self.parent else ""
        time = " with a Time of its own" if self.own_time else ""
        return f"Make the group {self.name} ({self.level}){where}{time}, which is one FunctionSetAssignments"


class Assign(NamedTuple):
    """A device becomes a member of a group; one of the topology replaces the one before it."""

    lfdi: str
    group: str

    @property
    def text(self) -> str:
        """In words."""
        return f"Assign the device {self.lfdi} to the group {self.group} and to all groups above it"


class AddProgram(NamedTuple):
    """A DERProgram for the devices of groups, none: of the system. default: its DefaultDERControl."""

    name: str
    primacy: int
    groups: tuple[str, ...] = ()
    default: Mapping[str, Any] | None = None

    @property
    def text(self) -> str:
        """In words."""
        whom = f"the group {', '.join(self.groups)}" if self.groups else "all devices"
        default = f"DefaultDERControl {_modes(self.default)}" if self.default else "no DefaultDERControl"
        what = f"the DERProgram with description {self.name} and primacy {self.primacy}"
        return f"Make {what} for {whom}, {default}"


class SetPrimacy(NamedTuple):
    """Another primacy of a program."""

    program: str
    primacy: int

    @property
    def text(self) -> str:
        """In words."""
        return f"Change the primacy of the DERProgram {self.program} to {self.primacy}"


class Publish(NamedTuple):
    """A DERControl. start_s: UTC seconds; in_s: seconds from when the step was made."""

    name: str
    program: str
    start_s: int
    in_s: int
    duration_s: int
    modes: Mapping[str, Any]
    randomize_start_s: int = 0
    randomize_duration_s: int = 0

    @property
    def text(self) -> str:
        """In words."""
        random = ""
        if self.randomize_start_s or self.randomize_duration_s:
            random = (
                f", randomizeStart {self.randomize_start_s}, randomizeDuration {self.randomize_duration_s}"
            )
        return (
            f"Publish in the DERProgram {self.program} the control with description {self.name}: "
            f"{_modes(self.modes)}, start in {self.in_s} s, {self.duration_s} s long{random}, "
            "with replyTo and responseRequired 07"
        )


class Cancel(NamedTuple):
    """A DERControl is cancelled."""

    name: str

    @property
    def text(self) -> str:
        """In words."""
        return f"Cancel the control {self.name} (currentStatus 2)"


class EndSubscription(NamedTuple):
    """A Subscription of the DER that plays is ended by the server."""

    lfdi: str
    resource: str

    @property
    def text(self) -> str:
        """In words."""
        return f"End the Subscription of {self.lfdi} to {self.resource} with status 1, cancelled"


def _modes(modes: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {_value(name, value)}" for name, value in modes.items())


def _value(name: str, value: Any) -> str:
    """A mode's value for people, with its unit: `50 %`, or the points of a curve and its members."""
    if isinstance(value, Mapping):
        return " ".join(_member(key, each) for key, each in value.items() if each is not None)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value).lower()
    unit = MODES[name].unit if name in MODES else ""
    return f"{value:g} {unit}".rstrip()


def _member(key: str, value: Any) -> str:
    if key == "curve":
        return " ".join("(" + ", ".join(f"{each:g}" for each in point[:2]) + ")" for point in value)
    return f"{key} {value:g}" if isinstance(value, int | float) else f"{key} {value}"
