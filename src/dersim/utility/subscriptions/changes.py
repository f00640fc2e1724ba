"""Which Subscriptions a change may concern.

Programs and EndDevices say themselves that they may have changed (`news`); a change of a program reaches the
Subscriptions to its lists and to the lists that it is in. What all depends on has versions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import fields
from operator import attrgetter
from typing import Any

from dersim.utility.config import PollRates
from dersim.utility.end_devices import EndDeviceRecord
from dersim.utility.head_end import HeadEnd
from dersim.utility.program import Program
from dersim.utility.subscriptions.book import DEVICE_LIST
from dersim.utility.subscriptions.record import SubscriptionRecord

_RATES = attrgetter(*(each.name for each in fields(PollRates)))
Mark = Callable[[SubscriptionRecord], None]


class Changes:
    """Looks what has changed since the last call."""

    def __init__(self, head_end: HeadEnd) -> None:
        self._head_end = head_end
        self._versions: Any = None
        self._devices_version = -1

    def collect(self, mark: Mark) -> None:
        """Mark the Subscriptions that may be concerned; the first call marks all."""
        head_end = self._head_end
        programs, devices, book = head_end.programs, head_end.end_devices, head_end.subscriptions
        versions = self._now()
        if versions != self._versions:
            self._versions = versions
            _mark(mark, book)
        elif len(book):
            for program in programs.news:
                self._mark_program(program, mark)
            self._mark_devices(mark)
        programs.news.clear()
        devices.news.clear()
        self._devices_version = devices.version

    @property
    def are_there(self) -> bool:
        """Whether `collect` has anything to do, quickly: it is asked after each request."""
        programs, devices = self._head_end.programs, self._head_end.end_devices
        return bool(programs.news or devices.news) or self._now() != self._versions

    def _now(self) -> tuple[object, ...]:
        head_end = self._head_end
        devices = head_end.end_devices
        return (
            head_end.programs.version,
            head_end.groups.version,
            devices.access_version,
            _RATES(head_end.rates),
        )

    def _mark_program(self, program: Program, mark: Mark) -> None:
        on = self._head_end.subscriptions.on
        for path in (f"{program.href}/derc", f"{program.href}/dderc"):
            _mark(mark, on(path))
        for group in program.groups:
            _mark(mark, on(group.list_href))

    def _mark_devices(self, mark: Mark) -> None:
        book, devices = self._head_end.subscriptions, self._head_end.end_devices
        if devices.version != self._devices_version:
            # One was added or removed, or has another aggregator.
            _mark(mark, (each for each in book if _is_device(each.wanted.resource)))
        for device in devices.news:
            self._mark_device(device, mark)

    def _mark_device(self, device: EndDeviceRecord, mark: Mark) -> None:
        book = self._head_end.subscriptions
        _mark(mark, book.on(device.href))
        for lfdi in {None, device.lfdi, device.aggregator_lfdi}:
            _mark(mark, book.on_device_list(lfdi))


def _is_device(path: str) -> bool:
    """EndDeviceList, or an EndDevice."""
    return path.startswith(DEVICE_LIST) and path.count("/") <= 2


def _mark(mark: Mark, records: Iterable[SubscriptionRecord]) -> None:
    for record in list(records):
        mark(record)
