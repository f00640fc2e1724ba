"""The fixture `faults`: faults of the server, as docs/faults.md lists them."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from dersim.testing.live import LiveWorld
from dersim.utility.faults.planted import PlantedFault

__tracebackhide__ = True  # pytest shows the line of the test, not ours


class Faults:
    """Plants faults in the companion server."""

    def __init__(self, live: LiveWorld) -> None:
        self._live = live

    def plant(self, kind: str, **data: Any) -> PlantedFault:
        """Plant one: `plant("status", status=503, path="/dcap", count=2)`. ConfigError names a bad value."""
        return self._live.portal.call(lambda: self._live.world.utility.plant(kind, **data))

    @contextlib.contextmanager
    def planted(self, kind: str, **data: Any) -> Iterator[PlantedFault]:
        """One that is removed at the end of the block."""
        fault = self.plant(kind, **data)
        try:
            yield fault
        finally:
            self.remove(fault)

    def remove(self, fault: PlantedFault) -> None:
        """Remove one; one that is over is removed already."""

        def remove() -> None:
            book = self._live.world.utility.head_end.faults
            if fault in list(book):
                book.remove(fault)

        self._live.portal.call(remove)

    def clear(self) -> None:
        """Remove all."""
        self._live.portal.call(self._live.world.utility.clear_faults)
