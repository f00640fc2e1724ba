"""Procedures of protection: trips by magnitude and time, ride-through, and entering service."""

from __future__ import annotations

import math
from collections.abc import Iterator

from tests.procedures.bench import TOLERANCE, Bench, Row, near

from dersim.hardware.nameplate import ROCOF_HZ_S

#: Name, threshold and clearing time of the default trips of each abnormal category; V in per unit, f in Hz.
_OV2 = ("OV2", "v", 1.20, 0.16)
_SHARED = (
    ("OF2", "f", 62.0, 0.16),
    ("OF1", "f", 61.2, 300.0),
    ("UF1", "f", 58.5, 300.0),
    ("UF2", "f", 56.5, 0.16),
)
TRIPS = {
    1: (_OV2, ("OV1", "v", 1.10, 2.0), ("UV1", "v", 0.70, 2.0), ("UV2", "v", 0.45, 0.16), *_SHARED),
    2: (_OV2, ("OV1", "v", 1.10, 2.0), ("UV1", "v", 0.70, 10.0), ("UV2", "v", 0.45, 0.16), *_SHARED),
    3: (_OV2, ("OV1", "v", 1.10, 13.0), ("UV1", "v", 0.88, 21.0), ("UV2", "v", 0.50, 2.0), *_SHARED),
}
#: Voltage, seconds and what is asked of the machine (tables 14 to 16): "run", "cease" or "may".
RIDE_THROUGH = {
    1: ((0.87, 0.7 + 4 * 0.17, "run"), (0.69, 0.16, "run"), (1.15, 0.5, "may"), (1.18, 0.2, "may")),
    2: ((0.87, 3 + 8.7 * 0.22, "run"), (0.64, 0.32, "run"), (0.44, 0.16, "may"), (1.15, 0.5, "may")),
    3: ((0.87, 20.0, "run"), (0.69, 10.0, "run"), (0.49, 1.0, "cease"), (1.11, 12.0, "cease")),
}
FREQUENCIES = ((58.5, 299.0), (57.0, 299.0), (61.2, 299.0), (61.8, 299.0))


def _set(bench: Bench, what: str, value: float) -> None:
    bench.grid(**{what: value})


def trip(category: int, name: str) -> Iterator[Row]:
    """The magnitude within 1 % (10 mHz), the time within 1 %, and trip and alarm afterwards."""
    _, what, threshold, clear_s = next(each for each in TRIPS[category] if each[0] == name)
    side = 1 if name[0] == "O" else -1
    clause = "1547-2018 6.4.1; 1547.1-2020 5.4" if what == "v" else "1547-2018 6.5.1; 1547.1-2020 5.5"
    label = f"Trip {name}, Category {'I' * category}"
    fine = 0.001 if what == "v" else 0.01
    dt_s = min(0.05, clear_s / 50)

    inside = Bench(0.5, abnormal=category)
    _set(inside, what, threshold - side * fine)
    inside.go(clear_s + 1.0, dt_s if clear_s < 30 else 1.0)
    held = inside.device.state.tripped
    yield Row(label, clause, "no trip before the magnitude", float(held and clear_s > 1.0), 0.0, 0.0)

    outside = Bench(0.5, abnormal=category)
    _set(outside, what, threshold + side * fine)
    took_s = math.inf
    while outside.clock.time_s < 1.1 * clear_s + 0.1:
        outside.go(dt_s, dt_s)
        if outside.device.state.tripped:
            took_s = outside.clock.time_s
            break
    yield Row(label, clause, "clearing time", took_s, 0.99 * clear_s, 1.01 * clear_s + dt_s)
    yield near(label, clause, "no current after it", abs(outside.p) + abs(outside.q), 0.0, 0.0)


def voltage_ride_through(category: int) -> Iterator[Row]:
    """No trip within the time; current as asked; 80 % of P back within 0.4 s."""
    clause = "1547-2018 6.4.2; 1547.1-2020 5.6, 5.7"
    label = f"Voltage ride-through, Category {'I' * category}"
    for v, seconds, asked in RIDE_THROUGH[category]:
        bench = Bench(0.9, abnormal=category)
        bench.go(5.0, 0.5)
        before = bench.p
        bench.grid(v=v)
        bench.go(0.083, 0.083)
        if asked == "cease":
            yield near(label, clause, "no current after 0.083 s", abs(bench.p) + abs(bench.q), 0.0, 0.0)
        elif asked == "run":
            yield Row(label, clause, "current goes on", bench.p, 0.8 * before * min(1.0, v), 1.0)
        bench.go(seconds - 0.083 - 0.001, 0.05)
        yield Row(label, clause, "no trip within the time", float(bench.device.state.tripped), 0.0, 0.0)
        bench.grid(v=1.0)
        bench.go(0.4, 0.1)
        yield Row(label, clause, "80 % of P after 0.4 s", bench.p, 0.8 * before, 1.0)


def consecutive_dips() -> Iterator[Row]:
    """Two dips of a second, one after the other, as 6.4.2.5 has them."""
    label, clause = "Voltage ride-through, consecutive", "1547-2018 6.4.2.5; 1547.1-2020 5.6"
    bench = Bench(0.9)
    bench.go(5.0, 0.5)
    for _ in range(2):
        bench.grid(v=0.48)
        bench.go(0.99, 0.01)
        bench.grid(v=1.0)
        bench.go(0.4, 0.1)
        yield Row(label, clause, "80 % of P after 0.4 s", bench.p, 0.72, 1.0)
        bench.go(20.0, 0.5)


def frequency_ride_through(f: float, seconds: float) -> Iterator[Row]:
    """The machine stays connected for 299 s and is back at its power afterwards."""
    clause = "1547-2018 6.5.2; 1547.1-2020 5.8, 5.9"
    bench = Bench(0.9)
    bench.grid(f=f)
    bench.go(seconds, 1.0)
    label = "Frequency ride-through"
    yield Row(label, clause, f"in service at {f:g} Hz", float(bench.energized), 1.0, 1.0)
    bench.grid(f=60.0)
    bench.go(10.0, 0.5)
    yield near(label, clause, "P afterwards", bench.p, 0.9, TOLERANCE)


def enter_service() -> Iterator[Row]:
    """The window of voltage and frequency, the delay, and a ramp without a step."""
    label, clause = "Enter service", "1547-2018 4.10; 1547.1-2020 5.10"
    for v, f in ((0.91, 60.0), (1.06, 60.0), (1.0, 59.4), (1.0, 60.2)):
        bench = Bench(1.0, start="off")
        bench.grid(v=v, f=f)
        bench.go(400.0, 5.0)
        yield near(label, clause, "not outside the window", float(bench.energized), 0.0, 0.0)
        bench.grid(v=1.0, f=60.0)
        took_s = bench.until(True, 310.0, 0.5)
        yield Row(label, clause, "delay of 300 s", took_s, 300.0, 301.0)
    bench = Bench(1.0, start="off")
    bench.go(200.0, 1.0)
    bench.grid(v=0.91)
    bench.go(1.0, 0.5)
    bench.grid(v=1.0)
    yield Row(label, clause, "the delay starts anew", bench.until(True, 310.0, 0.5), 300.0, 301.0)
    for share in range(1, 11):
        bench.go(30.0, 1.0)
        yield near(label, clause, "ramp of 300 s", bench.p, share / 10, 0.01)


def return_after_trip() -> Iterator[Row]:
    """After a trip the same delay and ramp."""
    label, clause = "Enter service after a trip", "1547-2018 6.6; 1547.1-2020 5.10"
    bench = Bench(1.0)
    bench.grid(v=1.25)
    bench.go(0.2, 0.02)
    yield Row(label, clause, "tripped", float(bench.device.state.tripped), 1.0, 1.0)
    bench.grid(v=1.0)
    yield Row(label, clause, "delay of 300 s", bench.until(True, 310.0, 0.5), 300.0, 301.0)
    bench.go(150.0, 1.0)
    yield near(label, clause, "half of P after 150 s", bench.p, 0.5, 0.01)


def _stays(bench: Bench, label: str, clause: str) -> Iterator[Row]:
    """No trip, and the power of before."""
    yield Row(label, clause, "no trip", float(bench.device.state.tripped), 0.0, 0.0)
    yield near(label, clause, "P afterwards", bench.p, 0.9, TOLERANCE)


def phase_angle(trips: bool) -> Iterator[Row]:
    """Jumps of the positive sequence and of one phase, which returns before a trip on its voltages.

    trips: the nameplate's reaction to a larger jump; the ride-through does not depend on it.
    """
    clause = "1547-2018 6.5.2.6"
    label = "Phase angle ride-through" + (", trip beyond it" if trips else "")
    plate = {"dersim.AngleJump": "trip" if trips else "ride"}
    for degrees in (20.0, -20.0):
        bench = Bench(0.9, **plate)
        bench.device.inputs.set(angle_deg=degrees)
        yield near(label, clause, "P at the jump", bench.p, 0.9, TOLERANCE)
        bench.go(30.0, 0.5)
        yield from _stays(bench, label, clause)
    for phase in range(3):
        for degrees in (59.0, -59.0):
            bench = Bench(0.9, **plate)
            bench.device.inputs.set(angle_deg=[degrees * (phase == each) for each in range(3)])
            bench.go(0.5, 0.05)
            bench.device.inputs.set(angle_deg=0)
            bench.go(0.5, 0.05)
            yield from _stays(bench, label, clause)
    beyond: tuple[float | list[float], ...] = (21.0, -21.0, [61, 0, 0], [30, 30, 0])
    for angle in beyond:
        bench = Bench(0.9, **plate)
        bench.device.inputs.set(angle_deg=angle)
        tripped = float(bench.device.state.tripped)
        yield Row(label, clause, "beyond it as on the nameplate", tripped, float(trips), float(trips))


def rocof(category: int, trips: bool) -> Iterator[Row]:
    """A frequency that falls to 57 Hz, rises to 61.5 Hz and returns, at the rate of table 21.

    trips: the nameplate trips beyond it, after the 0.1 s over which the rate is averaged.
    """
    clause = "1547-2018 6.5.2.5, table 21"
    rate = ROCOF_HZ_S[category]
    label = f"ROCOF ride-through, Category {'I' * category}" + (", trip beyond it" if trips else "")
    plate = {"dersim.RocofTrip": rate if trips else 0.0}
    bench = Bench(0.9, abnormal=category, **plate)
    for target in (57.0, 61.5, 60.0):
        hz = bench.device.state.frequency_hz
        bench.device.inputs.set(frequency_hz=target, rocof_hz_s=rate)
        bench.go(abs(target - hz) / rate, 0.05)
        yield near(label, clause, "the frequency arrives", bench.device.state.frequency_hz, target, 1e-6)
    bench.go(60.0, 0.5)
    yield from _stays(bench, label, clause)
    bench.device.inputs.set(frequency_hz=59.0, rocof_hz_s=1.05 * rate)
    took_s = bench.until(False, 0.99 / rate, 0.005)
    low, high = (0.099, 0.11) if trips else (math.inf, math.inf)
    yield Row(label, clause, "beyond it as on the nameplate", took_s, low, high)


def anti_islanding() -> Iterator[Row]:
    """A balanced island: voltage and frequency stay. Enabled, it is left within 2 s, and not entered."""
    label, clause = "Unintentional islanding", "1547-2018 8.1.1"
    bench = Bench(0.9)
    bench.device.inputs.set(grid_lost=True)
    yield Row(label, clause, "clearing time", bench.until(False, 3.0), 0.0, 2.0)
    yield near(label, clause, "no current after it", abs(bench.p) + abs(bench.q), 0.0, 0.0)
    bench.go(400.0, 5.0)
    yield near(label, clause, "not entered", float(bench.energized), 0.0, 0.0)
    bench.device.inputs.set(grid_lost=False)
    yield Row(label, clause, "delay of 300 s", bench.until(True, 310.0, 0.5), 300.0, 301.0)
    disabled = Bench(0.9)
    disabled.device.settings.enable_anti_islanding(False)
    disabled.device.inputs.set(grid_lost=True)
    disabled.go(10.0, 0.1)
    yield near(label, clause, "goes on where disabled", disabled.p, 0.9, TOLERANCE)
