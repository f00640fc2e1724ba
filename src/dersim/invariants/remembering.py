"""What invariants remember of events: of each that is live or in a list, and of few that are neither."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dersim.invariants.base import Look

#: The events of one DER that are over, in no list, and still remembered.
MOST_OVER = 100
#: What an entry takes in a dict whose keys and values others hold too, bytes.
ENTRY_BYTES = 100


def forget_over(held: dict[str, Any], look: Look, kept: Iterable[str] = ()) -> None:
    """Forget of what is held by mRID the oldest that is over and in no list, beyond the most; not `kept`."""
    if len(held) <= MOST_OVER:
        return
    needed = {view.mrid for view in look.views if view.phase.live}
    needed.update(look.published.controls, kept)
    over = [mrid for mrid in held if mrid not in needed]
    for mrid in over[: max(len(over) - MOST_OVER, 0)]:
        del held[mrid]
