"""DERControls as XML, written once for all the DERs that share one and for every checkpoint."""

from __future__ import annotations

from dersim.ieee2030_5.codec_write import encode
from dersim.ieee2030_5.edition import Edition
from dersim.ieee2030_5.resources import DERControl

#: For so long a text is kept that nobody asks for, simulated s, and so many; of both up to twice as much.
KEPT_S, KEPT = 600.0, 5_000

_Texts = dict[int, tuple[DERControl, str]]


class ControlTexts:
    """By id: the object is kept with its text, so that no other one has its id."""

    def __init__(self) -> None:
        self._asked: _Texts = {}
        self._before: _Texts = {}
        self._since_s = 0.0

    def __len__(self) -> int:
        return len(self._asked) + len(self._before)

    def age(self, now_s: float) -> None:
        """Let go of what nobody asks for. To be called with each checkpoint. now_s: simulated time."""
        if abs(now_s - self._since_s) >= KEPT_S:
            self._since_s = now_s
            self._turn()

    def of(self, control: DERControl) -> str:
        """The text of a control; LocalProtocolError where it cannot be written."""
        key = id(control)
        found = self._asked.get(key)
        if found is None:
            found = self._before.get(key) or (control, encode(control, Edition.E2023).decode())
            if len(self._asked) >= KEPT:
                self._turn()
            self._asked[key] = found
        return found[1]

    def _turn(self) -> None:
        self._asked, self._before = {}, self._asked
