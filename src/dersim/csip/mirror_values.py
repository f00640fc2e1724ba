"""What a mirror posts and when: values of the instant at postRate, or with means at the end of each interval.

Of the means each interval is posted once, oldest first, also those of an outage.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TYPE_CHECKING

from dersim.csip import mirror
from dersim.csip.means import MINUTE_S, MeanCounter, Means
from dersim.csip.session import RequestRefused

if TYPE_CHECKING:
    from dersim.csip.reading_posts import Readings
    from dersim.device import Device
    from dersim.ieee2030_5.resources import MirrorUsagePoint

#: How many intervals are posted at a time; other requests come in between.
_AT_ONCE = 30
#: A boundary that has passed and is not counted yet is looked at again so much later, s.
_OVERDUE_S = 5.0

#: One set of readings, and what is to be put around its post.
Due = tuple["Readings", AbstractContextManager[None]]


class MirrorValues:
    """The readings of one mirror. server_s: server time, s. mrid_end: see `CsipProfile`."""

    def __init__(
        self,
        device: Device,
        lfdi: str,
        kind: mirror.MirrorKind,
        server_s: Callable[[], float],
        mrid_end: str = "",
        means: MeanCounter | None = None,
    ) -> None:
        self._device = device
        self._lfdi = lfdi
        self._kind = kind
        self._server_s = server_s
        self._mrid_end = mrid_end
        self._items = kind.quantities(device.nameplate.phases)
        has_means = any(item.mean is not None for item in self._items)
        self._counter = means if has_means else None
        self._taken: int | None = None

    def usage_point(self) -> MirrorUsagePoint:
        """The mirror with every ReadingType."""
        return mirror.usage_point(self._lfdi, self._items, self._device.name, self._kind, self._mrid_end)

    def due(self, interval_s: float) -> Iterator[Due]:
        """What is to be posted now."""
        if self._counter is None:
            yield self._instants(int(self._server_s())), nullcontext()
            return
        minutes = _whole_minutes(interval_s)
        ends = self._counter.complete(self._taken, minutes)
        for end in ends[:_AT_ONCE]:
            means = self._counter.means(end, minutes)
            values = mirror.mean_readings(self._lfdi, self._items, means, self._mrid_end)
            # Those of an instant come with the newest means, and have the time of its end.
            yield values + (self._instants(end * MINUTE_S) if end == ends[-1] else ()), self._taking(means)

    def _instants(self, time: int) -> Readings:
        return mirror.readings(self._lfdi, self._items, self._device.state, time, self._mrid_end)

    def wait_s(self, interval_s: float) -> float:
        """Until the next post, s; 0 while means wait."""
        if self._counter is None:
            return interval_s
        minutes = _whole_minutes(interval_s)
        if self._counter.complete(self._taken, minutes):
            return 0.0
        next_end = (self._counter.newest // minutes + 1) * minutes
        left_s = next_end * MINUTE_S - self._server_s()
        return left_s if left_s > 0 else _OVERDUE_S

    @contextmanager
    def _taking(self, means: Means) -> Iterator[None]:
        """Around the post: they are done with if the server takes them, or will never."""
        try:
            yield
        except RequestRefused as error:
            if error.status in range(400, 500) and not error.gone and error.retry_after_s is None:
                self._take(means)
            raise
        self._take(means)

    def _take(self, means: Means) -> None:
        minutes = means.duration_s // MINUTE_S
        self._taken = means.start_s // MINUTE_S + minutes
        if self._counter is not None:
            self._counter.needed_from(self._kind.key, self._taken - minutes)


def _whole_minutes(interval_s: float) -> int:
    return max(math.ceil(interval_s / MINUTE_S), 1)
