"""All DERs of a process, stepped in slices so that other tasks can run in between."""

from __future__ import annotations

import itertools
import time
from array import array
from collections.abc import Callable, Iterable, Sequence

import trio

from dersim.buffers import BufferSize
from dersim.device import Device
from dersim.grid.contract import Outputs, Settled
from dersim.hardware.state import Triple
from dersim.setpoints import JOURNAL_LENGTH

#: Longest time of stepping before other tasks may run, real seconds. Trio randomizes the order of ready
#: tasks, so two slices may follow one another.
SLICE_S = 0.005
#: Of one entry of a setpoint journal, bytes.
_ENTRY_BYTES = 350


class Fleet:
    """All DERs of a process, with consecutive numbers.

    numbered: whether each has the certificate of its number; default: where there are several. slice_s: see
    SLICE_S; infinite where a run is to take the same steps however fast the machine is.
    """

    def __init__(
        self,
        devices: Sequence[Device],
        *,
        numbered: bool | None = None,
        profiles_from_s: float | None = None,
    ) -> None:
        self.devices = list(devices)
        self.profiles_from_s = profiles_from_s
        self.numbered = len(self.devices) > 1 if numbered is None else numbered
        self.slice_s = SLICE_S
        self._stepped = trio.Event()
        self._checks: dict[int, Callable[[], None]] = {}

    async def step(self, now_s: float, step: Callable[[Device, float], None] = Device.step) -> None:
        """Step every DER to now_s, in slices, and tell the readers; other tasks run in between.

        step: steps one DER; the simulator wraps it so that a failure does not stop the others.
        """
        await self.advance(now_s, step)
        await self.tell()

    async def advance(self, now_s: float, step: Callable[[Device, float], None] = Device.step) -> None:
        """The first half of `step`: step every DER."""
        begun = time.perf_counter()
        for device in self.devices:
            step(device, now_s)
            if time.perf_counter() - begun > self.slice_s:
                await trio.lowlevel.checkpoint()
                begun = time.perf_counter()
        await trio.lowlevel.checkpoint()

    def outputs(self, time_s: float, *, last_step: bool = True) -> Outputs:
        """What all DERs deliver now, by position and phase."""
        p_w: list[float] = []
        q_var: list[float] = []
        for device in self.devices:
            of_p, of_q = device.output
            p_w += of_p
            q_var += of_q
        return Outputs(time_s, array("d", p_w), array("d", q_var), self.devices[0].number, last_step)

    async def meet(self, settled: Settled) -> None:
        """Give every DER what a grid answered, in slices."""
        given = settled.voltage_pu
        triples: Iterable[Triple | None] = itertools.repeat(None)
        if given is not None:
            listed = getattr(given, "tolist", None)
            voltages = given if listed is None else listed()  # numpy's own numbers would be slow
            triples = zip(voltages[::3], voltages[1::3], voltages[2::3], strict=True)
        hz, hz_s = settled.frequency_hz, settled.rocof_hz_s
        begun = time.perf_counter()
        for device, voltage_pu in zip(self.devices, triples, strict=False):
            device.meet(voltage_pu, hz, hz_s)
            if time.perf_counter() - begun > SLICE_S:
                await trio.lowlevel.checkpoint()
                begun = time.perf_counter()

    def response_s(self) -> float:
        """The shortest open-loop time of all functions in force that respond to the voltage, s; inf: none."""
        return min(device.voltage_response_s for device in self.devices)

    async def tell(self) -> None:
        """The second half of `step`: wake the readers and call the checks."""
        self._stepped.set()
        self._stepped = trio.Event()
        begun = time.perf_counter()
        for number in list(self._checks):
            if (check := self._checks.get(number)) is not None:
                check()
            if time.perf_counter() - begun > self.slice_s:
                await trio.lowlevel.checkpoint()
                begun = time.perf_counter()

    def add_check(self, number: int, check: Callable[[], None]) -> None:
        """Call `check` now and after every step. number: of the DER. `check` has a fence of its own.

        Waking a task for each of thousands of DERs would cost more than most checks.
        """
        check()
        self._checks[number] = check

    def remove_check(self, number: int, check: Callable[[], None]) -> None:
        """End these checks of DER `number`; those of a successor go on."""
        if self._checks.get(number) == check:
            del self._checks[number]

    async def wait_step(self) -> None:
        """Return after the next step of the fleet."""
        await self._stepped.wait()

    def find(self, number: int) -> Device | None:
        """The DER with this number."""
        position = number - self.devices[0].number
        return self.devices[position] if 0 <= position < len(self.devices) else None

    def journal_size(self) -> BufferSize:
        """What the journals of all DERs' setpoints take, by the number of entries."""
        held = sum(len(device.setpoints.journal) for device in self.devices)
        return BufferSize(held * _ENTRY_BYTES, len(self.devices) * JOURNAL_LENGTH * _ENTRY_BYTES)
