"""The device types and control functions that come with dersim, declared through hooks like any plug-in's."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from dersim.device import Device
from dersim.functions import (
    connect,
    enter_service,
    fixed_pf,
    fixed_var,
    fixed_w,
    freq_droop,
    freq_watt,
    loss_of_mains,
    max_w,
    may_trip,
    momentary_cessation,
    ramp,
    storage,
    target_var,
    target_w,
    trip,
    volt_var,
    volt_watt,
    watt_pf,
    watt_var,
)
from dersim.functions.contract import FunctionType
from dersim.hardware.battery import Battery
from dersim.hardware.device_type import DeviceType, find_type
from dersim.hardware.hybrid import Hybrid
from dersim.hardware.pv import pv_array
from dersim.plugin.hookspecs import hookimpl

order = 0

DEVICE_TYPES = (
    DeviceType("PV-3Phase", "10kW-3Phase", pv_array, ("PV",), "PV inverter, three phases, 480 V"),
    DeviceType("PV-2Phase", "10kW-2Phase", pv_array, (), "PV inverter, split phase, 240 V"),
    DeviceType("PV-1Phase", "10kW-1Phase", pv_array, (), "PV inverter, single phase, 240 V"),
    DeviceType("Batt-3Phase", "15kWh-3Phase", Battery, ("Batt",), "battery, three phases, 480 V"),
    DeviceType("Batt-2Phase", "15kWh-2Phase", Battery, (), "battery, split phase, 240 V"),
    DeviceType("Batt-1Phase", "15kWh-1Phase", Battery, (), "battery, single phase, 240 V"),
    DeviceType("HybridDC-3Phase", "15kVA-Hybrid", Hybrid, (), "PV and battery behind one inverter"),
)

FUNCTION_TYPES: tuple[FunctionType, ...] = tuple(
    module.TYPE
    for module in (
        trip,
        loss_of_mains,
        momentary_cessation,
        may_trip,
        connect,
        enter_service,
        max_w,
        fixed_w,
        target_w,
        storage,
        ramp,
        volt_watt,
        freq_watt,
        freq_droop,
        fixed_var,
        target_var,
        fixed_pf,
        watt_var,
        watt_pf,
        volt_var,
    )
)


def make_device(
    number: int = 1,
    *,
    device_type: DeviceType | str = "PV-3Phase",
    functions: Iterable[FunctionType] = FUNCTION_TYPES,
    **parts: Any,
) -> Device:
    """A DER of a built-in type, by default with the built-in control functions: for scripts and tests.

    parts: the other arguments of `Device`.
    """
    kind = find_type(device_type, DEVICE_TYPES) if isinstance(device_type, str) else device_type
    return Device(number, device_type=kind, functions=functions, **parts)


@hookimpl
def register_device_types() -> Iterable[DeviceType]:
    """PV, battery and hybrid."""
    return DEVICE_TYPES


@hookimpl
def register_control_functions() -> Iterable[FunctionType]:
    """The functions of IEEE 1547-2018 and the modes of 2030.5."""
    return FUNCTION_TYPES
