"""The setpoints of a DER: who asked for what, until when, and what is in force.

Every command - a DERControl, a Modbus register, a REST call, the operator - is a `SetpointChange` submitted
here. So "why is it at 40 % now?" has one answer: `in_force`, `overridden` and `journal`.

Which setpoint is in force, in three steps:

1. *Per mode, by source.* An active DERControl, over the latest of the local sources (Modbus, REST, the
   operator, and those of plug-ins), over the DefaultDERControl, over the nameplate. The modes are
   2030.5's for every source: the register WMaxLimPct is opModMaxLimW, so an event's 60 % replaces a
   default's 50 %.

2. *Between modes that cannot act together.* 1547-2018 5.3.1 allows one reactive mode at a time. The higher
   source wins; within one source fixed var or target var, over fixed power factor, over Watt-Var or Watt-PF,
   over Volt-Var. (Not 2030.5's "the smaller var SHOULD win", which would change the mode with irradiance.)
   Likewise a target in watts over one in percent, and the droop over a Freq-Watt curve. The two fixed power
   factors, for generating and for charging, act together. The loser is shown as overridden, with the winner,
   and acts again when the winner ends.

3. *Limits do not compete.* opModMaxLimW, Volt-Watt and the limits of extensions all act; the step of the
   device uses the lowest.

Settings (setGradW, setES...) are modes too where a DefaultDERControl carries them: the one in force by step 1
takes the place of the setting's base value.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from enum import Enum
from typing import Any, NamedTuple

from dersim.fences import Ended
from dersim.functions.contract import FunctionType
from dersim.functions.parameters import objection
from dersim.hardware.nameplate import Nameplate
from dersim.hardware.settings import SETTING_MODES, Settings
from dersim.kept import plain, value
from dersim.modes import ModeValue, value_from_kept, value_to_kept
from dersim.numeric import returned
from dersim.rivals import COMPANIONS, by_mode
from dersim.setpoint_sources import SetpointSource, from_kept


class Verdict(Enum):
    """The verdict of `check` and `submit` on a change."""

    ACCEPTED = "accepted"
    UNSUPPORTED = "unsupported"
    OUT_OF_RANGE = "out of range"


class Outcome(NamedTuple):
    """A verdict with its reason in words, empty where accepted."""

    verdict: Verdict
    reason: str = ""


class SetpointChange(NamedTuple):
    """One command. `value` None withdraws the value of this source for that mode.

    expires_s: simulated UTC at which it ends by itself (reversion); None: until withdrawn.
    until_s: the end that is shown, where the source ends it before `expires_s`; None: `expires_s`.
    detail: the source's name for it, e.g. the control's mRID or the register.
    ramp_s: the rampTms of its control (0: at once); None: the value of mode rampTms from the same source with
    the same detail, else setGradW.
    """

    source: SetpointSource
    mode: str
    value: ModeValue | None
    detail: str = ""
    expires_s: float | None = None
    ramp_s: float | None = None
    until_s: float | None = None


class InForce(NamedTuple):
    """A setpoint that acts now, or one that is `overridden_by` another."""

    mode: str
    value: ModeValue
    source: SetpointSource
    detail: str
    since_s: float
    until_s: float | None
    overridden_by: str = ""


class JournalEntry(NamedTuple):
    """A change that was asked for, by whom, and the outcome."""

    time_s: float
    source: SetpointSource
    mode: str
    value: ModeValue | None
    detail: str
    until_s: float | None
    outcome: Outcome


class LeftOut(NamedTuple):
    """A setpoint of a checkpoint that was not restored: of a mode, or by a source, that this run has not."""

    mode: str
    source: str = ""

    def __str__(self) -> str:
        if self.source:
            return f"setpoint of {self.mode} by {self.source}, a source that this run has not, is left out"
        return f"setpoint of {self.mode}, which this DER does not have, is left out"


class _Setpoint(NamedTuple):
    source: SetpointSource
    mode: str
    value: ModeValue
    detail: str
    since_s: float
    expires_s: float | None
    until_s: float | None
    order: int  # rises with every setpoint: the latest has the highest
    ramp_s: float | None


_RAMP = "rampTms"
_ACCEPTED = Outcome(Verdict.ACCEPTED)
JOURNAL_LENGTH = 500


class Setpoints:
    """The setpoints of one DER.

    types: its control functions. now_s: simulated time. settle: steps the device to a time before a change;
    apply: gives it the new values and steps it at once.
    """

    def __init__(
        self,
        types: Iterable[FunctionType],
        nameplate: Nameplate,
        settings: Settings,
        *,
        now_s: Callable[[], float],
        settle: Callable[[float], object],
        apply: Callable[[Mapping[str, ModeValue]], object],
    ) -> None:
        self.settings = settings
        self._nameplate = nameplate
        self._types, self._rivals = by_mode(tuple(types))
        self._now_s = now_s
        #: Goes around each call of a function's own check; this one lets its error pass.
        self.fence: Callable[[str], AbstractContextManager[Ended]] = lambda _what: nullcontext(Ended())
        #: Called with the changes of each submission that is carried out; who records a run sets it.
        self.on_submit: Callable[[Sequence[SetpointChange]], object] = _unwatched
        self._settle = settle
        self._apply = apply
        #: By mode: one of each source that asks for it, most often one alone.
        self._held: dict[str, tuple[_Setpoint, ...]] = {}
        self._order = 0
        self._in_force: list[InForce] = []
        self._overridden: list[InForce] = []
        self._values: dict[str, ModeValue] = {}
        #: By mode in force: rampTms (s) and since when (s); modes without a rampTms move at setGradW.
        self.ramps: dict[str, tuple[float, float]] = {}
        self._journal: list[JournalEntry] = []
        #: Rises with every change of what is in force.
        self.changes = 0
        #: The simulated time at which the next setpoint ends by itself; inf without one.
        self.next_expiry_s = math.inf
        for mode, own in nameplate.default_modes.items():
            if mode not in self._types:
                continue
            self._put(SetpointChange(SetpointSource.NAMEPLATE, mode, own, "nameplate"), 0.0)
        self._resolve(0.0)

    @property
    def supported_modes(self) -> frozenset[str]:
        """The modes that this DER supports."""
        return frozenset(self._types)

    @property
    def journal(self) -> Sequence[JournalEntry]:
        """The last `JOURNAL_LENGTH` changes asked for, oldest first."""
        return self._journal

    def in_force(self) -> list[InForce]:
        """The setpoints that act now."""
        return list(self._in_force)

    def overridden(self) -> list[InForce]:
        """The setpoints that do not act, each with the one that overrides it."""
        return list(self._overridden)

    def value(self, mode: str) -> ModeValue | None:
        """The value of a mode that acts now, or None."""
        return self._values.get(mode)

    def values(self) -> Mapping[str, ModeValue]:
        """The values that act now, by mode."""
        return self._values

    def check(self, mode: str, value: ModeValue) -> Outcome:
        """The verdict that `submit` would give on this value."""
        kind = self._types.get(mode)
        if kind is None:
            return Outcome(Verdict.UNSUPPORTED, f"{mode}: this device has no such mode")
        reason = objection(mode, value, kind.parameters.get(mode, ()))
        reason = reason or self._own_check(kind, mode, value)
        return Outcome(Verdict.OUT_OF_RANGE, f"{mode}: {reason}") if reason else _ACCEPTED

    def _own_check(self, kind: FunctionType, mode: str, value: ModeValue) -> str:
        """What the function itself says against the value; one that raises refuses it."""
        what = f"check of control function {kind.name!r}"
        reason: Any = None
        with self.fence(what) as ended:
            reason = kind.check(mode, value, self._nameplate, self.settings)
        if ended.error is not None:
            return f"{what} failed: {ended}"
        return reason if isinstance(reason, str) else f"{what} returned {returned(reason)} instead of a text"

    def submit(self, *changes: SetpointChange) -> list[Outcome]:
        """Carry out the changes, all or none; the DER is stepped before this returns if anything changed.

        One verdict per change. If one is not ACCEPTED, none is carried out: to use part of a bundle, ask
        `check` first.
        """
        now_s = self._now_s()
        outcomes = [_ACCEPTED if c.value is None else self.check(c.mode, c.value) for c in changes]
        for change, outcome in zip(changes, outcomes, strict=True):
            self._note(JournalEntry(now_s, *change[:4], _until_s(change), outcome))
        if any(outcome.verdict is not Verdict.ACCEPTED for outcome in outcomes):
            return outcomes
        self.on_submit(changes)
        self._settle(now_s)
        changed = [self._put(change, now_s) for change in changes]
        if any(changed):
            self._resolve(now_s)
            self._apply(self._values)
        return outcomes

    def _note(self, entry: JournalEntry) -> None:
        self._journal.append(entry)
        del self._journal[:-JOURNAL_LENGTH]

    def expire(self, now_s: float) -> bool:
        """End the setpoints that expire by now_s; True if there was one. The device then steps."""
        if now_s < self.next_expiry_s:
            return False
        for mode, held in list(self._held.items()):
            for setpoint in held:
                if setpoint.expires_s is not None and setpoint.expires_s <= now_s:
                    self._take(mode, source := setpoint.source)
                    outcome = Outcome(Verdict.ACCEPTED, "expired")
                    self._note(JournalEntry(now_s, source, mode, None, setpoint.detail, None, outcome))
        self._resolve(now_s)
        return True

    def checkpoint(self) -> dict[str, Any]:
        """Every setpoint held, whether it acts or not, and the ramps in force."""
        held = [each for each_mode in self._held.values() for each in each_mode]
        rows = [plain((each.source.kept, each.mode, 0.0, *each[3:])) for each in held]
        values = [value_to_kept(each.value) for each in held]
        return {"held": rows, "values": values, "ramps": plain(self.ramps), "changes": self.changes}

    def restore(self, document: Mapping[str, Any]) -> list[LeftOut]:
        """Take over what `checkpoint` gave; returns what is left out, and why.

        That is the setpoints of modes that this DER does not have, and of sources of plug-ins that are not
        part of this run: nobody could withdraw those.
        """
        self._held, left_out = {}, []
        for row, kept in zip(document["held"], document["values"], strict=True):
            sign, mode, _, *rest = row
            source = from_kept(sign)
            if source is None:
                left_out.append(LeftOut(mode, str(sign)))
            elif mode not in self._types:
                left_out.append(LeftOut(mode))
            if source is None or mode not in self._types:
                continue
            setpoint = _Setpoint(source, mode, value_from_kept(kept), *rest)
            self._take(mode, setpoint.source, setpoint)
            self._order = max(self._order, setpoint.order)
        self._resolve(self._now_s())
        self.ramps = {mode: value(ramp) for mode, ramp in document["ramps"].items() if mode in self._values}
        self.changes = document["changes"]
        return left_out

    def _put(self, change: SetpointChange, now_s: float) -> bool:
        old = self._of(change.mode, change.source)
        if change.value is None:
            self._take(change.mode, change.source)
            return old is not None
        since_s = now_s
        same = (change.value, change.detail, change.ramp_s)
        if old is not None and (old.value, old.detail, old.ramp_s) == same:
            if old.expires_s == change.expires_s and not change.source.is_local:
                return False
            since_s = old.since_s
        self._order += 1
        setpoint = _Setpoint(
            change.source,
            change.mode,
            change.value,
            change.detail,
            since_s,
            change.expires_s,
            _until_s(change),
            self._order,
            change.ramp_s,
        )
        self._take(change.mode, change.source, setpoint)
        return True

    def _of(self, mode: str, source: SetpointSource) -> _Setpoint | None:
        return next((each for each in self._held.get(mode, ()) if each.source == source), None)

    def _take(self, mode: str, source: SetpointSource, *new: _Setpoint) -> None:
        """Replace what a source asks for in a mode; without `new` it asks for nothing any more."""
        kept = (each for each in self._held.get(mode, ()) if each.source != source)
        self._held[mode] = (*kept, *new)

    def _resolve(self, now_s: float) -> None:
        winners: dict[str, _Setpoint] = {}
        losers: list[InForce] = []
        self.next_expiry_s = math.inf
        for mode, held in self._held.items():
            rivals = sorted(held, key=lambda w: (w.source.rank, w.order), reverse=True)
            for setpoint in rivals:
                self.next_expiry_s = min(self.next_expiry_s, setpoint.expires_s or math.inf)
                if setpoint is rivals[0]:
                    winners[mode] = setpoint
                else:
                    losers.append(_shown(setpoint, f"{mode} ({rivals[0].source.label})"))
        for lines in self._rivals:
            for setpoint, winner in _beaten(lines, winners):
                del winners[setpoint.mode]
                losers.append(_shown(setpoint, f"{winner.mode} ({winner.source.label})"))
        self._in_force = [_shown(setpoint) for setpoint in winners.values()]
        self._overridden = losers
        self.ramps = {
            mode: ramp for mode, setpoint in winners.items() if (ramp := self._ramp(setpoint)) is not None
        }
        self._values = {mode: setpoint.value for mode, setpoint in winners.items()}
        self.changes += 1
        governed = {
            m: float(v) for m, v in self._values.items() if m in SETTING_MODES and isinstance(v, float | int)
        }
        self.settings.govern(governed, now_s)

    def _ramp(self, setpoint: _Setpoint) -> tuple[float, float] | None:
        if setpoint.source.is_local and self._values.get(setpoint.mode) == setpoint.value:
            return self.ramps.get(setpoint.mode)  # set again unchanged: a ramp to it goes on
        ramp_s = self._ramp_s(setpoint)
        return None if ramp_s is None else (ramp_s, setpoint.since_s)

    def _ramp_s(self, setpoint: _Setpoint) -> float | None:
        if setpoint.ramp_s is not None or setpoint.mode == _RAMP:
            return setpoint.ramp_s
        ramp = self._of(_RAMP, setpoint.source)
        value = ramp.value if ramp is not None and ramp.detail == setpoint.detail else None
        return float(value) if isinstance(value, int | float) else None


def _unwatched(_changes: Sequence[SetpointChange]) -> None:
    """Nobody records submissions."""


def _until_s(change: SetpointChange) -> float | None:
    return change.expires_s if change.until_s is None else change.until_s


def _shown(setpoint: _Setpoint, overridden_by: str = "") -> InForce:
    return InForce(*setpoint[1:3], setpoint.source, *setpoint[3:5], setpoint.until_s, overridden_by)


def _beaten(
    lines: tuple[tuple[str, ...], ...], winners: Mapping[str, _Setpoint]
) -> list[tuple[_Setpoint, _Setpoint]]:
    """The setpoints of a group of rivals that do not act, each with the winner."""
    strength = {mode: -index for index, line in enumerate(lines) for mode in line}
    here = [winners[mode] for mode in strength if mode in winners]
    if len(here) < 2:
        return []
    # The local sources have one rank; among them the one that set one of these modes last wins.
    last = {
        rank: max(w.order for w in here if w.source.rank == rank) for rank in {w.source.rank for w in here}
    }
    spoke_last = {rank: next(w.source for w in here if w.order == order) for rank, order in last.items()}
    best = max(
        here,
        key=lambda w: (w.source.rank, w.source == spoke_last[w.source.rank], strength[w.mode], w.order),
    )
    companions = next((line for line in COMPANIONS if best.mode in line), (best.mode,))
    return [(setpoint, best) for setpoint in here if setpoint.mode not in companions]
