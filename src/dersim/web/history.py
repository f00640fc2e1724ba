"""Each DER's past for the web: one sample per tick, for at least four hours, in bounded memory.

Samples are packed floats, 52 bytes each, so that four hours at one sample per second take
0.75 MB. The budget is for the whole fleet. Up to `ALL_WATCHED` DERs each is kept; in larger fleets only
those that somebody looked at (the one not looked at for longest is dropped), and the sum over all.
"""

from __future__ import annotations

import time
from array import array
from bisect import bisect_left
from collections import OrderedDict, deque
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

import trio

from dersim.buffers import BufferSize
from dersim.timestamps import rfc3339_many
from dersim.web.bound import NOTE_BYTES, NOTES, BoundPast

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
    "site_power_kw",
)
SAMPLES = 20_000  # four hours at the shortest interval
#: Samples of a block; a block is freed or made about every four minutes.
BLOCK = 256
#: Faster ticks are thinned to this; well under 1 s, because a tick of 1 s comes a little early at times.
MIN_STEP_S = 0.75
ALL_WATCHED = 50
#: The sums of a large fleet: how often, simulated s, and how many DERs between two checkpoints.
SUM_STEP_S = 4.99
#: A process that was stopped for less is busy, real s.
PAUSE_S = 5.0
SLICE = 200
BUDGET_BYTES = 64 * 1024 * 1024
_SAMPLE_BYTES = 8 + 4 * len(COLUMNS)
_NOTHING = (float("nan"),) * len(COLUMNS)
#: The most that one series takes.
_SERIES_BYTES = (SAMPLES // BLOCK + 2) * BLOCK * _SAMPLE_BYTES


class Series:
    """The samples of one DER, oldest dropped first. Times are simulated UTC seconds and rise.

    They lie in blocks of one size. Arrays that grow leave a hole in the heap each time they move, and in a
    month those add up to more than the samples.
    """

    def __init__(self, capacity: int = SAMPLES) -> None:
        self._capacity = capacity
        self._blocks: deque[_Block] = deque()
        self._free = 0  # places left in the last block
        self._last_s = float("-inf")

    def __len__(self) -> int:
        return len(self._blocks) * BLOCK - self._free

    @property
    def last_s(self) -> float:
        """The time of the newest sample, minus infinity where there is none."""
        return self._last_s

    @property
    def held_bytes(self) -> int:
        """What the blocks take."""
        return len(self._blocks) * BLOCK * _SAMPLE_BYTES

    def add(self, time_s: float, row: tuple[float, ...]) -> None:
        """Add one sample; `row` in the order of COLUMNS, NaN for what the device does not have."""
        if not self._free:
            self._blocks.append(_Block.empty())
            self._free = BLOCK
            if len(self) >= self._capacity + BLOCK:
                self._blocks.popleft()
        place = BLOCK - self._free
        times, values = self._blocks[-1]
        times[place] = self._last_s = time_s
        values[place::BLOCK] = array("f", row)
        self._free -= 1

    def last(self, seconds: float) -> Past:
        """The samples of the last so many seconds."""
        since_s = self._last_s - seconds
        times, columns = array("d"), [array("f") for _ in COLUMNS]
        for block in self._blocks:
            used = BLOCK - self._free if block is self._blocks[-1] else BLOCK
            begin = bisect_left(block.times, since_s, 0, used)
            times.extend(block.times[begin:used])
            for number, column in enumerate(columns):
                column.extend(block.values[number * BLOCK + begin : number * BLOCK + used])
        surplus = max(0, len(times) - self._capacity)
        return Past(times[surplus:], [column[surplus:] for column in columns])


class _Block(NamedTuple):
    """Samples side by side; values: each column's BLOCK values, one column after another."""

    times: array[float]
    values: array[float]

    @classmethod
    def empty(cls) -> _Block:
        return cls(array("d", bytes(8 * BLOCK)), array("f", bytes(4 * BLOCK * len(COLUMNS))))


class _Pauses:
    """Finds out whether the process was stopped between two steps. Simulated time then stopped with it."""

    def __init__(self, real_s: Callable[[], float]) -> None:
        self._real_s = real_s
        self._last_s = real_s()
        self._usual_s = 0.0

    def ended(self) -> bool:
        """Whether far more real time than usual went by since the last call."""
        now_s = self._real_s()
        passed_s, self._last_s = now_s - self._last_s, now_s
        paused = passed_s > PAUSE_S and passed_s > 5 * self._usual_s > 0
        if not paused:
            self._usual_s += (passed_s - self._usual_s) / 8 if self._usual_s else passed_s
        return paused


class History:
    """The series of the fleet. `run` is a task: it adds a sample of every watched DER after each step."""

    def __init__(self, fleet: Fleet, *, real_s: Callable[[], float] = time.monotonic) -> None:
        self._fleet = fleet
        self._pauses = _Pauses(real_s)
        self._all = len(fleet.devices) <= ALL_WATCHED
        self._most = max(1, BUDGET_BYTES // _SERIES_BYTES - 1)
        self._series: OrderedDict[int, Series] = OrderedDict()
        self._sum = Series()
        self._bound: dict[int, BoundPast] = {}

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await self._fleet.wait_step()
            self.sample()
            if not self._all:
                await self._sum_up()

    def sample(self) -> None:
        """Add the newest states; first a row without values where the process did not run in between."""
        paused = self._pauses.ended()
        if self._all:
            for device in self._fleet.devices:
                self._add(self._series.setdefault(device.number, Series()), device, paused)
            return
        for device in filter(None, map(self._fleet.find, list(self._series))):
            self._add(self._series[device.number], device, paused)

    def watch(self, device: Device) -> None:
        """Keep the past of this DER from now on."""
        if self._all:
            return
        self._series.setdefault(device.number, Series())
        self._series.move_to_end(device.number)
        while len(self._series) > self._most:
            self._bound.pop(self._series.popitem(last=False)[0], None)

    def _add(self, series: Series, device: Device, paused: bool) -> None:
        state = device.state
        if paused and series.last_s < state.time_s and len(series):
            series.add((series.last_s + state.time_s) / 2, _NOTHING)
        if paused or state.time_s - series.last_s >= MIN_STEP_S:
            series.add(state.time_s, _row(state))
            self._bound.setdefault(device.number, BoundPast()).note(device, state.time_s)

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
        self._sum.add(time_s, (p, q, s, nan, nan, nan, nan, nan, available, nan, nan))

    def size(self) -> BufferSize:
        """What the samples take, and the notes of what bound P and Q."""
        held = self._sum.held_bytes
        held += sum(series.held_bytes for series in self._series.values())
        held += sum(past.held_bytes for past in self._bound.values())
        count = len(self._fleet.devices) if self._all else self._most
        return BufferSize(held, (count + 1) * (_SERIES_BYTES + NOTES * NOTE_BYTES))

    def bound(self, device: Device) -> BoundPast:
        """What bound P and Q of one DER."""
        self.watch(device)
        return self._bound.setdefault(device.number, BoundPast())

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
        float("nan") if state.site is None else state.site.p_w / 1000,
    )


def mean_of_present(values: tuple[float, float, float]) -> float:
    """The mean over the phases in use; an absent phase reads 0."""
    present = [value for value in values if value]
    return sum(present) / len(present) if present else 0.0
