"""What arrives at a bus of a feeder file, as OpenDSS wants to be told of it."""

from __future__ import annotations

import math
from typing import NamedTuple

_SQRT_3 = math.sqrt(3)


class Wires(NamedTuple):
    """Nodes of a bus, kV to neutral, and whether it is low voltage (of a transformer)."""

    nodes: tuple[int, ...]
    kv_ln: float
    low: bool

    @property
    def suffix(self) -> str:
        """As OpenDSS writes the nodes of a bus."""
        return "".join(f".{node}" for node in self.nodes)

    @property
    def kv(self) -> float:
        """As OpenDSS wants it of a load: to neutral for one phase, else line to line of three phases."""
        return self.kv_ln if len(self.nodes) == 1 else self.kv_ln * _SQRT_3
