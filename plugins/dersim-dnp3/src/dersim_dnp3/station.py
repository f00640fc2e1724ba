"""The points of one DER, for all its masters: its blocks, its table, and what commands have come to."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from py1815.control import CommandStatus
from py1815.profile.binding import Binding, Quality, Reading
from py1815.profile.model import Address, PointMap

from dersim.plugin import Device, Refused, Timers, Verdict
from dersim_dnp3.block import Block
from dersim_dnp3.curve_editor import CurveEditor
from dersim_dnp3.curve_functions import VoltVar, VoltWatt, WattVar
from dersim_dnp3.droop_function import Droop
from dersim_dnp3.measured_points import ALARMS, AVAILABLE, ENERGIES, METER, STATES
from dersim_dnp3.points import AI, BI, BO, CTR, Input, Output, Read, point_map
from dersim_dnp3.power_functions import HeldPower, PowerLimit
from dersim_dnp3.profile import Profile
from dersim_dnp3.rating_points import RATINGS, SETTINGS
from dersim_dnp3.refusal import RefusalError
from dersim_dnp3.ride_through import FrequencyRideThrough, VoltageRideThrough
from dersim_dnp3.see import See
from dersim_dnp3.service_block import Service
from dersim_dnp3.setting_blocks import MachineSettings, Thresholds
from dersim_dnp3.var_functions import HeldPowerFactor, HeldVar

#: How a refusal of the device is answered.
_STATUSES = {
    Verdict.UNSUPPORTED: CommandStatus.NOT_SUPPORTED,
    Verdict.OUT_OF_RANGE: CommandStatus.OUT_OF_RANGE,
}
_OFFLINE = Reading(0, Quality.OFFLINE)
#: BI that tell whether a function is supported.
_SUPPORTS = range(31, 52)
_STORAGE = ((AI, 44), (AI, 47), (AI, 48), (BI, 4), (BI, 7))

#: Makes the block of a function, and the modes without which a machine does not have it.
_FUNCTIONS: tuple[tuple[Callable[[See], Block], tuple[str, ...]], ...] = (
    (PowerLimit, ("opModMaxLimW",)),
    (HeldPower, ("opModFixedW", "opModTargetW")),
    (HeldVar, ("opModFixedVar", "opModTargetVar")),
    (HeldPowerFactor, ("opModFixedPFInjectW",)),
    (Droop, ("opModFreqDroop",)),
    (VoltVar, ("opModVoltVar",)),
    (VoltWatt, ("opModVoltWatt",)),
    (WattVar, ("opModWattVar",)),
    (VoltageRideThrough, ("opModHVRTMustTrip", "opModLVRTMustTrip")),
    (FrequencyRideThrough, ("opModHFRTMustTrip", "opModLFRTMustTrip")),
)


class Command(NamedTuple):
    """The last command of a point. time_s: simulated UTC. value: in the unit. reason: "" if it was taken."""

    time_s: float
    master: int
    value: float
    status: CommandStatus
    reason: str


class _Watched:
    """An input that makes events.

    band: in the unit. enabled: whether its function is on, without which it is offline.
    """

    __slots__ = ("_band", "_enabled", "_last", "_read", "_was_enabled", "address")

    def __init__(
        self,
        address: Address,
        read: Callable[[], Reading | float | bool],
        band: float,
        enabled: Callable[[], object],
    ) -> None:
        self.address = address
        self._read = read
        self._band = band
        self._enabled = enabled
        self._last: Reading | float | bool = _OFFLINE
        self._was_enabled: object = None

    def moves(self) -> bool:
        """Whether it has moved far enough since it did so last."""
        now, last = self._read(), self._last
        if (enabled := self._enabled()) != self._was_enabled:
            self._was_enabled, self._last = enabled, now
            return True
        if now is last or now == last:
            return False
        if not isinstance(now, Reading) and not isinstance(last, Reading) and abs(now - last) < self._band:
            return False
        self._last = now
        return True


def _blocks(see: See) -> tuple[Timers, list[Block]]:
    timers = Timers(see.now_s)
    functions = [make(see) for make, modes in _FUNCTIONS if see.supports(*modes)]
    return timers, [MachineSettings(see), Service(see, timers), Thresholds(see), *functions, CurveEditor(see)]


class Station:
    """The points of one DER, and their commands.

    deadband_pct: of the rating, for events of analog inputs. master: who commands now, for the record.
    """

    def __init__(
        self,
        device: Device,
        now_s: Callable[[], float],
        profile: Profile,
        deadband_pct: float,
        fence: Callable[[str, Callable[[], None]], str],
    ) -> None:
        self.see = See(device, now_s)
        self.timers, self.blocks = _blocks(self.see)
        self._fence = fence
        #: What was read since the last change, by reader.
        self._held: dict[int, Reading | float | bool] = {}
        self._readers = 0
        self.master = 0
        #: By address as it is served.
        self.last: dict[Address, Command] = {}
        self._reason = ""
        outputs = [(each, block) for block in self.blocks for each in block.outputs]
        self.functions = [block.function for block in self.blocks if block.function is not None]
        own_inputs = self._inputs(outputs)
        self._profile = profile
        self._known = [each.address for each in own_inputs] + [each.address for each, _ in outputs]
        served_inputs = profile.inputs(own_inputs)
        served_outputs = profile.outputs(outputs)
        self.inputs: Sequence[Input] = served_inputs
        #: Those that move with the state, and those that move with setpoints, settings and what is kept.
        self._moving: list[_Watched] = []
        self._ruled: list[_Watched] = []
        self.outputs: Sequence[Output] = [each for each, _, _ in served_outputs]
        self.binding = Binding()
        self._bind_inputs(deadband_pct)
        for output, original, block in served_outputs:
            self._bind(output, original, block)
        functions = profile.functions(self.functions)
        self.map: PointMap = point_map(self.inputs, self.outputs, functions)
        self._stamp: object = None
        self._rules: object = None
        #: Rises when something has moved far enough for an event.
        self.moved = 0
        #: By address, the value of `moved` when it moved last.
        self.moved_at: dict[Address, int] = {}

    def _bind_inputs(self, deadband_pct: float) -> None:
        enabled = self._enables()
        moving = {row.read for row in (*METER, *AVAILABLE, *ALARMS, *STATES)}
        moving |= {row.read for block in self.blocks for row in block.inputs}
        for row in self.inputs:
            band = self._profile.deadband(row, self.see.plate, deadband_pct)
            reader = self._reader(row.read)
            self.binding.read(row.kind, row.index, reader, deadband=band)
            if row.event_class and row.kind is not CTR:
                # A master may have counted from another value than this: half of the dead-band is looked at.
                half = (band or 0.0) / 2 * abs(row.multiplier)
                watched = _Watched(row.address, reader, half, enabled.get(row.block, _no_function))
                (self._moving if row.read in moving else self._ruled).append(watched)

    def _enables(self) -> dict[str, Callable[[], object]]:
        """Whether a function is on, by its block."""
        on: dict[str, Callable[[], object]] = {}
        for block in self.blocks:
            if block.function is not None:
                address = (BO, block.function.enable)
                on[block.function.block] = self._reader(lambda _see, b=block, a=address: b.read(a))  # type: ignore[misc]  # bound defaults
        return on

    def _inputs(self, outputs: Sequence[tuple[Output, Block]]) -> list[Input]:
        """All inputs: the machine's, those of the blocks, and what reads an output back."""
        rows = [*RATINGS, *SETTINGS, *METER, *AVAILABLE, *ALARMS, *STATES, *ENERGIES]
        if not self.see.plate.rtgMaxWh:
            rows = [row for row in rows if row.address not in _STORAGE or row.address == (AI, 48)]
        rows += [row for block in self.blocks for row in block.inputs]
        rows += self._supports()
        taken = {row.address for row in rows}
        for output, block in outputs:
            if output.back is not None and (output.back_kind, output.back) not in taken:
                rows.append(_back(output, block))
        return rows

    def _supports(self) -> list[Input]:
        by_index = {each.supports: each for each in self.functions}
        return [
            Input(
                BI,
                index,
                f"has {by_index[index].block}"
                if index in by_index
                else f"function {index} of the profile, not there",
                _always(index in by_index),
                block=by_index[index].block if index in by_index else "",
            )
            for index in _SUPPORTS
        ]

    def _reader(self, read: Read) -> Callable[[], Reading | float | bool]:
        see, held = self.see, self._held
        key = self._readers
        self._readers += 1

        def now() -> Reading | float | bool:
            value = held.get(key)
            if value is None:
                found = read(see)
                value = held[key] = _OFFLINE if found is None else found
            return value

        return now

    def _bind(self, output: Output, original: Address, block: Block) -> None:
        def check(value: float) -> CommandStatus | None:
            return self._guarded("check", lambda: block.check(original, value))

        def apply(value: float) -> CommandStatus | None:
            return self._guarded("command", lambda: block.write(original, value))

        self.binding.output(
            output.kind,
            output.index,
            apply,
            check=check,
            status=self._reader(lambda _see: block.read(original)),
        )

    def _guarded(self, what: str, act: Callable[[], None]) -> CommandStatus | None:
        """The status that answers; an error that nobody foresaw ends this command alone."""
        refused: list[tuple[CommandStatus, str]] = []

        def acted() -> None:
            try:
                act()
            except RefusalError as error:
                refused.append((error.status, str(error)))
            except Refused as error:
                refused.append((_STATUSES[error.verdict], str(error)))

        failed = self._fence(what, acted)
        self._held.clear()
        if failed:
            self._reason = failed
            return CommandStatus.HARDWARE_ERROR
        status, self._reason = refused[0] if refused else (None, "")
        return status

    def _range(self, address: Address, value: float) -> str:
        """Why the table refuses a value."""
        row = next((each for each in self.outputs if each.address == address), None)
        if row is None:
            return "there is no such point"
        low, high = row.low * row.multiplier, row.high * row.multiplier
        return f"{value:g} is outside {low:g} to {high:g} {row.unit}".rstrip()

    def check_profile(self) -> None:
        """ConfigError for a point of one's own table that this DER does not have."""
        self._profile.check(self._known)

    def note(self, address: Address, value: float, status: CommandStatus) -> None:
        """Keep what a command of `master` has come to."""
        reason = "" if status is CommandStatus.SUCCESS else self._reason or self._range(address, value)
        self._reason = ""
        self.last[address] = Command(self.see.now_s(), self.master, value, status, reason)

    def checkpoint(self) -> dict[str, Any]:
        """What masters have written and does not act by itself, by block, and the timers."""
        blocks = {type(block).__name__: block.checkpoint() for block in self.blocks}
        return {"blocks": blocks, "timers": self.timers.checkpoint()}

    def restore(self, document: Mapping[str, Any]) -> None:
        """Take it over; blocks that this run does not have are left out."""
        for block in self.blocks:
            if (kept := document["blocks"].get(type(block).__name__)) is not None:
                block.restore(kept)
        self.timers.restore(document["timers"])
        self.see.touched()

    def look(self) -> None:
        """See whether anything has moved far enough for an event; `moved` then rises."""
        stamp = self.see.stamp()
        if stamp == self._stamp:
            return
        self._stamp = stamp
        self._held.clear()
        rules = self.see.rules_stamp(), self.see.device.permitted
        watched = self._moving if rules == self._rules else (*self._moving, *self._ruled)
        self._rules = rules
        if moved := [each.address for each in watched if each.moves()]:
            self.moved += 1
            self.moved_at |= dict.fromkeys(moved, self.moved)


def _no_function() -> object:
    """Of a point that belongs to no function."""
    return None


def _always(value: bool) -> Read:
    return lambda _see: value


def _back(output: Output, block: Block) -> Input:
    address = output.address
    assert output.back is not None  # noqa: S101 - asked before
    return Input(
        output.back_kind,
        output.back,
        output.name,
        lambda _see: block.read(address),
        output.unit,
        output.multiplier,
        output.event_class,
        output.low,
        output.high,
        block=output.block,
    )
