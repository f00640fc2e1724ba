"""The part of `Controls` that gives its events to a checkpoint and takes them back.

Events go on at once, by the clock offsets of the checkpoint, whether the server can be reached or not. Their
setpoints are those that the DER itself keeps; `ControlSetpoints` takes them over. DefaultDERControls are read
anew, and until then what they set stays in force.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from dersim.csip.control_values import Wanted
from dersim.modes import value_from_kept, value_to_kept

if TYPE_CHECKING:
    from dersim.csip.control_setpoints import ControlSetpoints
    from dersim.ieee2030_5.event_types import Phase
    from dersim.ieee2030_5.events import EventScheduler


class KeepsEvents:
    """Checkpoint and restore of the events of one DER."""

    _scheduler: EventScheduler
    _offsets_s: dict[str, float]
    _phases: dict[str, Phase]
    _setpoints: ControlSetpoints

    def checkpoint(self, now_s: float) -> dict[str, Any]:
        """The events as JSON, and the offset of each clock. now_s: simulated time."""
        return {"offsets_s": dict(self._offsets_s), **self._scheduler.checkpoint(_form, now_s)}

    def checkpoint_mark(self) -> Any:
        """Equal as long as the checkpoint is."""
        return self._scheduler.changes, tuple(self._offsets_s.items())

    def restore(self, document: Mapping[str, Any]) -> None:
        """Take over what `checkpoint` gave, before anything was read."""
        self._offsets_s.update(document["offsets_s"])
        self._scheduler.restore(document, _unform)
        self._phases = self._scheduler.phases()
        self._setpoints.resume(self._phases.keys())


def _form(wanted: Wanted) -> list[Any]:
    return [value_to_kept(wanted.value), wanted.ramp_s]


def _unform(kept: list[Any]) -> Wanted:
    return Wanted(value_from_kept(kept[0]), kept[1])
