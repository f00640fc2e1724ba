"""All Subscriptions of a server, by EndDevice and by subscribed resource."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TypeVar

from dersim.utility.refusal import RESOURCE_LIMIT, RequestRefused
from dersim.utility.subscriptions.digests import Digests
from dersim.utility.subscriptions.record import Ending, SubscriptionRecord, Wanted

K = TypeVar("K")

#: Most Subscriptions in all, and in the list of one EndDevice; more there for each device behind an
#: aggregator.
MOST, MOST_OF_DEVICE, MORE_OF_MANAGED = 20_000, 64, 16
DEVICE_LIST = "/edev"
#: One that is not renewed for so long ends, s; clients renew about every 24 h.
LIFETIME_S = 36 * 3600


class Subscriptions:
    """The Subscriptions. version: rises when one is added or removed. highest: the highest number so far.

    changed: those that differ from what is in the state file; removed: numbers of those that are gone.
    news: those that were renewed or ended since the notifier looked.
    """

    def __init__(self) -> None:
        self.version = 0
        self.highest = 0
        self.changed: set[SubscriptionRecord] = set()
        self.removed: set[int] = set()
        self.news: set[SubscriptionRecord] = set()
        self.digests = Digests()
        self._by_number: dict[int, SubscriptionRecord] = {}
        self._by_wanted: dict[Wanted, SubscriptionRecord] = {}
        self._versions: dict[int, int] = {}
        self._of_device: dict[int, dict[int, SubscriptionRecord]] = {}
        self._on_resource: dict[tuple[str, str | None], dict[int, SubscriptionRecord]] = {}

    def __iter__(self) -> Iterator[SubscriptionRecord]:
        return iter(self._by_number.values())

    def __len__(self) -> int:
        return len(self._by_number)

    def get(self, number: int) -> SubscriptionRecord | None:
        """The Subscription of this number; also one that is ending."""
        return self._by_number.get(number)

    def find(self, wanted: Wanted) -> SubscriptionRecord | None:
        """The Subscription that is about the same."""
        return self._by_wanted.get(wanted)

    def of_device(self, number: int) -> list[SubscriptionRecord]:
        """The SubscriptionList of an EndDevice, in the order of the standard: href ascending."""
        mine = self._of_device.get(number)
        return [each for each in mine.values() if each.ending is None] if mine else []

    def version_of(self, device: int) -> int:
        """Rises with each change of the list of an EndDevice."""
        return self._versions.get(device, 0)

    def on(self, resource: str) -> Iterable[SubscriptionRecord]:
        """Those to one resource that all see alike."""
        return self._on_resource.get((resource, None), {}).values()

    def on_device_list(self, lfdi: str | None) -> Iterable[SubscriptionRecord]:
        """Those of one client to the EndDeviceList; None: of those without TLS."""
        return self._on_resource.get((DEVICE_LIST, lfdi), {}).values()

    def check_room(self, device: int, managed: int) -> None:
        """400 where the list of the EndDevice, or the server, is full. managed: devices that it acts for."""
        most = MOST_OF_DEVICE + MORE_OF_MANAGED * managed
        if len(self._of_device.get(device, ())) >= most or len(self) >= MOST:
            raise RequestRefused(
                400,
                f"the SubscriptionList is full ({most} for this EndDevice, {MOST} in all); delete some",
                code=RESOURCE_LIMIT,
            )

    def next_number(self) -> int:
        """A number that no Subscription has had."""
        self.highest += 1
        return self.highest

    def add(self, record: SubscriptionRecord) -> None:
        """Take a Subscription in, a new one or one of an earlier run."""
        wanted = record.wanted
        self._by_number[record.number] = record
        if record.ending is None:
            self._by_wanted[wanted] = record
        self._of_device.setdefault(wanted.device, {})[record.number] = record
        self._on_resource.setdefault(_seen_by(wanted), {})[record.number] = record
        self.highest = max(self.highest, record.number)
        self._note(record)

    def renew(self, record: SubscriptionRecord, limit: int, level: str, now_s: float) -> None:
        """The client is there again: what failed is tried again at once."""
        record.renewed_s, record.limit, record.level = now_s, limit, level
        if record.failures:
            record.failures, record.failing_since_s, record.not_before_s = 0, None, now_s
        self._note(record)
        self.news.add(record)

    def end(self, record: SubscriptionRecord, ending: Ending) -> None:
        """For clients it is gone; its last Notification is still to be sent."""
        if record.ending is None:
            del self._by_wanted[record.wanted]
        record.ending = ending
        self._note(record)
        self.news.add(record)

    def _note(self, record: SubscriptionRecord) -> None:
        device = record.wanted.device
        self._versions[device] = self._versions.get(device, 0) + 1
        self.version += 1
        self.changed.add(record)

    def remove(self, record: SubscriptionRecord) -> None:
        """Nothing is to be sent any more."""
        if record.ending is None:
            del self._by_wanted[record.wanted]
        self._note(record)
        wanted, number = record.wanted, record.number
        del self._by_number[number]
        _drop(self._of_device, wanted.device, number)
        _drop(self._on_resource, _seen_by(wanted), number)
        record.due_s = None
        self.changed.discard(record)
        self.news.discard(record)
        self.removed.add(number)


def _seen_by(wanted: Wanted) -> tuple[str, str | None]:
    """The resource; the EndDeviceList of each client is another one."""
    return wanted.resource, wanted.lfdi if wanted.resource == DEVICE_LIST else None


def _drop(index: dict[K, dict[int, SubscriptionRecord]], key: K, number: int) -> None:
    del index[key][number]
    if not index[key]:
        del index[key]
