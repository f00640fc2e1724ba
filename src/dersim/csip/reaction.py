"""How late controls are carried out."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from dersim.ieee2030_5.event_types import EventView, Phase

Observer = Callable[[Mapping[str, Phase], Mapping[str, Phase], Callable[[str], EventView], float], None]


class Reaction:
    """last_s: simulated seconds from the effective start of the last control until its setpoint.

    observer: called with the same arguments as `note`.
    """

    def __init__(self) -> None:
        self.last_s: float | None = None
        self.observer: Observer | None = None

    def note(
        self,
        before: Mapping[str, Phase],
        now: Mapping[str, Phase],
        view: Callable[[str], EventView],
        server_now_s: float,
    ) -> None:
        """Take the phases before and after a step; controls found after their start do not count."""
        for mrid, phase in now.items():
            if phase is Phase.ACTIVE and before.get(mrid) is Phase.SCHEDULED:
                self.last_s = max(server_now_s - view(mrid).effective_start_s, 0.0)
        if self.observer is not None:
            self.observer(before, now, view, server_now_s)
