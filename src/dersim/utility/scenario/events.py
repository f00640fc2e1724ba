"""What the events of a scenario do, one function for each kind; ConfigError: it cannot be done any more."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from dersim.errors import ConfigError
from dersim.utility.program import CANCELLED, CANCELLED_AT_RANDOM, SUPERSEDED
from dersim.utility.scenario.objects import Stage
from dersim.utility.scenario.plan import EventPlan

_HOW = {"cancelled": CANCELLED, "cancelled_with_randomization": CANCELLED_AT_RANDOM, "superseded": SUPERSEDED}


def carry_out(stage: Stage, event: EventPlan) -> None:
    """Do what one event says."""
    _DO[event.kind](stage, event.data)


def _default(stage: Stage, data: Mapping[str, Any]) -> None:
    program = stage.program(data["program"])
    if data["modes"] is None:
        stage.head_end.clear_default(program)
    else:
        stage.head_end.set_default(program, data["modes"])


def _program(stage: Stage, data: Mapping[str, Any]) -> None:
    head_end, program = stage.head_end, stage.program(data["name"])
    if "groups" in data:
        groups = [stage.group(name) for name in data["groups"]]
        head_end.programs.assign(program, groups, head_end.now_s())
    primacy = data.get("primacy", program.primacy)
    head_end.update_program(program, program.description, primacy, program.order)


def _cancel(stage: Stage, data: Mapping[str, Any]) -> None:
    name, how = data["control"], data.get("how", "cancelled")
    control = stage.newest.get(name)
    if control is None or not control.live:
        raise ConfigError(f"control {name!r} is not there any more, or not yet; it is not {how}")
    if how == "withdrawn":
        stage.head_end.withdraw(control)
    else:
        stage.head_end.cancel(control, _HOW[how])


def _remove(stage: Stage, lfdi: str) -> None:
    device = stage.head_end.end_devices.find(lfdi)
    if device is None:
        raise ConfigError(f"there is no device {lfdi} to remove")
    stage.head_end.remove_device(device)


def _move(stage: Stage, data: Mapping[str, Any]) -> None:
    stage.move(data["lfdi"], data["group"])


def _poll_rates(stage: Stage, data: Mapping[str, int]) -> None:
    stage.head_end.set_poll_rates(dict(data))


_DO: Mapping[str, Callable[[Stage, Any], None]] = {
    "default": _default,
    "program": _program,
    "cancel": _cancel,
    "register": Stage.register,
    "remove": _remove,
    "move": _move,
    "poll_rates": _poll_rates,
}
