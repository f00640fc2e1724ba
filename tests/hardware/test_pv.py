"""PV: cell temperature, DC power, the curve - against values worked out by hand."""

from __future__ import annotations

import math

import pytest

from dersim.grid.conditions import Conditions
from dersim.hardware.nameplate import bundled, read_nameplate
from dersim.hardware.pv import PvArray, cell_temperature_c, iv_curve


@pytest.mark.parametrize(
    ("g", "air", "wind", "cell"),
    [(0, 20, 1, 20.0), (800, 25, 1, 25 + 800 / 31.84), (1000, 0, 5, 1000 / 59.2), (1000, 25, 0, 65.0)],
)
def test_faiman(g: float, air: float, wind: float, cell: float) -> None:
    assert cell_temperature_c(g, air, wind) == pytest.approx(cell)


def test_pvwatts_and_the_inverter() -> None:
    array = PvArray(read_nameplate(bundled("10kW-3Phase")))
    array.see(Conditions(irradiance_w_m2=800.0, temperature_c=25.0, wind_m_s=1.0), 1.0)
    dc = 10_000 * 0.8 * (1 - 0.0035 * 800 / 31.84)
    assert array.available_w == pytest.approx(dc * 0.96)
    assert array.curve().mpp.p == pytest.approx(dc)
    array.see(Conditions(irradiance_w_m2=800.0, temperature_c=-10.0), 1.0)
    assert array.available_w > dc * 0.96  # the cold array gives more


def test_night() -> None:
    array = PvArray(read_nameplate(bundled("10kW-3Phase")))
    array.see(Conditions(irradiance_w_m2=0.0), 1.0)
    assert array.available_w == 0
    assert array.dc(0.0) == (0, 0, 0)
    assert array.curve().samples() == [(0, 0, 0)]


def test_the_curve_has_its_maximum_at_the_mpp() -> None:
    curve = iv_curve(8000.0, 500.0)
    assert curve.current(500.0) == pytest.approx(16.0)
    assert curve.i_sc == pytest.approx(16 / 0.9)
    for v in (499.0, 499.9, 500.1, 501.0):
        assert v * curve.current(v) < 8000.0
    assert curve.current(curve.v_oc) == pytest.approx(0, abs=1e-9)
    assert 1.15 < curve.v_oc / 500 < 1.4
    samples = curve.samples()
    assert (500.0, 16.0, 8000.0) in samples
    assert samples[0].v == 0
    assert samples[-1].v == pytest.approx(curve.v_oc)


@pytest.mark.parametrize("share", [0.0, 0.01, 0.3, 0.7, 0.99, 1.0, 1.5])
def test_a_curtailed_inverter_sits_right_of_the_mpp(share: float) -> None:
    curve = iv_curve(8000.0, 500.0)
    point = curve.at_power(8000 * share)
    assert point.v >= 500
    assert point.p == pytest.approx(8000 * min(share, 1.0))
    assert point.v * max(0.0, curve.current(point.v)) == pytest.approx(point.p, abs=1e-3)


def test_voltage_falls_with_heat_and_low_light() -> None:
    array = PvArray(read_nameplate(bundled("10kW-3Phase")))
    array.see(Conditions(irradiance_w_m2=1000.0, temperature_c=25.0 - 1000 / 31.84, wind_m_s=1.0), 1.0)
    assert array.curve().mpp.v == pytest.approx(600)
    array.see(Conditions(irradiance_w_m2=100.0, temperature_c=25.0 - 100 / 31.84, wind_m_s=1.0), 1.0)
    assert array.curve().mpp.v == pytest.approx(600 * 0.95)
    assert math.isfinite(array.curve().v_oc)
