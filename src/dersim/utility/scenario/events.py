"""What the events of a scenario do, one function for each kind; ConfigError: it cannot be done any more."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from dersim.errors import ConfigError
from dersim.utility.program import CANCELLED, CANCELLED_AT_RANDOM, SUPERSEDED
from dersim.utility.scenario.objects import ScenarioObjects
from dersim.utility.scenario.plan import EventPlan

_HOW = {"cancelled": CANCELLED, "cancelled_with_randomization": CANCELLED_AT_RANDOM, "superseded": SUPERSEDED}


def carry_out(objects: ScenarioObjects, event: EventPlan) -> None:
    """Do what one event says."""
    _DO[event.kind](objects, event.data)


def _default(objects: ScenarioObjects, data: Mapping[str, Any]) -> None:
    program = objects.program(data["program"])
    if data["modes"] is None:
        objects.head_end.clear_default(program)
    else:
        objects.head_end.set_default(program, data["modes"])


def _program(objects: ScenarioObjects, data: Mapping[str, Any]) -> None:
    head_end, program = objects.head_end, objects.program(data["name"])
    if "groups" in data:
        groups = [objects.group(name) for name in data["groups"]]
        head_end.programs.assign(program, groups, head_end.now_s())
    primacy = data.get("primacy", program.primacy)
    head_end.update_program(program, program.description, primacy, program.order)


def _cancel(objects: ScenarioObjects, data: Mapping[str, Any]) -> None:
    name, how = data["control"], data.get("how", "cancelled")
    control = objects.newest.get(name)
    if control is None or not control.live:
        raise ConfigError(f"control {name!r} is not there any more, or not yet; it is not {how}")
    if how == "withdrawn":
        objects.head_end.withdraw(control)
    else:
        objects.head_end.cancel(control, _HOW[how])


def _remove(objects: ScenarioObjects, lfdi: str) -> None:
    device = objects.head_end.end_devices.find(lfdi)
    if device is None:
        raise ConfigError(f"there is no device {lfdi} to remove")
    objects.head_end.remove_device(device)


def _move(objects: ScenarioObjects, data: Mapping[str, Any]) -> None:
    objects.move(data["lfdi"], data["group"])


def _poll_rates(objects: ScenarioObjects, data: Mapping[str, int]) -> None:
    objects.head_end.set_poll_rates(dict(data))


_DO: Mapping[str, Callable[[ScenarioObjects, Any], None]] = {
    "default": _default,
    "program": _program,
    "cancel": _cancel,
    "register": ScenarioObjects.register,
    "remove": _remove,
    "move": _move,
    "poll_rates": _poll_rates,
}
