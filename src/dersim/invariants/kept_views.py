"""Keeps the events of each DER as its client explains them: it explains anew what is not kept."""

from __future__ import annotations

from collections.abc import Sequence

from dersim.ieee2030_5.event_types import EventView
from dersim.plugin.services import CsipService

#: The most views that are kept of all DERs together, and what one takes, bytes.
MOST_KEPT, VIEW_BYTES = 20_000, 700


class KeptViews:
    """Of the DERs of one process, by number."""

    def __init__(self) -> None:
        self._kept: dict[int, Sequence[EventView]] = {}
        self._count = 0

    def of(self, number: int, client: CsipService | None) -> Sequence[EventView]:
        """Every event that the client of this DER holds; none without a client."""
        views = () if client is None else client.explain()
        self._count -= len(self._kept.pop(number, ()))
        # Those that do not fit are not kept; the oldest would go just before their turn.
        if views and self._count + len(views) <= MOST_KEPT:
            self._kept[number] = views
            self._count += len(views)
        return views

    def held_bytes(self) -> int:
        """What is remembered."""
        return self._count * VIEW_BYTES
