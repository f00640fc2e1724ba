"""What holds for every DER, with all settings, modes, grids and weather: found by hypothesis."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from tests.device_scenarios import Action, Ask, Scenario, finite, play
from tests.device_strategies import VALUES, scenarios

from dersim.device import Device
from dersim.modes import MODES

EVERYDAY, SLOW = 30, 1000
#: The tick of a reference run, s.
REFERENCE_S = 0.05
EVERYDAY_AND_SLOW = pytest.mark.parametrize(
    "examples", [EVERYDAY, pytest.param(SLOW, marks=pytest.mark.slow)]
)


def hold(check: Callable[..., None], examples: int, **given_by: st.SearchStrategy[Any]) -> None:
    """Try so many examples: the same ones in the everyday suite, new ones and shrunk ones under `slow`."""
    few = examples <= EVERYDAY
    chosen = settings(
        max_examples=examples,
        derandomize=few,
        phases=[Phase.generate] if few else list(Phase),
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    chosen(given(**given_by)(check))()


TICKS_S = st.lists(st.sampled_from((0.1, 0.4, 1.0, 3.0, 10.0, 60.0)), min_size=1, max_size=3).map(tuple)


def beyond_settings(device: Device) -> list[str]:
    """What of the last state is beyond the settings, by name."""
    state, s, plate = device.state, device.settings, device.nameplate
    slack, more = 1e-6, 1 + 1e-9
    va = s.setMaxVA if state.p_w >= 0 else s.setMaxChargeRateVA
    if state.p_w > 0 and state.battery is not None and state.pv is None:
        va = min(va, s.setMaxDischargeRateVA)
    held = {
        "P": state.p_w <= s.setMaxW + slack,
        "charge": -state.p_w <= s.setMaxChargeRateW + slack,
        "S": state.s_va <= va * more + slack,
        "Q": s.setMaxVarNeg - slack <= state.q_var <= s.setMaxVar + slack,
        "A": max(state.current_a) <= s.setMaxA * (1 + 1e-6),
        "available": state.p_w <= state.available_w + slack or state.tripped,
        "finite": finite(device),
    }
    if (battery := state.battery) is not None:
        held["discharge of the battery"] = battery.ac_w <= s.setMaxDischargeRateW + slack
        held["charge of the battery"] = -battery.ac_w <= s.charge_limit_w + slack
        soc_pct = state.soc_pct
        assert soc_pct is not None
        held["SoC"] = 0 <= soc_pct <= 100
        if s.setMaxWh == plate.rtgMaxWh:
            held["highest SoC"] = soc_pct <= plate.soc_max_pct + 1e-6
            held["lowest SoC"] = battery.ac_w <= slack or soc_pct >= plate.soc_min_pct - 1e-6
    return [name for name, holds in held.items() if not holds]


def _within_settings(scenario: Scenario, ticks_s: tuple[float, ...]) -> None:
    for device, _ in play(scenario, ticks_s):
        assert not beyond_settings(device), (device.state, device.settings.as_dict())


@EVERYDAY_AND_SLOW
def test_every_step_is_within_the_settings(examples: int) -> None:
    hold(_within_settings, examples, scenario=scenarios(), ticks_s=TICKS_S)


class Account(NamedTuple):
    """One instant: P, Q (W, var), the energy stored (Wh) and the four sums of energy (Wh, varh)."""

    time_s: float
    p_w: float
    q_var: float
    stored_wh: float
    energies: tuple[float, float, float, float]


def account(device: Device) -> Account:
    s = device.state
    energies = (sum(s.exported_wh), sum(s.imported_wh), sum(s.injected_varh), sum(s.absorbed_varh))
    stored_wh = (s.soc_pct or 0.0) / 100 * device.settings.setMaxWh
    return Account(s.time_s, s.p_w, s.q_var, stored_wh, energies)


def accounts(scenario: Scenario, ticks_s: tuple[float, ...]) -> list[Account]:
    """At each instant of the scenario, before and after what happens there."""
    return [account(device) for device, known in play(scenario, ticks_s) if known]


def differing(one: Account, other: Account, rating_va: float, slack_wh: float = 0.0) -> list[str]:
    """What differs by more than 0.5 % of the rating in power, or 0.1 % in energy."""
    power = 0.005 * rating_va
    # Of less energy, 0.1 % of what a tenth of the rating makes in this time, but at least in a minute.
    floor_wh = 1e-4 * rating_va * max(one.time_s, 60.0) / 3600 + slack_wh
    held = {
        "P": abs(one.p_w - other.p_w) <= power,
        "Q": abs(one.q_var - other.q_var) <= power,
        "stored": abs(one.stored_wh - other.stored_wh) <= 1e-3 * sum(one.energies[:2]) + floor_wh,
    }
    for name, a, b in zip(
        ("exported", "imported", "injected", "absorbed"), one.energies, other.energies, strict=True
    ):
        held[name] = abs(a - b) <= 1e-3 * max(a, b) + floor_wh
    return [name for name, holds in held.items() if not holds]


def _same_for_any_ticks(scenario: Scenario, ticks_s: tuple[float, ...], others_s: tuple[float, ...]) -> None:
    rating_va = scenario.make()[0].nameplate.rtgMaxVA
    for one, other in zip(accounts(scenario, ticks_s), accounts(scenario, others_s), strict=True):
        assert not differing(one, other, rating_va), (one, other)


@EVERYDAY_AND_SLOW
def test_the_division_into_ticks_changes_nothing(examples: int) -> None:
    hold(_same_for_any_ticks, examples, scenario=scenarios(), ticks_s=TICKS_S, others_s=TICKS_S)


class Sums:
    """P and Q (W, var) over time, summed up from outside in short ticks, each direction by itself.


    jumps_ws: what is unknown because a power jumped inside a tick, as at a trip.
    """

    def __init__(self) -> None:
        self.energies_ws = [0.0, 0.0, 0.0, 0.0]
        self.jumps_ws = 0.0
        self._last = (0.0, 0.0, 0.0)

    def add(self, device: Device) -> None:
        """Count the trapezium since the last call; of zero width where the powers jump at a known instant."""
        last_s, last_p, last_q = self._last
        now = (device._last_s, device.seen.p_w, device.seen.q_var)
        self._last = now
        for index, (before, after) in enumerate(((last_p, now[1]), (last_q, now[2]))):
            if abs(after - before) > 0.1 * device.nameplate.rtgMaxVA:
                self.jumps_ws += (now[0] - last_s) * abs(after - before)
            for sign in (0, 1):
                a, b = (-before, -after) if sign else (before, after)
                self.energies_ws[2 * index + sign] += (now[0] - last_s) * _positive_mean(a, b)


def _positive_mean(a: float, b: float) -> float:
    """The mean of the part above zero of a straight line from a to b."""
    if a * b >= 0:
        return max(0.0, (a + b) / 2)
    return max(a, b) ** 2 / 2 / abs(a - b)


def _registers_are_the_integral(scenario: Scenario, ticks_s: tuple[float, ...]) -> None:
    sums, device = Sums(), scenario.make()[0]
    rating_va = device.nameplate.rtgMaxVA
    for device, _ in play(scenario, (REFERENCE_S,)):
        sums.add(device)
    fine = account(device)
    out, taken, injected, absorbed = (each / 3600 for each in sums.energies_ws)
    fine = fine._replace(energies=(out, taken, injected, absorbed))
    coarse = accounts(scenario, ticks_s)[-1]
    assert not differing(fine, coarse, rating_va, sums.jumps_ws / 3600), (fine, coarse)


@EVERYDAY_AND_SLOW
def test_the_registers_are_the_integral_of_the_powers(examples: int) -> None:
    hold(_registers_are_the_integral, examples // 3, scenario=scenarios(), ticks_s=TICKS_S)


def _without_volt_watt(scenario: Scenario) -> Scenario:
    def other(action: Action) -> bool:
        return not isinstance(action, Ask) or action.mode != "opModVoltWatt"

    later, gap = [], 0
    for gap, action in scenario.later:
        # The instants stay the same.
        later.append((gap, action if other(action) else Ask("opModVoltWatt", None)))
    return scenario._replace(first=tuple(filter(other, scenario.first)), later=tuple(later))


def _volt_watt_never_raises(scenario: Scenario, ticks_s: tuple[float, ...]) -> None:
    slack_w = 1e-6 * scenario.make()[0].nameplate.rtgMaxW
    pairs = zip(play(scenario, ticks_s), play(_without_volt_watt(scenario), ticks_s), strict=True)
    for (device, _), (without, _) in pairs:
        assert device.seen.p_w <= without.seen.p_w + slack_w, (
            device.seen.p_w,
            without.seen.p_w,
            device._last_s,
        )


#: Modes in which a lower P does not raise a later one: none where Q follows P, nor where P follows Q.
#: A Q that follows P late holds P to the circle of S by what P was before.
_Q_FOLLOWS_P = ("opModWattVar", "opModWattPF", "opModFixedPFAbsorbW", "opModFixedPFInjectW")
_LOWERING = tuple(mode for mode in MODES if mode not in _Q_FOLLOWS_P)
#: Full or empty by what P was before is what the property is not about.
_ENDLESS_BATTERY = {"713.SoC": 50.0, "713.WHRtg": 1e9}


def _watched(scenario: Scenario, curve: Any) -> Scenario:
    if not scenario.kind.startswith("PV"):
        scenario = scenario._replace(plate=tuple((dict(scenario.plate) | _ENDLESS_BATTERY).items()))
    return scenario._replace(first=(Ask("opModVoltWatt", curve), *scenario.first))


WATCHED = st.builds(
    _watched,
    scenarios(modes=_LOWERING),
    VALUES["opModVoltWatt"],
)


@EVERYDAY_AND_SLOW
def test_volt_watt_never_raises_the_power(examples: int) -> None:
    hold(_volt_watt_never_raises, examples, scenario=WATCHED, ticks_s=TICKS_S)
