"""Device types: a day of weather and commands, the state of charge, and the DC side beside the AC side."""

from __future__ import annotations

import copy
import math
from collections.abc import Iterator
from random import Random

from dersim.contract.function_checks import beyond_settings
from dersim.contract.subject import Bench, Check, Subject, told
from dersim.grid.conditions import Conditions
from dersim.hardware.device_type import DeviceType
from dersim.hardware.source import Source
from dersim.outcomes import Failed, Skipped
from dersim.setpoint_sources import SetpointSource
from dersim.setpoints import SetpointChange, Verdict

_STEP_S, _DAY_S = 300.0, 86_400.0
_DAY = [n * _STEP_S for n in range(1, int(_DAY_S / _STEP_S) + 1)]


def checks(subject: Subject) -> Iterator[Check]:
    """Three checks of each device type."""
    for kind in subject.own(subject.registry.device_types):
        name = f"device type {kind.name}"
        yield Check(f"{name}: a day", lambda kind=kind: _day(subject, kind))  # type: ignore[misc]  # a bound default
        yield Check(f"{name}: dc", lambda kind=kind: _dc(subject, kind))  # type: ignore[misc]  # a bound default
        yield Check(f"{name}: settled", lambda kind=kind: _settled(subject, kind))  # type: ignore[misc]  # a bound default


def _weather(now_s: float, rng: Random) -> dict[str, float]:
    sun = max(0.0, math.sin((now_s / _DAY_S - 0.25) * 2 * math.pi))
    return {
        "irradiance_w_m2": 1000 * sun * rng.uniform(0.3, 1.0),
        "temperature_c": 15 + 15 * sun,
        "wind_m_s": rng.uniform(0, 8),
    }


def _day(subject: Subject, kind: DeviceType) -> str:
    """Within its settings, with a state of charge of 0 to 100 %, at every step of a day."""
    bench, rng = subject.bench(kind), Random(f"{subject.seed} day {kind.name}")  # noqa: S311 - not for secrets
    lowest, highest = math.inf, -math.inf
    for now_s in _DAY:
        bench.device.inputs.set(**_weather(now_s, rng))
        if now_s % 3600 == 0:
            _command(bench, rng)
        bench.to(now_s)
        if beyond := beyond_settings(bench.device):
            raise Failed(f"{told(beyond)} beyond the settings {now_s:g} s after midnight")
        lowest, highest = min(lowest, bench.device.state.p_w), max(highest, bench.device.state.p_w)
    return f"P from {lowest:.0f} to {highest:.0f} W in {len(_DAY)} steps"


def _command(bench: Bench, rng: Random) -> None:
    setpoints = bench.device.setpoints
    percent = rng.choice((None, -100.0, -40.0, 0.0, 30.0, 100.0))
    if percent is None or setpoints.check("opModFixedW", percent).verdict is Verdict.ACCEPTED:
        setpoints.submit(SetpointChange(SetpointSource.REST, "opModFixedW", percent))


def _warm(source: Source, conditions: Conditions) -> None:
    for _ in range(60):
        source.see(conditions, 60.0)
        source.drew(min(max(source.rest_w, -source.charge_w), source.available_w), 60.0)


def _dc(subject: Subject, kind: DeviceType) -> str:
    """dc(p): P is V times I, and no more comes out than goes in."""
    plate = subject.registry.nameplate_of(kind)
    source, tried = kind.make_source(plate), 0
    for irradiance in (0.0, 300.0, 1000.0):
        _warm(source, Conditions(frequency_hz=plate.frequency_hz, irradiance_w_m2=irradiance))
        available, charge = source.available_w, source.charge_w
        if not (0 <= available < math.inf and 0 <= charge < math.inf):
            raise Failed(f"available_w is {available!r} and charge_w {charge!r}; give watts of 0 and above")
        for p_w in {0.0, available / 2, available, -charge / 2, -charge}:
            tried += 1
            _check_point(source, p_w)
    return f"consistent at {tried} powers"


def _check_point(source: Source, p_w: float) -> None:
    v, i, p = source.dc(p_w)
    where = f"dc({p_w:.0f}) gives {v:.1f} V, {i:.2f} A, {p:.1f} W"
    if not all(map(math.isfinite, (v, i, p))):
        raise Failed(f"{where}; give numbers")
    slack = 0.01 * abs(p) + 5.0
    if abs(v * i - p) > slack:
        raise Failed(f"{where}; P must be V times I")
    if p < p_w - slack:
        raise Failed(f"{where}: less on the DC side than on the AC side; count the losses the other way")


def _settled(subject: Subject, kind: DeviceType) -> str:
    """Where it says that it is settled, the same again changes nothing."""
    plate = subject.registry.nameplate_of(kind)
    source, said = kind.make_source(plate), 0
    for irradiance in (1000.0, 0.0):
        conditions = Conditions(frequency_hz=plate.frequency_hz, irradiance_w_m2=irradiance)
        for _ in range(120):
            source.see(conditions, 60.0)
            p_w = min(max(source.rest_w, -source.charge_w), source.available_w)
            source.drew(p_w, 60.0)
            if source.settled:
                said += 1
                _check_same(source, conditions, p_w)
    return f"true each of {said} times that it said so" if said else "it never says so: each step is computed"


def _check_same(source: Source, conditions: Conditions, p_w: float) -> None:
    try:
        twin = copy.deepcopy(source)
    except (TypeError, ValueError, RecursionError) as error:
        raise Skipped(f"the DC side cannot be copied: {error}") from None
    for _ in range(3):
        twin.see(conditions, 60.0)
        twin.drew(p_w, 60.0)
    for name in ("available_w", "charge_w", "soc_pct", "cell_temperature_c"):
        before, after = getattr(source, name), getattr(twin, name)
        if before != after and not math.isclose(before, after, rel_tol=1e-6, abs_tol=1e-3):
            raise Failed(f"settled is True, but {name} goes on from {before} to {after}")
