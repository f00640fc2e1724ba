"""Every write of any model ends here, in `Setpoints.submit`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from dersim.modes import ModeValue
from dersim.setpoints import SetpointChange, SetpointSource, Verdict
from dersim.sunspec.exceptions import ILLEGAL_VALUE, ModbusRefusal
from dersim.sunspec.view import LOCAL, View


def changes_of(
    view: View,
    source: SetpointSource,
    values: Mapping[str, ModeValue | None],
    detail: str,
    expires_s: float | None = None,
) -> list[SetpointChange]:
    """The changes that put these modes in force; None withdraws.

    A mode that is switched off is withdrawn for every local source: among them the latest wins, and the
    latest is "off".
    """
    changes: list[SetpointChange] = []
    for mode, value in values.items():
        if value is None:
            held = view.requests(mode, LOCAL)
            changes += [SetpointChange(i.source, mode, None, detail) for i in held]
        else:
            changes.append(SetpointChange(source, mode, value, detail, expires_s))
    return changes


def submit(view: View, changes: Iterable[SetpointChange]) -> None:
    """Carry out the changes, all or none; ModbusRefusal if the device does not take one."""
    wanted = list(changes)
    if not wanted:
        return
    for outcome in view.setpoints.submit(*wanted):
        if outcome.verdict is not Verdict.ACCEPTED:
            raise ModbusRefusal(ILLEGAL_VALUE, outcome.reason)


def check(view: View, values: Mapping[str, ModeValue | None]) -> None:
    """ModbusRefusal if the device would not take one of these."""
    for mode, value in values.items():
        if value is not None:
            outcome = view.setpoints.check(mode, value)
            if outcome.verdict is not Verdict.ACCEPTED:
                raise ModbusRefusal(ILLEGAL_VALUE, outcome.reason)
