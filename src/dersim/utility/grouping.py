"""Changes of groups by the operator: what must hold between groups, programs and devices.

Functions of one head-end; ConfigError names the bad value and changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from dersim.csv_text import open_csv
from dersim.errors import ConfigError
from dersim.numeric import shown
from dersim.suggestions import hint
from dersim.utility.groups import LEVELS, MAX_ASSIGNMENTS, Group, TimeOf
from dersim.utility.head_end import HeadEnd, normal_lfdi
from dersim.utility.program import Control, Program
from dersim.utility.programs import ControlOrder, check_order


def create(head_end: HeadEnd, name: str, level: str, parent: Group | None = None) -> Group:
    """Add a group without devices and programs."""
    group = head_end.groups.create(name, level, parent)
    where = f" below {group.parent.name!r}" if group.parent else ""
    head_end.info(f"group {name!r}, a {level}{where}, is group {group.number}")
    return group


def rename(head_end: HeadEnd, group: Group, name: str) -> None:
    """Change the name of a group; its mRID stays."""
    head_end.groups.rename(group, name)
    head_end.info(f"group {group.number} is now {name!r}")


def check_members(lfdis: Iterable[str], patterns: Iterable[str]) -> None:
    """ConfigError for a text that is no LFDI, or no pattern of LFDIs."""
    for each in lfdis:
        normal_lfdi("lfdis", each)
    for each in patterns:
        _pattern(each)


def set_members(head_end: HeadEnd, group: Group, lfdis: Iterable[str], patterns: Iterable[str]) -> None:
    """Replace the devices that are assigned to the group itself.

    patterns: of LFDIs, with `*` and `?`. A device in more than 15 groups is allowed, and a Warning: CSIP asks
    clients for 15.
    """
    chosen = {normal_lfdi("lfdis", each) for each in lfdis}
    shapes = [_pattern(each) for each in patterns]
    head_end.groups.set_members(group, chosen, shapes)
    _after_move(head_end)
    head_end.info(f"group {group.name!r} has {len(chosen)} device(s) and {len(shapes)} pattern(s)")


def move(head_end: HeadEnd, lfdi: str, group: Group | None) -> None:
    """Assign a device to one group of the topology; None takes it out of all."""
    lfdi = normal_lfdi("lfdi", lfdi)
    head_end.groups.move(lfdi, group)
    _after_move(head_end)
    head_end.info(f"device {lfdi} is now in {group.name if group else 'no group of its own'}")


def assign_from_csv(head_end: HeadEnd, path: Path) -> int:
    """Assign devices as a CSV file with the columns `lfdi` and `group` says; how many rows.

    group: the name of a group. Rows for groups of level non_topology add the device, the others move it.
    """
    with open_csv(path, ("lfdi", "group")) as (header, lines):
        rows = [_row(head_end, where, dict(zip(header, line, strict=True))) for where, line in lines]
    for lfdi, group in rows:
        if group.level == "non_topology":
            head_end.groups.set_members(group, {*group.lfdis, lfdi}, group.patterns)
        else:
            head_end.groups.move(lfdi, group)
    _after_move(head_end)
    head_end.info(f"{path}: {len(rows)} devices are assigned to groups")
    return len(rows)


def _row(head_end: HeadEnd, where: str, row: dict[str, str]) -> tuple[str, Group]:
    if missing := {"lfdi", "group"} - set(row):
        raise ConfigError(f"{where}: the column {min(missing)} is missing")
    group = head_end.groups.find(row["group"].strip())
    if group is None:
        names = [each.name for each in head_end.groups]
        raise ConfigError(f"{where}: there is no group {shown(row['group'])}; {hint(row['group'], names)}")
    return normal_lfdi(f"{where}: lfdi", row["lfdi"]), group


def set_time(head_end: HeadEnd, group: Group, time: TimeOf | None) -> None:
    """Give the group a Time resource of its own; None takes that of the server."""
    head_end.groups.set_time(group, time)
    head_end.info(f"group {group.name!r} goes by {group.time_href}")


def remove(head_end: HeadEnd, group: Group) -> None:
    """Remove a group; programs that were for it alone are for nobody until they are assigned again."""
    head_end.groups.remove(group)
    for program in head_end.programs:
        if group in program.groups:
            left = tuple(each for each in program.groups if each is not group)
            head_end.programs.assign(program, left, head_end.advance())
    head_end.info(f"group {group.name!r} is removed")


def program_of(head_end: HeadEnd, group: Group) -> Program:
    """The group's program of the lowest primacy; it is made where the group has none."""
    known = known_program_of(head_end, group)
    return known or head_end.create_program(group.name, LEVELS[group.level], (group,))


def known_program_of(head_end: HeadEnd, group: Group) -> Program | None:
    """The group's program of the lowest primacy; None where it has none of its own."""
    return next((each for each in head_end.programs.of_group(group) if each.groups == (group,)), None)


def publish(head_end: HeadEnd, group: Group, order: ControlOrder) -> Control:
    """Publish a control for the devices of one group."""
    check_order(order)
    return head_end.publish(program_of(head_end, group), order)


def publish_for_device(head_end: HeadEnd, lfdi: str, order: ControlOrder) -> Control:
    """Publish a control for one device, in a group that has only this device; it is made where missing."""
    check_order(order)
    lfdi = normal_lfdi("lfdi", lfdi)
    return head_end.publish(program_of(head_end, own_group(head_end, lfdi)), order)


def own_group(head_end: HeadEnd, lfdi: str) -> Group:
    """The group of this device alone: a service point of its own, or a group outside the topology."""
    if (known := known_group_of(head_end, lfdi)) is not None:
        return known
    device = head_end.end_devices.find(lfdi)
    name = f"device {device.number}" if device else f"device {lfdi[:16]}"
    group = create(head_end, name, "non_topology")
    head_end.groups.set_members(group, {lfdi}, ())
    return group


def known_group_of(head_end: HeadEnd, lfdi: str) -> Group | None:
    """The group of this device alone, if there is one."""
    for group in head_end.groups.of(lfdi):
        if group.lfdis == {lfdi} and not group.patterns and _is_leaf(head_end, group):
            return group
    return None


def _is_leaf(head_end: HeadEnd, group: Group) -> bool:
    return all(each.parent is not group for each in head_end.groups)


def _after_move(head_end: HeadEnd) -> None:
    head_end.programs.review(head_end.advance())
    crowded = [d.lfdi for d in head_end.end_devices if len(head_end.groups.of(d.lfdi)) > MAX_ASSIGNMENTS]
    if crowded:
        head_end.warn(
            f"{len(crowded)} device(s), {crowded[0]} first, are in more than {MAX_ASSIGNMENTS} groups: "
            "CSIP asks a client for no more"
        )


def _pattern(text: Any) -> str:
    allowed = isinstance(text, str) and 0 < len(text) <= 40 and set(text.upper()) <= set("0123456789ABCDEF*?")
    if not allowed:
        raise ConfigError(f"patterns: hexadecimal digits, * and ? are needed, not {shown(text)}")
    return str(text).upper()
