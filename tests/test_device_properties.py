"""What holds for every DER, with all settings, modes, grids and weather: found by hypothesis."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.device_scenarios import Scenario, finite, play, scenarios

from dersim.device import Device

EVERYDAY, SLOW = 60, 3000
EVERYDAY_AND_SLOW = pytest.mark.parametrize(
    "examples", [EVERYDAY, pytest.param(SLOW, marks=pytest.mark.slow)]
)


def hold(check: Callable[..., None], examples: int, **given_by: st.SearchStrategy[Any]) -> None:
    """Try so many examples; always the same ones in the everyday suite, and new ones under `slow`."""
    chosen = settings(
        max_examples=examples,
        derandomize=examples <= EVERYDAY,
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
