"""The taper of a battery before full and empty."""

import pytest

from dersim.grid.conditions import Conditions
from dersim.hardware.battery import Battery
from dersim.hardware.nameplate import bundled, read_nameplate
from dersim.hardware.taper import mean_share

NOW = Conditions()


@pytest.mark.parametrize(
    ("left_wh", "share"), [(1000, 1.0), (750, 1.0), (375, 0.5), (75, 0.1), (30, 0.05), (0, 0.05)]
)
def test_the_share_at_an_instant(left_wh: float, share: float) -> None:
    assert mean_share(left_wh, 750, 10_000, 0.0) == pytest.approx(share)


def test_without_a_taper_the_share_is_one_until_the_limit() -> None:
    assert mean_share(500, 0, 10_000, 0.05) == 1.0
    assert mean_share(500, 0, 10_000, 0.1) == pytest.approx(0.5)


def in_steps(left_wh: float, hours: float, steps: int) -> float:
    for _ in range(steps):
        left_wh -= mean_share(left_wh, 750, 10_000, hours / steps) * 10_000 * hours / steps
    return left_wh


@pytest.mark.parametrize("hours", [0.01, 0.05, 0.1, 0.2, 0.3, 0.5])
def test_the_mean_over_a_step_is_that_of_its_parts(hours: float) -> None:
    left_wh = in_steps(1000, hours, 1)
    assert in_steps(1000, hours, 7) == pytest.approx(left_wh, abs=1e-6)
    assert in_steps(1000, hours, 3600) == pytest.approx(left_wh, abs=1e-6)


def test_the_limit_is_reached_after_the_time_that_the_taper_needs() -> None:
    # Full power to 750 Wh, the exponential to 5 % of them, then 5 % of the power.
    hours = 250 / 10_000 + 2.995_732 * 750 / 10_000 + 37.5 / 500
    assert in_steps(1000, hours - 0.001, 1) > 0.1
    assert in_steps(1000, hours + 0.001, 1) == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("sign", [1, -1])
def test_ticks_of_any_length_move_the_same_energy(sign: int) -> None:
    found = []
    for tick_s in (1, 60, 300):
        cell = Battery(read_nameplate(bundled("15kWh-3Phase"), **{"dersim.SelfDischargeW": 0.0}))
        socs = []
        for second in range(tick_s, 5401, tick_s):
            cell.see(NOW, tick_s)
            cell.drew(cell.available_w if sign > 0 else -cell.charge_w, tick_s)
            if second % 300 == 0:
                socs.append(cell.soc_pct)
        found.append(socs)
    assert found[1] == pytest.approx(found[0], abs=1e-3)
    assert found[2] == pytest.approx(found[0], abs=1e-3)
