"""The checkpoint of a CSIP client: what it must know after a restart to begin nothing and tell nothing twice.

It holds the events with their draws and with the Responses that were told, the Responses and LogEvents that
wait, the last LogEvent id, the offsets of the server's clocks, where the mirrors are, and the path at which
we are notified. What the server has is read anew. The mirrors' mRIDs follow from the LFDI, and their counters
are the DER's registers.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from dersim.errors import ConfigError
from dersim.kept import ROWS

if TYPE_CHECKING:
    from dersim.csip.lifecycle import Lifecycle
    from dersim.csip.session import Say

#: The number of the format; it rises with every change that an older dersim could not read right.
VERSION = 2
#: What is given as rows (`kept.ROWS`), by part: where it is in the document of which part of the client.
_ROWS = (("events", "over"), ("responses", "known"))


def taken(lifecycle: Lifecycle, now_s: float) -> dict[str, Any]:
    """The state of the client of one LFDI. now_s: simulated time."""
    document: dict[str, Any] = {
        "version": VERSION,
        "lfdi": lifecycle.lfdi,
        "events": lifecycle.controls.checkpoint(now_s),
        "responses": lifecycle.outbox.checkpoint(),
        "log_events": lifecycle.log_events.checkpoint(),
        "clocks": lifecycle.clocks.checkpoint(),
        "mirrors": lifecycle.metering.checkpoint(),
        "notify": "" if lifecycle.subscriptions is None else lifecycle.subscriptions.checkpoint(),
    }
    return {**document, ROWS: {key: document[part].pop(key) for part, key in _ROWS}}


def mark(lifecycle: Lifecycle) -> Any:
    """Equal as long as what `taken` gives is."""
    return (
        lifecycle.lfdi,
        lifecycle.controls.checkpoint_mark(),
        lifecycle.outbox.changes,
        lifecycle.log_events.checkpoint_mark(),
        lifecycle.clocks.checkpoint_mark(),
        *lifecycle.metering.checkpoint(),
    )


def give(lifecycle: Lifecycle, document: Mapping[str, Any], say: Say) -> None:
    """Restore a client that has not run yet; an empty document, or one of another LFDI, changes nothing."""
    if not document:
        return
    if document["lfdi"] != lifecycle.lfdi:
        say("Warning", f"the checkpoint is of LFDI {document['lfdi']}, and is not used")
        return
    rows = document.get(ROWS, {})  # a state file has no row where there is none
    whole = {part: {**document[part], key: rows.get(key, {})} for part, key in _ROWS}
    lifecycle.clocks.restore(document["clocks"])
    lifecycle.outbox.restore(whole["responses"])
    lifecycle.log_events.restore(document["log_events"])
    lifecycle.controls.restore(whole["events"])
    lifecycle.metering.restore(document.get("mirrors", []))
    if lifecycle.subscriptions is not None and document.get("notify"):
        lifecycle.subscriptions.restore(document["notify"])


def check(document: Mapping[str, Any]) -> None:
    """ConfigError for another format, with what to do."""
    version = document.get("version")
    if document and version != VERSION:
        raise ConfigError(
            f"checkpoint of the CSIP client: format {version!r}, and this dersim reads format {VERSION}; "
            f"restore it with the dersim that made it, or start without it"
        )
