"""The state of the head-end, shared by the 2030.5 handler and the operator's REST.

Nothing here runs by itself: each request first calls `advance`, which carries out what is due by now. The
state depends only on the requests and their times, so the same code works in real time, in virtual time and
in tests without sockets.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, Protocol

from dersim.errors import ConfigError, LocalProtocolError
from dersim.ieee2030_5 import identity
from dersim.logbuffer import Log
from dersim.modes import Curve, ModeValue, modes_from_json
from dersim.plugin.server_parts import ServerParts
from dersim.utility import wire_modes
from dersim.utility.config import UtilityConfig
from dersim.utility.cycle import Cycle
from dersim.utility.end_devices import EndDeviceRecord, EndDevices
from dersim.utility.event_status import Change
from dersim.utility.faults.book import Faults
from dersim.utility.groups import Group
from dersim.utility.mirrors import Mirrors
from dersim.utility.mrids import MridMaker
from dersim.utility.program import CANCELLED, STATUS_TEXT, Control, ListedCurve, Program
from dersim.utility.programs import ControlOrder, Programs, check_order
from dersim.utility.request_log import RequestLog
from dersim.utility.responses import Responses
from dersim.utility.sightings import Sightings
from dersim.utility.state.journal import Journal
from dersim.utility.subscriptions.book import Subscriptions

MODULE = "Utility"

#: Different texts of violations that are counted; texts beyond this number are counted as one.
VIOLATIONS_COUNTED = 1_000
OTHER_VIOLATIONS = "others"

#: Of many controls that are published at once, so many have a line each.
LOGGED_AT_ONCE = 10

#: The program of the operator's controls has priority over that of the cycle.
USER_PROGRAM, USER_PRIMACY = "operator", 5
CYCLE_PROGRAM, CYCLE_PRIMACY = "system", 50

#: The defaults of IEEE 1547-2018, category B, as far as they do not hide the controls of the cycle. The
#: window of frequency is each DER's own: that of 60 Hz would keep a DER of 50 Hz from connecting again.
DEFAULT_CONTROL = {
    "opModMaxLimW": 100,
    "opModVoltVar": {"curve": [[92, 44], [98, 0], [102, 0], [108, -44]], "y_ref_type": 1, "open_loop_s": 5},
    "setGradW": 100,
    "setSoftGradW": 2,
    "setESDelay": 10,
    "setESRampTms": 10,
    "setESLowVolt": 91.7,
    "setESHighVolt": 105,
}


class Player(Protocol):
    """Carries a scenario out."""

    @property
    def progress(self) -> dict[str, Any]:
        """What it needs to go on after a restart of the server, as JSON."""
        ...

    def advance(self, now_s: float) -> None:
        """Carry out what is due by now."""
        ...


class Held(Protocol):
    """The state file, as far as others need it."""

    def export(
        self, form: Literal["csv", "parquet"], since_s: float, until_s: float, lfdi: str | None
    ) -> Callable[[], bytes]:
        """What makes a file of the readings that were received in a span; it may run in a thread."""
        ...


class HeadEnd:
    """Programs, EndDevices, mirrors, Responses, Subscriptions and the request log of one server."""

    def __init__(
        self, config: UtilityConfig, now_s: Callable[[], float], log: Log, parts: ServerParts | None = None
    ) -> None:
        self.config = config
        #: What plug-ins have added.
        self.parts = ServerParts() if parts is None else parts
        self.now_s = now_s
        self.rates = config.poll_rates
        self.mrids = MridMaker(config.pen, config.pen_form)
        self.programs = Programs(config.ended_listed_s, self.mrids)
        self.groups = self.programs.groups
        self.end_devices = EndDevices(config.registration, config.pin, encrypted=config.encrypted)
        self.mirrors = Mirrors(now_s)
        self.responses = Responses()
        self.sightings = Sightings()
        self.subscriptions = Subscriptions()
        self.request_log = RequestLog()
        #: How often one LFDI was seen to alternate between two connections.
        self.shared_lfdis = 0
        self.violations: Counter[str] = Counter()
        #: What has changed and is not in the state file yet.
        self.journal = Journal()
        #: The state file; None without one.
        self.held: Held | None = None
        self._log = log
        self._started = False
        self.faults = Faults(config, now_s, lambda level, text: log.log(level, MODULE, text))
        self.player: Player | None = None
        #: How far the scenario of an earlier run was, until one is played.
        self.kept_progress: dict[str, Any] | None = None
        self._cycle: Cycle | None = None
        self._warn_of_rule(config.pin, "the server")
        if config.own_programs:
            self._cycle = Cycle(self.programs, self.programs.create(CYCLE_PROGRAM, CYCLE_PRIMACY))
            self.programs.create(USER_PROGRAM, USER_PRIMACY)

    def start(self) -> None:
        """Publish the DefaultDERControl, and start the cycle if it is configured.

        Only the first call has an effect: a server that is started again keeps its state.
        """
        if self._cycle is None or self._started:
            return
        self._started = True
        self.programs.set_default(self._cycle.program, modes_from_json(DEFAULT_CONTROL), self.now_s())
        if self.config.cycle:
            self._cycle.start(self.now_s())

    @property
    def scenario_progress(self) -> dict[str, Any] | None:
        """How far the scenario is, as JSON."""
        return self.kept_progress if self.player is None else self.player.progress

    @property
    def cycle_state(self) -> list[Any] | None:
        """The cycle as JSON: its program, and how far it is."""
        cycle = self._cycle
        return None if cycle is None else [cycle.program.number, *cycle.progress]

    def restored(self, cycle: list[Any] | None) -> None:
        """Programs and the rest were taken over from a state file, and `cycle_state` was this then."""
        self._started, self._cycle = True, None
        program = None if cycle is None else self.programs.get(cycle[0])
        if cycle is not None and program is not None:
            self._cycle = Cycle(self.programs, program)
            self._cycle.go_on(*cycle[1:], running=self.config.cycle, now_s=self.now_s())

    def advance(self) -> float:
        """Carry out what is due; the server's time, UTC seconds since 1970."""
        now_s = self.now_s()
        self.faults.advance(now_s)
        changes = self.programs.advance(now_s)
        if self.player is not None:
            self.player.advance(now_s)
        if self._cycle is not None:
            self._cycle.advance(now_s)
        for change in changes:
            self._log_change(change)
        return now_s

    def provision(
        self, lfdi: str, pin: int | None, aggregator: str | None = None
    ) -> tuple[EndDeviceRecord, bool]:
        """Add a device, or change the PIN of a known one; ConfigError for a bad LFDI or PIN.

        aggregator: the LFDI of the client that may act for the device.
        """
        lfdi = normal_lfdi("lfdi", lfdi)
        aggregator = _aggregator(lfdi, aggregator)
        device, created = self.end_devices.provision(lfdi, pin, self.advance())
        if aggregator is not None:
            self.end_devices.set_aggregator(device, aggregator)
        self.info(f"{'registered' if created else 'changed'} {lfdi} for the operator as {device.href}")
        if pin is not None:
            self._warn_of_rule(pin, lfdi)
        return device, created

    def update_device(
        self, device: EndDeviceRecord, pin: int, *, enabled: bool, aggregator: str | None
    ) -> None:
        """Change a device; ConfigError for a bad PIN or LFDI of the client that acts for it."""
        aggregator, before = _aggregator(device.lfdi, aggregator), device.pin
        self.end_devices.update(device, pin, enabled=enabled, now_s=self.advance())
        if aggregator != device.aggregator_lfdi:
            self.end_devices.set_aggregator(device, aggregator)
        self.info(f"changed {device.lfdi}, {device.href}: {'enabled' if enabled else 'not enabled'}")
        if pin != before:
            self._warn_of_rule(pin, device.lfdi)

    def _warn_of_rule(self, pin: int, whose: str) -> None:
        """2030.5 and some utilities differ in the check digit of a PIN."""
        if not identity.pin_is_by_sfdi_rule(pin):
            self.warn(f"{whose}: {identity.OTHER_PIN_RULE}")

    def remove_device(self, device: EndDeviceRecord) -> None:
        """Remove a device; what it has POSTed stays with the operator."""
        self.end_devices.remove(device)
        self.info(f"removed {device.lfdi}, {device.href}")

    def set_poll_rates(self, data: object) -> None:
        """Change some poll rates, `{"derp": 5}`; ConfigError changes nothing."""
        self.rates.change(data)
        self.info(f"poll rates are {self.rates.as_dict()}")

    def create_program(self, description: str, primacy: int, groups: Sequence[Group] = ()) -> Program:
        """Add a program, for all devices or those of the groups. ConfigError for bad values."""
        program = self.programs.create(description, primacy, groups)
        names = ", ".join(group.name for group in program.groups)
        self.info(f"program {description!r} of primacy {primacy} for {names} is {program.href}")
        return program

    def update_program(self, program: Program, description: str, primacy: int, order: int) -> None:
        """Change a program; ConfigError for bad values."""
        self.programs.update(program, description, primacy, order, self.advance())
        self.info(f"program {program.href} is now {description!r} of primacy {primacy}")

    def assign_program(self, program: Program, groups: Sequence[Group]) -> None:
        """Give a program to the devices of these groups, and no others."""
        self.programs.assign(program, groups, self.advance())
        names = ", ".join(group.name for group in groups)
        self.info(f"program {program.description!r}, {program.href}, is now for {names}")

    def remove_program(self, program: Program) -> None:
        """Remove a program and all in it; ConfigError for that of the running cycle."""
        if self._cycle is not None and program is self._cycle.program and self._cycle.running:
            raise ConfigError(f"program {program.description!r} is that of --cycle, which publishes into it")
        self.programs.remove(program, self.advance())
        self.info(f"program {program.description!r}, {program.href}, is removed")

    def set_default(self, program: Program, modes: Mapping[str, ModeValue]) -> None:
        """Replace a program's default control; ConfigError for values that do not fit 2030.5."""
        wire_modes.check_writable(modes)
        self.programs.set_default(program, modes, self.advance())
        self.info(f"the default of program {program.description!r} is now {'+'.join(modes)}")

    def clear_default(self, program: Program) -> None:
        """Remove a program's default control."""
        self.programs.clear_default(program)
        self.info(f"program {program.description!r} has no default any more")

    def add_curve(self, program: Program, mode: str, curve: Curve) -> ListedCurve:
        """List a curve in a program; ConfigError for points that do not fit 2030.5."""
        wire_modes.check_writable({mode: curve})
        return self.programs.add_curve(program, mode, curve, self.advance())

    def change_curve(self, program: Program, listed: ListedCurve, curve: Curve) -> None:
        """Give a curve other points, for all that refer to it; ConfigError as for `add_curve`."""
        wire_modes.check_writable({listed.mode: curve})
        self.programs.change_curve(program, listed, curve, self.advance())
        self.info(f"curve {listed.mrid} of program {program.description!r} has other points")

    def remove_curve(self, program: Program, listed: ListedCurve) -> None:
        """Remove a curve that nothing refers to."""
        self.programs.remove_curve(program, listed)

    def publish(self, program: Program, order: ControlOrder) -> Control:
        """Publish a control; ConfigError for bad values in the order."""
        return self.publish_to((program,), order)[0]

    def publish_to(self, programs: Sequence[Program], order: ControlOrder) -> list[Control]:
        """Publish one control in each of several programs; ConfigError for bad values in the order."""
        check_order(order)
        wire_modes.check_writable(order.modes)
        controls = self.programs.publish_to(programs, order, self.advance())
        for control in controls[:LOGGED_AT_ONCE]:
            self.info(f"published control {name_of(control)}: it is {STATUS_TEXT[control.status]}")
        if (more := len(controls) - LOGGED_AT_ONCE) > 0:
            self.info(f"published the same control in {more} more programs")
        return controls

    def cancel(self, control: Control, status: int = CANCELLED) -> None:
        """End a control with a status, Cancelled (2, 3) or Superseded (4); ConfigError where it is over."""
        self.programs.cancel(control, self.advance(), status)
        self.info(f"control {name_of(control)} is {STATUS_TEXT[status]}")

    def withdraw(self, control: Control) -> None:
        """Take a control out of its list without a status, which 2030.5 does not ask a server to do."""
        self.programs.withdraw(control, self.advance())
        self.info(f"control {name_of(control)} is taken out of its list")

    def _log_change(self, change: Change) -> None:
        if change.status is not None:
            self.info(f"control {name_of(change.control)} is {STATUS_TEXT[change.status]}")

    def info(self, message: str) -> None:
        """Log at level Info."""
        self._log.log("Info", MODULE, message)

    def warn(self, message: str) -> None:
        """Log at level Warning."""
        self._log.log("Warning", MODULE, message)

    def error(self, message: str) -> None:
        """Log at level Error."""
        self._log.log("Error", MODULE, message)

    def note_violation(self, device: EndDeviceRecord | None, where: str, text: str) -> None:
        """Log and count a violation of the standard in a document that was accepted."""
        known = text in self.violations or len(self.violations) < VIOLATIONS_COUNTED
        self.violations[text if known else OTHER_VIOLATIONS] += 1
        if device is not None:
            device.violations += 1
            device.violation_texts.append(text)
        self.warn(f"{where}: accepted, but violates the standard: {text}")


def _aggregator(lfdi: str, aggregator: str | None) -> str | None:
    """The LFDI of the client that acts for the device `lfdi`."""
    if aggregator is None:
        return None
    aggregator = normal_lfdi("aggregator", aggregator)
    if aggregator == lfdi:
        raise ConfigError("aggregator: a device acts for itself already; name another client's LFDI")
    return aggregator


def normal_lfdi(name: str, text: str) -> str:
    """40 upper-case digits; ConfigError that begins with `name` for a text that is no LFDI."""
    try:
        return identity.normal_lfdi(text)
    except LocalProtocolError as error:
        raise ConfigError(f"{name}: {error}") from None


def name_of(control: Control) -> str:
    """A control as log lines name it: its modes, mRID and program."""
    return f"{'+'.join(control.modes)} {control.mrid} of program {control.program.description!r}"
