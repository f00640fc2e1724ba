"""Which Notification is due, what is in it, and what follows from its answer; without I/O.

A change marks Subscriptions; each is due at once, but not before `notify_gap_s` after its last Notification.
Only then the resource is looked at. So nothing is queued but the Subscription itself, and what is sent is the
newest. A failed Notification is sent again after a pause that doubles, with what is the newest
then.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import NamedTuple, TypedDict

from dersim.utility.encoded import EncodedDocuments
from dersim.utility.head_end import LOGGED_AT_ONCE, HeadEnd
from dersim.utility.program import Control
from dersim.utility.refusal import RequestRefused
from dersim.utility.subscriptions import notification
from dersim.utility.subscriptions.book import LIFETIME_S
from dersim.utility.subscriptions.changes import Changes
from dersim.utility.subscriptions.queue import Queue
from dersim.utility.subscriptions.record import (
    CANCELLED,
    DELETED,
    STATUS_TEXT,
    Ending,
    SubscriptionRecord,
)
from dersim.utility.subscriptions.subscribable import see_for

#: Pauses after failures: the first one, and the longest, s; each is up to 20 % longer by chance.
FIRST_PAUSE_S, LONGEST_PAUSE_S, JITTER = 5.0, 250.0, 0.2
#: A Subscription ends after so many failures in a row, and at least so long after the first, s.
GIVE_UP_FAILURES, GIVE_UP_S = 10, 3600.0
#: A resource that turned out to be unchanged is not looked at again for so long, s.
LOOK_S = 1.0
EXPIRE_EVERY_S = 60.0
#: Bodies of Notifications that are shared.
BODIES, BODY_BYTES = 2_000, 16 * 1024 * 1024

#: A step of the clock by more than this, back, makes all due that wait, s.
CLOCK_BACK_S = 5.0
MOST_REASON = 200

CREATED, UNWANTED, FORBIDDEN = 201, 400, 403


class Outgoing(NamedTuple):
    """A Notification to send. digest: of the resource that it is about; ending: the Subscription ends.

    controls: those that are in it.
    """

    body: bytes
    digest: str
    controls: tuple[Control, ...] = ()
    ending: Ending | None = None


class NotifierCounts(TypedDict):
    """Notifications sent; attempts that failed; Subscriptions that were given up."""

    sent: int
    failed: int
    dropped: int


class Notifier:
    """Notifications of one head-end. Counters: sent, failed, dropped (Subscriptions that were given up)."""

    def __init__(self, head_end: HeadEnd) -> None:
        self._head_end = head_end
        self._book = head_end.subscriptions
        self._changes = Changes(head_end)
        self._queue = Queue()
        self._bodies = EncodedDocuments(BODIES, BODY_BYTES)
        self._random = random.Random()  # noqa: S311 - of pauses
        self._expire_at_s = 0.0
        self._newest_s = 0.0
        self._said, self._said_since_s = 0, 0.0
        self.sent = self.failed = self.dropped = 0
        #: Told of each answer, and its HTTP status.
        self.on_answer: Callable[[SubscriptionRecord, Outgoing, int], None] = lambda *_: None

    def counts(self) -> NotifierCounts:
        """Since the start."""
        return {"sent": self.sent, "failed": self.failed, "dropped": self.dropped}

    @property
    def next_due_s(self) -> float:
        """When the next one is due, UTC seconds since 1970; infinity where none is."""
        return self._queue.next_due_s

    @property
    def has_news(self) -> bool:
        """Whether `collect` has more to do than to look at the clock."""
        return bool(self._book.news) or self._changes.are_there

    def collect(self, now_s: float) -> None:
        """Learn what has changed since the last call."""
        if now_s < self._newest_s - CLOCK_BACK_S:
            self._clock_went_back(now_s)
        self._newest_s = now_s
        book = self._book
        for record in book.news:
            self._mark(record)
        book.news.clear()
        self._changes.collect(self._mark)
        self._count_said(now_s)
        if now_s >= self._expire_at_s:
            self._expire_at_s = now_s + EXPIRE_EVERY_S
            self._expire(now_s)

    def _mark(self, record: SubscriptionRecord) -> None:
        if record.sending:
            record.again = True
        else:
            self._queue.put(record, max(self._newest_s, record.not_before_s))

    def _clock_went_back(self, now_s: float) -> None:
        self._expire_at_s = now_s
        for record in self._book:
            record.not_before_s = min(record.not_before_s, now_s)
            if record.due_s is not None:
                self._queue.put(record, now_s)

    def _expire(self, now_s: float) -> None:
        late = [each for each in self._book if now_s - each.renewed_s > LIFETIME_S and each.ending is None]
        for record in late:
            self._say(self._head_end.info, f"{record} was not renewed within {LIFETIME_S // 3600} h")
            self._book.end(record, Ending(CANCELLED))
            self._mark(record)

    def _say(self, log: Callable[[str], None], text: str) -> None:
        """Log that a Subscription ends; of many at once the first ones, the others are counted."""
        self._said += 1
        if self._said <= LOGGED_AT_ONCE:
            log(text)

    def _count_said(self, now_s: float) -> None:
        if abs(now_s - self._said_since_s) >= 1:
            if (more := self._said - LOGGED_AT_ONCE) > 0:
                self._head_end.info(f"{more} more Subscriptions have ended")
            self._said, self._said_since_s = 0, now_s

    def take(self, now_s: float) -> SubscriptionRecord | None:
        """The next Subscription that is due: `prepare` its Notification, and tell how that went."""
        record = self._queue.take(now_s)
        if record is not None:
            record.sending = True
        return record

    def prepare(self, record: SubscriptionRecord, now_s: float) -> Outgoing | None:
        """What is to be sent; None: nothing, it is done. LocalProtocolError: it cannot be written."""
        if not self._is_held(record):
            return None
        outgoing = self._of_change(record, now_s) if record.ending is None else None
        if record.ending is not None:
            path, edition = record.wanted.resource, record.edition
            body = notification.of_ending(path, record.ending, edition, now_s)
            body = notification.addressed(body, record.href)
            return Outgoing(body, record.told, ending=record.ending)
        if outgoing is None:
            record.not_before_s = max(record.not_before_s, now_s + LOOK_S)
            self._done(record)
        return outgoing

    def _of_change(self, record: SubscriptionRecord, now_s: float) -> Outgoing | None:
        try:
            seen = see_for(self._head_end, record, now_s)
        except RequestRefused as refused:
            ending = Ending(CANCELLED if refused.status == FORBIDDEN else DELETED)
            self._say(self._head_end.info, f"{record} ends, {STATUS_TEXT[ending.status]}: {refused}")
            self._book.end(record, ending)
            return None
        digest = seen.digest
        if digest == record.told:
            return None
        path, limit = record.wanted.resource, record.limit
        shared = self._bodies.get(
            (seen.key, limit),
            seen.document.version,
            lambda: notification.of_change(
                path, seen.resource(limit) if limit else None, seen.edition, now_s
            ),
        )
        controls = seen.controls(limit)
        return Outgoing(notification.addressed(shared.body, record.href), digest, controls)

    def answered(self, record: SubscriptionRecord, outgoing: Outgoing, status: int, now_s: float) -> None:
        """The client has answered."""
        self.on_answer(record, outgoing, status)
        if not 200 <= status < 300 and status != UNWANTED:
            self.failure(record, f"answered {status}", now_s)
            return
        record.last_answer = str(status)
        if not self._is_held(record):
            return
        if status == UNWANTED and outgoing.ending is None:
            text = f"{record} ends: the client answered 400, the Notification is unwanted"
            self._say(self._head_end.warn, text)
            self._book.remove(record)
            return
        self._note_status(record, status)
        self._sent(record, outgoing, now_s)

    def _note_status(self, record: SubscriptionRecord, status: int) -> None:
        if status not in (CREATED, UNWANTED) and record.sent == 0:
            self._head_end.info(f"{record}: the Notification was answered {status}; 201 is required")

    def _sent(self, record: SubscriptionRecord, outgoing: Outgoing, now_s: float) -> None:
        self.sent += 1
        record.sent += 1
        record.failures, record.failing_since_s, record.last_sent_s = 0, None, now_s
        if outgoing.ending is not None:
            self._book.remove(record)
            return
        record.told, record.not_before_s = outgoing.digest, now_s + self._head_end.config.notify_gap_s
        self._book.changed.add(record)
        self._note_read(record, outgoing, now_s)
        self._done(record)

    def _note_read(self, record: SubscriptionRecord, outgoing: Outgoing, now_s: float) -> None:
        """The client has the controls as if it had read them."""
        device = self._head_end.end_devices.find(record.wanted.lfdi)
        if device is not None and outgoing.controls:
            program = outgoing.controls[0].program
            self._head_end.sightings.note(device, program, outgoing.controls, now_s)

    def failure(self, record: SubscriptionRecord, reason: str, now_s: float) -> None:
        """It was not delivered: it is sent again later, or given up."""
        self.failed += 1
        record.failed += 1
        record.failures += 1
        record.last_answer = reason[:MOST_REASON]
        if not self._is_held(record):
            return
        if record.failing_since_s is None:
            record.failing_since_s = now_s
        if record.failures >= GIVE_UP_FAILURES and now_s - record.failing_since_s >= GIVE_UP_S:
            self.dropped += 1
            text = f"{record} is dropped after {record.failures} failures: {record.last_answer}"
            self._say(self._head_end.warn, text)
            self._book.remove(record)
            return
        pause_s = min(FIRST_PAUSE_S * 2 ** min(record.failures - 1, 10), LONGEST_PAUSE_S)
        record.not_before_s = now_s + pause_s * (1 + JITTER * self._random.random())
        record.again = True
        self._done(record)

    def postpone(self, record: SubscriptionRecord, now_s: float) -> None:
        """It cannot be sent now, for no fault of the client."""
        record.not_before_s, record.again = now_s + LOOK_S, True
        self._done(record)

    def _done(self, record: SubscriptionRecord) -> None:
        record.sending = False
        if record.again or (record.ending is not None and self._is_held(record)):
            record.again = False
            self._mark(record)

    def _is_held(self, record: SubscriptionRecord) -> bool:
        return self._book.get(record.number) is record
