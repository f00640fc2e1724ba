"""Each DER's past for the web: one sample per tick, for at least four hours, in bounded memory.

Samples lie in columns of packed floats, 48 bytes each, so that four hours at one sample per second take
0.7 MB. The budget is for the whole fleet. Up to `ALL_WATCHED` DERs each is kept; in larger fleets only
those that somebody looked at (the one not looked at for longest is dropped), and the sum over all.
"""

from __future__ import annotations

from array import array
from collections import OrderedDict
from typing import TYPE_CHECKING, NamedTuple

import trio

from dersim.buffers import BufferSize
from dersim.timestamps import rfc3339_many

if TYPE_CHECKING:
    from dersim.device import Device
    from dersim.fleet import Fleet
    from dersim.hardware.state import DeviceState

#: Column names, in the order of `_row`.
COLUMNS = (
    "power_kw",
    "reactive_power_kvar",
    "apparent_power_kva",
    "voltage_ll_v",
    "voltage_ln_v",
    "current_a",
    "frequency_hz",
    "irradiance_w_m2",
    "available_power_kw",
    "soc_pct",
)
SAMPLES = 20_000  # four hours at the shortest interval
#: Faster ticks are thinned to this; well under 1 s, because a tick of 1 s comes a little early at times.
MIN_STEP_S = 0.75
ALL_WATCHED = 50
#: The sums of a large fleet: how often, simulated s, and how many DERs between two checkpoints.
SUM_STEP_S = 4.99
SLICE = 200
BUDGET_BYTES = 64 * 1024 * 1024
_SAMPLE_BYTES = 8 + 4 * len(COLUMNS)


class Series:
    """The samples of one DER, oldest dropped first. Times are simulated UTC seconds and rise."""

    def __init__(self, capacity: int = SAMPLES) -> None:
        self._capacity = capacity
        self._times = array("d")
        self._columns = [array("f") for _ in COLUMNS]
        self._start = 0

    def __len__(self) -> int:
        return len(self._times) - self._start

    @property
    def last_s(self) -> float:
        """The time of the newest sample, minus infinity where there is none."""
        return self._times[-1] if self._times else float("-inf")

    def add(self, time_s: float, row: tuple[float, ...]) -> None:
        """Add one sample; `row` in the order of COLUMNS, NaN for what the device does not have."""
        self._times.append(time_s)
        for column, value in zip(self._columns, row, strict=True):
            column.append(value)
        if len(self) > self._capacity:
            self._start += 1
        # Cut in large pieces, seldom: moving an array's tail at every tick would cost 300 us.
        if self._start > self._capacity // 8:
            del self._times[: self._start]
            for column in self._columns:
                del column[: self._start]
            self._start = 0

    def last(self, seconds: float) -> Past:
        """The samples of the last so many seconds."""
        since_s = self.last_s - seconds
        low, high = self._start, len(self._times)
        while low < high:
            middle = (low + high) // 2
            if self._times[middle] < since_s:
                low = middle + 1
            else:
                high = middle
        return Past(self._times[low:], [column[low:] for column in self._columns])


class History:
    """The series of the fleet. `run` is a task: it adds a sample of every watched DER after each step."""

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet
        self._all = len(fleet.devices) <= ALL_WATCHED
        self._most = max(1, BUDGET_BYTES // (_SAMPLE_BYTES * SAMPLES * 9 // 8) - 1)
        self._series: OrderedDict[int, Series] = OrderedDict()
        self._sum = Series()

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await self._fleet.wait_step()
            self.sample()
            if not self._all:
                await self._sum_up()

    def sample(self) -> None:
        """Add the newest states."""
        if self._all:
            for device in self._fleet.devices:
                self._add(self._series.setdefault(device.number, Series()), device.state)
            return
        for number, series in self._series.items():
            self._add(series, self._fleet.devices[number - 1].state)

    def watch(self, device: Device) -> None:
        """Keep the past of this DER from now on."""
        if self._all:
            return
        self._series.setdefault(device.number, Series())
        self._series.move_to_end(device.number)
        while len(self._series) > self._most:
            self._series.popitem(last=False)

    def _add(self, series: Series, state: DeviceState) -> None:
        if state.time_s - series.last_s >= MIN_STEP_S:
            series.add(state.time_s, _row(state))

    async def _sum_up(self) -> None:
        """Add a sample of the sums where one is due; in slices, since looking at a state costs some 15 us."""
        devices = self._fleet.devices
        time_s = devices[-1].state.time_s
        if time_s - self._sum.last_s < SUM_STEP_S:
            return
        totals = [0.0, 0.0, 0.0, 0.0]
        for start in range(0, len(devices), SLICE):
            for device in devices[start : start + SLICE]:
                totals = [a + b for a, b in zip(totals, _powers(device.state), strict=True)]
            await trio.lowlevel.checkpoint()
        p, q, s, available = (total / 1000 for total in totals)
        nan = float("nan")
        self._sum.add(time_s, (p, q, s, nan, nan, nan, nan, nan, available, nan))

    def size(self) -> BufferSize:
        """What the samples take."""
        samples = sum(map(len, self._series.values())) + len(self._sum)
        count = len(self._fleet.devices) if self._all else self._most
        return BufferSize(samples * _SAMPLE_BYTES, (count + 1) * SAMPLES * 9 // 8 * _SAMPLE_BYTES)

    def past(self, device: Device, seconds: float) -> Past:
        """The last `seconds` of one DER."""
        self.watch(device)
        return self._series.get(device.number, Series()).last(seconds)

    def fleet_past(self, seconds: float) -> Past:
        """The sums over the fleet; kept in large fleets only."""
        return self._sum.last(seconds)


class Past(NamedTuple):
    """A piece of a series, copied out, so that it can be written in a thread: four hours take 50 ms."""

    times: array[float]
    columns: list[array[float]]

    def to_json(self) -> str:
        """The `history` document, columns side by side."""
        times = ",".join(f'"{text}"' for text in rfc3339_many(self.times))
        parts = [f'"time":[{times}]']
        for name, column in zip(COLUMNS, self.columns, strict=True):
            values = ",".join(map("{:.4f}".format, column)).replace("nan", "null")
            parts.append(f'"{name}":[{values}]')
        return "{" + ",".join(parts) + "}"


def _powers(state: DeviceState) -> tuple[float, float, float, float]:
    return state.p_w, state.q_var, state.s_va, state.available_w


def _row(state: DeviceState) -> tuple[float, ...]:
    return (
        state.p_w / 1000,
        state.q_var / 1000,
        state.s_va / 1000,
        mean_of_present(state.voltage_ll_v),
        mean_of_present(state.voltage_ln_v),
        mean_of_present(state.current_a),
        state.frequency_hz,
        state.irradiance_w_m2,
        state.available_w / 1000,
        float("nan") if state.soc_pct is None else state.soc_pct,
    )


def mean_of_present(values: tuple[float, float, float]) -> float:
    """The mean over the phases in use; an absent phase reads 0."""
    present = [value for value in values if value]
    return sum(present) / len(present) if present else 0.0
