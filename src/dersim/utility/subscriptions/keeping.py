"""Subscriptions in the state file, each with the digest of what its client was told last.

So a client is notified after a restart only where something has changed meanwhile.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from dersim.ieee2030_5.edition import Edition
from dersim.kept import attributes, set_attributes
from dersim.utility.state.journal import Journal
from dersim.utility.state.store import Row
from dersim.utility.subscriptions.book import Subscriptions
from dersim.utility.subscriptions.record import Ending, SubscriptionRecord, Wanted

#: The kind of a Subscription, and of the highest number that one ever had.
SUBSCRIPTION, HIGHEST_SUBSCRIPTION = "subscription", "highest_subscription"
_FIELDS = (
    "number",
    "limit",
    "level",
    "created_s",
    "renewed_s",
    "told",
    "sent",
    "failed",
    "last_sent_s",
    "not_before_s",
)


def keep(journal: Journal, book: Subscriptions) -> None:
    """Write what has changed since the last call; without a state file nothing is kept."""
    if journal.on:
        for record in book.changed:
            journal.put(SUBSCRIPTION, str(record.number), json.dumps(_form(record)))
        for number in book.removed:
            journal.drop(SUBSCRIPTION, str(number))
        if book.changed:
            journal.put(HIGHEST_SUBSCRIPTION, "", str(book.highest))
    book.changed.clear()
    book.removed.clear()


def _form(record: SubscriptionRecord) -> dict[str, Any]:
    return {
        **attributes(record, _FIELDS),
        "wanted": list(record.wanted),
        "edition": record.edition.value,
        "ending": None if record.ending is None else list(record.ending),
    }


def restore(book: Subscriptions, rows: Iterable[Row]) -> None:
    """Take over the Subscriptions of an earlier run."""
    found = []
    for row in rows:
        if row.kind == SUBSCRIPTION:
            found.append(_record(json.loads(row.document)))
        elif row.kind == HIGHEST_SUBSCRIPTION:
            book.highest = int(row.document)
    for record in sorted(found, key=lambda record: record.number):  # the rows are as they were last written
        book.add(record)
    book.changed.clear()


def _record(form: Mapping[str, Any]) -> SubscriptionRecord:
    record = SubscriptionRecord(0, Wanted(*form["wanted"]), 0, "", Edition(form["edition"]), 0, 0)
    set_attributes(record, _FIELDS, form)
    record.ending = None if form["ending"] is None else Ending(*form["ending"])
    return record
