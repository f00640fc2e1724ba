"""The mRIDs of what the server makes."""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Callable, Iterator

#: The IEEE 2030.5 private enterprise number, the low 32 bits of every mRID made here.
PEN = 40732

_draw: Callable[[int], bytes] = os.urandom


def make_mrid(seed: str = "") -> str:
    """32 upper-case hex digits: 96 bits from `seed`, or random without one, and the PEN."""
    unique = hashlib.sha256(seed.encode()).hexdigest()[:24] if seed else _draw(12).hex()
    return f"{unique}{PEN:08x}".upper()


@contextlib.contextmanager
def drawn_by(draw: Callable[[int], bytes]) -> Iterator[None]:
    """Meanwhile random mRIDs of this process are made of what `draw` gives, so that a run can be repeated."""
    global _draw  # noqa: PLW0603 - one process, one source of randomness
    before, _draw = _draw, draw
    try:
        yield
    finally:
        _draw = before
