"""The trees that several procedures share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dersim.conformance.stage import Stage
from dersim.utility.groups import Group

#: Two other EndDevices of the list, in the figures Client-1 and Client-2.
OTHERS = ("A1" * 20, "A2" * 20)
#: Levels and primacies of figures 1 and 2: name of the level, level, primacy.
LEVELS = (
    ("SY", "system", 10),
    ("ST", "subtransmission", 9),
    ("SS", "substation", 8),
    ("FD", "feeder", 7),
    ("SG", "segment", 6),
    ("TF", "transformer", 5),
    ("SP", "service_point", 4),
)


def three_end_devices(stage: Stage, *, with_lfdi: bool = True) -> None:
    """EDEV-3: the device under test and two that were changed later, so that its own is listed last."""
    stage.register()
    for number, lfdi in enumerate(OTHERS, 1):
        stage.register(lfdi)
        other = stage.head_end.end_devices.find(lfdi)
        if other is not None:
            other.changed_s += number
    if not with_lfdi:
        stage.hide_lfdi()


def two_programs(
    stage: Stage,
    system_default: Mapping[str, Any] | None = None,
    service_point_default: Mapping[str, Any] | None = None,
) -> None:
    """TWO-P: programs SY (primacy 10) and SP (4) in one DERProgramList."""
    stage.register()
    stage.program("SY", 10, default=system_default)
    stage.program("SP", 4, default=service_point_default)


def topology(stage: Stage, default: Mapping[str, Any] | None = None) -> dict[str, Group]:
    """FIG-2: a chain of groups from the system to the service point of the device, a program in each."""
    groups: dict[str, Group] = {"SY": stage.head_end.groups.system}
    parent = None
    for name, level, primacy in LEVELS:
        if level != "system":
            parent = groups[name] = stage.group(name, level, parent)
        stage.program(name, primacy, groups[name], default if name == "SP" else None)
    stage.assign(groups["SP"])
    return groups


def control_test(
    stage: Stage, default: Mapping[str, Any] | None, test: Mapping[str, Any], *, with_lfdi: bool = True
) -> None:
    """CTRL: two assignments, the SP program with a default, and one control of 60 s after 120 s."""
    three_end_devices(stage, with_lfdi=with_lfdi)
    stage.program("SY", 10)
    stage.program("SP", 4, default=default)
    outside = stage.group("Group-Z", "non_topology")
    stage.assign(outside)
    stage.program("Z", 20, outside)
    stage.control("test", "SP", 120, 60, test)
