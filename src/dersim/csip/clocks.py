"""The clocks of the server, one for each Time resource that our programs run on (2030.5-2018 9.2.3)."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

from dersim.clock import SimClock
from dersim.csip.clock_sync import ClockSync
from dersim.kept import give, taken


class Clocks:
    """The Time resources that are sampled.

    `main` is the clock of the DeviceCapability: of what we report, and of the programs whose
    FunctionSetAssignments name no Time. Where the DeviceCapability has none, it is the first that was named.
    """

    def __init__(self, clock: SimClock) -> None:
        self.main_href: str | None = None
        self._by_href: dict[str, ClockSync] = {}
        self._in_use: tuple[str, ...] = ()
        self._clock = clock

    @property
    def main(self) -> ClockSync | None:
        """The clock of the DeviceCapability; None before its first sample."""
        sync = self._by_href.get(self.main_href or "")
        return sync if sync is not None and sync.known else None

    def of(self, href: str) -> ClockSync:
        """The clock behind this Time resource."""
        return self._by_href.setdefault(href, ClockSync())

    def use(self, hrefs: Iterable[str]) -> None:
        """These Time resources are in use now, the DeviceCapability's first; others are forgotten."""
        self._in_use = tuple(dict.fromkeys(hrefs))
        self.main_href = next(iter(self._in_use), None)
        self._by_href = {href: sync for href, sync in self._by_href.items() if href in self._in_use}

    @property
    def in_use(self) -> tuple[str, ...]:
        """The hrefs of the Time resources in use."""
        return self._in_use

    def offsets_s(self) -> dict[str, float]:
        """Server time minus simulated time, s, of each Time that was sampled.

        Times that may be one clock, as far as the samples tell, have one offset: else the error of
        measurement would open a gap between one event and the next.
        """
        main = self.main
        known = {href: sync for href, sync in self._by_href.items() if sync.known}
        return {
            href: main.offset_s if main is not None and sync.may_equal(main) else sync.offset_s
            for href, sync in known.items()
        }

    def checkpoint(self) -> dict[str, Any]:
        """The offset of each Time in use, with its bounds."""
        return {"main": self.main_href, "times": {href: taken(each) for href, each in self._by_href.items()}}

    def checkpoint_mark(self) -> Any:
        """Equal as long as the checkpoint is."""
        return self.main_href, *((href, each.samples) for href, each in self._by_href.items())

    def restore(self, document: Mapping[str, Any]) -> None:
        """Take over what `checkpoint` gave."""
        if document["main"] is not None:
            for href, kept in document["times"].items():
                give(self.of(href), kept)
            self.use((document["main"], *document["times"]))

    def server_now_s(self) -> float:
        """The server's time as far as it is known; before that, ours."""
        now_s, main = self._clock.now_s(), self.main
        return now_s if main is None else main.server_now_s(now_s)

    def snapshot(self) -> list[dict[str, Any]]:
        """`clocks` of `csip-client`: each Time resource with its href, offset, bound and samples."""
        return [{"href": href, **shown(self._by_href.get(href))} for href in self._in_use]


def shown(sync: ClockSync | None) -> dict[str, Any]:
    """A clock as JSON values; null before the first sample."""
    if sync is None or not sync.known:
        return {"offset_s": None, "bound_s": None, "samples": 0}
    bound_s = None if math.isinf(sync.bound_s) else round(sync.bound_s, 4)
    return {"offset_s": round(sync.offset_s, 4), "bound_s": bound_s, "samples": sync.samples}
