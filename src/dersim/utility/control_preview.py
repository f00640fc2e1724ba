"""A control as it would be served, without publishing it."""

from __future__ import annotations

from typing import NamedTuple

from dersim.ieee2030_5 import Edition, encode
from dersim.modes import Curve
from dersim.utility import modes_2023, wire_modes
from dersim.utility.groups import LEVELS, Group
from dersim.utility.head_end import HeadEnd
from dersim.utility.program import ACTIVE, SCHEDULED, Control, Program
from dersim.utility.program_documents import control_resource
from dersim.utility.programs import ControlOrder, check_order


class Previewed(NamedTuple):
    """The DERControl in one edition, and the DERCurves that it refers to by their hrefs.

    The mRID and, where other controls come first, the href are given when it is published.
    """

    edition: Edition
    body: bytes
    curves: dict[str, bytes]


def preview(head_end: HeadEnd, program: Program, order: ControlOrder) -> list[Previewed]:
    """The documents of the control in this program; ConfigError as for publishing."""
    check_order(order)
    wire_modes.check_writable(order.modes)
    now_s, programs = int(head_end.advance()), head_end.programs
    trial = _copy(program)
    created_s = max(now_s, programs.last_creation_s + 1)
    number = program.last_control + 1
    control = Control(
        trial, programs.last_id + 1, number, programs.mrids(), created_s, **order._asdict(), status=SCHEDULED
    )
    control.status_since_s = created_s
    trial.add_control(control)
    if control.earliest_start_s <= now_s:
        control.move_to(ACTIVE, created_s)
    of_2023 = program.needs_2023 or modes_2023.any_of(order.modes)
    editions = (Edition.E2023,) if of_2023 else (Edition.E2018, Edition.E2023)
    listed = [trial.curves.find(mode, each) for mode, each in order.modes.items() if isinstance(each, Curve)]
    hrefs = {wire_modes.curve_href(trial, each): wire_modes.curve_resource(trial, each) for each in listed}
    return [
        Previewed(
            edition,
            encode(control_resource(control, edition), edition),
            {href: encode(curve, edition) for href, curve in hrefs.items()},
        )
        for edition in editions
    ]


def program_to_be(head_end: HeadEnd, group: Group | None, name: str) -> Program:
    """A program like that which `grouping.program_of` would make for a group, or for a device's own group."""
    number = max((each.number for each in head_end.programs), default=0) + 1
    level = "non_topology" if group is None else group.level
    return Program(number, head_end.mrids(f"program {number} {name}"), name, LEVELS[level])


def _copy(program: Program) -> Program:
    """The program with its curves and without its controls."""
    trial = Program(program.number, program.mrid, program.description, program.primacy)
    trial.groups = program.groups
    trial.curves.restore(program.curves.checkpoint())
    return trial
