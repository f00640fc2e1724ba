"""What is read differently than a notification brought it: changed in between, or told wrong.

A server sends at most one notification of a resource in 30 s. What changes within that time is read before it
is notified, so a difference is only wrong if no newer notification comes.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from dersim.csip.session import Say

#: A newer notification comes within this time, s: twice the gap that servers keep.
NEWER_WITHIN_S = 60.0


class Differences:
    """The resources of one DER that were read differently, by href, and since when, simulated s.

    on_noted: called with the seconds until `tell` should be called.
    """

    def __init__(self, say: Say, now_s: Callable[[], float], on_noted: Callable[[float], None]) -> None:
        self._noted_s: dict[str, float] = {}
        self._say = say
        self._now_s = now_s
        self._on_noted = on_noted

    def compared(self, href: str, *, same: bool) -> None:
        """It was read, and compared with its notification."""
        self._say("Debug", f"{href}: {'as' if same else 'other than'} in its notification")
        if not same:
            self._noted_s.setdefault(href, self._now_s())
            self._on_noted(NEWER_WITHIN_S)

    def notified(self, href: str) -> None:
        """A newer notification of it came."""
        self._noted_s.pop(href, None)

    def forget(self) -> None:
        """All of them: a new walk reads everything."""
        self._noted_s.clear()

    def tell(self) -> float | None:
        """Warn of what no newer notification explains; the seconds to the next that may be one."""
        now_s = self._now_s()
        for href in [href for href, noted_s in self._noted_s.items() if now_s >= noted_s + NEWER_WITHIN_S]:
            del self._noted_s[href]
            text = f"{href} differs from what its notification brought, and no newer one came"
            self._say("Warning", f"{text} within {NEWER_WITHIN_S:g} s; using what was read")
        next_s = min(self._noted_s.values(), default=math.inf) + NEWER_WITHIN_S
        return None if next_s == math.inf else next_s - now_s
