"""Two device types as houses of Australia have them: 230 V, 50 Hz, one phase; the DC sides are built in."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from dersim.plugin import DEVICE_TYPES, DeviceType

_NAMEPLATES = Path(__file__).parent / "nameplates"
_MADE_LIKE = {
    "AU-PV": ("PV-1Phase", "5kW-230V", "PV inverter, 5 kW, 230 V, 50 Hz"),
    "AU-Batt": ("Batt-1Phase", "10kWh-230V", "battery, 5 kW, 10 kWh, 230 V, 50 Hz"),
}


def device_types() -> Iterator[DeviceType]:
    """Both; the rates of the battery are those that the public procedures of storage start from."""
    sources = {each.name: each.make_source for each in DEVICE_TYPES}
    for name, (like, nameplate, doc) in _MADE_LIKE.items():
        yield DeviceType(
            name=name, profile=str(_NAMEPLATES / f"{nameplate}.json"), make_source=sources[like], doc=doc
        )
