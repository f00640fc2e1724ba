"""From registers to the one door: every write ends in `Setpoints.submit`, whatever model it came through."""

from __future__ import annotations

from collections.abc import Mapping

from dersim.modes import ModeValue
from dersim.setpoints import SetpointChange, Source, Verdict
from dersim.sunspec.exceptions import ILLEGAL_VALUE, Refused
from dersim.sunspec.view import LOCAL, View


def submit(
    view: View,
    source: Source,
    values: Mapping[str, ModeValue | None],
    detail: str,
    expires_s: float | None = None,
) -> None:
    """Hand over modes, all or none; None withdraws. Refused where the device does not take one.

    A mode that is switched off is withdrawn for every local door: the latest of them rules, and the latest
    word is "off".
    """
    changes: list[SetpointChange] = []
    for mode, value in values.items():
        if value is None:
            changes += _withdrawals(view, mode, detail)
        else:
            changes.append(SetpointChange(source, mode, value, detail, expires_s))
    if not changes:
        return
    for outcome in view.setpoints.submit(*changes):
        if outcome.verdict is not Verdict.ACCEPTED:
            raise Refused(ILLEGAL_VALUE, outcome.reason)


def withdraw(view: View, *modes: str) -> None:
    """Let go of what any local door asked for in these modes."""
    submit(view, Source.MODBUS, dict.fromkeys(modes), "")


def _withdrawals(view: View, mode: str, detail: str) -> list[SetpointChange]:
    held = [i for i in (*view.setpoints.in_force(), *view.setpoints.overridden()) if i.mode == mode]
    return [SetpointChange(i.source, mode, None, detail or i.detail) for i in held if i.source in LOCAL]
