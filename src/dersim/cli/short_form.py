"""Which lines of the log a person sees at once in the terminal; the log itself keeps them all.

Shown: warnings and errors; trips and entering service; controls that begin and end; what an operator, a
Modbus client or a user of the pages does. Left out: the calls to the server and their answers, Responses,
clock samples, controls that wait for their start, what the demo's server logs, listeners of the pages.

What many DERs log within a second is shown once, with how many more there are. What a Modbus client writes
again and again is shown once a minute.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from dersim.logbuffer import LEVELS, LogEntry

#: The longest time for which lines of other DERs are held back, s.
WINDOW_S = 1.0

#: The same write of a Modbus client is shown again after this time, s.
REPEATED_WRITE_S = 60.0

#: Of these modules only some lines at Info are shown.
_TALKATIVE = frozenset({"CSIP", "Utility", "WS"})
_CONTROL = re.compile(r"DERControl \S+ (?!scheduled)")
_CONNECTED = re.compile(r"discovery of .* is complete")
_DIGITS = re.compile(r"\d+(\.\d+)?")
_MOST_CHARS = 80


def is_shown(entry: LogEntry) -> bool:
    """Whether an entry belongs to the short form."""
    if LEVELS[entry.level] > LEVELS["Info"]:
        return True
    if entry.level != "Info":
        return False
    if entry.module not in _TALKATIVE:
        return True
    return entry.module == "CSIP" and bool(_CONTROL.match(entry.message) or _CONNECTED.match(entry.message))


@dataclass(slots=True)
class _Repeated:
    """An entry that was shown, until when others like it are held back, and the DERs they are of."""

    entry: LogEntry
    until_s: float
    devices: set[int] = field(default_factory=set)


class ShortForm:
    """Passes entries to `show`. everything: pass all at Info and above; set while one DER connects."""

    def __init__(
        self, show: Callable[[LogEntry], None], now_s: Callable[[], float], *, everything: bool = False
    ) -> None:
        self.everything = everything
        self.joining = not everything
        self._show = show
        self._now_s = now_s
        self._held: dict[tuple[str, str, str], _Repeated] = {}
        self._written: dict[tuple[int, str], float] = {}

    def write(self, entry: LogEntry) -> None:
        """Take an entry of the log."""
        if self.everything:
            if entry.level != "Debug":
                self._show(entry)
            return
        if not is_shown(entry) or (self.joining and _CONNECTED.match(entry.message)):
            return
        if entry.module == "Modbus" and entry.level == "Info" and self._is_written_again(entry):
            return
        key = (entry.level, entry.module, _DIGITS.sub("#", entry.message))
        held = self._held.get(key)
        if held is not None and entry.device and entry.device not in held.devices:
            held.devices.add(entry.device)
            return
        self._show(entry)
        if entry.device and held is None:
            self._held[key] = _Repeated(entry, self._now_s() + WINDOW_S, {entry.device})

    def _is_written_again(self, entry: LogEntry) -> bool:
        """Whether the last minute has shown this; the minute begins anew where it has not."""
        key, now_s = (entry.device, entry.message), self._now_s()
        if self._written.get(key, now_s) > now_s:
            return True
        self._written = {each: until_s for each, until_s in self._written.items() if until_s > now_s}
        self._written[key] = now_s + REPEATED_WRITE_S
        return False

    def flush(self) -> None:
        """Tell what was held back; call it about once a second."""
        now_s = self._now_s()
        for key in [key for key, held in self._held.items() if held.until_s <= now_s]:
            held = self._held.pop(key)
            if more := len(held.devices) - 1:
                text = held.entry.message
                text = text if len(text) <= _MOST_CHARS else f"{text[:_MOST_CHARS]}..."
                self._show(held.entry._replace(device=0, message=f"the same of {more} more DERs: {text}"))
