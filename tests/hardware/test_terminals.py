"""What the terminals measure: mean, lowest and highest of the phase and line voltages."""

import pytest

from dersim.hardware.measured import Measured
from dersim.hardware.nameplate import bundled, read_nameplate
from dersim.hardware.settings import Settings
from dersim.hardware.terminals import Terminals


def measured(profile, *voltages, **settings):
    plate = read_nameplate(bundled(profile))
    own = Settings(plate)
    own.update(settings)
    seen = Measured()
    Terminals(plate, own).measure(voltages, seen)
    return seen


def test_of_three_phases_the_mean_counts_for_functions_and_the_extremes_for_trips():
    seen = measured("10kW-3Phase", 0.7, 0.8, 1.0)
    assert seen.v_pu == pytest.approx(2.5 / 3)
    assert (seen.v_low_pu, seen.v_high_pu) == (0.7, 1.0)


def test_the_reference_and_its_offset_shift_all_three():
    seen = measured("10kW-3Phase", 1.0, 1.0, 1.0, setVRefOfs=4.8)
    assert (seen.v_pu, seen.v_low_pu, seen.v_high_pu) == pytest.approx((0.99, 0.99, 0.99))
