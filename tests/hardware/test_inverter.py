"""The P-Q limits: corners of the wedge and the circle, both priorities, the power factor, the current."""

from __future__ import annotations

import math
from typing import Any

import pytest

from dersim.hardware.inverter import Inverter
from dersim.hardware.nameplate import bundled, read_nameplate
from dersim.hardware.settings import Settings


def inverter(**points: Any) -> Inverter:
    plate = read_nameplate(bundled("10kW-3Phase"), **points)
    return Inverter(plate, Settings(plate))


@pytest.mark.parametrize(
    ("p", "q", "fits"),
    [
        (5000, 3000, (5000, 3000)),
        (5000, 5000, (5000, 4400)),
        (5000, -5000, (5000, -4400)),
        (10_000, 4400, (math.sqrt(1e8 - 4400**2), 4400)),
        (10_000, 0, (10_000, 0)),
        (2000, 4400, (2000, 4400)),  # 20 %: all of it
        (1000, 4400, (1000, 2200)),
        (500, 4400, (500, 1100)),  # 5 %: the last
        (499, 4400, (499, 0)),
        (0, 100, (0, 0)),
    ],
)
def test_fit(p: float, q: float, fits: tuple[float, float]) -> None:
    machine = inverter()
    assert machine.fit(p, q) == pytest.approx(fits)


@pytest.mark.parametrize(
    ("category", "priority", "q", "kept"),
    [
        (1, "active", -6000, -4400),
        (0, "active", -6000, -2500),
        (0, "active", 6000, 4400),
        (1, "reactive", -6000, -6000),
        (0, "reactive", -6000, -6000),
    ],
)
def test_beyond_what_the_category_demands_the_priority_decides(
    category: int, priority: str, q: float, kept: float
) -> None:
    machine = inverter(
        **{
            "702.VarMaxInjRtg": 6000,
            "702.VarMaxAbsRtg": 6000,
            "702.NorOpCatRtg": category,
            "dersim.Priority": priority,
        }
    )
    p, q_fit = machine.fit(10_000, q)
    assert q_fit == kept
    assert p == pytest.approx(math.sqrt(1e8 - kept**2))


def test_power_factor_first() -> None:
    machine = inverter(**{"702.VarMaxInjRtg": 6000})
    assert machine.fit(10_000, 5000, power_factor_first=True) == pytest.approx(
        (10_000 / math.sqrt(1.25), 5000 / math.sqrt(1.25))
    )
    assert machine.fit(5000, 5900, power_factor_first=True) == pytest.approx((5000, 5900))


def test_storage_makes_var_without_power() -> None:
    plate = read_nameplate(bundled("15kWh-3Phase"))
    assert Inverter(plate, Settings(plate)).fit(0, 4400) == (0, 4400)
    assert Inverter(plate, Settings(plate)).fit(-10_000, 4400) == pytest.approx(
        (-math.sqrt(1e8 - 4400**2), 4400)
    )


def test_current_at_low_voltage() -> None:
    machine = inverter()
    p, q = machine.fit_current(10_000, 4000, 0.5)
    assert math.hypot(p, q) == pytest.approx(6000)
    assert q == 4000
    assert machine.fit_current(10_000, 8000, 0.5) == pytest.approx((0, 6000))


def test_settings_narrow_the_limits() -> None:
    plate = read_nameplate(bundled("10kW-3Phase"))
    settings = Settings(plate)
    machine = Inverter(plate, settings)
    settings.update({"setMaxVA": 5000.0, "setMaxVar": 1000.0})
    machine.configure()
    assert machine.fit(8000, 3000) == pytest.approx((math.sqrt(25e6 - 1e6), 1000))
    assert machine.var_available(3000) == pytest.approx((1000, 4000))
