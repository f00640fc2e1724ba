"""One DER and its step.

One step, synchronous: conditions -> setpoints in force -> available power -> control functions -> inverter
limits -> energy registers. The interval since the last step is cut at the instants inside it (`cuts.py`), so
that an event in mid-tick is timed exactly; the tick is only the longest step.

If the conditions are the same object as before and no function, ramp or lag is moving, only the energy
registers advance.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal, Protocol

from dersim.behind_grid import BehindGrid
from dersim.checkpoint import Checkpointed
from dersim.cuts import Cuts
from dersim.device_service import DeviceService
from dersim.errors import ConfigError
from dersim.functions.chain import Chain
from dersim.functions.contract import ControlFunction, FunctionType
from dersim.grid.conditions import Conditions
from dersim.grid.inputs import Inputs
from dersim.hardware.alarm_hold import AlarmHold
from dersim.hardware.checked_source import checked_source
from dersim.hardware.course import Course, changes_sign, draw_by_sign
from dersim.hardware.device_type import DeviceType
from dersim.hardware.nameplate import Nameplate, bundled, read_nameplate
from dersim.hardware.report import Report
from dersim.hardware.settings import Settings
from dersim.hardware.site_meter import registers_of
from dersim.hardware.source import configure_source
from dersim.hardware.state import DeviceState, Signs, Triple
from dersim.hardware.terminals import Terminals
from dersim.modes import ModeValue
from dersim.setpoints import Setpoints

Command = Literal["start", "stop", "reset"]


class Clock(Protocol):
    """The part of a clock that a device needs."""

    tick_s: float

    def now_s(self) -> float:
        """Simulated UTC seconds."""
        ...


class ManualClock:
    """A clock set by assigning `time_s`, for replays and tests."""

    def __init__(self, time_s: float = 0.0, tick_s: float = 1.0) -> None:
        self.time_s = time_s
        self.tick_s = tick_s

    def now_s(self) -> float:
        """The time that was assigned last."""
        return self.time_s


class Device(Checkpointed, DeviceService, BehindGrid):
    """One simulated DER.

    number: 1-based. nameplate: default, the type's own. functions: its control functions (with the built-in
    ones: `plugin.builtin.make_device`). start: "in_service" or "off". sampled: changes are samples of a
    record and have no instant of their own, so they cause no step of zero length.
    `state`: the latest state; `setpoints`: all commands; `inputs`: grid and weather; `settings`: DERSettings.
    `functions`: its control functions by name, e.g. "volt-var"; `function_types`: in the order of the calls.
    `moved_s`: when more than its registers may have changed last.
    `failed`: why it stopped for good, or ""; `on_failure`: called with an error in a step that a change
    causes, instead of raising it from the change. `on_command`: called with each one.
    """

    def __init__(
        self,
        number: int = 1,
        *,
        nameplate: Nameplate | None = None,
        device_type: DeviceType,
        functions: Iterable[FunctionType],
        clock: Clock | None = None,
        inputs: Inputs | None = None,
        rng: random.Random | None = None,
        start: str = "in_service",
        sampled: bool = False,
    ) -> None:
        self.number, self.device_type = number, device_type
        self.name = f"{self.device_type.name} {number}"
        self.nameplate = _own(nameplate or read_nameplate(bundled(self.device_type.profile)), number)
        self.rng = rng or random.Random(number)  # noqa: S311 - a simulation's draws
        self._clock: Clock = clock or ManualClock()
        self._sampled = sampled
        self.settings = Settings(self.nameplate)
        self.source = checked_source(device_type.name, device_type.make_source(self.nameplate))
        plate = self.nameplate
        self.inputs = inputs or Inputs(Conditions(frequency_hz=plate.frequency_hz))
        self.chain = Chain(functions, plate, self.settings, self.rng)
        self.function_types: Sequence[FunctionType] = self.chain.types
        self.functions: Mapping[str, ControlFunction] = self.chain.functions
        self.seen = self.chain.inverter.measured(plate.frequency_hz)
        self.seen.undisturbed = self.chain.without.read
        self._terminals = Terminals(plate, self.settings)
        self._registers = registers_of(plate, self.seen, site=self.inputs.site is not None)
        parts = self.seen, self.source, self._registers, self.chain, AlarmHold(2 * self._clock.tick_s)
        self._report = Report(plate, self.settings, *parts)
        self._conditions: Conditions | None = None
        self.shares: Triple = (1.0, 0.0, 0.0)
        self._last_s = self.moved_s = math.nan
        self._state: DeviceState | None = None
        self.failed = ""
        self.on_failure: Callable[[BaseException], None] | None = None
        self.on_command: Callable[[Command], object] = _unwatched
        now_s, settle, apply, kinds = self._clock.now_s, self._settle, self._apply, self.chain.types
        self.setpoints = Setpoints(kinds, plate, self.settings, now_s=now_s, settle=settle, apply=apply)
        self._cuts = Cuts(self.setpoints, self.inputs, self.chain, self.source, sampled=sampled)
        self._listen()
        self._configure(self.setpoints.values())
        if start == "off":
            self.chain.start_out_of_service(self.seen)

    def _listen(self) -> None:
        """Step before and after a change of settings or inputs, so that it counts from its instant."""
        self.settings.before_change = self.inputs.before_change = lambda: self._settle(self._clock.now_s())
        self.settings.on_change = lambda: self._apply(self.setpoints.values())
        self.inputs.now_s = self._clock.now_s
        self.inputs.after_change = self._restep

    def _settle(self, now_s: float) -> None:
        self._guarded(lambda: self.step(now_s))

    def _guarded(self, act: Callable[[], object]) -> None:
        """Call act unless the DER has failed; an error goes to `on_failure`, not to who changed something."""
        if self.failed:
            return
        try:
            act()
        except (Exception, SystemExit) as error:
            if self.on_failure is None:
                raise
            self.on_failure(error)

    def fail(self, reason: str) -> None:
        """Stop for good after an error in a step: P = Q = 0, energy counters stop, inverter status FAULT."""
        self.failed = reason
        self.chain.service.fail(self.seen)
        self._state = None

    @property
    def state(self) -> DeviceState:
        """The latest state; built when it is first read after a step."""
        if self._state is None:
            self._guarded(self._build)
        return self._state or self._build()  # the latter of a DER that has failed, if only by its DC side

    @property
    def signs(self) -> Signs:
        """Its alarms and status now, without building a state."""
        if self.failed or self._state is not None:
            return self.state.signs
        return self._report.signs(*self._present(), self.setpoints.value)

    def step(self, now_s: float) -> None:
        """Advance to simulated time now_s, UTC s; nothing changes in the past or after a failure."""
        last_s = self._last_s
        if not last_s <= now_s or self.failed:
            if math.isnan(last_s) and not math.isnan(now_s) and not self.failed:
                self._advance(now_s, now_s)
            return
        setpoints, inputs = self.setpoints, self.inputs
        if inputs.constant and now_s < setpoints.next_expiry_s:
            last_s = self._advance(last_s, now_s)
            if last_s == now_s:
                return
        while True:
            if self._cuts.at_jump(last_s, self._conditions):
                self._advance(last_s, last_s)
            if setpoints.next_expiry_s <= last_s and setpoints.expire(last_s):
                self._apply(setpoints.values())
            if last_s >= now_s or self.failed:
                self._cuts.end()
                return
            until_s = self._cuts.next_s(last_s, now_s)
            if until_s > last_s:
                last_s = self._advance(last_s, until_s)

    def disturb(self) -> None:
        """Compute the next step in full even if nothing seems to have changed; after changes to `source`."""
        self.chain.settled = False

    def command(self, command: Command) -> None:
        """stop: out of service until start. reset: clear a trip and restart the enter-service delay."""
        self._settle(self._clock.now_s())
        if command in ("stop", "start"):
            self.chain.service.permitted = command == "start"
        elif command == "reset":
            self._guarded(lambda: self.chain.reset(self.seen))
            self._report.held.forget()
        else:
            raise ConfigError(f"command: {command!r} is not one of start, stop, reset")
        self.on_command(command)
        self._restep()

    def dc_iv(self) -> dict[str, Any]:
        """The PV array's I-V curve and operating point; ConfigError without a PV array."""
        return self._report.dc_iv(self.name, self.state)

    def _apply(self, values: Mapping[str, ModeValue]) -> None:
        self._guarded(lambda: self._configure(values))
        self._restep()

    def _configure(self, values: Mapping[str, ModeValue]) -> None:
        self._terminals.configure()
        configure_source(self.source, self.settings, values, self.setpoints.ramps)
        self._conditions = None
        self.chain.configure(values, self.seen, self.setpoints.ramps)

    def _restep(self) -> None:
        """A step of zero length, which shows the effect of a change at once."""
        self.on_change()
        self._conditions = None
        self.chain.settled = False
        self.chain.service.call_next_step()
        if not math.isnan(self._last_s) and not self._sampled:
            self._guarded(lambda: self._advance(self._last_s, self._last_s))

    def _advance(self, start_s: float, end_s: float) -> float:
        """Advance from start_s towards end_s, at most to where a timer runs out; the time reached."""
        self._state = None
        inputs, chain, source, seen = self.inputs, self.chain, self.source, self.seen
        dt_s = end_s - start_s
        conditions = inputs.constants if inputs.constant else inputs.during(start_s, end_s)
        if conditions is not self._conditions:
            self._look(conditions)
        elif chain.settled and source.settled:
            self._registers.count(seen.p_w, seen.q_var, dt_s)
            self._last_s = end_s
            return end_s
        quiet, cuts = chain.service.quiet(seen), self._cuts
        if dt_s <= 0:
            cuts.jump_s = start_s
        elif not quiet or chain.ramps or not source.settled or start_s - cuts.jump_s < 3 * dt_s:
            piece_s = cuts.piece_s(start_s, dt_s, seen, quiet=quiet)
            if piece_s < dt_s:
                dt_s, end_s = piece_s, start_s + piece_s
                if not inputs.constant:
                    conditions = self._conditions = inputs.during(start_s, end_s)
        self._last_s = self.moved_s = end_s
        p, q, rest = seen.p_w, seen.q_var, source.rest_w
        source.see(conditions, dt_s)
        seen.available_w, seen.charge_w = source.available_w, source.charge_w
        chain.step(dt_s, seen, source, quiet)
        seen.running = True
        mean_p, mean_q = chain.mean_p_w, chain.mean_q_var
        if q * seen.q_var < 0 or (not source.settled and changes_sign(p, rest, seen.p_w, source.rest_w)):
            p_course, q_course = Course(p, seen.p_w, mean_p), Course(q, seen.q_var, mean_q)
            self._registers.count_courses(p_course, q_course, dt_s)
            draw_by_sign(source, p_course, rest, dt_s)
        else:
            self._registers.count(mean_p, mean_q, dt_s)
            source.drew(mean_p, dt_s)
        if not source.settled and mean_p != seen.p_w:
            source.drew(seen.p_w, 0.0)  # the power from now on
        if not quiet:
            self._report.note(conditions, end_s)
            if chain.service.turning:
                chain.service.turn(seen)
                chain.settled = False
                self._advance(end_s, end_s)
        return end_s

    def _look(self, conditions: Conditions) -> None:
        old, seen = self._conditions, self.seen
        self._conditions = conditions
        # One unpacking costs as much as one attribute of a NamedTuple.
        voltage, seen.frequency_hz, _, _, _, _, _, _, _, angle, rocof_hz_s, grid_lost, _, _ = conditions
        moves = rocof_hz_s or grid_lost or seen.disturbed
        if (moves or angle is not seen.angle_deg) and seen.disturb(conditions):
            self.chain.service.call_next_step()
        if self.inputs.site is not None:
            self._registers.see(conditions)
        if old is not None and old[0] == voltage and old.angle_deg == angle:
            return
        shares = self._terminals.measure(voltage, seen, angle)
        self.chain.inverter.v_pu = seen.terminal_v_pu
        if shares is not self.shares:
            self.shares = shares
            self._registers.share(shares)

    def _present(self) -> tuple[float, Conditions]:
        time_s = 0.0 if math.isnan(self._last_s) else self._last_s
        if (conditions := self._conditions) is None:
            self._look(conditions := self.inputs.at(time_s))
        return time_s, conditions

    def _build(self) -> DeviceState:
        build = self._report.failed_state if self.failed else self._report.state
        self._state = build(*self._present(), self.shares, self.setpoints.value)
        return self._state


def _unwatched(_command: Command) -> None:
    """Nobody records commands."""


def _own(nameplate: Nameplate, number: int) -> Nameplate:
    """The nameplate, with -K after the serial number for DER K > 1."""
    if number == 1:
        return nameplate
    return replace(nameplate, serial_number=f"{nameplate.serial_number}-{number}")
