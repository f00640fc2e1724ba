"""SunSpec model 64910: the site's power, and the limit of its export as one can read and write it."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from dersim.plugin import ConfigError, Device, SetpointSource
from dersim_site_meter.export_limit import HIGHEST_W, LIMIT, LOAD

_OFF_ON = [{"name": "OFF", "value": 0}, {"name": "ON", "value": 1}]
_POINTS = [
    {"name": "ID", "type": "uint16", "size": 1, "value": 64910, "static": "S", "mandatory": "M"},
    {"name": "L", "type": "uint16", "size": 1, "static": "S", "mandatory": "M"},
    {"name": "LimEna", "type": "enum16", "size": 1, "access": "RW", "symbols": _OFF_ON},
    {"name": "LimW", "type": "uint32", "size": 2, "access": "RW", "units": "W"},
    {"name": "LoadW", "type": "int32", "size": 2, "units": "W"},
    {"name": "ExportW", "type": "int32", "size": 2, "units": "W"},
]
DEFINITION = {"id": 64910, "group": {"name": "site", "type": "group", "points": _POINTS}}


def power_w(device: Device) -> dict[str, float | None]:
    """The limit of the export, the load, and the export, W."""
    acting = device.setpoints.values()
    limit, load = acting.get(LIMIT), acting.get(LOAD, 0.0)
    load_w = device.seen.load_w + (float(load) if isinstance(load, int | float) else 0.0)
    limit_w = float(limit) if isinstance(limit, int | float) else None
    return {"limit": limit_w, "load": load_w, "export": device.state.p_w - load_w}


class SiteRegisters:
    """Those of one DER. What acts is read from the DER; only a limit that is off is kept here."""

    def __init__(self, device: Device, now_s: Callable[[], float]) -> None:
        del now_s
        self._device = device
        self._off_w = HIGHEST_W

    def read(self) -> Mapping[str, float | None]:
        """The limit that acts, or the one that LimEna would put in force."""
        site = power_w(self._device)
        limit_w = site["limit"]
        return {
            "LimEna": 0 if limit_w is None else 1,
            "LimW": self._off_w if limit_w is None else limit_w,
            "LoadW": site["load"],
            "ExportW": site["export"],
        }

    def write(self, points: Mapping[str, float], source: SetpointSource) -> Mapping[str, float | None]:
        """Put the limit in force, or withdraw it."""
        del source
        now = self.read() | dict(points)
        if now["LimW"] > HIGHEST_W:
            raise ConfigError(f"LimW is {now['LimW']:.0f} W; give at most {HIGHEST_W:.0f} W")
        self._off_w = now["LimW"]
        return {LIMIT: now["LimW"] if now["LimEna"] else None}
