"""The mRIDs of what the server makes."""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Callable, Iterator

from dersim.plugin.server_parts import PenForm

#: The IEEE 2030.5 private enterprise number, the end of the mRIDs made here unless another is given.
PEN = 40732
#: The highest number whose decimal digits fit into the place of 32 bits.
HIGHEST_PEN = 99_999_999

_draw: Callable[[int], bytes] = os.urandom


class MridMaker:
    """Makes the mRIDs of one server: 96 bits of their own, and its private enterprise number."""

    def __init__(self, pen: int = PEN, form: PenForm = "hexadecimal") -> None:
        self.pen, self.form = pen, form
        self._end = f"{pen:08d}" if form == "decimal" else f"{pen:08X}"

    def __call__(self, seed: str = "") -> str:
        """32 upper-case hex digits; of a `seed` always the same, without one random."""
        unique = hashlib.sha256(seed.encode()).hexdigest()[:24] if seed else _draw(12).hex()
        return f"{unique.upper()}{self._end}"


@contextlib.contextmanager
def drawn_by(draw: Callable[[int], bytes]) -> Iterator[None]:
    """Meanwhile random mRIDs of this process are made of what `draw` gives, so that a run can be repeated."""
    global _draw  # noqa: PLW0603 - one process, one source of randomness
    before, _draw = _draw, draw
    try:
        yield
    finally:
        _draw = before
