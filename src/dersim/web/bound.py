"""What bound P and Q of one DER over time, for the timeline: a note whenever something else binds."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any, NamedTuple

from dersim.binding import Binding, Bindings, bindings, held_by, short
from dersim.timestamps import rfc3339, rfc3339_or_none

if TYPE_CHECKING:
    from dersim.device import Device

#: Changes that are kept of one DER.
NOTES = 500
#: What one takes, with what binds P and what binds Q, bytes.
NOTE_BYTES = 700


class _Note(NamedTuple):
    time_s: float
    bound: Bindings


class BoundPast:
    """The changes of what bound one DER, oldest dropped first."""

    def __init__(self) -> None:
        self._notes: deque[_Note] = deque(maxlen=NOTES)
        self._last: tuple[Any, ...] | None = None

    def note(self, device: Device, time_s: float) -> None:
        """Note what binds at time_s, if it is not what bound at the last call."""
        now = (device.setpoints.changes, *held_by(device))
        if now != self._last:
            self._last = now
            bound = bindings(device)
            if not self._notes or not all(map(_same, self._notes[-1].bound, bound)):
                self._notes.append(_Note(time_s, bound))

    @property
    def held_bytes(self) -> int:
        """What the notes take."""
        return NOTE_BYTES * len(self._notes)

    def spans(self, since_s: float) -> list[dict[str, Any]]:
        """What bound since then, P first, as intervals; `end` null: it still does."""
        return [*self._of("p", since_s), *self._of("q", since_s)]

    def _of(self, quantity: str, since_s: float) -> list[dict[str, Any]]:
        out: list[dict[str, Any]] = []
        open_span: tuple[float, Binding] | None = None
        for note in [*self._notes, None]:
            binding = None if note is None else getattr(note.bound, quantity)
            if open_span is not None and note is not None and _same(open_span[1], binding):
                continue
            if open_span is not None and (note is None or note.time_s >= since_s):
                out.append(_span(quantity, *open_span, None if note is None else note.time_s))
            open_span = None if note is None or binding is None else (note.time_s, binding)
        return out


def _same(one: Binding | None, other: Binding | None) -> bool:
    if one is None or other is None:
        return one is other
    return (one.mode, one.function, one.source, one.detail) == (
        other.mode,
        other.function,
        other.source,
        other.detail,
    )


def _span(quantity: str, start_s: float, binding: Binding, end_s: float | None) -> dict[str, Any]:
    return {
        "quantity": quantity,
        "mode": binding.mode,
        "function": binding.function or None,
        "source": binding.source,
        "detail": binding.detail,
        "out": binding.out,
        "text": short(binding),
        "start": rfc3339(start_s),
        "end": rfc3339_or_none(end_s),
    }
