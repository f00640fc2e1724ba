"""What must be seen at the terminals: no message acknowledges a default control, so power is the witness."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from dersim.conformance.checks.finding import SETTLING_S, failed, not_seen, passed
from dersim.conformance.evidence import Evidence, Sample
from dersim.conformance.procedure import Check, Finding
from dersim.conformance.window import Expected, Power

#: How far the power may be off, of the rating.
TOLERANCE = 0.03


def limit(percent: float) -> Expected:
    """P at a limit of so many percent of setMaxW, with enough sun."""

    def holds(sample: Sample, rating_w: float, _: float) -> bool | None:
        return None if sample.p_w is None else _near(sample.p_w, rating_w * percent / 100, rating_w)

    return Expected(f"P at {percent:g} %", holds, _share(percent))


def limit_between(low: float, high: float) -> Expected:
    """P between two percentages of setMaxW."""

    def holds(sample: Sample, rating_w: float, _: float) -> bool | None:
        return None if sample.p_w is None else rating_w * low / 100 <= sample.p_w <= rating_w * high / 100

    return Expected(f"P between {low:g} and {high:g} %", holds)


def watts(value: float) -> Expected:
    """P at so many watts."""

    def holds(sample: Sample, rating_w: float, _: float) -> bool | None:
        return None if sample.p_w is None else _near(sample.p_w, value, rating_w)

    return Expected(f"P at {value:g} W", holds, lambda *_: Power(value))


def power_factor(value: float, *, injecting: bool = True) -> Expected:
    """Q over P as the displacement asks; injecting: Q is delivered to the grid."""
    tangent = math.tan(math.acos(value)) * (1 if injecting else -1)

    def holds(sample: Sample, rating_w: float, _: float) -> bool | None:
        if sample.p_w is None or sample.q_var is None:
            return None
        return _near(sample.q_var, sample.p_w * tangent, rating_w)

    def ordered(sample: Sample, _: float, __: float) -> Power:
        return Power(None, None if sample.p_w is None else sample.p_w * tangent)

    return Expected(f"power factor {value:g} {'injecting' if injecting else 'absorbing'}", holds, ordered)


def var(percent: float) -> Expected:
    """Q at so many percent of setMaxVar, delivered positive."""

    def holds(sample: Sample, _: float, rating_var: float) -> bool | None:
        if sample.q_var is None:
            return None
        return _near(sample.q_var, rating_var * percent / 100, rating_var)

    return Expected(f"Q at {percent:g} %", holds, lambda _, __, var: Power(None, var * percent / 100))


def both(one: Expected, other: Expected) -> Expected:
    """Both hold."""

    def holds(sample: Sample, rating_w: float, rating_var: float) -> bool | None:
        said = (one.holds(sample, rating_w, rating_var), other.holds(sample, rating_w, rating_var))
        return False if False in said else None if None in said else True

    def ordered(sample: Sample, rating_w: float, rating_var: float) -> Power:
        first, second = (each.ordered(sample, rating_w, rating_var) for each in (one, other))
        p_w = second.p_w if first.p_w is None else first.p_w
        return Power(p_w, second.q_var if first.q_var is None else first.q_var)

    return Expected(f"{one.name} and {other.name}", holds, ordered)


def above(percent: float) -> Expected:
    """P above so many percent of setMaxW."""

    def holds(sample: Sample, rating_w: float, _: float) -> bool | None:
        return None if sample.p_w is None else sample.p_w > rating_w * percent / 100

    return Expected(f"P above {percent:g} %", holds, _share(percent))


def below(percent: float) -> Expected:
    """P at most so many percent of setMaxW."""

    def holds(sample: Sample, rating_w: float, _: float) -> bool | None:
        return None if sample.p_w is None else sample.p_w <= rating_w * (percent / 100 + TOLERANCE)

    return Expected(f"P at most {percent:g} %", holds, _share(percent))


def seen(
    expected: Expected,
    since: float,
    until: float,
    *,
    settling_s: float = SETTLING_S,
    moved: bool = False,
) -> Check:
    """The power is as expected from `since` (and the settling time) to `until`, printed seconds after t0.

    moved: it depends on inputs that the procedure has changed, and is not seen where nobody can.
    """

    def check(evidence: Evidence) -> Finding:
        if moved and not evidence.facts.get("inputs_moved"):
            return not_seen(f"{expected.name}: needs a change of voltage or frequency at the device")
        rating_w, rating_var = evidence.rating_w, evidence.rating_var
        if rating_w is None:
            return not_seen(
                "the rating of the device is not known: it has PUT no DERSettings or DERCapability"
            )
        begin_s = (
            evidence.t0_s
            + since * evidence.scale
            + max(evidence.least_settling_s, settling_s * evidence.scale)
        )
        end_s = evidence.t0_s + until * evidence.scale - max(0.6, min(1.0, evidence.scale * 2))
        samples = [each for each in evidence.power() if begin_s <= each.time_s <= end_s]
        verdicts = [
            (each, expected.holds(each, rating_w, rating_w if rating_var is None else rating_var))
            for each in samples
        ]
        told = [(each, verdict) for each, verdict in verdicts if verdict is not None]
        where = f"{expected.name} from {since:g} to {until:g} s"
        if not told:
            return not_seen(f"{where}: no power was seen in this time")
        wrong = [each for each, verdict in told if not verdict]
        if wrong:
            return failed(f"{where}: {_said(evidence, wrong)}")
        return passed(f"{where}: {len(told)} samples")

    return check


def _share(percent: float) -> Callable[[Sample, float, float], Power]:
    return lambda _, rating_w, __: Power(rating_w * percent / 100)


def _near(value: float, wanted: float, rating: float) -> bool:
    return abs(value - wanted) <= rating * TOLERANCE


def _said(evidence: Evidence, wrong: Sequence[Sample]) -> str:
    first = wrong[0]
    power = " and ".join(
        f"{name} {value:.0f} {unit}"
        for name, value, unit in (("P", first.p_w, "W"), ("Q", first.q_var, "var"))
        if value is not None
    )
    return f"{len(wrong)} samples differ, first {power} at {evidence.since_start(first.time_s):.0f} s"
