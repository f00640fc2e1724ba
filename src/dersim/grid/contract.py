"""The interface of a grid: what the DERs' power makes of the voltages and the frequency at their terminals.

After every step of the fleet the ticker awaits `Grid.settle` with what all DERs deliver, and gives each DER
the voltages that come back; they are its conditions in the next step. Simulated time waits for it.

Arrays have three values for each DER, in the order of the fleet: value ``3 * i + k`` is of phase k of DER i,
position i, number ``outputs.first + i``. The phases are the DER's own: a single-phase DER has the first, a
split-phase one the first two, its legs to neutral. Which phases of a feeder these are is up to the grid.
"""

from __future__ import annotations

from array import array
from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol

#: What a grid may hold.
HELD = ("voltage_pu", "frequency_hz")


class Outputs(NamedTuple):
    """What all DERs deliver at simulated time time_s (UTC, s), before the voltages of that instant.

    p_w, q_var: arrays of float64, which numpy reads without a copy (`numpy.frombuffer`); P > 0 generates,
    Q > 0 injects. The same arrays come at every step: copy what you keep. first: the number of the first DER.
    last_step: the last one of its tick, after which readers look.
    """

    time_s: float
    p_w: array[float]
    q_var: array[float]
    first: int = 1
    last_step: bool = True


class Settled(NamedTuple):
    """What a grid answers. What is None stays as it is.

    voltage_pu: an array as in `Outputs`, of float64 (`array`, a list or a numpy array), phase to neutral in
    per unit of the DER's rtgVNom, 0 to 2. frequency_hz: one for all, 30 to 90. rocof_hz_s: at which it moves
    now.
    """

    voltage_pu: Sequence[float] | None = None
    frequency_hz: float | None = None
    rocof_hz_s: float = 0.0


class Grid(Protocol):
    """A grid behind the fleet."""

    @property
    def longest_step_s(self) -> float:
        """The longest step that it allows now, simulated s; inf for any. Read before every step."""
        ...

    async def settle(self, outputs: Outputs) -> Settled:
        """Solve for these outputs. `dersim.errors.GridNotSolved` with the reason if that fails.

        Then all values stay, and the run goes on. Long work (more than a few ms) goes to `trio.to_thread`.
        """
        ...

    def status(self) -> tuple[str, str]:
        """A word and a line for the overview, as `FrontendStatus`."""
        ...


def bounds_fault(settled: Settled, count: int) -> str:
    """Why an answer for `count` DERs cannot be used, in words; "" if it can."""
    voltage, hz = settled.voltage_pu, settled.frequency_hz
    if voltage is not None:
        if len(voltage) != 3 * count:
            return f"voltage_pu has {len(voltage)} values; {3 * count} are needed, three for each DER"
        # A NaN makes the sum one, too.
        if not (min(voltage) >= 0 and max(voltage) <= 2 and sum(voltage) >= 0):
            return "voltage_pu has values that are not within 0 and 2"
    if hz is not None and not 30 <= hz <= 90:
        return f"frequency_hz is {hz!r}, not within 30 and 90"
    if not abs(settled.rocof_hz_s) <= 100:
        return f"rocof_hz_s is {settled.rocof_hz_s!r}, not within -100 and 100"
    return ""


def conflict(holds: Mapping[str, Sequence[str]]) -> str:
    """Which two grids hold the same thing, in words; "" if none do. holds: by the name of the grid."""
    for what in HELD:
        names = [name for name, held in holds.items() if what in held]
        if len(names) > 1:
            return f"grids {names[0]} and {names[1]} both hold {what}"
    return ""
