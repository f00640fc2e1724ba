"""The EndDevices of the server, and the three registration modes.

open    a client is registered with its first request; a certificate of our CA is enough. Without TLS there
        is no certificate, so the client POSTs itself to the EndDeviceList.
inband  a client POSTs itself to the EndDeviceList.
known   only devices that the operator has added.

A client sees only its own EndDevice. Without TLS clients cannot be distinguished, and all are shown.
"""

from __future__ import annotations

import bisect
import itertools
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from dersim.errors import ConfigError
from dersim.ieee2030_5 import identity
from dersim.ieee2030_5.declare import Extra
from dersim.ieee2030_5.edition import Edition
from dersim.utility.config import RegistrationMode
from dersim.utility.peers import Peers
from dersim.utility.touching import adding_to

#: 2030.5 requires room for ten log events; beyond this number the oldest are dropped.
LOG_EVENTS_KEPT = 100
VIOLATIONS_KEPT = 50

#: How an EndDevice came to be registered.
Registrant = Literal["contact", "itself", "operator"]


_log_event_ids = itertools.count(1)


class ReportedDocument(NamedTuple):
    """A document that a device has PUT, and the edition it was in; `number` rises with each PUT."""

    resource: Any
    edition: Edition
    number: int


class NumberedLogEvent(NamedTuple):
    """A LogEvent and its number in the LogEventList; `id` rises with each LogEvent of the server."""

    number: int
    event: Any
    id: int


@dataclass(slots=True, eq=False)
class EndDeviceRecord:
    """One EndDevice.

    reported: DERCapability, DERSettings, DERStatus, DERAvailability and DeviceInformation as the device PUT
    them, by the names of `device_documents.REPORTED`. violations: how often it broke a rule of the standard;
    violation_texts has the newest. peers: the connections it uses. aggregator_lfdi: of the aggregator that
    may act for the device. extra: unknown elements of the EndDevice that it POSTed.
    resources: the members of the documents that plug-ins have added, by the documents' names; replaced as a
    whole. device_category: as it POSTed it, DeviceCategoryType.
    shows_lfdi: without it the EndDevice has the sFDI only, which the standard allows.
    registered_by: its first request, itself by a POST, or the operator. pin_read_s: when it last read its
    Registration. controls_read: by program the number up to which it has read all controls.
    """

    number: int
    lfdi: str
    sfdi: int
    pin: int
    registered_s: int
    changed_s: int
    edition: Edition = Edition.E2018
    last_seen_s: float | None = None
    reported: dict[str, ReportedDocument] = field(default_factory=dict)
    log_events: deque[NumberedLogEvent] = field(default_factory=lambda: deque(maxlen=LOG_EVENTS_KEPT))
    log_events_seen: int = 0
    violations: int = 0
    violation_texts: deque[str] = field(default_factory=lambda: deque(maxlen=VIOLATIONS_KEPT))
    peers: Peers = field(default_factory=Peers)
    aggregator_lfdi: str | None = None
    enabled: bool = True
    shows_lfdi: bool = True
    extra: tuple[Extra, ...] = ()
    device_category: int | None = None
    resources: dict[str, dict[str, Any]] = field(default_factory=dict)
    version: int = 0
    registered_by: Registrant = "contact"
    pin_read_s: float | None = None
    controls_read: dict[int, int] = field(default_factory=dict)

    @property
    def href(self) -> str:
        """The path of the EndDevice."""
        return f"/edev/{self.number}"

    def log_event(self, event: Any) -> NumberedLogEvent:
        """Add a LogEvent to the list."""
        self.log_events_seen += 1
        entry = NumberedLogEvent(self.log_events_seen, event, next(_log_event_ids))
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


class EndDevices:
    """All EndDevices. `version` rises when one is added, `access_version` when what clients may see changes.

    touched: those that may have changed since the state file was compared; news: since subscriptions were.
    removed: LFDIs that the operator removed.
    """

    def __init__(self, mode: RegistrationMode, pin: int, *, encrypted: bool) -> None:
        self.mode = mode
        self.pin = pin
        self.encrypted = encrypted
        self.version = self.access_version = 0
        self._of_aggregator: dict[str, list[EndDeviceRecord]] = {}
        self._by_number: dict[int, EndDeviceRecord] = {}
        self._by_lfdi: dict[str, EndDeviceRecord] = {}
        self.removed: set[str] = set()
        self.touched, self.news = set[EndDeviceRecord](), set[EndDeviceRecord]()
        #: The device may have changed.
        self.touch = adding_to(self.touched, self.news)
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
        return None if lfdi is None else self._by_lfdi.get(lfdi.zfill(40))

    def on_contact(self, lfdi: str, now_s: float) -> EndDeviceRecord | None:
        """The record of a client that sent a request; in mode open it is registered if it is new."""
        device = self._by_lfdi.get(lfdi)
        if device is None and self.mode == "open" and lfdi not in self.removed:
            device = self.add(lfdi, now_s)
        if device is not None:
            device.last_seen_s = now_s
        return device

    def provision(self, lfdi: str, pin: int | None, now_s: float) -> tuple[EndDeviceRecord, bool]:
        """Add a device for the operator, or change the PIN of a known one; whether it is new.

        pin: None takes that of the server for a new device, and leaves that of a known one. ConfigError
        where the check digit is wrong.
        """
        known = self._by_lfdi.get(lfdi)
        if pin is None:
            pin = self.pin if known is None else known.pin
        check_pin(pin)
        if known is None:
            return self.add(lfdi, now_s, pin, by="operator"), True
        if known.pin != pin:
            known.pin = pin
            known.version += 1
            self.touch(known)
        return known, False

    def update(self, device: EndDeviceRecord, pin: int, *, enabled: bool, now_s: float) -> None:
        """Change a device; ConfigError where the PIN's check digit is wrong."""
        check_pin(pin)
        if enabled != device.enabled:
            device.changed_s = int(now_s)
            self.access_version += 1
            self._listed = []
            if device.aggregator_lfdi is not None:
                self._of_aggregator[device.aggregator_lfdi].sort(key=_list_order)
        device.pin, device.enabled = pin, enabled
        device.version += 1
        self.touch(device)

    def remove(self, device: EndDeviceRecord) -> None:
        """Remove a device; it is not registered at first contact any more, only by itself or the operator."""
        del self._by_number[device.number], self._by_lfdi[device.lfdi]
        if device.aggregator_lfdi is not None:
            self._of_aggregator[device.aggregator_lfdi].remove(device)
        self.removed.add(device.lfdi)
        self.access_version += 1
        self.touch(device)
        self._listed = []
        self.version += 1

    def add(
        self, lfdi: str, now_s: float, pin: int | None = None, by: Registrant = "contact"
    ) -> EndDeviceRecord:
        """Register a new device."""
        at_s = int(now_s)
        device = EndDeviceRecord(
            next(self._numbers), lfdi, identity.sfdi(lfdi), self.pin if pin is None else pin, at_s, at_s
        )
        device.registered_by = by
        self._by_number[device.number] = self._by_lfdi[lfdi] = device
        self.removed.discard(lfdi)
        self.touch(device)
        self.version += 1
        return device

    def restore(self, device: EndDeviceRecord) -> None:
        """Take over a device of an earlier run, with its number."""
        self._by_number[device.number] = self._by_lfdi[device.lfdi] = device
        if device.aggregator_lfdi is not None:
            self._of_aggregator.setdefault(device.aggregator_lfdi, []).append(device)

    def restored(self, removed: Iterable[str], highest: int) -> None:
        """All are taken over. highest: the highest number that was ever used."""
        self.removed = set(removed)
        self._numbers = itertools.count(highest + 1)
        for mine in self._of_aggregator.values():
            mine.sort(key=_list_order)
        self.version += 1

    def of_aggregator(self, lfdi: str) -> list[EndDeviceRecord]:
        """The EndDevices that the aggregator with this LFDI acts for, in the order of EndDeviceList."""
        return self._of_aggregator.get(lfdi, [])

    def seen_by(self, lfdi: str) -> list[EndDeviceRecord]:
        """What a client sees, in the order of EndDeviceList: its own EndDevice and those that it acts for."""
        own, managed = self._by_lfdi.get(lfdi), self.of_aggregator(lfdi)
        if own is None or not managed:
            return managed if own is None else [own]
        seen = managed.copy()
        bisect.insort(seen, own, key=_list_order)
        return seen

    def set_aggregator(self, device: EndDeviceRecord, lfdi: str | None) -> None:
        """Let the client with this LFDI act for the device; None: only the device itself."""
        if device.aggregator_lfdi is not None:
            self._of_aggregator[device.aggregator_lfdi].remove(device)
        device.aggregator_lfdi = lfdi
        self.access_version += 1
        device.version += 1
        self.touch(device)
        self.version += 1
        if lfdi is not None:
            mine = self._of_aggregator.setdefault(lfdi, [])
            mine.append(device)
            mine.sort(key=_list_order)

    def listed(self) -> list[EndDeviceRecord]:
        """In the order of EndDeviceList: changedTime descending, sFDI ascending, href ascending."""
        if len(self._listed) != len(self._by_number):
            self._listed = sorted(self, key=_list_order)
        return self._listed


def _list_order(device: EndDeviceRecord) -> tuple[int, int, int]:
    return (-device.changed_s, device.sfdi, device.number)


def same_lfdi(one: str | None, other: str | None) -> bool:
    """Whether two LFDIs are equal as numbers: some devices leave out leading zeros."""
    return one is not None and other is not None and one.zfill(40) == other.zfill(40)


def check_pin(pin: object) -> None:
    """ConfigError unless `pin` is a PIN: up to six digits with the right check digit."""
    if isinstance(pin, bool) or not isinstance(pin, int) or not identity.pin_is_valid(pin):
        raise ConfigError(
            "pin: up to six digits are needed of which the last is the check digit (the sum of all digits is "
            "a multiple of ten, or the last is that of the first five mod 10), for instance 111115"
        )
