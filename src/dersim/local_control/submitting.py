"""Every write of any register or point ends here, in `Setpoints.submit`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from dersim.errors import ConfigError
from dersim.hardware.settings import SETTING_MODES
from dersim.local_control.refused import Refused
from dersim.local_control.view import View
from dersim.modes import ModeValue
from dersim.setpoint_sources import Rank, SetpointSource
from dersim.setpoints import SetpointChange, Verdict

#: What an enable that is written to 0 ends; what the utility asks for stays.
_ENDED = (Rank.LOCAL, Rank.NAMEPLATE)


def changes_of(
    view: View,
    source: SetpointSource,
    values: Mapping[str, ModeValue | None],
    detail: str,
    expires_s: float | None = None,
) -> list[SetpointChange]:
    """The changes that put these modes in force; None withdraws.

    A mode that is switched off is withdrawn for every local source (among them the latest wins, and the
    latest is "off") and for the nameplate, whose modes are those with which the machine was switched on.
    """
    changes: list[SetpointChange] = []
    for mode, value in values.items():
        if value is None:
            held = view.requests(mode, *_ENDED)
            changes += [SetpointChange(i.source, mode, None, detail) for i in held]
        else:
            changes.append(SetpointChange(source, mode, value, detail, expires_s))
    return changes


def release(view: View, modes: Iterable[str], detail: str) -> list[SetpointChange]:
    """The changes that withdraw what was asked for under this detail, and nothing else: a timer ran out."""
    held = [item for mode in modes for item in view.requests(mode, Rank.LOCAL) if item.detail == detail]
    return [SetpointChange(item.source, item.mode, None, detail) for item in held]


def allow(
    view: View,
    source: SetpointSource,
    mode: str,
    detail: str,
    *,
    allowed: bool,
    expires_s: float | None = None,
) -> list[SetpointChange]:
    """The changes that give or withdraw a permission (opModConnect, opModEnergize).

    To give it, local refusals are withdrawn, and one of the DefaultDERControl is overruled.
    """
    below = view.requests(mode, Rank.DEFAULT)
    value: ModeValue | None = None if allowed else False
    if allowed and any(item.value is False for item in below):
        value = True
    withdrawn = changes_of(view, source, {mode: None}, detail) if allowed else []
    return withdrawn + (
        changes_of(view, source, {mode: value}, detail, expires_s) if value is not None else []
    )


def submit(view: View, changes: Iterable[SetpointChange]) -> None:
    """Carry out the changes, all or none; Refused if the device does not take one."""
    wanted = list(changes)
    if not wanted:
        return
    for outcome in view.setpoints.submit(*wanted):
        if outcome.verdict is not Verdict.ACCEPTED:
            raise Refused(outcome.reason, outcome.verdict)


def check(view: View, values: Mapping[str, ModeValue | None]) -> None:
    """Refused if the device would not take one of these."""
    for mode, value in values.items():
        if value is not None:
            outcome = view.setpoints.check(mode, value)
            if outcome.verdict is not Verdict.ACCEPTED:
                raise Refused(outcome.reason, outcome.verdict)


def update_settings(view: View, source: SetpointSource, values: Mapping[str, float], detail: str) -> None:
    """Write settings, all or none; Refused names the one that is out of range.

    Those that a DefaultDERControl may carry (setES..., setGradW) become setpoints, which override the default
    like every local setpoint. The others change the table of settings.
    """
    as_modes: dict[str, ModeValue | None] = {}
    for name, value in values.items():
        if name in SETTING_MODES and view.supports(name):
            as_modes[name] = float(value)
    check(view, as_modes)
    try:
        view.settings.update({k: v for k, v in values.items() if k not in as_modes}, view.now_s())
    except ConfigError as error:
        raise Refused(str(error)) from None
    submit(view, changes_of(view, source, as_modes, detail))
