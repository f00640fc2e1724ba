"""A nameplate of a real inverter, read over SunSpec Modbus: see `from_modbus.py`."""

from __future__ import annotations

from dersim.twin.from_modbus import Twin, nameplate_from_modbus

__all__ = ["Twin", "nameplate_from_modbus"]
