"""The outcome of the scheduler as setpoints of the device: one atomic change for each new outcome.

DERControls are submitted as `SetpointSource.CSIP`, what the DefaultDERControls set as
`SetpointSource.CSIP_DEFAULT` beneath them; `setpoints.py` decides between them and the local sources. In a
hand-over from one control to the next nothing else is ever in force, because it is one `submit`.

The scheduler ends events. If it cannot, because the client has failed, the setpoint of an event expires by
itself `SAFETY_S` after its effective end. A client that is started again takes over what its predecessor left
in force, and withdraws what the server no longer asks for once it has read everything again.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import NamedTuple

from dersim.csip.control_values import RAMP, SetpointsProtocol
from dersim.ieee2030_5.event_book import Fence
from dersim.ieee2030_5.event_types import ModeSource, Step
from dersim.ieee2030_5.resources import DefaultDERControl, Disabled
from dersim.modes import ModeValue
from dersim.setpoint_sources import SetpointSource
from dersim.setpoints import SetpointChange, Verdict

#: How long after its effective end the setpoint of an event expires by itself, s.
SAFETY_S = 60.0
#: An end that moves by less than this is not submitted again, s.
_SAME_END_S = 1e-3

_Key = tuple[SetpointSource, str]


class _ModeSetpoint(NamedTuple):
    """What is submitted for a mode: value, mRID of its control, its effective end, and its rampTms in s."""

    value: ModeValue
    detail: str
    end_s: float | None
    ramp_s: float | None = None

    def same(self, other: _ModeSetpoint | None) -> bool:
        if other is None or self._replace(end_s=None) != other._replace(end_s=None):
            return False
        if self.end_s is None or other.end_s is None:
            return self.end_s is other.end_s
        return abs(self.end_s - other.end_s) < _SAME_END_S


class KeptDefault(NamedTuple):
    """A mode of a default that was read before a restart: its value, and the mRID of the default."""

    value: ModeValue
    mrid: str


class ControlSetpoints:
    """What the controls of one DER have in force. default_of: the default of a program."""

    def __init__(
        self,
        setpoints: SetpointsProtocol,
        *,
        default_of: Callable[[str], DefaultDERControl | None],
        log: Callable[[str, str], None],
        fence: Fence,
    ) -> None:
        self._setpoints = setpoints
        self._default_of = default_of
        self._log = log
        self._fence = fence
        self._applied = self._left_by_predecessor()
        self._kept = tuple(self._applied)
        self._released = self._unsubmitted = False

    def _left_by_predecessor(self) -> dict[_Key, _ModeSetpoint]:
        shown = (*self._setpoints.in_force(), *self._setpoints.overridden())
        ours = (line for line in shown if line.source in (SetpointSource.CSIP, SetpointSource.CSIP_DEFAULT))
        return {
            (line.source, line.mode): _ModeSetpoint(line.value, line.detail, line.until_s) for line in ours
        }

    @property
    def is_stale(self) -> bool:
        """Whether `submit` is due although the outcome is as before: something was released, or it failed."""
        return self._released or self._unsubmitted

    @property
    def kept_defaults(self) -> dict[str, KeptDefault]:
        """By mode, what the defaults of a predecessor left in force, until everything was read again."""
        return {
            mode: KeptDefault(self._applied[source, mode].value, self._applied[source, mode].detail)
            for source, mode in self._kept
            if source is SetpointSource.CSIP_DEFAULT and (source, mode) in self._applied
        }

    def resume(self, mrids: Collection[str]) -> None:
        """These events go on: what is in force for them is theirs, and ends with them."""
        self._kept = tuple(
            (source, mode)
            for source, mode in self._kept
            if source is not SetpointSource.CSIP or self._applied[source, mode].detail not in mrids
        )

    def release(self) -> None:
        """Everything was read again: what a predecessor left is kept only where it is still asked for."""
        self._released = bool(self._kept)
        self._kept = ()

    def submit(self, step: Step) -> None:
        """Bring the setpoints to the scheduler's maps by one atomic change."""
        self._unsubmitted = True
        wanted = self._wanted(step)
        for key in self._kept:
            if key in self._applied:
                wanted.setdefault(key, self._applied[key])
        gone = [
            SetpointChange(source, mode, None, setpoint.detail)
            for (source, mode), setpoint in self._applied.items()
            if (source, mode) not in wanted
        ]
        new = [
            _change(key, setpoint)
            for key, setpoint in wanted.items()
            if not setpoint.same(self._applied.get(key))
        ]
        if gone or new:
            self._setpoints.submit(*gone, *new)
        self._applied = wanted
        self._released = self._unsubmitted = False

    def _wanted(self, step: Step) -> dict[_Key, _ModeSetpoint]:
        """The setpoints of a step, each with the rampTms of its control; mode rampTms shows one of them."""
        wanted: dict[_Key, _ModeSetpoint] = {}
        for mode, source in step.defaults.items():
            if mode == RAMP and step.events:
                continue  # an event without rampTms is approached at setGradW (2030.5-2018 10.10.4)
            wanted[SetpointSource.CSIP_DEFAULT, mode] = self._of_default(source)
        for mode, source in step.events.items():
            value, ramp_s = source.value
            wanted[SetpointSource.CSIP, mode] = _ModeSetpoint(value, source.mrid, source.end_s, ramp_s)
            if ramp_s is not None:
                wanted[SetpointSource.CSIP, RAMP] = _ModeSetpoint(ramp_s, source.mrid, source.end_s)
        return {key: setpoint for key, setpoint in wanted.items() if self._acceptable(key[1], setpoint)}

    def _of_default(self, source: ModeSource) -> _ModeSetpoint:
        default = self._default_of(source.program)
        if default is None:
            return _ModeSetpoint(source.value, source.program, None)
        ramp = default.DERControlBase.rampTms
        ramp_s = None if ramp is None or isinstance(ramp, Disabled) else ramp / 100
        return _ModeSetpoint(source.value, default.mRID, None, ramp_s)

    def _acceptable(self, mode: str, setpoint: _ModeSetpoint) -> bool:
        """The settings may have changed since the control was accepted; one refusal would stop the others."""
        accepted = False
        with self._fence(f"{setpoint.detail} {mode}"):
            outcome = self._setpoints.check(mode, setpoint.value)
            accepted = outcome.verdict is Verdict.ACCEPTED
            if not accepted and mode != RAMP:
                self._log("Warning", f"{setpoint.detail}: {outcome.reason}; the mode is not set")
        return accepted


def _change(key: _Key, setpoint: _ModeSetpoint) -> SetpointChange:
    expires_s = None if setpoint.end_s is None else setpoint.end_s + SAFETY_S
    return SetpointChange(*key, setpoint.value, setpoint.detail, expires_s, setpoint.ramp_s, setpoint.end_s)
