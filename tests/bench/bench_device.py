"""One DER-step with Volt-Var, Volt-Watt and droop on, ours and OpenDER's three-phase; 10,000 DERs at a tick.

Both meet the same moving voltage and frequency, so nothing is at rest. Ours is the whole step of the device,
with protection, ramp, limits and energy registers; the state that readers see is built once per step too.
"""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Iterator

import trio
from tests.bench.measure import Result, at_least, interleaved

from dersim.device import Device, ManualClock
from dersim.fleet import Fleet
from dersim.grid.conditions import Conditions
from dersim.modes import Curve, FreqDroop
from dersim.plugin.builtin import make_device
from dersim.setpoint_sources import SetpointSource
from dersim.setpoints import SetpointChange, Verdict

STEPS, ROUNDS = 1500, 9
FLEET = 10_000


def trajectory(steps: int) -> list[Conditions]:
    """Voltage through both curves, frequency through both sides of the dead-band, constant sun."""
    volts = [1.0 + 0.07 * math.sin(k / 300) for k in range(steps)]
    hertz = [60 + 0.2 * math.sin(k / 50) for k in range(steps)]
    return [Conditions((v, v, v), f) for v, f in zip(volts, hertz, strict=True)]


def three_functions(device: Device) -> None:
    """Volt-Var, Volt-Watt and droop by DERControl."""
    outcomes = device.setpoints.submit(
        SetpointChange(
            SetpointSource.CSIP, "opModVoltVar", Curve(((92, 44), (98, 0), (102, 0), (108, -44)), 1, 5.0)
        ),
        SetpointChange(SetpointSource.CSIP, "opModVoltWatt", Curve(((106, 100), (110, 20)), 1, 10.0)),
        SetpointChange(SetpointSource.CSIP, "opModFreqDroop", FreqDroop(0.036, 0.036, 0.05, 0.05, 5.0)),
    )
    assert all(outcome.verdict is Verdict.ACCEPTED for outcome in outcomes), outcomes


class Ours:
    """Our device on the trajectory; `read`: whether somebody looks at the state of every step."""

    def __init__(self, *, read: bool) -> None:
        self.device = make_device(clock=ManualClock())
        self.device.step(0.0)
        three_functions(self.device)
        self.now_s = 0.0
        self.path = trajectory(STEPS)
        self.read = read

    def round_us(self) -> float:
        """CPU microseconds per step."""
        device, inputs = self.device, self.device.inputs
        start = time.thread_time()
        for conditions in self.path:
            inputs.hold(conditions)
            self.now_s += 1.0
            device.step(self.now_s)
            if self.read:
                device.state  # noqa: B018 - building it is what is measured
        return (time.thread_time() - start) / STEPS * 1e6


class OpenDer:
    """OpenDER's three-phase PV on the same."""

    def __init__(self) -> None:
        logging.disable(logging.CRITICAL)
        from opender import DER, DER_PV

        DER.t_s = 1.0
        self.der = DER_PV()
        self.der.der_file.QV_MODE_ENABLE = True
        self.der.der_file.PV_MODE_ENABLE = True
        self.der.der_file.PF_MODE_ENABLE = True
        self.path = trajectory(STEPS)
        self.der.update_der_input(v_pu=1.0, f=60, p_dc_pu=0.8)
        self.der.run()

    def round_us(self) -> float:
        """CPU microseconds per step."""
        der = self.der
        start = time.thread_time()
        for conditions in self.path[: STEPS // 5]:
            der.update_der_input(v_pu=conditions.voltage_pu[0], f=conditions.frequency_hz, p_dc_pu=0.8)
            der.run()
        return (time.thread_time() - start) / (STEPS // 5) * 1e6


async def tick_all(fleet: Fleet, path: list[Conditions]) -> tuple[float, float]:
    """CPU seconds of a tick of the fleet, and the longest that the loop was held, of the median tick."""
    spans: list[tuple[float, float]] = []
    begin_s = fleet.devices[0].state.time_s + 1
    for k, conditions in enumerate(path):
        for device in fleet.devices:
            device.inputs.hold(conditions)
        longest, last, done = 0.0, time.thread_time(), False

        async def watch() -> None:
            nonlocal longest, last
            while not done:  # noqa: B023 - ends within its turn of the loop
                now = time.thread_time()
                longest, last = max(longest, now - last), now
                await trio.lowlevel.checkpoint()

        async with trio.open_nursery() as nursery:
            nursery.start_soon(watch)
            start = time.thread_time()
            await fleet.step(begin_s + k)
            spans.append((time.thread_time() - start, max(longest, time.thread_time() - last)))
            done = True
    return sorted(spans)[len(spans) // 2]


def fleet_results() -> Iterator[Result]:
    """10,000 DERs with the three functions, under the default inputs and under a moving grid."""
    fleet = Fleet([make_device(number, clock=ManualClock()) for number in range(1, FLEET + 1)])
    for device in fleet.devices:
        device.step(0.0)
        three_functions(device)
    still = [fleet.devices[0].inputs.constants] * 5
    for grid, path, target_s in (("still", still, 0.1), ("moving", trajectory(7), None)):
        spent_s, longest_s = trio.run(tick_all, fleet, path)
        name = f"{FLEET} DERs, a tick of 1 s, grid {grid}"
        said = f"<= {target_s} s" if target_s else "none"
        met = target_s is None or spent_s <= target_s
        yield Result(f"{name}, CPU", spent_s, target_s or spent_s, "s", said, met)
        yield Result(f"{name}, loop held", longest_s * 1000, 20, "ms", "<= 20 ms", longest_s <= 0.02)


def run() -> Iterator[Result]:
    """The step against OpenDER, with nobody and with somebody reading, then the fleet."""
    peer = OpenDer()
    for read in (False, True):
        ours = Ours(read=read)
        mine, theirs = interleaved(ours.round_us, peer.round_us, ROUNDS)
        how = "state read in every step" if read else "state not read"
        yield at_least(f"DER-step, three functions, {how}", mine, theirs, 1 if read else 20)
    yield from fleet_results()
