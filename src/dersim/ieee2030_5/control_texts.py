"""DERControls as XML, written once for all the DERs that share one and for every checkpoint."""

from __future__ import annotations

from dersim.ieee2030_5.codec_write import encode
from dersim.ieee2030_5.edition import Edition
from dersim.ieee2030_5.resources import DERControl

#: For so long a text is kept that nobody asks for, and up to twice as long, simulated s.
KEPT_S = 600.0

_Texts = dict[int, tuple[DERControl, str]]


class ControlTexts:
    """By id: the object is kept with its text, so that no other one has its id."""

    def __init__(self) -> None:
        self._asked: _Texts = {}
        self._before: _Texts = {}
        self._since_s = 0.0

    def __len__(self) -> int:
        return len(self._asked) + len(self._before)

    def of(self, control: DERControl, now_s: float) -> str:
        """The text of a control; LocalProtocolError where it cannot be written. now_s: simulated time."""
        if abs(now_s - self._since_s) >= KEPT_S:
            self._asked, self._before, self._since_s = {}, self._asked, now_s
        key = id(control)
        found = self._asked.get(key)
        if found is None:
            found = self._before.get(key) or (control, encode(control, Edition.E2023).decode())
            self._asked[key] = found
        return found[1]
