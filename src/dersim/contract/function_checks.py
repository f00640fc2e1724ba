"""Control functions, on every device type that they suit: values, limits, `settled`, `horizon_s`, ticks."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from random import Random
from typing import Any

from dersim.contract.subject import Bench, Check, Subject, of_types, told
from dersim.contract.values import Ranges
from dersim.contract.watched import Findings, watched
from dersim.device import Device
from dersim.functions.contract import FunctionType
from dersim.modes import MODES
from dersim.outcomes import Failed, Skipped
from dersim.setpoint_sources import SetpointSource
from dersim.setpoints import SetpointChange, Verdict

_VALUES = 12
_CHANGES = 25
_TICKS_S = (1.0, 7.0, 60.0)
_SEGMENT_S = 60.0
_EXACT = "count dt_s exactly, and tell timers by horizon_s"
_ADVICE = {
    "P": _EXACT,
    "Q": _EXACT,
    "energy": "give the Demand its lag, and a horizon_s of 1 s while it moves",
}


def checks(subject: Subject) -> Iterator[Check]:
    """Five checks of each control function."""
    for kind in subject.own(subject.registry.functions):
        one = _Function(subject, kind)
        for name, act in (
            ("values", one.values),
            ("limits", one.limits),
            ("settled", one.settled),
            ("horizon_s", one.horizon),
            ("ticks", one.ticks),
        ):
            yield Check(f"control function {kind.name}: {name}", act)


@dataclass(frozen=True, slots=True)
class _Segment:
    """What changes at its start. modes: None withdraws."""

    modes: dict[str, Any]
    inputs: dict[str, Any]


class _Function:
    def __init__(self, subject: Subject, kind: FunctionType) -> None:
        self._subject = subject
        self._kind = kind
        self._findings: Findings | None = None

    def _benches(self, kind: FunctionType | None = None) -> Iterator[Bench]:
        """Those that have the function."""
        some = False
        for bench in self._subject.benches(kind or self._kind):
            if self._kind.suits(bench.device.nameplate):
                some = True
                yield bench
        if not some:
            raise Skipped("it suits no device type that is installed")

    def _rng(self, device: Device, purpose: str) -> Random:
        return Random(f"{self._subject.seed} {purpose} {self._kind.name} {device.device_type.name}")  # noqa: S311 - not for secrets

    def values(self) -> str:
        """Within the declared ranges accepted, or refused with a reason by `check`; outside refused."""
        tried = refused = 0
        for device, _ in self._benches():
            rng = self._rng(device, "values")
            for mode in self._kind.of(device.nameplate).modes:
                if mode not in MODES:
                    raise Failed(f"{mode} is not known; register a SchemaExtension with its ModeSpec")
                ranges = Ranges(self._kind, mode)
                for _ in range(_VALUES):
                    tried += 1
                    self._check_inside(device, mode, ranges.inside(rng))
                if not ranges.declared and ranges.spec.kind == "number":
                    raise Failed(f"{mode} has no range; declare a Parameter with path '' in parameters")
                for words, value in ranges.outside(rng):
                    refused += 1
                    if device.setpoints.check(mode, value).verdict is Verdict.ACCEPTED:
                        raise Failed(
                            f"{device.device_type.name}: {mode} with {words} is accepted; "
                            f"declare the range in parameters"
                        )
        return f"{tried} within the ranges taken, {refused} outside refused" if tried else "it has no modes"

    def _check_inside(self, device: Device, mode: str, value: Any) -> None:
        outcome = device.setpoints.check(mode, value)
        if outcome.verdict is Verdict.ACCEPTED:
            return
        reason: Any = self._kind.check(mode, value, device.nameplate, device.settings)
        if not isinstance(reason, str) or not reason:
            raise Failed(
                f"{device.device_type.name}: {mode} {value!r} is within the ranges and refused: "
                f"{outcome.reason}"
            )

    def limits(self) -> str:
        """P, Q, S and A stay within the settings, and are numbers, whatever happens."""
        steps, names = 0, []
        findings = self._findings = Findings()
        for bench in self._benches(watched(self._kind, findings)):
            device, now_s = bench.device, 0.0
            rng = self._rng(device, "limits")
            names.append(bench.name)
            for segment in self._segments(device, rng, wild=True):
                _apply(device, segment)
                for _ in range(6):
                    now_s += rng.choice((0.1, 1.0, 5.0, 60.0, 600.0))
                    bench.to(now_s)
                    steps += 1
                    if beyond := beyond_settings(device):
                        raise Failed(
                            f"{bench.name}: {told(beyond)} beyond the settings at {now_s:g} s "
                            f"with {findings.modes}"
                        )
        return f"{steps} steps on {of_types(names)}"

    def _found(self) -> Findings:
        if self._findings is None:
            self.limits()
        assert self._findings is not None  # noqa: S101 - made by `limits`
        if self._findings.copied:
            raise Skipped(self._findings.copied)
        if not self._findings.steps:
            raise Skipped("it was never called")
        return self._findings

    def settled(self) -> str:
        """Where it says that it is settled, the same call again asks for the same."""
        found = self._found()
        if found.settled:
            raise Failed(f"{found.settled} with {found.modes}; set it to False while the demand still moves")
        if not found.settled_tried:
            return "it never says so: each step costs its full time"
        return f"true each of {found.settled_tried} times that it said so"

    def horizon(self) -> str:
        """A step of its length passes the timer."""
        found = self._found()
        if found.horizon:
            raise Failed(f"{found.horizon}; return the seconds to the next timer, math.inf for none")
        return f"passed {found.horizon_tried} timers" if found.horizon_tried else "no timer ran"

    def ticks(self) -> str:
        """The same course with other divisions of time."""
        names = []
        for first, _ in self._benches():
            kind = first.device_type
            names.append(kind.name)
            segments = self._segments(first, self._rng(first, "ticks"), wild=False)
            runs = [_run(self._subject.bench(kind, self._kind), segments, tick_s) for tick_s in _TICKS_S]
            _compare(kind.name, first.settings["setMaxW"], runs)
        each = " and ".join(f"{tick_s:g}" for tick_s in _TICKS_S)
        return f"the same with ticks of {each} s on {of_types(names)}"

    def _segments(self, device: Device, rng: Random, *, wild: bool) -> list[_Segment]:
        modes = self._kind.of(device.nameplate).modes
        return [self._segment(device, modes, rng, wild=wild) for _ in range(_CHANGES if wild else 8)]

    def _segment(self, device: Device, modes: tuple[str, ...], rng: Random, *, wild: bool) -> _Segment:
        wanted: dict[str, Any] = {}
        for mode in modes:
            drawn = Ranges(self._kind, mode).inside(rng) if rng.random() < 0.8 else None
            if drawn is None or device.setpoints.check(mode, drawn).verdict is Verdict.ACCEPTED:
                wanted[mode] = drawn
        if rng.random() < 0.3:
            wanted["opModMaxLimW"] = rng.choice((None, 0.0, 40.0, 80.0))
        hz = device.nameplate.frequency_hz
        inputs = {
            "voltage_pu": rng.choice((1.0, 0.97, 1.03) + ((0.0, 0.6, 1.09, 1.25) if wild else ())),
            "frequency_hz": hz + rng.choice((0.0, 0.01, -0.01) + ((-3.0, -0.6, 0.6, 3.0) if wild else ())),
            "irradiance_w_m2": rng.choice((0.0, 200.0, 600.0, 1000.0)),
            "load_w": rng.choice((0.0, 0.2, 0.9)) * device.nameplate.rtgMaxW,
        }
        return _Segment(wanted, inputs)


def _apply(device: Device, segment: _Segment) -> None:
    device.inputs.set(**segment.inputs)
    for mode, value in segment.modes.items():
        if mode in device.setpoints.supported_modes:
            device.setpoints.submit(SetpointChange(SetpointSource.REST, mode, value))


def _run(bench: Bench, segments: list[_Segment], tick_s: float) -> list[tuple[float, float, float]]:
    """P (W), Q (var) and the exported energy (Wh) at the end of each segment."""
    course, now_s, device = [], 0.0, bench.device
    for segment in segments:
        _apply(device, segment)
        end_s = now_s + _SEGMENT_S
        while now_s < end_s:
            now_s = min(end_s, now_s + tick_s)
            bench.to(now_s)
        course.append((device.state.p_w, device.state.q_var, sum(device.state.exported_wh)))
    return course


def _compare(name: str, full_w: float, runs: list[list[tuple[float, float, float]]]) -> None:
    slack_w = 0.005 * full_w
    # Energy twice that: it may bend within a step where a lag meets the available power.
    slacks = (slack_w, slack_w, 2 * slack_w * _SEGMENT_S / 3600 * len(runs[0]))
    for tick_s, run in zip(_TICKS_S[1:], runs[1:], strict=True):
        for index, (one, other) in enumerate(zip(runs[0], run, strict=True)):
            for what, a, b, slack in zip(("P", "Q", "energy"), one, other, slacks, strict=True):
                if not abs(a - b) <= slack:
                    raise Failed(
                        f"{name}: {what} {(index + 1) * _SEGMENT_S:g} s after the start is {b:.1f} "
                        f"with ticks of {tick_s:g} s and {a:.1f} with {_TICKS_S[0]:g} s; "
                        f"{_ADVICE[what]}"
                    )


def beyond_settings(device: Device) -> list[str]:
    """What of the present state is beyond the settings, or is no number."""
    state, s = device.state, device.settings
    slack, more = 1e-6, 1 + 1e-9
    numbers = (state.p_w, state.q_var, state.s_va, *state.current_a, *state.exported_wh, *state.imported_wh)
    held: dict[str, Callable[[], bool]] = {
        "a number": lambda: all(map(math.isfinite, numbers)),
        "P": lambda: state.p_w <= s.setMaxW + slack,
        "charging": lambda: -state.p_w <= s.setMaxChargeRateW + slack,
        "S": lambda: state.s_va <= max(s.setMaxVA, s.setMaxChargeRateVA) * more + slack,
        "Q": lambda: s.setMaxVarNeg - slack <= state.q_var <= s.setMaxVar + slack,
        "A": lambda: max(state.current_a) <= s.setMaxA * (1 + 1e-6),
        "SoC": lambda: state.soc_pct is None or 0 <= state.soc_pct <= 100,
    }
    return [name for name, holds in held.items() if not holds()]
