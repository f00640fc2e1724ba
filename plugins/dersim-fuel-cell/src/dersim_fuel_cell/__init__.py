"""A fuel cell for dersim: one hook, one device type; `stack.py` is its DC side."""

from collections.abc import Iterable
from pathlib import Path

from dersim.plugin import DeviceType, hookimpl
from dersim_fuel_cell.stack import Stack


@hookimpl
def register_device_types() -> Iterable[DeviceType]:
    """The type, with its own nameplate."""
    return [
        DeviceType(
            name="FuelCell-3Phase",
            profile=str(Path(__file__).parent / "50kW-3Phase.json"),
            make_source=Stack,
            aliases=("FuelCell",),
            doc="hydrogen fuel cell, three phases, 480 V",
        )
    ]
