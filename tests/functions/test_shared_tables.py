"""What the DERs of a fleet have in common is one object."""

from dataclasses import replace

from dersim.functions.trip import Trip
from dersim.hardware.nameplate import bundled, read_nameplate
from dersim.hardware.settings import Settings
from dersim.plugin.builtin import make_device


def two_devices(kind="PV-3Phase"):
    return make_device(1, device_type=kind), make_device(2, device_type=kind)


def test_alike_ders_have_one_table_of_functions_and_modes():
    for kind in ("PV-3Phase", "PV-1Phase", "Batt-3Phase"):
        first, second = two_devices(kind)
        assert all(a is b for a, b in zip(first.function_types, second.function_types, strict=True))
        assert first.setpoints._types is second.setpoints._types
    assert two_devices()[0].setpoints._types is not two_devices("Batt-3Phase")[0].setpoints._types


def test_a_change_of_settings_stays_with_its_der():
    first, second = two_devices()
    assert first.settings._base is second.settings._base
    first.settings.update({"setMaxW": 5_000.0, "setVNom": 470.0})
    assert (first.settings.setMaxW, first.settings.setVRef) == (5_000.0, 470.0)
    assert (second.settings.setMaxW, second.settings.setVRef) == (10_000.0, 480.0)
    assert second.settings.written("setMaxW") is False
    assert first.settings.written("setMaxW") is True


def test_settings_of_different_nameplates_are_different():
    plate = read_nameplate(bundled("10kW-3Phase"))
    assert Settings(plate)._ranges is Settings(replace(plate, serial_number="X"))._ranges
    smaller = Settings(replace(plate, rtgMaxW=9_000.0))
    assert smaller.allowed("setMaxW") == (0.0, 9_000.0)
    assert Settings(plate).allowed("setMaxW") == (0.0, 10_000.0)


def test_timers_of_trips_are_each_der_s_own():
    first, second = (device.functions["trip"] for device in two_devices())
    assert isinstance(first, Trip)
    assert isinstance(second, Trip)
    for mode, timer in first._timers.items():
        assert timer is not second._timers[mode]
        assert timer.boundary is second._timers[mode].boundary
