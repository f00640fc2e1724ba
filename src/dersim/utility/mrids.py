"""The mRIDs of what the server makes."""

from __future__ import annotations

import hashlib
import os

#: The IEEE 2030.5 private enterprise number, the low 32 bits of every mRID made here.
PEN = 40732


def make_mrid(seed: str = "") -> str:
    """32 upper-case hex digits: 96 bits from `seed`, or random without one, and the PEN."""
    unique = hashlib.sha256(seed.encode()).hexdigest()[:24] if seed else os.urandom(12).hex()
    return f"{unique}{PEN:08x}".upper()
