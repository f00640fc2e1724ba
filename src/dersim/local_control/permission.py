"""The permission to be in service: opModEnergize, with start and stop of an operator at the machine."""

from __future__ import annotations

from dersim.local_control.submitting import allow, submit
from dersim.local_control.view import View
from dersim.setpoint_sources import SetpointSource


def permitted(view: View) -> bool:
    """Whether the machine may be in service, by operator and by setpoint."""
    return view.device.permitted and view.setpoints.value("opModEnergize") is not False


def permit(view: View, source: SetpointSource, *, allowed: bool, detail: str) -> None:
    """Give or withdraw the permission to be in service."""
    if not view.supports("opModEnergize"):
        view.device.command("start" if allowed else "stop")
        return
    submit(view, allow(view, source, "opModEnergize", detail, allowed=allowed))
    if allowed and not view.device.permitted:
        view.device.command("start")
