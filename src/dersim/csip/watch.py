"""A check of a DER after every step, for alarms and changes of status that cannot wait for a poll."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dersim.csip.log_events import LogEvents
    from dersim.csip.means import MeanCounter
    from dersim.csip.parts import Parts
    from dersim.device import Device
    from dersim.fences import Fences
    from dersim.hardware.state import Signs


class Watch:
    """The check of one DER: queues LogEvents for alarms. on_status: called when its status has changed.

    means: counted after each step, where a profile has mirrors with means. on_settings: called when its
    settings have changed, where a profile wants to tell them at once.
    """

    __slots__ = (
        *("_device", "_fences", "_log_events", "_looked_s", "_on_status", "_settings_seen", "_signs"),
        *("means", "on_settings"),
    )

    def __init__(
        self, device: Device, log_events: LogEvents, on_status: Callable[[], None], fences: Fences
    ) -> None:
        self._device = device
        self._log_events = log_events
        self._on_status = on_status
        self._fences = fences
        self._signs: Signs | None = None
        self._settings_seen = device.settings.changes
        self.means: MeanCounter | None = None
        self.on_settings: Callable[[], None] | None = None
        self._looked_s = math.nan

    def follow(self, parts: Parts) -> None:
        """What a profile wants watched too."""
        self.means = parts.means
        if parts.settings_at_once:
            self.on_settings = parts.polling.settings_changed

    def check(self) -> None:
        """After every step; looks only where something may have changed."""
        device, known = self._device, self._signs
        if self.means is not None:
            with self._fences.around("csip_means", "CSIP", "the means of the meters", device.number):
                self.means.check()
        if self.on_settings is not None and device.settings.changes != self._settings_seen:
            self._settings_seen = device.settings.changes
            self.on_settings()
        if device.moved_s == self._looked_s and known is not None and not known.alarms and not device.failed:
            return  # an alarm may be held, and end by itself
        with self._fences.around("csip_watch", "CSIP", "alarms and status of the DER", device.number):
            moved_s, signs = device.moved_s, device.signs
            self._log_events.watch(signs.alarms)
            if signs != known:
                self._on_status()
            self._looked_s, self._signs = moved_s, signs
