"""Who is known to the server: one record per EndDevice, and the three ways to become one.

open    a client is registered at its first contact: its certificate, signed by our CA, is all it needs.
        Without TLS there is no certificate, so then a POST to the EndDeviceList does it.
inband  a client POSTs itself to the EndDeviceList.
known   only those that the operator provisioned.

A client sees its own EndDevice and no other; without TLS nobody can be told apart, and all are shown.
"""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from dersim.errors import ConfigError
from dersim.ieee2030_5 import identity
from dersim.ieee2030_5.edition import Edition
from dersim.utility.config import RegistrationMode

#: 2030.5 asks for ten log events at least; the oldest leave first.
LOG_EVENTS_KEPT = 100
VIOLATIONS_KEPT = 50


class Given(NamedTuple):
    """A document that a device gave us, in the edition that it spoke; `number` rises with each."""

    resource: Any
    edition: Edition
    number: int


class NumberedLogEvent(NamedTuple):
    """A LogEvent with its place in the list."""

    number: int
    event: Any


@dataclass(slots=True, eq=False)
class EndDeviceRecord:
    """One EndDevice. `given` holds DERCapability, DERSettings, DERStatus, DERAvailability, DeviceInformation.

    violations counts what broke a SHALL that no schema can express; the newest texts are kept.
    """

    number: int
    lfdi: str
    sfdi: int
    pin: int
    registered_s: int
    changed_s: int
    edition: Edition = Edition.E2018
    last_seen_s: float | None = None
    given: dict[str, Given] = field(default_factory=dict)
    log_events: deque[NumberedLogEvent] = field(default_factory=lambda: deque(maxlen=LOG_EVENTS_KEPT))
    log_events_seen: int = 0
    violations: int = 0
    violation_texts: deque[str] = field(default_factory=lambda: deque(maxlen=VIOLATIONS_KEPT))
    version: int = 0

    @property
    def href(self) -> str:
        """Where the EndDevice is read."""
        return f"/edev/{self.number}"

    def log_event(self, event: Any) -> NumberedLogEvent:
        """Keep a LogEvent."""
        self.log_events_seen += 1
        entry = NumberedLogEvent(self.log_events_seen, event)
        self.log_events.append(entry)
        self.version += 1
        return entry

    def listed_log_events(self) -> list[NumberedLogEvent]:
        """In the order of LogEventList: createdDateTime, then logEventID, both descending."""
        return sorted(
            self.log_events,
            key=lambda item: (item.event.createdDateTime, item.event.logEventID, item.number),
            reverse=True,
        )


class Registry:
    """All EndDevices. `version` rises when one comes or changes."""

    def __init__(self, mode: RegistrationMode, pin: int, *, encrypted: bool) -> None:
        self.mode = mode
        self.pin = pin
        self.encrypted = encrypted
        self.version = 0
        self._by_number: dict[int, EndDeviceRecord] = {}
        self._by_lfdi: dict[str, EndDeviceRecord] = {}
        self._numbers = itertools.count(1)
        self._listed: list[EndDeviceRecord] = []

    def __iter__(self) -> Iterator[EndDeviceRecord]:
        return iter(self._by_number.values())

    def __len__(self) -> int:
        return len(self._by_number)

    def get(self, number: int) -> EndDeviceRecord | None:
        """The EndDevice of this number."""
        return self._by_number.get(number)

    def find(self, lfdi: str | None) -> EndDeviceRecord | None:
        """The EndDevice of this LFDI."""
        return None if lfdi is None else self._by_lfdi.get(lfdi)

    def meet(self, lfdi: str, now_s: float) -> EndDeviceRecord | None:
        """The record of a client that is talking to us now, registering it where the mode says so."""
        device = self._by_lfdi.get(lfdi)
        if device is None and self.mode == "open":
            device = self.add(lfdi, now_s)
        if device is not None:
            device.last_seen_s = now_s
        return device

    def provision(self, lfdi: str, pin: int | None, now_s: float) -> tuple[EndDeviceRecord, bool]:
        """Register a device for the operator, or give a known one another PIN; whether it is new.

        ConfigError where the PIN's check digit is wrong.
        """
        pin = self.pin if pin is None else pin
        check_pin(pin)
        known = self._by_lfdi.get(lfdi)
        if known is None:
            return self.add(lfdi, now_s, pin), True
        if known.pin != pin:
            known.pin = pin
            known.version += 1
        return known, False

    def add(self, lfdi: str, now_s: float, pin: int | None = None) -> EndDeviceRecord:
        """Register a new device."""
        at_s = int(now_s)
        device = EndDeviceRecord(
            next(self._numbers), lfdi, identity.sfdi(lfdi), self.pin if pin is None else pin, at_s, at_s
        )
        self._by_number[device.number] = self._by_lfdi[lfdi] = device
        self.version += 1
        return device

    def listed(self) -> list[EndDeviceRecord]:
        """In the order of EndDeviceList: changedTime descending, sFDI ascending, href ascending."""
        if len(self._listed) != len(self._by_number):
            self._listed = sorted(self, key=lambda item: (-item.changed_s, item.sfdi, item.number))
        return self._listed


def check_pin(pin: object) -> None:
    """ConfigError unless `pin` is a PIN: up to six digits with the right check digit."""
    if isinstance(pin, bool) or not isinstance(pin, int) or not identity.pin_is_valid(pin):
        raise ConfigError(
            "pin: up to six digits are needed of which the last is the check digit "
            "(the sum of all digits is a multiple of ten), for instance 111115"
        )
