"""Procedures of active power: Volt-Watt, droop, the limit, and which of them has priority."""

from __future__ import annotations

from collections.abc import Iterator

from tests.procedures.bench import TOLERANCE, Bench, Row, line, near, percent

from dersim.modes import Curve, FixedPowerFactor, FixedVar, FreqDroop

#: Volt-Watt characteristics 1 to 3 with their response times; P2 is 20 %, or none.
VOLT_WATT = {
    "characteristic 1": (((1.06, 1.0), (1.10, 0.2)), 10.0),
    "characteristic 2": (((1.05, 1.0), (1.10, 0.0)), 60.0),
    "characteristic 3": (((1.09, 1.0), (1.10, 0.2)), 0.5),
}
#: Dead-band (Hz), slope and response time of the default and of a steep droop.
DROOP = {"default": (0.036, 0.05, 5.0), "steep": (0.017, 0.03, 0.5)}
_LIMIT_CLAUSE = "1547-2018 4.6.2; 1547.1-2020 5.13"
_DROOP_CLAUSE = "1547-2018 6.5.2.7; 1547.1-2020 5.15"


def volt_watt(name: str, power: float) -> Iterator[Row]:
    """P under the curve: 90 % on its way after Tr, there after four; never above what is available."""
    points, response_s = VOLT_WATT[name]
    bench = Bench(power)
    bench.ask("opModVoltWatt", Curve(percent(points), 1, response_s))
    label, clause = f"Volt-Watt, {name}", "1547-2018 5.4.2; 1547.1-2020 5.14.9"
    (v1, _), (v2, _) = points
    step = (v2 - v1) / 8
    up = [v1 - step, v1 + step, (v1 + v2) / 2, v2 - step, v2]
    before = 1.0
    for v in (*up, *reversed(up), 1.0):
        wanted = line(points, v)
        bench.grid(v=v)
        bench.go(response_s, response_s / 10)
        middle = min(power, before + 0.9 * (wanted - before))
        yield near(label, clause, "P at Tr", bench.p, middle, TOLERANCE)
        bench.go(3 * response_s, response_s / 4)
        yield near(label, clause, "P at 4 Tr", bench.p, min(power, wanted), TOLERANCE)
        before = wanted
        yield Row(label, clause, "P at most what is available", bench.p, 0.0, power + 1e-9)


def change(settings: tuple[float, float, float], f: float) -> float:
    """What a droop adds to P at a frequency, per unit."""
    band, slope, _ = settings
    off = 60.0 - f
    beyond = max(0.0, abs(off) - band)
    return beyond / (60.0 * slope) * (1 if off > 0 else -1)


def droop(name: str, power: float, limit: float = 1.0) -> Iterator[Row]:
    """P follows the frequency from its value at the edge of the dead-band, and returns to it."""
    settings = DROOP[name]
    band, slope, response_s = settings
    bench = Bench(power, charge=1.0)
    bench.ask("opModFreqDroop", FreqDroop(band, band, slope, slope, response_s))
    bench.ask("opModFixedW", 100 * power * limit)
    bench.go(120.0, 1.0)
    label = f"Droop, {name}, from {power * limit:.0%}"
    steps = (60 + band, 60.3, 60.8, 61.1, 60.3, 60.0, 60 - band, 59.7, 59.2, 58.6, 59.7, 60.0)
    for f in steps:
        before = bench.p
        wanted = min(power, max(-1.0, power * limit + change(settings, f)))
        bench.grid(f=f)
        bench.go(response_s, response_s / 10)
        middle = before + 0.9 * (wanted - before)
        yield near(label, _DROOP_CLAUSE, "P at Tr", bench.p, middle, TOLERANCE)
        bench.go(3 * response_s, response_s / 4)
        yield near(label, _DROOP_CLAUSE, "P at 4 Tr", bench.p, wanted, TOLERANCE)


def limit(share: float) -> Iterator[Row]:
    """The limit within 30 s from full power and back; the grid's functions act below it."""
    bench = Bench(1.0)
    label = f"Active power limit, {share:.0%}"
    bench.ask("opModFreqDroop", FreqDroop(0.036, 0.036, 0.05, 0.05, 5.0))
    bench.ask("opModVoltWatt", Curve(percent(VOLT_WATT["characteristic 1"][0]), 1, 10.0))
    bench.go(60.0, 1.0)
    bench.ask("opModMaxLimW", 100 * share)
    bench.go(30.0, 1.0)
    yield near(label, _LIMIT_CLAUSE, "P at 30 s", bench.p, share, TOLERANCE)
    for v, f in ((1.0, 60.33), (1.0, 59.36), (1.09, 60.0)):
        bench.grid(v=v, f=f)
        bench.go(60.0, 1.0)
        wanted = min(share + change(DROOP["default"], f), line(VOLT_WATT["characteristic 1"][0], v))
        yield near(label, _LIMIT_CLAUSE, "P with V and f off nominal", bench.p, max(0.0, wanted), TOLERANCE)
        bench.grid(v=1.0, f=60.0)
        bench.go(60.0, 1.0)
        yield near(label, _LIMIT_CLAUSE, "P back at the limit", bench.p, share, TOLERANCE)
    bench.ask("opModMaxLimW", None)
    bench.go(30.0, 1.0)
    yield near(label, _LIMIT_CLAUSE, "P 30 s after its end", bench.p, 1.0, TOLERANCE)


#: V, f and the P that is wanted with a limit of 50 %, Volt-Watt and droop together.
PRIORITY = (
    (1.00, 60.00, 0.5),
    (1.09, 60.00, 0.4),
    (1.09, 60.33, 0.3),
    (1.09, 60.00, 0.4),
    (1.09, 59.36, 0.4),
    (1.00, 59.36, 0.6),
    (1.00, 60.00, 0.5),
    (1.00, 59.36, 0.7),
)


def priority(reactive: str) -> Iterator[Row]:
    """Volt-Watt below droop below limit, beside each mode of reactive power."""
    bench = Bench(1.0)
    points = ((0.92, 1.0), (0.98, 0.0), (1.02, 0.0), (1.08, -1.0))
    modes = {
        "Volt-Var": ("opModVoltVar", Curve(percent(points), 2, 5.0)),
        "constant var": ("opModFixedVar", FixedVar(100, "setMaxVar")),
        "constant power factor": ("opModFixedPFInjectW", FixedPowerFactor(0.9, "inject")),
        "Watt-Var": ("opModWattVar", Curve(percent(((0.2, 0.0), (0.5, 0.0), (1.0, -1.0))), 2, 10.0)),
    }
    mode, value = modes[reactive]
    bench.ask(mode, value)  # type: ignore[arg-type]
    bench.ask("opModMaxLimW", 50.0)
    bench.ask("opModVoltWatt", Curve(percent(VOLT_WATT["characteristic 1"][0]), 1, 10.0))
    bench.ask("opModFreqDroop", FreqDroop(0.036, 0.036, 0.05, 0.05, 5.0))
    bench.go(120.0, 1.0)
    label, clause = f"Priority beside {reactive}", "1547-2018 4.7, 6.5.2.7; 1547.1-2020 5.16"
    for v, f, wanted in PRIORITY:
        bench.grid(v=v, f=f)
        bench.go(60.0, 1.0)
        yield near(label, clause, "P", bench.p, wanted, TOLERANCE)
        q = {
            "Volt-Var": 0.44 * line(points, v),
            "constant var": 0.44,
            "constant power factor": bench.p * 0.484322,
            "Watt-Var": 0.44 * line(((0.5, 0.0), (1.0, -1.0)), bench.p),
        }[reactive]
        yield near(label, clause, "Q", bench.q, q, TOLERANCE)
