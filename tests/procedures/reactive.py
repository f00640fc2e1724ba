"""Procedures of reactive power: Volt-Var, adjusted VRef, Watt-Var, constant power factor and constant var."""

from __future__ import annotations

import math
from collections.abc import Iterator

from tests.procedures.bench import TOLERANCE, Bench, Row, line, near, percent

from dersim.modes import Curve, FixedPowerFactor, FixedVar

_Q = 0.44
#: Volt-Var characteristics 1 to 3 of Category B and the default of A, with their response times.
VOLT_VAR = {
    "B, characteristic 1": (((0.92, 1.0), (0.98, 0.0), (1.02, 0.0), (1.08, -1.0)), 5.0, "B"),
    "B, characteristic 2": (((0.88, 1.0), (1.04, 0.5), (1.07, 0.5), (1.10, -1.0)), 1.0, "B"),
    "B, characteristic 3": (((0.90, 1.0), (0.93, -0.5), (0.96, -0.5), (1.10, -1.0)), 90.0, "B"),
    "A, default": (((0.90, 0.25 / _Q), (1.0, 0.0), (1.0, 0.0), (1.10, -0.25 / _Q)), 10.0, "A"),
}
#: Watt-Var characteristics 1 to 3 of Category B.
WATT_VAR = {
    "characteristic 1": ((0.2, 0.0), (0.5, 0.0), (1.0, -1.0)),
    "characteristic 2": ((0.2, -0.5), (0.5, -0.5), (1.0, -1.0)),
    "characteristic 3": ((0.2, 0.0), (0.5, -1.0), (1.0, -1.0)),
}


def voltages(points: tuple[tuple[float, float], ...]) -> list[float]:
    """Both sides and the middle of every part of a curve within continuous operation, up, down and back."""
    v1, v2, v3, v4 = (x for x, _ in points)
    step = 0.005
    up = [v3 - step, v3 + step, (v3 + v4) / 2, v4 - step, v4 + step, 1.10]
    down = [v2 + step, v2 - step, (v1 + v2) / 2, v1 + step, v1 - step, 0.88]
    walk = [*up, *reversed(up), 1.0, *down, *reversed(down), 1.0]
    return [min(1.10, max(0.88, v)) for v in walk]


def volt_var(name: str, power: float) -> Iterator[Row]:
    """Q 90 % on its way one response time after each step of the voltage, and there after four."""
    points, response_s, category = VOLT_VAR[name]
    bench = Bench(power, category=category)
    bench.ask("opModVoltVar", Curve(percent(points), 2, response_s))
    label, clause = f"Volt-Var {name}", "1547-2018 5.3.3; 1547.1-2020 5.14.4"
    bench.go(6 * response_s, response_s / 4)
    for v in voltages(points):
        before = bench.q
        wanted = _Q * line(points, v)
        bench.grid(v=v)
        bench.go(response_s, response_s / 4)
        yield near(label, clause, "Q at Tr", bench.q, before + 0.9 * (wanted - before), TOLERANCE)
        bench.go(3 * response_s, response_s / 4)
        yield near(label, clause, "Q at 4 Tr", bench.q, wanted, TOLERANCE)
        room = math.sqrt(1 - bench.q**2)
        yield near(label, clause, "P beside Q", bench.p, min(power, room), TOLERANCE)


def unbalanced(name: str) -> Iterator[Row]:
    """Q follows the mean of the phases on an unbalanced grid."""
    points, response_s, _ = VOLT_VAR[name]
    bench = Bench(0.5)
    bench.ask("opModVoltVar", Curve(percent(points), 2, response_s))
    clause = "1547-2018 5.3.3; 1547.1-2020 5.14.6"
    for v in ((1.07, 0.91, 0.91), (0.91, 1.07, 1.07), (1.04, 1.02, 0.97)):
        bench.grid(v=v)
        bench.go(6 * response_s, response_s / 4)
        wanted = _Q * line(points, sum(v) / 3)
        yield near("Volt-Var, unbalanced", clause, "Q at 6 Tr", bench.q, wanted, TOLERANCE)


def adjusted_v_ref(tref_s: float) -> Iterator[Row]:
    """With the autonomous VRef the curve follows the voltage, with Tref as its time constant."""
    points, response_s, _ = VOLT_VAR["B, characteristic 1"]
    label, clause = f"Volt-Var, adjusted VRef, Tref {tref_s:g} s", "1547-2018 5.3.3; 1547.1-2020 5.14.5"
    for v in (1.05, 0.95):
        bench = Bench(0.5)
        curve = Curve(percent(points), 2, response_s, autonomous_v_ref=True, autonomous_v_ref_s=tref_s)
        bench.ask("opModVoltVar", curve)
        bench.go(10, 1)
        bench.grid(v=v)
        bench.go(4 * response_s, 0.5)
        left = math.exp(-4 * response_s / tref_s)
        first = _Q * line(points, 1.0 + (v - 1.0) * left)
        yield near(label, clause, "Q at 4 Tr", bench.q, first, 2 * TOLERANCE)
        bench.go(tref_s - 4 * response_s, tref_s / 100)
        # 37 % of the change of voltage is left, which lies in the dead band.
        yield near(label, clause, "Q at Tref", bench.q, 0.0, TOLERANCE)
        bench.go(3 * tref_s, tref_s / 20)
        bench.grid(v=1.0)
        bench.go(4 * response_s, 0.5)
        back = _Q * line(points, 1.0 + (1.0 - v) * left)
        yield near(label, clause, "Q after the return", bench.q, back, 2 * TOLERANCE)


def watt_var(name: str, charging: bool) -> Iterator[Row]:
    """Q follows P within 10 s, up and down; mirrored while a battery charges."""
    points = WATT_VAR[name]
    mirrored = tuple((-x, -y) for x, y in reversed(points))
    bench = Bench(0.0 if charging else 1.0, charge=1.0 if charging else 0.0)
    bench.ask("opModWattVar", Curve(percent((*mirrored, *points)), 2, 10.0))
    label, clause = f"Watt-Var, {name}", "1547-2018 5.3.4; 1547.1-2020 5.14.8"
    side = -1 if charging else 1
    for share in (0.2, 0.3, 0.4, 0.5, 0.6, 0.75, 0.85, 0.75, 0.5, 0.35, 0.2):
        before = bench.q
        bench.ask("opModFixedW", 100.0 * share * side)
        bench.go(10.0, 0.5)
        wanted = side * _Q * line(points, share)
        yield near(label, clause, "Q at 10 s", bench.q, before + 0.9 * (wanted - before), TOLERANCE)
        bench.go(30.0, 1.0)
        yield near(label, clause, "Q at 40 s", bench.q, wanted, TOLERANCE)
        yield near(label, clause, "P beside Q", bench.p, share * side, TOLERANCE)


def power_factor(pf: float, injecting: bool) -> Iterator[Row]:
    """The power factor holds from 20 % of P up, at any voltage; within 10 s."""
    bench = Bench(1.0)
    mode = "opModFixedPFInjectW"
    bench.ask(mode, FixedPowerFactor(pf, "inject" if injecting else "absorb"))
    side = 1 if injecting else -1
    label = f"Constant power factor {pf:g}, {'injecting' if injecting else 'absorbing'}"
    clause = "1547-2018 5.3.2; 1547.1-2020 5.14.3"
    for power in (1.0, 0.6, 0.2, 0.6, 1.0):
        bench.dc(power)
        bench.go(40.0, 1.0)
        for v in (1.0, 1.10, 0.88, 1.0):
            bench.grid(v=v)
            bench.go(10.0, 1.0)
            wanted = side * math.tan(math.acos(pf)) * bench.p
            yield near(label, clause, "Q of P", bench.q, wanted, TOLERANCE)
            yield near(label, clause, "P within S", bench.p, min(power, pf), TOLERANCE)


def constant_var(share: float) -> Iterator[Row]:
    """A constant reactive power holds while P and the voltage change; within 10 s of the order."""
    bench = Bench(1.0)
    label, clause = f"Constant var, {share:+.0%} of setMaxVar", "1547-2018 5.3.5; 1547.1-2020 5.14.7"
    bench.ask("opModFixedVar", FixedVar(100 * share, "setMaxVar"))
    bench.go(10.0, 0.5)
    yield Row(label, clause, "Q at 10 s", abs(bench.q), abs(_Q * share) * 0.9 - 1e-9, _Q)
    bench.go(30.0, 1.0)
    for power in (1.0, 0.2, 0.5, 1.0):
        bench.dc(power)
        for v in (1.0, 1.10, 0.88):
            bench.grid(v=v)
            bench.go(10.0, 1.0)
            yield near(label, clause, "Q at any P and V", bench.q, _Q * share, TOLERANCE)
            room = math.sqrt(1 - (_Q * share) ** 2)
            yield near(label, clause, "P beside Q", bench.p, min(power, room), TOLERANCE)
